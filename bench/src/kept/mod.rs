//! Messages that a chat keeps, while connections, processes of functions and the whole stack are killed again and again: each
//! message must be kept and on every screen, exactly once.
//!
//! A screen follows the algorithm of the page and of `chatctl chat`: it drops ids that it has, and after a reconnect reads
//! page by page what is newer than the id up to which nothing is missing. A sender sends again what has no receipt and is not
//! kept.

mod chance;
mod chaos;
mod screen;
mod sender;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chat_protocol::{Field, Handshake};
use futures_util::future::{join_all, try_join_all};
use serde::Deserialize;
use testing::Client;

pub(crate) use self::chance::RandomNumbers;
use self::chaos::Chaos;
use self::screen::{BEGINNING, Screen, Shown};
use self::sender::Sender;
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

/// How long it may take until the stack serves a client again.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long a client waits after a handshake that failed.
const AGAIN: Duration = Duration::from_millis(20);

/// Sends messages that are kept, while everything is killed
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
    #[arg(long, default_value_t = 10_000)]
    life: u64,
    /// The time between two kills of a function's process at most, in milliseconds; 0 kills none
    #[arg(long, default_value_t = 500)]
    function_life: u64,
    /// How often the whole stack is killed and started again
    #[arg(long, default_value_t = 10)]
    restarts: usize,
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
    #[error("{count} messages are not kept, such as {text:?}")]
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

/// Counts that all tasks share.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Messages, each time that they are sent.
    sent: Cell<usize>,
    receipts: Cell<usize>,
    /// Messages without a receipt that were kept.
    found: Cell<usize>,
    /// Messages without a receipt that were not.
    again: Cell<usize>,
    /// Connections that were killed.
    kills: Cell<usize>,
    /// Processes of functions that were killed.
    functions: Cell<usize>,
    restarts: Cell<usize>,
    /// Frames that say that a function has failed.
    failures: Cell<usize>,
    /// Handshakes that failed.
    refused: Cell<usize>,
    pages: Cell<usize>,
}

fn more(count: &Cell<usize>) {
    count.set(count.get() + 1);
}

/// Runs it; fails if a message is missing or twice anywhere.
pub(crate) async fn run(args: &KeptArgs) -> Result<(), KeptError> {
    crate::say(&format!("seed {}", args.seed));
    let project = Project::with_config(&args.programs, CONFIG);
    let (stack, _took) = project.deploy()?;
    let url = stack.status()?.endpoint;
    let counts = Counts::default();
    let (is_sent, is_over) = (Cell::new(false), Cell::new(false));
    let began = Instant::now();
    let each = args.messages / args.senders.max(1);
    let sending = async {
        let senders = (0..args.senders).map(|number| {
            let chance = RandomNumbers::new(args.seed + 1_000 + number as u64);
            Sender::new(&url, number, each, args.life, chance, &counts)
        });
        let mut senders: Vec<_> = senders.collect();
        let chaos = Chaos {
            stack: &stack,
            function_life: args.function_life,
            restarts: moments(args.restarts, each * args.senders),
            chance: RandomNumbers::new(args.seed + 2_000),
            counts: &counts,
        };
        let send = async {
            let sent = try_join_all(senders.iter_mut().map(Sender::send)).await;
            is_sent.set(true);
            sent
        };
        let (sent, raged) = tokio::join!(send, chaos.rage(&is_sent));
        raged?;
        sent?;
        // What has no receipt may still be written.
        stack.quiet().await?;
        let finished = try_join_all(senders.iter_mut().map(Sender::finish)).await;
        stack.quiet().await?;
        finished
    };
    let sending = async {
        let sent = sending.await;
        is_over.set(true);
        sent
    };
    let screens = (0..args.screens).map(|number| {
        let chance = RandomNumbers::new(args.seed + number as u64);
        Screen::new(&url, number, args.life, chance, &counts).watch(&is_over)
    });
    let (sent, shown) = tokio::join!(sending, join_all(screens));
    sent?;
    let kept = everything(&url).await?;
    let took = began.elapsed();
    check(&kept, (args.senders, each), shown)?;
    crate::say(&report(args, &kept, &counts, took));
    Ok(())
}

/// After how many messages each of `restarts` happens, evenly.
fn moments(restarts: usize, messages: usize) -> Vec<usize> {
    let part = messages / (restarts + 1);
    (1..=restarts).map(|number| number * part).collect()
}

fn report(args: &KeptArgs, kept: &Shown, counts: &Counts, took: Duration) -> String {
    format!(
        "{} messages kept, each on {} screens exactly once; {} of them have a receipt, {} were found in the history \
         without one, and {} times one was not found and sent again; {} connections, {} processes of functions and {} times the \
         whole stack killed; {} handshakes and {} frames failed; {} pages of history read by screens; {:.1} s, {:.0} messages a \
         second",
        kept.len(),
        args.screens,
        counts.receipts.get(),
        counts.found.get(),
        counts.again.get(),
        counts.kills.get(),
        counts.functions.get(),
        counts.restarts.get(),
        counts.refused.get(),
        counts.failures.get(),
        counts.pages.get(),
        took.as_secs_f64(),
        kept.len() as f64 / took.as_secs_f64(),
    )
}

fn check(
    kept: &Shown,
    (senders, each): (usize, usize),
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
    let sent =
        (0..senders).flat_map(|sender| (0..each).map(move |number| format!("{sender}-{number}")));
    let mut lost = sent.filter(|text| !texts.contains_key(text.as_str()));
    if let Some(text) = lost.next() {
        let count = lost.count() + 1;
        return Err(KeptError::NotKept { count, text });
    }
    for (screen, shown) in screens.into_iter().enumerate() {
        let shown = shown?;
        let lacking = kept
            .iter()
            .filter(|(id, text)| shown.get(*id) != Some(text));
        let more = shown
            .iter()
            .filter(|(id, text)| kept.get(*id) != Some(text));
        let (lacking, more) = (lacking.count(), more.count());
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

/// Whether `frame` says that a function has failed, as API Gateway does.
fn is_failure(frame: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "what counts is that all are there")]
    struct Failure<'a> {
        message: &'a str,
        connection_id: &'a str,
        request_id: &'a str,
    }
    serde_json::from_str::<Failure<'_>>(frame).is_ok()
}

/// Connects as `name`; what a stack that is killed or busy refuses is tried again a moment later.
async fn connect(url: &str, name: &str, counts: &Counts) -> Result<Client, KeptError> {
    let handshake = Handshake::default()
        .with(Field::From, name)
        .with(Field::Room, "kitchen");
    let began = Instant::now();
    loop {
        match Client::open(url, handshake.headers()).await {
            Ok(client) => return Ok(client),
            Err(_) if began.elapsed() < TIMEOUT => {
                more(&counts.refused);
                tokio::time::sleep(AGAIN).await;
            }
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
        RandomNumbers::new(1),
        &counts,
    );
    reader.start_at(BEGINNING);
    reader.watch(&Cell::new(true)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_hundred_messages_are_on_every_screen_once_whatever_is_killed() {
        let args = KeptArgs {
            programs: Programs {
                chatctl: testing::command::chatctl(),
                handlers: testing::command::handlers().to_owned(),
            },
            messages: 400,
            senders: 2,
            screens: 3,
            life: 200,
            function_life: 300,
            restarts: 1,
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
        let all = kept(&[("1", "0-0"), ("2", "0-1")]);
        check(&all, (1, 2), vec![Ok(all.clone())]).unwrap();
        for (kept, screen) in [
            (&all, kept(&[("1", "0-0")])),
            (&all, kept(&[("1", "0-0"), ("2", "0-1"), ("3", "0-2")])),
            (&all, kept(&[("1", "0-1"), ("2", "0-0")])),
            (&kept(&[("1", "0-0")]), kept(&[("1", "0-0")])),
            (
                &kept(&[("1", "0-0"), ("2", "0-1"), ("3", "0-1")]),
                kept(&[("1", "0-0"), ("2", "0-1"), ("3", "0-1")]),
            ),
        ] {
            check(kept, (1, 2), vec![Ok(screen)]).unwrap_err();
        }
    }

    #[test]
    fn a_frame_that_says_that_a_function_failed_differs_from_messages() {
        assert!(is_failure(
            r#"{"message": "Internal server error", "connectionId":"a=", "requestId":"b="}"#
        ));
        assert!(!is_failure(
            r#"{"type":"sent","ref":"0-1","id":"01K","stored":true}"#
        ));
    }

    #[test]
    fn restarts_are_spread_over_the_messages() {
        assert_eq!(moments(3, 400), [100, 200, 300]);
        assert_eq!(moments(0, 400), [0; 0]);
    }
}
