//! The handler that says in a room who has come and who has left.

use std::time::Duration;

use futures_util::stream;
use serde::Serialize;
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};

use super::{HandlerError, Invocation};
use crate::delivery::Delivery;
use crate::log::{Log, reasons, rfc3339_of};
use crate::presence::{
    ANNOUNCED_LIFETIME_SECONDS, AnnounceEvent, AnnouncementStore, Difference, GRACE,
    MAX_CONNECTIONS, Names, WINDOW, frames,
};
use crate::room::{RoomPost, Tally, people_up_to};
use crate::session::{ConnectionId, Room};
use crate::store::{ConnectionStore, Device, Member, StoreError};

/// How long to wait before asking again whether the announcer before has ended.
const TURN_PAUSE: Duration = Duration::from_secs(1);

/// The most looks into the room in one invocation. Each but the first follows from members that its own posts found gone.
const MAX_LOOKS: usize = 3;

/// Longer than a function works beyond [`Invocation::until`], in seconds.
const BEYOND: u64 = 10;

/// What an announcer has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Announcements {
    /// The names that were announced as arrived.
    pub arrived: usize,
    /// The names that were announced as left.
    pub left: usize,
    /// The frames that every member got.
    pub frames: usize,
    /// The posts of these frames.
    pub posts: Tally,
}

/// Says in a room who has come and who has left since the last announcement, by one frame to every connection in it; by
/// none if there is no difference.
///
/// It waits for [`WINDOW`], ends the room's turn, and compares the names in the room with those that were announced. Names
/// that are missing are looked for once more after [`GRACE`]. Members that its posts find gone are removed, and looked for
/// again in the same way. In a room of more than [`MAX_CONNECTIONS`] connections nothing is announced, until it is smaller.
///
/// It may be invoked twice, or again after an error: a difference that was announced is none any more. If it ends before
/// the names are saved, the next one announces them again.
///
/// Needs `dynamodb:Query`, `dynamodb:UpdateItem`, `dynamodb:DeleteItem` and `execute-api:ManageConnections` (`POST` only).
///
/// # Errors
/// [`HandlerError::Store`] if the table could not be used; [`HandlerError::Busy`] if another announcer holds the turn of the
/// room for longer than this one has time.
pub async fn announce<S: ConnectionStore + AnnouncementStore, D: Delivery>(
    announce_event: &AnnounceEvent,
    (store, delivery): (&S, &D),
    invocation: &Invocation,
) -> Result<Announcements, HandlerError> {
    let announcer = Run {
        room: &announce_event.room,
        store,
        delivery,
        invocation,
        began: Instant::now(),
        // Unlike the request id, it differs where Lambda delivers an event twice.
        holder: format!("{:016x}", fastrand::u64(..)),
    };
    sleep(WINDOW).await;
    announcer.take_turn().await?;
    let announced = announcer.announce().await;
    if let Err(error) = store.let_go(&announce_event.room, &announcer.holder).await {
        // The next announcer waits until this one's time is over.
        let reason = ("reason", json!(reasons(&error)));
        invocation.log.warn("turn not handed on", [reason]);
    }
    let announced = announced?;
    report(&announced, &invocation.log);
    Ok(announced)
}

struct Run<'a, S, D> {
    room: &'a Room,
    store: &'a S,
    delivery: &'a D,
    invocation: &'a Invocation,
    began: Instant,
    holder: String,
}

/// The people in the room.
struct RoomState {
    names: Names,
    devices: Vec<Device>,
}

impl<S: ConnectionStore + AnnouncementStore, D: Delivery> Run<'_, S, D> {
    /// Seconds since the epoch.
    fn now(&self) -> u64 {
        self.invocation.now + self.began.elapsed().as_secs()
    }

    async fn take_turn(&self) -> Result<(), HandlerError> {
        loop {
            let now = self.now();
            let left = self.until().saturating_duration_since(Instant::now());
            let until = now + left.as_secs() + BEYOND;
            let taken = self.store.take_turn(self.room, &self.holder, now, until);
            if taken.await? {
                return Ok(());
            }
            if left < TURN_PAUSE + GRACE {
                return Err(HandlerError::Busy);
            }
            sleep(TURN_PAUSE).await;
        }
    }

    const fn until(&self) -> Instant {
        self.invocation.until
    }

    async fn announce(&self) -> Result<Announcements, StoreError> {
        let mut done = Announcements::default();
        for _ in 0..MAX_LOOKS {
            let announced = self.store.announced(self.room, self.now()).await?;
            let Some((difference, devices)) = self.difference(&announced.names).await? else {
                let log = &self.invocation.log;
                log.info("not announced: the room is too large", []);
                break;
            };
            let now = self.now();
            let at = rfc3339_of(now.saturating_mul(1000));
            let frames = frames(self.room, &difference, &at);
            let mut tally = Tally::default();
            for frame in &frames {
                tally = tally.and(self.post(frame, &devices, now).await);
            }
            let is_old = announced.expires_at < now + ANNOUNCED_LIFETIME_SECONDS / 2;
            if !difference.is_empty() || is_old && !difference.present.is_empty() {
                let saved = self
                    .store
                    .save_announced(self.room, &difference.present, now);
                saved.await?;
            }
            done.arrived += difference.arrived.len();
            done.left += difference.left.len();
            done.frames += frames.len();
            done.posts = done.posts.and(tally);
            let time_left = self.until().saturating_duration_since(Instant::now());
            if tally.gone == 0 || time_left < 2 * GRACE {
                break;
            }
        }
        Ok(done)
    }

    /// What there is to announce, and to which connections; `None` in a room that is too large.
    async fn difference(
        &self,
        announced: &Names,
    ) -> Result<Option<(Difference, Vec<Device>)>, StoreError> {
        let Some(first) = self.look().await? else {
            return Ok(None);
        };
        if announced.is_subset(&first.names) {
            let difference = Difference::between(announced, &first.names, &first.names);
            return Ok(Some((difference, first.devices)));
        }
        sleep_until((Instant::now() + GRACE).min(self.until())).await;
        let last = self.look().await?;
        Ok(last.map(|last| {
            let difference = Difference::between(announced, &first.names, &last.names);
            (difference, last.devices)
        }))
    }

    async fn look(&self) -> Result<Option<RoomState>, StoreError> {
        let members = people_up_to(MAX_CONNECTIONS, self.room, self.now(), self.store).await?;
        Ok(members.map(|members| {
            let mut look = RoomState {
                names: Names::new(),
                devices: Vec::with_capacity(members.len()),
            };
            for Member { name, device } in members {
                look.names.extend(name);
                look.devices.push(device);
            }
            look
        }))
    }

    /// Posts `frame` to `devices`, and removes those that are gone.
    async fn post(&self, frame: &str, devices: &[Device], now: u64) -> Tally {
        let invocation = Invocation {
            now,
            ..self.invocation.clone()
        };
        let (services, except) = ((self.store, self.delivery), ConnectionId::new(""));
        let post = RoomPost::new(self.room, frame, &except, services, &invocation);
        post.post_to_few(stream::iter(devices.to_vec())).await
    }
}

fn report(done: &Announcements, log: &Log) {
    let counts = [
        ("arrived", json!(done.arrived)),
        ("left", json!(done.left)),
        ("frames", json!(done.frames)),
        ("delivered", json!(done.posts.delivered)),
        ("gone", json!(done.posts.gone)),
        ("refused", json!(done.posts.refused)),
    ];
    if done.posts.cut_short {
        log.error("not announced to everybody: no time left", counts);
    } else {
        log.info("announced", counts);
    }
}
