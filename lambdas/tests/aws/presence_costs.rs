//! The costs of announcements: the requests of the real adapters, in the units of a real table.

use std::time::Duration;

use chat_lambdas::aws::{Clients, DynamoStore, Timeouts};
use chat_lambdas::environment::TableAddress;
use chat_lambdas::handlers::{Invocation, announce};
use chat_lambdas::log::{Level, Log};
use chat_lambdas::memory::{MemoryAnnouncer, MemoryDelivery};
use chat_lambdas::presence::{AnnounceEvent, Announcing, Clock};
use chat_lambdas::runtime::Trace;
use chat_lambdas::session::{ConnectionId, Name, Room, Session};
use chat_lambdas::store::{ConnectionStore as _, Index, Presence};
use chat_protocol::cost;

use crate::meter::Meter;
use crate::table::{LocalTable, TABLE};

const NOW: u64 = 1_767_225_600;

struct Chat {
    _table: LocalTable,
    meter: Meter,
    store: DynamoStore,
    delivery: MemoryDelivery,
    announcer: MemoryAnnouncer,
}

impl Chat {
    async fn start() -> Self {
        let table = LocalTable::start().await;
        let meter = Meter::before(&table.endpoint).await;
        let address = TableAddress {
            name: TABLE.to_owned(),
            endpoint: Some(meter.endpoint.clone()),
        };
        let clients = Clients::new(
            crate::table::identity(),
            Trace::default(),
            &[Some(&meter.endpoint)],
        );
        let timeouts = Timeouts {
            attempt: Duration::from_secs(30),
            operation: Duration::from_secs(60),
        };
        Self {
            store: clients.table(address, timeouts),
            _table: table,
            meter,
            delivery: MemoryDelivery::default(),
            announcer: MemoryAnnouncer::default(),
        }
    }

    fn announcing(&self, is_on: bool) -> Announcing<&DynamoStore, &MemoryAnnouncer> {
        let announcer = is_on.then_some(&self.announcer);
        Announcing::new(&self.store, announcer, Clock::new(|| NOW), log())
    }

    fn member(&self, name: &str, connection: &str) -> Presence {
        let connection = ConnectionId::new(connection);
        self.delivery.open(&connection);
        Presence {
            session: Session {
                name: Some(Name::parse(name).expect("a name")),
                friend: None,
                room: hall(),
            },
            connection,
            connected_at: NOW,
        }
    }

    /// Runs the one announcer that was summoned; answers how many frames each member got.
    async fn announces(&self) -> usize {
        let [announce_event] = &self.announcer.take()[..] else {
            panic!("one summons");
        };
        self.announces_in(announce_event).await
    }

    async fn announces_in(&self, announce_event: &AnnounceEvent) -> usize {
        let invocation = Invocation {
            now: NOW,
            until: tokio::time::Instant::now() + Duration::from_secs(60),
            log: log(),
        };
        let done = announce(announce_event, (&self.store, &self.delivery), &invocation).await;
        done.expect("announced").frames
    }
}

fn hall() -> Room {
    Room::parse("hall").expect("a name")
}

fn log() -> Log {
    Log::new(Level::Error, |line| panic!("{line}"))
}

#[tokio::test]
async fn without_announcements_entering_and_leaving_cost_what_they_did() {
    let chat = Chat::start().await;
    let ann = chat.member("Ann", "a");
    let store = chat.announcing(false);
    store.join(&ann).await.expect("writable");
    assert_eq!(chat.meter.bill(), "1 PutItem 1");
    store
        .leave(&hall(), &ann.connection)
        .await
        .expect("writable");
    assert_eq!(chat.meter.bill(), "1 DeleteItem 1");
    assert_eq!(chat.announcer.take(), []);
}

#[tokio::test]
async fn a_change_costs_a_read_and_the_first_of_a_window_a_write_and_an_announcement_eight() {
    let chat = Chat::start().await;
    let (ann, bob) = (chat.member("Ann", "a"), chat.member("Bob", "b"));
    let store = chat.announcing(true);
    store.join(&ann).await.expect("writable");
    assert_eq!(chat.meter.bill(), "1 PutItem 1, 1 Query 1, 1 UpdateItem 1");
    store.join(&bob).await.expect("writable");
    assert_eq!(chat.meter.bill(), "1 PutItem 1, 1 Query 1");
    // The names that were announced, four shards; the turn is taken, the names are saved, the turn is handed on.
    assert_eq!(chat.announces().await, 1);
    assert_eq!(chat.meter.bill(), "5 Query 5, 3 UpdateItem 3");
    // A second device: nothing to say, nothing to save.
    store
        .join(&chat.member("Bob", "b2"))
        .await
        .expect("writable");
    chat.meter.bill();
    assert_eq!(chat.announces().await, 0);
    assert_eq!(chat.meter.bill(), "5 Query 5, 2 UpdateItem 2");
    // A departure is looked at twice.
    store
        .leave(&hall(), &ann.connection)
        .await
        .expect("writable");
    assert_eq!(
        chat.meter.bill(),
        "1 DeleteItem 1, 1 Query 1, 1 UpdateItem 1"
    );
    assert_eq!(chat.announces().await, 1);
    assert_eq!(chat.meter.bill(), "9 Query 9, 3 UpdateItem 3");
    // What has left already costs nothing but the attempt.
    store
        .leave(&hall(), &ann.connection)
        .await
        .expect("writable");
    assert_eq!(chat.meter.bill(), "1 DeleteItem 1");
}

#[tokio::test]
async fn in_a_room_of_a_thousand_an_announcement_costs_some_twenty_units_of_each_kind() {
    let chat = Chat::start().await;
    let store = chat.announcing(true);
    for number in 0..1_000 {
        let id = format!("BFaT_f{number:05}MCg=");
        let member = chat.member(&format!("Person {number:04}"), &id);
        let joined = if number == 0 {
            store.join(&member).await
        } else {
            chat.store.join(&member).await
        };
        joined.expect("writable");
    }
    chat.meter.bill();
    assert_eq!(chat.announces().await, 1);
    assert_eq!(chat.meter.bill(), "5 Query 21, 3 UpdateItem 13");
    store
        .join(&chat.member("Zoe", "z"))
        .await
        .expect("writable");
    chat.meter.bill();
    assert_eq!(chat.announces().await, 1);
    assert_eq!(chat.meter.bill(), "5 Query 23, 3 UpdateItem 13");
}

#[tokio::test]
async fn the_costs_of_announcements_are_those_that_the_command_computes_with() {
    let chat = Chat::start().await;
    let store = chat.announcing(true);
    let person = |number: usize| {
        let id = format!("BFaT_f{number:05}MCg=");
        chat.member(&format!("Person {number:04}"), &id)
    };
    let join = cost::disconnect(Index::Room);
    for number in 0..1_000 {
        let chat = &chat;
        chat.store.join(&person(number)).await.expect("writable");
        if ![19, 999].contains(&number) {
            continue;
        }
        // The first announcement in the room, after which all names are recorded.
        store.join(&person(number)).await.expect("writable");
        assert_eq!(chat.announces().await, 1);
        chat.meter.units();
        let members = number + 2;
        let late = person(5_000 + number);
        store.join(&late).await.expect("writable");
        let expected = join + cost::change() + cost::first_change();
        assert_eq!(chat.meter.units(), expected, "{members} members");
        assert_eq!(chat.announces().await, 1);
        let expected = cost::announcement(members, 1, true);
        assert_eq!(chat.meter.units(), expected, "{members} members");
        // A second device: there is nothing to say.
        let name = late.session.name.clone().expect("a name");
        let second = chat.member(name.as_str(), "second");
        store.join(&second).await.expect("writable");
        chat.meter.units();
        assert_eq!(chat.announces().await, 0);
        let expected = cost::announcement(members, 1, false);
        assert_eq!(chat.meter.units(), expected, "{members} members");
        for left in [&second, &late] {
            store
                .leave(&hall(), &left.connection)
                .await
                .expect("writable");
        }
        let expected = join + join + cost::change() + cost::change() + cost::first_change();
        assert_eq!(chat.meter.units(), expected, "{members} members");
        assert_eq!(chat.announces().await, 1);
        let expected = cost::announcement(members, 2, true);
        assert_eq!(chat.meter.units(), expected, "{members} members");
    }
}
