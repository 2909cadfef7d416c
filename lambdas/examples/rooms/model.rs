//! A large room on AWS, in simulated time: the real handler between models of the table and of the account's limit.
//!
//! Assumptions, because AWS publishes no figures: posts take a lognormal time (sigma 0.5) around a median, and a
//! response of 429 up to 8 ms; a post takes 36 µs of a processor (measured on an x86_64 machine without TLS), of which
//! 512 MB have 0.29; a page of members takes 12 ms; a function starts 40 ms after it was invoked, half of them 250 ms
//! later. The account's limit is a token bucket, as API Gateway documents it
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chat_lambdas::delivery::{Delivery, DeliveryError, Posted};
use chat_lambdas::dispatch::{Dispatch, DispatchError, ShardMessage};
use chat_lambdas::handlers::{Invocation, deliver};
use chat_lambdas::log::{Level, Log};
use chat_lambdas::room::Rest;
use chat_lambdas::session::{ConnectionId, Name, Room, Session};
use chat_lambdas::shard::{ROOM_SHARDS, Shard};
use chat_lambdas::store::{
    ConnectionStore, Device, PAGE_ROWS, Page, PageStart, People, Presence, Read, StoreError,
};
use futures_util::future::join_all;
use tokio::time::{Instant, sleep, sleep_until};

const SIGMA: f64 = 0.5;
const REFUSAL: Duration = Duration::from_millis(8);
const PROCESSOR: Duration = Duration::from_micros(124);
const PAGE: Duration = Duration::from_millis(12);
const INVOKE: Duration = Duration::from_millis(40);
const COLD: Duration = Duration::from_millis(250);
/// The function's `Timeout`, minus the time that it reserves for work that has begun.
const TIME: Duration = Duration::from_secs(296);
const GIGABYTES: f64 = 0.5;
/// The time that a slow client reads nothing after the first post to it.
const SLOW: Duration = Duration::from_millis(1_200);

/// A message to a room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) members: u32,
    /// The account's limits, in requests a second and in one burst.
    pub(crate) rate: f64,
    pub(crate) burst: f64,
    /// The median time of a post.
    pub(crate) post: Duration,
    /// One in this many members reads too slowly.
    pub(crate) slow_one_in: Option<u32>,
}

/// The outcome of a message.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Outcome {
    /// The time until the last member had it.
    pub(crate) took: Duration,
    pub(crate) lost: usize,
    pub(crate) doubled: usize,
    /// The number of posts that got 429.
    pub(crate) refusals: usize,
    /// The number of functions that ran.
    pub(crate) functions: usize,
    pub(crate) gigabyte_seconds: f64,
}

/// Simulates one message. The same seed gives the same outcome.
pub(crate) fn play(setup: Setup, seed: u64) -> Outcome {
    // The pauses between attempts are random too.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime
        .expect("a runtime needs nothing but memory")
        .block_on(async {
            let world = World::new(setup, seed);
            join_all(Shard::all().map(|shard| world.serve(shard))).await;
            world.outcome()
        })
}

struct World {
    setup: Setup,
    began: Instant,
    state: Mutex<State>,
}

struct State {
    random: fastrand::Rng,
    tokens: f64,
    filled: Instant,
    /// How often each member has received the message, shard by shard.
    got: Vec<Vec<u8>>,
    /// The time since when each slow member reads nothing.
    slow: std::collections::HashMap<(u8, u32), Instant>,
    last: Instant,
    outcome: Outcome,
}

impl World {
    fn new(setup: Setup, seed: u64) -> Self {
        let began = Instant::now();
        let got = (0..ROOM_SHARDS).map(|shard| vec![0; shard_size(setup.members, shard)]);
        Self {
            setup,
            began,
            state: Mutex::new(State {
                random: fastrand::Rng::with_seed(seed),
                tokens: setup.burst,
                filled: began,
                got: got.collect(),
                slow: std::collections::HashMap::new(),
                last: began,
                outcome: Outcome::default(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one function after another, as each hands on to the next.
    async fn serve(&self, shard: Shard) {
        let queue = Queue(Mutex::new(None));
        let first = ShardMessage {
            room: Room::parse("hall").expect("a valid name"),
            shard,
            text: "hi".to_owned(),
            except: ConnectionId::new("no-member"),
            step: 0,
            rest: Rest::everybody(),
        };
        queue.dispatch(&first).await.expect("this queue takes all");
        while let Some(message) = queue.take() {
            let is_cold = self.state().random.bool();
            sleep(if is_cold { INVOKE + COLD } else { INVOKE }).await;
            let started = Instant::now();
            let gateway = Gateway {
                world: self,
                busy_until: Mutex::new(started),
            };
            let invocation = Invocation {
                now: 1_800_000_000,
                until: started + TIME,
                log: Log::new(Level::Error, |_| {}),
            };
            let services = (&Table(self), &gateway);
            let tally = deliver(&message, services, &queue, &invocation).await;
            tally.expect("this table can be read");
            let mut state = self.state();
            state.outcome.functions += 1;
            state.outcome.gigabyte_seconds += started.elapsed().as_secs_f64() * GIGABYTES;
        }
    }

    fn outcome(&self) -> Outcome {
        let state = self.state();
        let all = state.got.iter().flatten();
        Outcome {
            took: state.last - self.began,
            lost: all.clone().filter(|got| **got == 0).count(),
            doubled: all.filter(|got| **got > 1).count(),
            ..state.outcome
        }
    }
}

impl State {
    fn takes_token(&mut self, at: Instant, setup: &Setup) -> bool {
        let since = at.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = self.filled.max(at);
        self.tokens = setup.burst.min(self.tokens + since * setup.rate);
        let takes = self.tokens >= 1.0;
        if takes {
            self.tokens -= 1.0;
        }
        takes
    }

    fn post_time(&mut self, median: Duration) -> Duration {
        // The Box-Muller transform to a normal variable.
        let (u, v) = (1.0 - self.random.f64(), self.random.f64());
        let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        median.mul_f64((SIGMA * normal).exp())
    }
}

/// One function's gateway client: its processor makes one post after another.
struct Gateway<'a> {
    world: &'a World,
    busy_until: Mutex<Instant>,
}

impl Delivery for Gateway<'_> {
    async fn post(&self, connection: &ConnectionId, _: &str) -> Result<Posted, DeliveryError> {
        let start = {
            let mut busy_until = self
                .busy_until
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let start = Instant::now().max(*busy_until);
            *busy_until = start + PROCESSOR;
            start
        };
        let setup = self.world.setup;
        let (shard, number) = number_of(connection);
        let (is_taken, took) = {
            let mut state = self.world.state();
            let took = state.post_time(setup.post);
            let is_slow = setup.slow_one_in.is_some_and(|one_in| number % one_in == 0);
            let since = *state.slow.entry((shard, number)).or_insert(start);
            if !is_slow {
                state.slow.remove(&(shard, number));
            }
            let reads = !is_slow || start >= since + SLOW;
            let is_taken = state.takes_token(start, &setup) && reads;
            (is_taken, if is_taken { took } else { took.min(REFUSAL) })
        };
        sleep_until(start + took).await;
        let mut state = self.world.state();
        if !is_taken {
            state.outcome.refusals += 1;
            return Err(DeliveryError::Throttled);
        }
        state.got[usize::from(shard)][number as usize] += 1;
        state.last = state.last.max(start + took);
        Ok(Posted::Delivered)
    }

    async fn end(&self, _: &ConnectionId) -> Result<Posted, DeliveryError> {
        unreachable!("this model ends no connection")
    }
}

/// The next message for the function, as its payload.
struct Queue(Mutex<Option<Vec<u8>>>);

impl Queue {
    fn take(&self) -> Option<ShardMessage> {
        let payload = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        Some(serde_json::from_slice(&payload).expect("a payload is readable"))
    }
}

impl Dispatch for Queue {
    async fn dispatch(&self, message: &ShardMessage) -> Result<String, DispatchError> {
        sleep(INVOKE).await;
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(next.is_none(), "a function hands on once");
        *next = Some(message.to_payload());
        Ok("next".to_owned())
    }
}

fn shard_size(members: u32, shard: u8) -> usize {
    let shards = u32::from(ROOM_SHARDS);
    let one_more = u32::from(shard) < members % shards;
    (members / shards + u32::from(one_more)) as usize
}

fn id(shard: Shard, number: usize) -> ConnectionId {
    // As long as an id of API Gateway.
    ConnectionId::new(format!("{}-{number:012}=", shard.number()))
}

fn number_of(connection: &ConnectionId) -> (u8, u32) {
    let (shard, number) = connection.as_str().split_once('-').expect("an id of ours");
    let number = number.trim_end_matches('=').parse();
    (shard.parse().expect("a number"), number.expect("a number"))
}

/// Numbered members, so that a million of them need no memory.
struct Table<'a>(&'a World);

impl Table<'_> {
    fn unused() -> StoreError {
        StoreError {
            attempt: "make a call that a delivery never makes",
            table: "model".to_owned(),
            denied: None,
            source: "not modelled".into(),
        }
    }
}

impl ConnectionStore for Table<'_> {
    async fn members(
        &self,
        _: &Room,
        shard: Shard,
        _: u64,
        start: Option<PageStart>,
    ) -> Result<Page, StoreError> {
        sleep(PAGE).await;
        let first = start.map_or(0, |PageStart(last)| number_of(&last).1 as usize + 1);
        let all = shard_size(self.0.setup.members, shard.number());
        let end = all.min(first + usize::from(PAGE_ROWS));
        let members = (first..end).map(|number| Device {
            connection: id(shard, number),
            connected_at: 1,
        });
        Ok(Page {
            members: members.collect(),
            next: (end < all).then(|| PageStart(id(shard, end - 1))),
        })
    }

    async fn people(
        &self,
        _: &Room,
        _: Shard,
        _: u64,
        _: Option<PageStart>,
    ) -> Result<People, StoreError> {
        Err(Self::unused())
    }

    async fn remember(&self, _: &Presence) -> Result<(), StoreError> {
        Err(Self::unused())
    }

    async fn remember_session(&self, _: &Presence) -> Result<(), StoreError> {
        Err(Self::unused())
    }

    async fn join(&self, _: &Presence) -> Result<(), StoreError> {
        Err(Self::unused())
    }

    async fn leave(&self, _: &Room, _: &ConnectionId) -> Result<(), StoreError> {
        Err(Self::unused())
    }

    async fn forget(&self, _: &Name, _: &ConnectionId) -> Result<(), StoreError> {
        Err(Self::unused())
    }

    async fn forget_session(&self, _: &ConnectionId) -> Result<(), StoreError> {
        Err(Self::unused())
    }

    async fn connections_of(&self, _: &Name, _: u64, _: Read) -> Result<Vec<Device>, StoreError> {
        Err(Self::unused())
    }

    async fn ban_of(&self, _: &Name, _: u64) -> Result<Option<u64>, StoreError> {
        Err(Self::unused())
    }

    async fn count_message(&self, _: &ConnectionId, _: u64, _: u32) -> Result<bool, StoreError> {
        Err(Self::unused())
    }

    async fn session_of(&self, _: &ConnectionId, _: u64) -> Result<Option<Session>, StoreError> {
        Err(Self::unused())
    }
}
