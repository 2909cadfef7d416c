//! Floods of each kind against one local stack, while a pair of clients talks. Measures the pair's delays, the memory
//! of the stack's process, and whether it returns that memory.

mod floods;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::chatctl::{ChatctlError, Programs, Project};
use crate::load::{ChatClient, LoadError};
use crate::processes;
use crate::report::{Figure, Quantity, table};
use crate::sample::Sample;

use self::floods::Kind;

/// The limit for the pair's round trip of two messages.
const ROUND_TRIP: Duration = Duration::from_millis(50);

/// The memory limits of the stack's process during a flood, and afterwards.
const DURING: u64 = 256 * 1024 * 1024;
const AFTER: u64 = 60 * 1024 * 1024;

/// The time until the memory must be below the second limit.
const RECOVERY: Duration = Duration::from_secs(60);

/// How many round trips the pair has had when the flood begins. They do not count.
const BEFORE: u64 = 100;

/// A round trip of the pair that takes longer counts as this, and the pair as cut off.
const CUT_OFF: Duration = Duration::from_secs(10);

/// How long the pair waits after a message that was refused.
const AGAIN: Duration = Duration::from_millis(20);

/// What the gateway says of a message beyond the account's limit, as in `local/src/websocket/throttle.rs`.
const REFUSED: &str = "Too Many Requests";

/// The direct chat, and a route to the sender's room.
const CONFIG: &str = r#"
[[routes]]
key = "$default"
receivers = "friend"
[[routes]]
key = "room"
receivers = "room"
"#;

/// Floods a local stack
#[derive(Debug, clap::Args)]
pub(crate) struct SoakArgs {
    #[command(flatten)]
    programs: Programs,
    /// How long all floods take together
    #[arg(value_name = "MINUTES")]
    minutes: f64,
    /// Only this flood; can be repeated
    #[arg(long, value_enum)]
    only: Vec<Kind>,
}

/// Why the floods failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SoakError {
    #[error(transparent)]
    Chatctl(#[from] ChatctlError),
    #[error("the pair cannot talk without a flood")]
    Pair(#[from] LoadError),
    #[error("could not start a thread for clients")]
    Thread(#[source] std::io::Error),
    #[error("the stack's process has ended during the flood `{0}`")]
    Ended(&'static str),
    #[error("{missed} bounds are missed")]
    Missed { missed: usize },
}

/// Runs each flood for its part of the time and prints a table. Fails if a bound is missed.
pub(crate) fn run(args: &SoakArgs) -> Result<(), SoakError> {
    // Each client is an open file. If the system's limit is too low, connecting will fail with that reason.
    let _as_it_was = rlimit::increase_nofile_limit(u64::MAX);
    let project = Project::with_config(&args.programs, CONFIG);
    let (stack, _took) = project.deploy()?;
    let status = stack.status()?;
    let kinds: Vec<Kind> = Kind::all()
        .into_iter()
        .filter(|kind| args.only.is_empty() || args.only.contains(kind))
        .collect();
    let each = Duration::from_secs_f64(args.minutes * 60.0).div_f64(kinds.len() as f64);
    let mut figures = Vec::new();
    for kind in kinds {
        crate::say(&format!("{} ({:.0} s)", kind.words(), each.as_secs_f64()));
        let found = flood(kind, &status.endpoint, status.pid, each)?;
        crate::say(&table(&found));
        figures.extend(found);
    }
    let missed = figures.iter().filter(|it| it.is_reached() == Some(false));
    let missed = missed.count();
    if missed > 0 {
        return Err(SoakError::Missed { missed });
    }
    Ok(())
}

fn flood(
    kind: Kind,
    endpoint: &str,
    pid: u32,
    duration: Duration,
) -> Result<[Figure; 3], SoakError> {
    let stop = Arc::new(AtomicBool::new(false));
    let talked = Arc::new(AtomicU64::new(0));
    let talk = Pair::talk(endpoint.to_owned(), Arc::clone(&stop), Arc::clone(&talked));
    let pair = start("pair", talk)?;
    while talked.load(Ordering::Relaxed) < BEFORE && !pair.is_finished() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let done = Arc::new(AtomicU64::new(0));
    let flood = floods::flood(
        kind,
        endpoint.to_owned(),
        Arc::clone(&stop),
        Arc::clone(&done),
    );
    let flood = start("flood", flood)?;
    let began = Instant::now();
    let mut most = 0;
    while began.elapsed() < duration {
        most = most.max(memory(pid));
        std::thread::sleep(Duration::from_millis(100));
    }
    stop.store(true, Ordering::Relaxed);
    // A panic in a thread was already printed on standard error, and leaves no times.
    let Ok(pair) = pair.join() else {
        return Err(LoadError::Empty.into());
    };
    let pair = pair?.since(began)?;
    let _panicked = flood.join();
    // What has ended uses no memory, which would be below each limit.
    if !processes::is_running(pid) {
        return Err(SoakError::Ended(kind.words()));
    }
    let over = Instant::now();
    while memory(pid) >= AFTER && over.elapsed() < RECOVERY {
        std::thread::sleep(Duration::from_millis(100));
    }
    let (left, after) = (memory(pid), over.elapsed());
    let (name, done) = (kind.words(), done.load(Ordering::Relaxed));
    // A pair that is cut off has no further times, whose p99 could hide that.
    let p99 = match pair.cut_off {
        Some(_) => CUT_OFF,
        None => pair.times.percentile(99),
    };
    let how = format!(
        "{} round trips, p50 {:.1} ms, longest {:.0} ms, {} messages refused and sent again{}; flood: {done} {}",
        pair.times.len(),
        pair.times.median().as_secs_f64() * 1e3,
        pair.times.largest().as_secs_f64() * 1e3,
        pair.refused,
        pair.cut_off
            .map_or_else(String::new, |why| format!(", cut off: {why}")),
        kind.unit(),
    );
    let during = "resident, the largest of 10 readings a second";
    let afterwards = format!("{:.1} s after the flood", after.as_secs_f64());
    let memory = |name, bytes, how| Figure::new(name, Quantity::Bytes(bytes), how);
    let mut times = Figure::time(format!("{name}: pair's p99"), p99, how);
    if !kind.uses_up_the_account() {
        times = times.below(Quantity::Time(ROUND_TRIP));
    }
    Ok([
        times,
        memory("  memory of the stack's process", most, during.to_owned())
            .below(Quantity::Bytes(DURING)),
        memory("  the same afterwards", left, afterwards).below(Quantity::Bytes(AFTER)),
    ])
}

fn memory(pid: u32) -> u64 {
    processes::usage(pid).0.resident
}

/// Runs `work` on its own thread, so that a flood does not delay the pair's measurements.
fn start<T: Send + 'static>(
    name: &str,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<JoinHandle<T>, SoakError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(SoakError::Thread)?;
    let thread = std::thread::Builder::new().name(name.to_owned());
    let thread = thread.spawn(move || {
        let done = runtime.block_on(work);
        runtime.shutdown_background();
        done
    });
    thread.map_err(SoakError::Thread)
}

/// The measurements of two clients that talk to each other.
#[derive(Debug)]
struct Talk {
    /// When each round trip began, and how long it took.
    trips: Vec<(Instant, Duration)>,
    /// When a message was refused.
    refusals: Vec<Instant>,
    cut_off: Option<String>,
}

impl Talk {
    /// The round trips that ended after `began`, and the refusals since then.
    fn since(self, began: Instant) -> Result<Pair, LoadError> {
        let trips = self.trips.into_iter();
        let times = trips.filter_map(|(start, took)| (start + took > began).then_some(took));
        Ok(Pair {
            times: Sample::new(times.collect()).ok_or(LoadError::Empty)?,
            refused: self.refusals.iter().filter(|at| **at > began).count(),
            cut_off: self.cut_off,
        })
    }
}

#[derive(Debug)]
struct Pair {
    times: Sample,
    /// How many messages were refused, and sent again.
    refused: usize,
    /// The reason if they stopped early.
    cut_off: Option<String>,
}

impl Pair {
    /// Talks until `stop`, a message each in turn, and counts the round trips.
    async fn talk(
        url: String,
        stop: Arc<AtomicBool>,
        talked: Arc<AtomicU64>,
    ) -> Result<Talk, LoadError> {
        let mut tom = ChatClient::open(&url, "soak-tom", "soak-jerry").await?;
        let mut jerry = ChatClient::open(&url, "soak-jerry", "soak-tom").await?;
        let (mut times, mut refusals) = (Vec::new(), Vec::new());
        let mut cut_off = None;
        while !stop.load(Ordering::Relaxed) {
            let said = Instant::now();
            let both = async {
                pass(&mut tom, &mut jerry, times.len(), &mut refusals).await?;
                pass(&mut jerry, &mut tom, times.len(), &mut refusals).await
            };
            match tokio::time::timeout(CUT_OFF, both).await {
                Ok(Ok(())) => times.push((said, said.elapsed())),
                Ok(Err(why)) => cut_off = Some(why),
                Err(_elapsed) => cut_off = Some("no round trip in 10 s".to_owned()),
            }
            if cut_off.is_some() {
                times.push((said, CUT_OFF));
                break;
            }
            talked.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(Talk {
            trips: times,
            refusals,
            cut_off,
        })
    }
}

/// Sends one message from one to the other; again after each refusal, of which it notes the time.
async fn pass(
    from: &mut ChatClient,
    to: &mut ChatClient,
    number: usize,
    refusals: &mut Vec<Instant>,
) -> Result<(), String> {
    let text = format!("soak {number}");
    let broken = |error: LoadError| error.to_string();
    loop {
        from.send(text.clone()).await.map_err(broken)?;
        let reply = tokio::select! {
            received = to.receive() => {
                let received = received.map_err(broken)?;
                return match *received == *text {
                    true => Ok(()),
                    false => Err(format!("`{received}` instead of `{text}`")),
                };
            }
            reply = from.receive() => reply.map_err(broken)?,
        };
        if !is_refusal(&reply) {
            return Err(format!("`{reply}` in response to `{text}`"));
        }
        refusals.push(Instant::now());
        tokio::time::sleep(AGAIN).await;
    }
}

/// Whether `frame` says that the message before it was not taken, so that it cannot arrive twice.
fn is_refusal(frame: &str) -> bool {
    serde_json::from_str(frame).is_ok_and(|frame: serde_json::Value| {
        frame["message"] == REFUSED && frame.get("connectionId").is_some()
    })
}

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::Message;

    use super::*;

    /// A chat of two that answers each message's sender first with the next of `replies`; without one, it delivers it.
    async fn between(replies: &[&str]) -> (Result<(), String>, usize) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let serving = async {
            let (tom, _) = listener.accept().await.unwrap();
            let mut tom = tokio_tungstenite::accept_async(tom).await.unwrap();
            let (jerry, _) = listener.accept().await.unwrap();
            let mut jerry = tokio_tungstenite::accept_async(jerry).await.unwrap();
            let mut replies = replies.iter();
            while let Some(Ok(text)) = tom.next().await {
                match replies.next() {
                    Some(reply) => tom.send(Message::text(*reply)).await.unwrap(),
                    None => jerry.send(text).await.unwrap(),
                }
            }
        };
        let talking = async {
            let mut tom = ChatClient::open(&url, "a", "b").await.unwrap();
            let mut jerry = ChatClient::open(&url, "b", "a").await.unwrap();
            let mut refusals = Vec::new();
            let passed = pass(&mut tom, &mut jerry, 7, &mut refusals).await;
            (passed, refusals.len())
        };
        tokio::select! {
            passed = talking => passed,
            () = serving => panic!("the chat has ended"),
        }
    }

    #[tokio::test]
    async fn a_message_that_is_refused_is_sent_again_and_another_frame_ends_the_talk() {
        let refusal = r#"{"message": "Too Many Requests", "connectionId":"c=", "requestId":"r="}"#;
        assert_eq!(between(&[]).await, (Ok(()), 0));
        assert_eq!(between(&[refusal, refusal]).await, (Ok(()), 2));
        let failure =
            r#"{"message": "Internal server error", "connectionId":"c=", "requestId":"r="}"#;
        let (passed, refused) = between(&[refusal, failure]).await;
        assert!(passed.unwrap_err().contains("Internal server error") && refused == 1);
    }
}
