//! Secrets of a handler: read by their references, and kept for a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chat_lambdas::log::{Log, reasons};
use chat_lambdas::secrets::{Reference, Secrets, value};
use tokio::time::Instant;

use crate::ChatError;
use crate::error::HandlerKind;

/// How long a value is used before it is read again, so that a new one takes effect.
const FRESH: Duration = Duration::from_secs(300);

/// After a reading failed, how long the old value is used before the next try.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// The value of a secret. Neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    pub(crate) fn new(value: String) -> Self {
        Self(value.into())
    }

    /// The value. What is done with it afterwards, such as writing it to a log, is up to the handler.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn sign(chat: &Chat, _: &Message) -> Result<Reply, Error> {
    ///     let key = chat.secret("SIGNING_KEY").await?;
    ///     assert_eq!(format!("{key:?}"), "Secret(…)");
    ///     Ok(key.expose().len().to_string().into())
    /// }
    /// let mut chat = FakeChat::new();
    /// chat.set_secret("SIGNING_KEY", "hush");
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.send(&tom, "hi", sign).unwrap().text(), Some("4"));
    /// ```
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// The secrets that a function's environment names, and those that were read already.
#[derive(Debug)]
pub(crate) struct Vault<S> {
    references: BTreeMap<String, Reference>,
    source: S,
    /// No more than there are references.
    read: Mutex<BTreeMap<String, CachedSecret>>,
}

#[derive(Debug, Clone)]
struct CachedSecret {
    secret: Secret,
    until: Instant,
}

impl<S: Secrets + Sync> Vault<S> {
    pub(crate) const fn new(references: BTreeMap<String, Reference>, source: S) -> Self {
        Self {
            references,
            source,
            read: Mutex::new(BTreeMap::new()),
        }
    }

    /// The secret `name`. If it cannot be read again, its last value stays in use, and the reason is logged.
    pub(crate) async fn secret(
        &self,
        name: &str,
        kind: HandlerKind,
        log: &Log,
    ) -> Result<Secret, ChatError> {
        let Some(reference) = self.references.get(name) else {
            return Err(ChatError::no_secret(name, kind));
        };
        let kept = self.kept().get(name).cloned();
        if let Some(kept) = kept.as_ref().filter(|kept| Instant::now() < kept.until) {
            return Ok(kept.secret.clone());
        }
        let (secret, time) = match (value(&self.source, reference).await, kept) {
            (Ok(value), _) => (Secret::new(value), FRESH),
            (Err(error), Some(kept)) => {
                let fields = [("secret", name.into()), ("reason", reasons(&error).into())];
                log.warn("a secret could not be read again", fields);
                (kept.secret, RETRY_AFTER)
            }
            (Err(source), None) => {
                return Err(ChatError::Secret {
                    name: name.to_owned(),
                    source,
                });
            }
        };
        let kept = CachedSecret {
            secret: secret.clone(),
            until: Instant::now() + time,
        };
        self.kept().insert(name.to_owned(), kept);
        Ok(secret)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, CachedSecret>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_lambdas::log::Level;
    use chat_lambdas::secrets::SecretError;

    /// Answers in turn, the last one repeatedly.
    struct Answers(Mutex<Vec<Option<&'static str>>>);

    impl Secrets for Answers {
        async fn text(&self, reference: &Reference) -> Result<String, SecretError> {
            let mut answers = self.0.lock().unwrap();
            let answer = match answers.len() {
                1 => answers[0],
                _ => answers.remove(0),
            };
            answer
                .map(str::to_owned)
                .ok_or_else(|| SecretError::Unread {
                    reference: reference.to_string(),
                    words: "no answer".into(),
                })
        }
    }

    fn vault(reference: &str, answers: Vec<Option<&'static str>>) -> Vault<Answers> {
        let references = [("KEY".to_owned(), reference.parse().unwrap())].into();
        Vault::new(references, Answers(Mutex::new(answers)))
    }

    fn log() -> (Log, Arc<Mutex<Vec<String>>>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let log = Log::new(Level::Debug, move |line: &str| {
            sink.lock().unwrap().push(line.to_owned());
        });
        (log, lines)
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_read_once_in_five_minutes_and_a_new_one_takes_effect_then() {
        let vault = vault("ssm:/key", vec![Some("one"), Some("two")]);
        let (log, lines) = log();
        for _ in 0..3 {
            assert_eq!(
                vault
                    .secret("KEY", HandlerKind::Route, &log)
                    .await
                    .unwrap()
                    .expose(),
                "one"
            );
        }
        tokio::time::advance(FRESH).await;
        assert_eq!(
            vault
                .secret("KEY", HandlerKind::Route, &log)
                .await
                .unwrap()
                .expose(),
            "two"
        );
        assert!(lines.lock().unwrap().is_empty());
        assert!(!format!("{vault:?}", vault = vault.read).contains("two"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_value_stays_in_use_while_it_cannot_be_read_again() {
        let vault = vault("ssm:/key", vec![Some("one"), None, Some("two")]);
        let (log, lines) = log();
        assert_eq!(
            vault
                .secret("KEY", HandlerKind::Route, &log)
                .await
                .unwrap()
                .expose(),
            "one"
        );
        tokio::time::advance(FRESH).await;
        for _ in 0..2 {
            assert_eq!(
                vault
                    .secret("KEY", HandlerKind::Route, &log)
                    .await
                    .unwrap()
                    .expose(),
                "one"
            );
        }
        let reported = lines.lock().unwrap().join("\n");
        assert_eq!(
            reported.matches("could not be read again").count(),
            1,
            "{reported}"
        );
        assert!(!reported.contains("one"), "{reported}");
        tokio::time::advance(RETRY_AFTER).await;
        assert_eq!(
            vault
                .secret("KEY", HandlerKind::Route, &log)
                .await
                .unwrap()
                .expose(),
            "two"
        );
    }

    #[tokio::test]
    async fn an_unknown_name_and_an_unread_secret_are_errors_that_say_what_to_do() {
        let vault = vault("secretsmanager:db:SecretString:password", vec![Some("{}")]);
        let (log, _) = log();
        for (kind, expected) in [
            (HandlerKind::Route, "the route needs `secrets = { OTHER = "),
            (
                HandlerKind::Review,
                "the route needs `review-secrets = { OTHER = ",
            ),
            (
                HandlerKind::Authorizer,
                "[auth] needs `secrets = { OTHER = ",
            ),
        ] {
            let unknown = vault.secret("OTHER", kind, &log).await.unwrap_err();
            assert!(unknown.to_string().contains(expected), "{unknown}");
        }
        let missing = vault
            .secret("KEY", HandlerKind::Route, &log)
            .await
            .unwrap_err();
        assert_eq!(missing.to_string(), "the secret `KEY` could not be read");
        let source = std::error::Error::source(&missing).unwrap().to_string();
        assert!(
            source.contains("not JSON with a text under this key"),
            "{source}"
        );
    }
}
