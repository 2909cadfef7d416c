//! Announcements of who comes and who leaves, over the fakes and in simulated time.

mod races;
mod storms;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chat_lambdas::dispatch::DispatchError;
use chat_lambdas::handlers::{Announcements, HandlerError, Invocation, announce};
use chat_lambdas::memory::{Call, MemoryAnnouncer, MemoryStore};
use chat_lambdas::presence::{
    AnnounceEvent, Announcing, Clock, GRACE, MAX_CONNECTIONS, TURN_SECONDS, WINDOW,
};
use chat_lambdas::session::{ConnectionId, Name, Room, Session};
use chat_lambdas::store::{ConnectionStore as _, LIFETIME_SECONDS, Presence};
use chat_protocol::presence::Announcement;
use tokio::time::{Instant, sleep, timeout};

use crate::scene::{BEGIN, Scene};

/// A kitchen whose comings and goings are announced.
struct Kitchen {
    scene: Scene,
    announcer: MemoryAnnouncer,
    began: Instant,
}

/// What a frame says: who arrived, who left, and how many are there.
type Said = (Vec<String>, Vec<String>, usize);

fn said(arrived: &[&str], left: &[&str], people: usize) -> Said {
    let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    (all(arrived), all(left), people)
}

fn kitchen() -> Room {
    Room::parse("kitchen").unwrap()
}

fn member(name: Option<&str>, connection: &str, at: u64) -> Presence {
    Presence {
        session: Session {
            name: name.map(|name| Name::parse(name).unwrap()),
            friend: None,
            room: kitchen(),
        },
        connection: ConnectionId::new(connection),
        connected_at: at,
    }
}

impl Kitchen {
    fn new() -> Self {
        Self {
            scene: Scene::new(),
            announcer: MemoryAnnouncer::default(),
            began: Instant::now(),
        }
    }

    fn now(&self) -> u64 {
        BEGIN + self.began.elapsed().as_secs()
    }

    fn store(&self) -> Announcing<&MemoryStore, &MemoryAnnouncer> {
        let began = self.began;
        let clock = Clock::new(move || BEGIN + began.elapsed().as_secs());
        let log = self.invocation().log;
        Announcing::new(&self.scene.store, Some(&self.announcer), clock, log)
    }

    fn invocation(&self) -> Invocation {
        Invocation {
            now: self.now(),
            ..self.scene.invocation()
        }
    }

    async fn enters(&self, name: &str, connection: &str) {
        let presence = member(Some(name), connection, self.now());
        self.store().join(&presence).await.unwrap();
        self.scene.delivery.open(&presence.connection);
    }

    /// The connection ends, and `$disconnect` removes it.
    async fn leaves(&self, connection: &str) {
        let connection = ConnectionId::new(connection);
        self.scene.delivery.close(&connection);
        self.store().leave(&kitchen(), &connection).await.unwrap();
    }

    /// The connection ends, and no event says so.
    fn vanishes(&self, connection: &str) {
        self.scene.delivery.close(&ConnectionId::new(connection));
    }

    async fn announces(
        &self,
        announce_event: &AnnounceEvent,
    ) -> Result<Announcements, HandlerError> {
        announce(announce_event, self.scene.services(), &self.invocation()).await
    }

    /// Runs the announcers that were summoned, one after another, until none is.
    async fn settles(&self) -> Vec<Announcements> {
        let mut done = Vec::new();
        loop {
            let summoned = self.announcer.take();
            if summoned.is_empty() {
                return done;
            }
            for announce_event in &summoned {
                done.push(self.announces(announce_event).await.unwrap());
            }
        }
    }

    fn read(&self, connection: &str) -> Vec<Said> {
        let connection = ConnectionId::new(connection);
        let frames = std::iter::from_fn(|| self.scene.delivery.take(&connection));
        frames
            .map(|frame| {
                let Announcement::Presence {
                    room,
                    arrived,
                    left,
                    people,
                    at,
                } = serde_json::from_str(&frame).unwrap();
                assert_eq!(room, "kitchen");
                assert!(at.starts_with("20") && at.ends_with('Z'), "{at}");
                (arrived, left, people)
            })
            .collect()
    }

    /// Ann, Bob and Cid are in the room, which is announced.
    async fn of_three() -> Self {
        let kitchen = Self::new();
        for (name, connection) in [("Ann", "a"), ("Bob", "b"), ("Cid", "c")] {
            kitchen.enters(name, connection).await;
        }
        kitchen.settles().await;
        for connection in ["a", "b", "c"] {
            assert_eq!(
                kitchen.read(connection),
                [said(&["Ann", "Bob", "Cid"], &[], 3)]
            );
        }
        // Later than a 410 could mean a handshake that is under way.
        sleep(Duration::from_secs(60)).await;
        kitchen
    }
}

#[tokio::test(start_paused = true)]
async fn what_happens_within_a_window_is_one_frame_for_everybody_in_the_room() {
    let kitchen = Kitchen::of_three().await;
    kitchen.enters("Dan", "d").await;
    kitchen.enters("Eve", "e").await;
    kitchen.leaves("b").await;
    let began = Instant::now();
    assert_eq!(kitchen.settles().await.len(), 1);
    assert_eq!(began.elapsed(), WINDOW + GRACE);
    for connection in ["a", "c", "d", "e"] {
        assert_eq!(
            kitchen.read(connection),
            [said(&["Dan", "Eve"], &["Bob"], 4)]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_reconnect_is_neither_an_arrival_nor_a_departure_wherever_a_window_ends() {
    // The window that the departure opens, or one that another person's change has opened before it.
    for before in [0, 1_000, 2_999, 3_001, 5_900] {
        let kitchen = Kitchen::of_three().await;
        let work = async {
            if before > 0 {
                kitchen.enters("Dan", "d").await;
                sleep(Duration::from_millis(before)).await;
            }
            kitchen.leaves("b").await;
            sleep(Duration::from_millis(2_900)).await;
            kitchen.enters("Bob", "b2").await;
            sleep(Duration::from_secs(20)).await;
        };
        let announcers = async {
            loop {
                // They run side by side, as Lambda runs them.
                let summoned = kitchen.announcer.take();
                let runs = summoned.iter().map(|it| kitchen.announces(it));
                for run in futures_util::future::join_all(runs).await {
                    run.unwrap();
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! { () = work => {}, () = announcers => {} }
        let expected = match before {
            0 => vec![],
            _ => vec![said(&["Dan"], &[], 4)],
        };
        assert_eq!(kitchen.read("a"), expected, "{before} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_device_is_no_arrival_and_its_end_no_departure() {
    let kitchen = Kitchen::of_three().await;
    kitchen.enters("Bob", "b2").await;
    kitchen.settles().await;
    kitchen.leaves("b").await;
    kitchen.settles().await;
    assert_eq!(kitchen.read("a"), []);
    kitchen.leaves("b2").await;
    kitchen.settles().await;
    assert_eq!(kitchen.read("a"), [said(&[], &["Bob"], 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_name_opens_no_window_and_reads_what_others_do() {
    let kitchen = Kitchen::of_three().await;
    let guest = member(None, "g", kitchen.now());
    kitchen.store().join(&guest).await.unwrap();
    kitchen.scene.delivery.open(&guest.connection);
    assert_eq!(kitchen.announcer.take(), []);
    kitchen.leaves("b").await;
    kitchen.settles().await;
    assert_eq!(kitchen.read("g"), [said(&[], &["Bob"], 2)]);
    kitchen.leaves("g").await;
    // Nor does a row that is not there any more.
    kitchen.leaves("b").await;
    assert_eq!(kitchen.announcer.take(), []);
}

#[tokio::test(start_paused = true)]
async fn who_vanishes_without_an_event_is_missed_by_the_announcer_s_own_posts() {
    let kitchen = Kitchen::of_three().await;
    kitchen.vanishes("b");
    kitchen.vanishes("c");
    kitchen.enters("Dan", "d").await;
    let done = kitchen.settles().await;
    assert_eq!((done.len(), done[0].frames, done[0].posts.gone), (1, 2, 2));
    let expected = [said(&["Dan"], &[], 4), said(&[], &["Bob", "Cid"], 2)];
    assert_eq!(kitchen.read("a"), expected);
    assert_eq!(kitchen.scene.members(), ["kitchen/a", "kitchen/d"]);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_has_expired_is_a_departure_of_the_next_window() {
    let kitchen = Kitchen::of_three().await;
    sleep(Duration::from_secs(LIFETIME_SECONDS)).await;
    // They have reconnected meanwhile, and Bob's end was never noticed.
    kitchen.enters("Ann", "a2").await;
    kitchen.enters("Cid", "c2").await;
    kitchen.settles().await;
    assert_eq!(kitchen.read("a2"), [said(&[], &["Bob"], 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_invocation_silences_a_room_for_a_minute_and_loses_nothing() {
    let kitchen = Kitchen::of_three().await;
    kitchen.leaves("b").await;
    assert_eq!(kitchen.announcer.take().len(), 1, "and is dropped");
    kitchen.enters("Dan", "d").await;
    assert_eq!(kitchen.announcer.take(), []);
    sleep(Duration::from_secs(TURN_SECONDS)).await;
    kitchen.enters("Eve", "e").await;
    kitchen.settles().await;
    assert_eq!(kitchen.read("a"), [said(&["Dan", "Eve"], &["Bob"], 4)]);
}

#[tokio::test(start_paused = true)]
async fn an_announcer_that_dies_at_work_is_followed_by_one_that_says_what_it_has_not() {
    let kitchen = Kitchen::of_three().await;
    kitchen.leaves("b").await;
    let summoned = kitchen.announcer.take();
    // It has taken the turn, and waits for Bob.
    let killed = timeout(WINDOW + GRACE / 2, kitchen.announces(&summoned[0])).await;
    assert!(killed.is_err());
    kitchen.enters("Dan", "d").await;
    let mut runs = Vec::new();
    for announce_event in kitchen.announcer.take() {
        // Lambda invokes it again after an error.
        while runs.last() != Some(&true) {
            runs.push(kitchen.announces(&announce_event).await.is_ok());
        }
    }
    assert!(runs.len() <= 2, "{runs:?}");
    assert_eq!(kitchen.read("a"), [said(&["Dan"], &["Bob"], 3)]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_lambda_delivers_twice_is_announced_once() {
    let kitchen = Kitchen::of_three().await;
    kitchen.leaves("b").await;
    let [announce_event] = &kitchen.announcer.take()[..] else {
        panic!("one summons");
    };
    let twice = [(); 2].map(|()| kitchen.announces(announce_event));
    for run in futures_util::future::join_all(twice).await {
        run.unwrap();
    }
    assert_eq!(kitchen.read("a"), [said(&[], &["Bob"], 2)]);
}

#[tokio::test(start_paused = true)]
async fn an_announcer_that_cannot_be_invoked_or_a_turn_that_cannot_be_opened_stops_no_client() {
    let kitchen = Kitchen::of_three().await;
    kitchen.announcer.refuse(Some(|| DispatchError::Refused {
        source: "no right".into(),
    }));
    kitchen.leaves("b").await;
    assert!(kitchen.scene.logged().contains("announcer not invoked"));
    kitchen.announcer.refuse(None);
    // The turn was closed, so the next change has both announced.
    kitchen.enters("Dan", "d").await;
    kitchen.settles().await;
    assert_eq!(kitchen.read("a"), [said(&["Dan"], &["Bob"], 3)]);

    kitchen.scene.store.break_down(Call::AnnouncementStore);
    kitchen.enters("Eve", "e").await;
    assert!(kitchen.scene.logged().contains("change not announced"));
    assert!(kitchen.scene.members().contains(&"kitchen/e".to_owned()));
    let announce_event = AnnounceEvent {
        room: self::kitchen(),
    };
    let failed = kitchen.announces(&announce_event).await;
    assert!(matches!(failed, Err(HandlerError::Store(_))), "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_room_that_is_too_large_is_silent_until_it_is_smaller() {
    let kitchen = Kitchen::of_three().await;
    for number in 0..MAX_CONNECTIONS {
        let guest = member(None, &format!("g{number}"), kitchen.now());
        kitchen.scene.store.join(&guest).await.unwrap();
    }
    kitchen.leaves("b").await;
    let done = kitchen.settles().await;
    assert_eq!(done, [Announcements::default()]);
    assert!(kitchen.scene.logged().contains("the room is too large"));
    for number in 0..MAX_CONNECTIONS {
        kitchen.leaves(&format!("g{number}")).await;
    }
    kitchen.enters("Dan", "d").await;
    kitchen.settles().await;
    assert_eq!(kitchen.read("a"), [said(&["Dan"], &["Bob"], 3)]);
}

#[tokio::test(start_paused = true)]
async fn no_log_line_names_a_person_or_a_room() {
    let kitchen = Kitchen::of_three().await;
    kitchen.leaves("b").await;
    kitchen.settles().await;
    let logged = kitchen.scene.logged();
    assert!(logged.contains("announced"), "{logged}");
    for word in ["Ann\"", "Bob", "Cid", "kitchen"] {
        assert!(!logged.contains(word), "{word}: {logged}");
    }
}

/// The state of a client that applies every frame.
#[derive(Debug, Default)]
struct Client {
    names: BTreeSet<String>,
}

impl Client {
    fn applies(&mut self, said: Vec<Said>) {
        for (arrived, left, people) in said {
            self.names.retain(|name| !left.contains(name));
            self.names.extend(arrived);
            assert_eq!(self.names.len(), people);
        }
    }
}

/// The names in the room, each with the number of its connections.
fn people(kitchen: &Kitchen) -> BTreeMap<String, usize> {
    let mut people = BTreeMap::new();
    for member in kitchen.scene.store.members() {
        let name = member.session.name.unwrap().to_string();
        *people.entry(name).or_default() += 1;
    }
    people
}
