//! What a chat's user proves a name with, and when a token is to be replaced.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::commands::tokens::{Prover, TOKEN_VARIABLE};
use crate::error::CommandError;
use chatctl_deploy::config::names::PersonName;
use chatctl_deploy::engine::client::Address;
use chatctl_deploy::engine::{ErrorKind, TargetError, Token};
use chatctl_deploy::reading::text_now;

/// Where new tokens come from.
#[derive(Debug)]
pub(super) enum Source {
    /// Nowhere: names are claims, or a token was given once.
    Nowhere,
    /// They are made here.
    Made(Prover, PersonName),
    /// Another program writes them into a file.
    File(PathBuf),
}

/// Where to connect, and what proves the name there.
#[derive(Debug)]
pub(super) struct Identity {
    address: Address,
    source: Source,
    /// From when on a new token is to be had.
    due: Option<SystemTime>,
}

/// A token is replaced before it expires: at most this long before, and never before three quarters of its time.
const MARGIN: Duration = Duration::from_secs(60);

/// After how long a new token is asked for again, where there was none.
const AGAIN: Duration = Duration::from_secs(5);

impl Identity {
    /// An identity whose first token is in `address` already, if there is one.
    pub(super) fn new(address: Address, source: Source) -> Self {
        let mut identity = Self {
            address,
            source,
            due: None,
        };
        identity.schedule();
        identity
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// When to look for a new token; `None` where there will be none.
    pub(super) fn renewal(&self) -> Option<Instant> {
        let wait = self.due?.duration_since(SystemTime::now());
        Some(Instant::now() + wait.unwrap_or_default())
    }

    pub(super) fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= SystemTime::now())
    }

    /// When the token expires by its own word.
    pub(super) fn expires_at(&self) -> Option<SystemTime> {
        let seconds = self.address.token.as_ref()?.expires_at()?;
        UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    }

    /// Whether the token has expired by its own word.
    pub(super) fn has_expired(&self) -> bool {
        self.expires_at().is_some_and(|at| at <= SystemTime::now())
    }

    /// Gets a new token; `false` where there is none yet.
    ///
    /// # Errors
    /// There will be none: it cannot be made, or what is in the file is none.
    pub(super) fn renew(&mut self) -> Result<bool, CommandError> {
        let next = match &self.source {
            Source::Nowhere => return Ok(false),
            Source::Made(prover, name) => prover.token(name)?,
            Source::File(path) => Some(read(path)?),
        };
        let is_new = next.is_some() && next != self.address.token;
        if is_new {
            self.address.token = next;
            self.schedule();
        } else {
            self.later();
        }
        Ok(is_new)
    }

    /// Puts the next attempt off.
    pub(super) fn later(&mut self) {
        self.due = match self.source {
            Source::Nowhere => None,
            Source::Made(..) | Source::File(_) => Some(SystemTime::now() + AGAIN),
        };
    }

    /// The failure of a chat whose token has expired and has no successor.
    pub(super) fn expired(&self) -> CommandError {
        let hint = match &self.source {
            Source::File(path) => {
                format!("write a new one into {}, then try again", path.display())
            }
            _ => format!("get a new one and give it in {TOKEN_VARIABLE} or by `--token-file`"),
        };
        TargetError::new(
            ErrorKind::Failed,
            "the token has expired, and there is no new one",
        )
        .with_hint(hint)
        .into()
    }

    fn schedule(&mut self) {
        self.due = match self.source {
            Source::Nowhere => None,
            Source::Made(..) | Source::File(_) => self.expires_at().map(|expires| {
                let left = expires
                    .duration_since(SystemTime::now())
                    .unwrap_or_default();
                expires - MARGIN.min(left / 4)
            }),
        };
    }
}

/// The most bytes of a file whose first line is a token.
const MAX_TOKEN_FILE: u64 = 1 << 20;

/// The token in a file: its first line.
pub(super) fn read(path: &std::path::Path) -> Result<Token, CommandError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| TargetError {
        source: Some(error),
        ..TargetError::new(
            ErrorKind::Usage,
            format!("could not read the token in {}", path.display()),
        )
        .with_hint("the file's first line must be a token, such as `chatctl token --as Tom` prints")
    };
    let text = text_now(path, MAX_TOKEN_FILE).map_err(|error| failed(error.into()))?;
    let line = text.lines().next().unwrap_or_default();
    Ok(Token::parse(line).map_err(|error| failed(error.into()))?)
}

#[cfg(test)]
pub(super) mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use chat_protocol::Handshake;

    use super::*;

    /// A token without a good signature that expires in so many seconds.
    pub(in crate::commands::chat) fn token(seconds: u64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let claims = format!("{{\"exp\":{}}}", now.as_secs() + seconds);
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    fn identity(token: &str, source: Source) -> Identity {
        let address = Address {
            url: "ws://x".into(),
            handshake: Handshake::default(),
            token: Some(Token::parse(token).unwrap()),
        };
        Identity::new(address, source)
    }

    #[test]
    fn a_token_is_replaced_before_it_expires_and_one_that_was_given_once_never() {
        let left = |identity: &Identity| {
            let renewal = identity.renewal().unwrap();
            renewal.duration_since(Instant::now()).as_secs()
        };
        let file = || Source::File("none".into());
        assert!((3500..=3540).contains(&left(&identity(&token(3600), file()))));
        assert!((28..=30).contains(&left(&identity(&token(40), file()))));
        assert!(identity(&token(0), file()).is_due());
        let given = identity(&token(0), Source::Nowhere);
        assert!(given.renewal().is_none() && !given.is_due());
    }

    #[test]
    fn a_file_that_still_has_the_old_token_is_looked_at_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let (old, new) = (token(0), token(600));
        std::fs::write(&path, &old).unwrap();
        let mut identity = identity(&old, Source::File(path.clone()));
        assert!(!identity.renew().unwrap());
        assert!(!identity.is_due() && identity.renewal().is_some());
        std::fs::write(&path, format!("{new}\nmore")).unwrap();
        assert!(identity.renew().unwrap());
        assert_eq!(identity.address().token.as_ref().unwrap().secret(), new);
        std::fs::write(&path, "no token").unwrap();
        let error = identity.renew().unwrap_err();
        assert_eq!(error.exit, 2);
        assert!(!error.chain().contains("no token"), "{}", error.chain());
    }
}
