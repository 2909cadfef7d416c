//! Messages that a chat keeps, on screens whose connections are killed again and again: each message that is kept must be on
//! every screen exactly once, and each that has a receipt must be kept.
//!
//! A screen follows the algorithm of the page and of `chatctl chat`: it drops ids that it has, and after a reconnect reads
//! page by page what is newer than the id up to which nothing is missing.

mod screen;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::json;
use testing::Client;

use self::screen::{BEGINNING, Screen, Shown};
use crate::chatctl::{ChatctlError, Programs, Project};

/// One room that keeps its messages.
const CONFIG: &str = r#"
[[routes]]
key = "say"
receivers = "room"
text = "message"
envelope = true
history = "1h"
[[routes]]
key = "history"
answers = "history"
"#;

/// Messages of a sender without a receipt.
const IN_FLIGHT: usize = 16;

/// How long a receipt may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends messages that are kept, over connections that are killed
#[derive(Debug, clap::Args)]
pub(crate) struct KeptArgs {
    #[command(flatten)]
    programs: Programs,
    /// How many messages are sent
    #[arg(long, default_value_t = 100_000)]
    messages: usize,
    /// How many senders there are
    #[arg(long, default_value_t = 2)]
    senders: usize,
    /// How many screens there are
    #[arg(long, default_value_t = 4)]
    screens: usize,
    /// How long a connection lasts at most, in milliseconds, before it is killed
    #[arg(long, default_value_t = 3_000)]
    life: u64,
    /// The first number of all that are random
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Why the messages are not where they must be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeptError {
    #[error(transparent)]
    Chatctl(#[from] ChatctlError),
    #[error("could not connect to {url}")]
    Connect {
        url: String,
        source: Box<tokio_tungstenite::tungstenite::Error>,
    },
    #[error("what is kept could not be read: {0}")]
    Unreadable(String),
    #[error("{count} messages have a receipt and are not kept, such as {text:?}")]
    NotKept { count: usize, text: String },
    #[error("{count} messages are kept twice, such as {text:?}")]
    KeptTwice { count: usize, text: String },
    #[error("screen {screen} lacks {lacking} kept messages, and has {more} that are not kept")]
    Screen {
        screen: usize,
        lacking: usize,
        more: usize,
    },
}

/// Random numbers that a seed decides.
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// In 0..`end`; the generator is Knuth's, <https://en.wikipedia.org/wiki/Linear_congruential_generator>.
    fn below(&mut self, end: u64) -> u64 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end.max(1)
    }

    fn moment(&mut self, milliseconds: u64) -> tokio::time::Instant {
        tokio::time::Instant::now() + Duration::from_millis(self.below(milliseconds))
    }
}

/// Counts that all tasks share.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    sent: Cell<usize>,
    kills: Cell<usize>,
    pages: Cell<usize>,
}

fn more(count: &Cell<usize>) {
    count.set(count.get() + 1);
}

/// Runs it; fails if a message is missing or twice anywhere.
pub(crate) async fn run(args: &KeptArgs) -> Result<(), KeptError> {
    let project = Project::with_config(&args.programs, CONFIG)?;
    let (stack, _took) = project.deploy()?;
    let url = stack.status()?.endpoint;
    let counts = Counts::default();
    let is_over = Cell::new(false);
    let began = Instant::now();
    let each = args.messages / args.senders.max(1);
    let sending = async {
        let senders = (0..args.senders).map(|number| {
            let chance = Chance::new(args.seed + 1_000 + number as u64);
            send(&url, number, each, args.life, chance, &counts)
        });
        let confirmed = join_all(senders).await;
        // What has no receipt may still be written.
        let quiet = stack.quiet().await;
        is_over.set(true);
        quiet.map(|()| confirmed)
    };
    let screens = (0..args.screens).map(|number| {
        let chance = Chance::new(args.seed + number as u64);
        Screen::new(&url, number, args.life, chance, &counts).watch(&is_over)
    });
    let (confirmed, shown) = tokio::join!(sending, join_all(screens));
    let confirmed = confirmed?.into_iter().collect::<Result<Vec<_>, _>>()?;
    let confirmed: Vec<String> = confirmed.into_iter().flatten().collect();
    let kept = everything(&url).await?;
    let took = began.elapsed();
    check(&kept, &confirmed, shown)?;
    crate::say(&format!(
        "{} messages sent, {} of them with a receipt; {} kept, each on {} screens exactly once and in order; {} connections \
         killed, {} pages of history read; {:.1} s, {:.0} messages a second",
        counts.sent.get(),
        confirmed.len(),
        kept.len(),
        args.screens,
        counts.kills.get(),
        counts.pages.get(),
        took.as_secs_f64(),
        counts.sent.get() as f64 / took.as_secs_f64(),
    ));
    Ok(())
}

fn check(
    kept: &Shown,
    confirmed: &[String],
    screens: Vec<Result<Shown, KeptError>>,
) -> Result<(), KeptError> {
    let mut texts: BTreeMap<&str, usize> = BTreeMap::new();
    for text in kept.values() {
        *texts.entry(text).or_default() += 1;
    }
    let mut twice = texts.iter().filter(|(_, count)| **count > 1);
    if let Some((text, _)) = twice.next() {
        let (count, text) = (twice.count() + 1, (*text).to_owned());
        return Err(KeptError::KeptTwice { count, text });
    }
    let is_lost = |text: &&String| !texts.contains_key(text.as_str());
    let mut lost = confirmed.iter().filter(is_lost);
    if let Some(text) = lost.next() {
        let (count, text) = (lost.count() + 1, text.clone());
        return Err(KeptError::NotKept { count, text });
    }
    for (screen, shown) in screens.into_iter().enumerate() {
        let shown = shown?;
        let lacking = kept.keys().filter(|id| !shown.contains_key(*id)).count();
        let more = shown.keys().filter(|id| !kept.contains_key(*id)).count();
        if lacking + more > 0 {
            return Err(KeptError::Screen {
                screen,
                lacking,
                more,
            });
        }
    }
    Ok(())
}

/// A receipt, or another frame.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", default)]
    kind: &'a str,
    #[serde(rename = "ref", default)]
    reference: &'a str,
    #[serde(default)]
    stored: bool,
}

/// Sends `messages`, each once; returns the texts of those that have a receipt.
async fn send(
    url: &str,
    number: usize,
    messages: usize,
    life: u64,
    mut chance: Chance,
    counts: &Counts,
) -> Result<Vec<String>, KeptError> {
    let name = format!("Sender {number}");
    let mut confirmed = Vec::with_capacity(messages);
    let mut next = 0;
    loop {
        let mut client = connect(url, &name).await?;
        let end = chance.moment(life);
        let mut waiting = 0;
        loop {
            while waiting < IN_FLIGHT && next < messages {
                let text = format!("{number}-{next}");
                let frame = json!({ "action": "say", "message": text, "ref": text });
                if client.try_send(frame.to_string()).await.is_err() {
                    break;
                }
                next += 1;
                waiting += 1;
                more(&counts.sent);
            }
            if next == messages && waiting == 0 {
                return Ok(confirmed);
            }
            let is_last = next == messages;
            let received = tokio::select! {
                received = client.next_text() => received,
                // The last ones are waited for.
                () = tokio::time::sleep_until(end), if !is_last => break,
                () = tokio::time::sleep(PATIENCE) => return Ok(confirmed),
            };
            let Ok(text) = received else { break };
            if let Ok(Head {
                kind: "sent",
                reference,
                stored: true,
            }) = serde_json::from_str(&text)
            {
                confirmed.push(reference.to_owned());
                waiting -= 1;
            }
        }
        // Without a goodbye, and with messages under way.
        drop(client);
        more(&counts.kills);
    }
}

/// Connects as `name`; a listener that is full takes the connection a moment later.
async fn connect(url: &str, name: &str) -> Result<Client, KeptError> {
    let headers = || [("msgfrom", name), ("msgroom", "kitchen")];
    let began = Instant::now();
    loop {
        match Client::open(url, headers()).await {
            Ok(client) => return Ok(client),
            Err(_) if began.elapsed() < PATIENCE => tokio::task::yield_now().await,
            Err(source) => {
                return Err(KeptError::Connect {
                    url: url.to_owned(),
                    source: Box::new(source),
                });
            }
        }
    }
}

/// All that is kept, from the first message to the last.
async fn everything(url: &str) -> Result<Shown, KeptError> {
    let counts = Counts::default();
    let mut reader = Screen::new(
        url,
        usize::MAX,
        u64::from(u32::MAX),
        Chance::new(1),
        &counts,
    );
    reader.start_at(BEGINNING);
    reader.watch(&Cell::new(true)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_hundred_messages_are_on_every_screen_once_whatever_happens_to_connections() {
        let args = KeptArgs {
            programs: Programs {
                chatctl: testing::command::chatctl(),
                handlers: testing::command::handlers().to_owned(),
            },
            messages: 400,
            senders: 2,
            screens: 3,
            life: 200,
            seed: 7,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(run(&args)).unwrap();
    }

    #[test]
    fn a_message_that_is_missing_or_twice_is_a_failure() {
        let kept = |pairs: &[(&str, &str)]| -> Shown {
            let pairs = pairs.iter();
            pairs
                .map(|(id, text)| ((*id).to_owned(), (*text).to_owned()))
                .collect()
        };
        let all = kept(&[("1", "a"), ("2", "b")]);
        let both = ["a".to_owned(), "b".to_owned()];
        check(&all, &both, vec![Ok(all.clone())]).unwrap();
        for (kept, confirmed, screen) in [
            (&all, &both[..], kept(&[("1", "a")])),
            (&all, &both[..], kept(&[("1", "a"), ("2", "b"), ("3", "c")])),
            (&kept(&[("1", "a")]), &both[..], kept(&[("1", "a")])),
            (
                &kept(&[("1", "a"), ("2", "a")]),
                &both[..1],
                kept(&[("1", "a"), ("2", "a")]),
            ),
        ] {
            check(kept, confirmed, vec![Ok(screen)]).unwrap_err();
        }
    }
}
