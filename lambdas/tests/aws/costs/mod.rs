//! The costs of connections and messages: the requests of the real adapters, in the units of a real table.
//!
//! The same figures are in ARCHITECTURE.md ("The data").

mod kept;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chat_lambdas::aws::{Clients, DynamoStore, Timeouts};
use chat_lambdas::environment::TableAddress;
use chat_lambdas::event::SocketEvent;
use chat_lambdas::handlers::{
    Gate, Invocation, broadcast, connect, connect_proven, deliver, direct, disconnect, excess,
    refusal, who,
};
use chat_lambdas::limits::Recording;
use chat_lambdas::log::{Level, Log};
use chat_lambdas::memory::{MemoryDelivery, MemoryDispatch};
use chat_lambdas::routes::Routes;
use chat_lambdas::runtime::Trace;
use chat_lambdas::session::{ConnectionId, Names};
use chat_lambdas::store::Index;
use chat_protocol::Mode;
use serde_json::{Value, json};

use crate::meter::Meter;
use crate::table::{LocalTable, TABLE};

const NOW: u64 = 1_767_225_600;

#[tokio::test]
async fn a_connect_costs_a_read_and_a_write_a_disconnect_a_write_and_a_message_half_a_read() {
    let chat = Chat::start(Names::Required, Index::Friend).await;
    let (tom, jerry) = (context("Tom", "Jerry"), context("Jerry", "Tom"));
    chat.connect("j", Some(&jerry)).await;
    assert_eq!(chat.meter.bill(), "1 PutItem 1, 1 Query 1");
    chat.direct("t", Some(&tom)).await;
    assert_eq!(chat.meter.bill(), "1 Query 0.5");
    chat.delivery.close(&ConnectionId::new("j"));
    chat.direct("t", Some(&tom)).await;
    assert_eq!(chat.meter.bill(), "1 DeleteItem 1, 2 Query 1.5");
    chat.disconnect("j", Some(&jerry)).await;
    // There is nothing left to delete, but DynamoDB charges a write nevertheless.
    assert_eq!(chat.meter.bill(), "1 DeleteItem 1");
}

#[tokio::test]
async fn where_tokens_prove_names_everything_costs_the_same_and_a_refused_frame_nothing() {
    let chat = Chat::start(Names::Required, Index::FriendAndRoom).await;
    let [mut tom, mut jerry] = [context("Tom", "Jerry"), context("Jerry", "Tom")];
    for context in [&mut tom, &mut jerry] {
        context["exp"] = json!((NOW + 3_600).to_string());
        context["claims"] = json!(r#"{"sub":"x"}"#);
    }
    for mode in [Mode::Token, Mode::Jwt] {
        let passes = async |context: &Value| {
            let event = event("MESSAGE", "$default", "t", Some(context));
            let gate = Gate::for_mode(mode);
            let refused = refusal(&event, &gate, &chat.delivery, &invocation(60)).await;
            refused.expect("an outcome").is_none()
        };
        chat.connect_proven("t", &tom).await;
        chat.connect_proven("j", &jerry).await;
        assert_eq!(chat.meter.bill(), "4 PutItem 4, 2 Query 2");
        assert!(passes(&tom).await);
        chat.direct("t", Some(&tom)).await;
        assert_eq!(chat.meter.bill(), "1 Query 0.5");
        chat.broadcast("t", Some(&tom)).await;
        assert_eq!(chat.meter.bill(), "4 Query 4");
        let mut late = tom.clone();
        late["exp"] = json!(NOW.to_string());
        let mut silent = tom.clone();
        silent["can"] = json!("[]");
        assert!(!passes(&silent).await && !passes(&late).await);
        assert_eq!(chat.meter.bill(), "");
        chat.disconnect("t", Some(&tom)).await;
        chat.disconnect("j", Some(&jerry)).await;
        assert_eq!(chat.meter.bill(), "4 DeleteItem 4");
    }
}

#[tokio::test]
async fn in_a_room_a_connect_and_a_disconnect_cost_a_write_each_and_a_message_four_reads() {
    let chat = Chat::start(Names::Optional, Index::Room).await;
    let hall = json!({"principalId": "#anonymous", "room": "hall"});
    chat.connect("a", Some(&hall)).await;
    assert_eq!(chat.meter.bill(), "1 PutItem 1");
    for (members, price) in [
        (10, "4 Query 4"),
        (100, "4 Query 4"),
        (500, "4 Query 8"),
        (1_000, "4 Query 16"),
    ] {
        chat.fill("hall", members).await;
        chat.broadcast("a", Some(&hall)).await;
        assert_eq!(chat.meter.bill(), price, "{members} members");
    }
    chat.delivery.close(&member(7));
    chat.broadcast("a", Some(&hall)).await;
    assert_eq!(chat.meter.bill(), "1 DeleteItem 1, 4 Query 16");
    chat.disconnect("a", Some(&hall)).await;
    assert_eq!(chat.meter.bill(), "1 DeleteItem 1");
}

#[tokio::test]
async fn a_large_room_costs_four_pages_for_its_size_and_a_read_for_sixty_members() {
    let chat = Chat::start(Names::Optional, Index::Room).await;
    let hall = json!({"principalId": "#anonymous", "room": "hall"});
    chat.fill("hall", 2_000).await;
    chat.broadcast("a", Some(&hall)).await;
    let shards = chat.dispatch.take();
    assert_eq!(shards.len(), 4);
    assert_eq!(chat.meter.bill(), "4 Query 20");
    for shard in &shards {
        let services = (&chat.store, &chat.delivery);
        let tally = deliver(shard, services, &chat.dispatch, &invocation(60)).await;
        assert_eq!(tally.expect("a tally").refused, 0);
    }
    assert_eq!(chat.meter.bill(), "8 Query 32");
}

#[tokio::test]
async fn with_both_indexes_a_connection_costs_a_write_for_each() {
    let chat = Chat::start(Names::Required, Index::FriendAndRoom).await;
    let tom = context("Tom", "Jerry");
    chat.connect("t", Some(&tom)).await;
    assert_eq!(chat.meter.bill(), "2 PutItem 2, 1 Query 1");
    chat.disconnect("t", Some(&tom)).await;
    assert_eq!(chat.meter.bill(), "2 DeleteItem 2");
}

#[tokio::test]
async fn without_an_authorizer_there_is_one_more_write_and_a_read_with_each_message() {
    let chat = Chat::start(Names::Optional, Index::Room).await;
    chat.connect("a", None).await;
    assert_eq!(chat.meter.bill(), "2 PutItem 2");
    chat.broadcast("a", None).await;
    assert_eq!(chat.meter.bill(), "1 GetItem 1, 4 Query 4");
    chat.disconnect("a", None).await;
    assert_eq!(chat.meter.bill(), "2 DeleteItem 2, 1 GetItem 1");
}

#[tokio::test]
async fn a_limit_on_messages_costs_a_write_with_each_whether_it_is_refused_or_not() {
    let chat = Chat::start(Names::Required, Index::Friend).await;
    let tom = context("Tom", "Jerry");
    chat.connect("j", Some(&context("Jerry", "Tom"))).await;
    chat.meter.bill();
    let event = event("MESSAGE", "$default", "t", Some(&tom));
    let services = (&chat.store, &chat.delivery);
    let gate = Gate::for_mode(Mode::Claimed).with_rate(Some(1));
    for is_refused in [false, true] {
        let outcome = excess(&event, &gate, services, &invocation(60)).await;
        assert_eq!(outcome.expect("an answer").is_some(), is_refused);
        assert_eq!(chat.meter.bill(), "1 UpdateItem 1");
    }
    // The message itself costs what it does without a limit.
    chat.direct("t", Some(&tom)).await;
    assert_eq!(chat.meter.bill(), "1 Query 0.5");
}

#[tokio::test]
async fn to_ask_who_is_in_a_room_costs_what_a_message_to_it_costs() {
    let chat = Chat::start(Names::Optional, Index::Room).await;
    let mut tom = context("Tom", "Jerry");
    tom["room"] = json!("hall");
    chat.connect("t", Some(&tom)).await;
    chat.meter.bill();
    chat.broadcast("t", Some(&tom)).await;
    let of_a_message = chat.meter.bill();
    let services = (&chat.store, &chat.delivery);
    let event = event_with("who", "t", &json!({"action": "who"}), &tom);
    let answer = who(&event, services, &invocation(60)).await;
    assert_eq!(answer.expect("an answer").status_code(), 200);
    assert_eq!(chat.meter.bill(), of_a_message);
}

#[tokio::test]
async fn limits_on_connections_cost_reads_when_one_is_opened_and_nothing_later() {
    let mut chat = Chat::start(Names::Optional, Index::FriendAndRoom).await;
    chat.policy.limits.connections_per_name = Some(2);
    chat.policy.limits.room_size = Some(1_000);
    let mut tom = context("Tom", "Jerry");
    tom["room"] = json!("hall");
    for (members, price) in [
        (0, "2 PutItem 2, 6 Query 6"),
        (600, "2 PutItem 2, 6 Query 14"),
    ] {
        chat.fill("hall", members).await;
        chat.connect("t", Some(&tom)).await;
        assert_eq!(chat.meter.bill(), price, "{members} members");
        chat.disconnect("t", Some(&tom)).await;
        assert_eq!(chat.meter.bill(), "2 DeleteItem 2");
    }
    // One that is refused is written and taken back.
    for (connection, status) in [("a", 200), ("b", 200), ("c", 429)] {
        chat.meter.bill();
        assert_eq!(chat.connects(connection, Some(&tom)).await, status);
    }
    let refused = "2 DeleteItem 2, 1 PutItem 1, 2 Query 2";
    assert_eq!(chat.meter.bill(), refused);
}

/// Of handshakes at the same moment no more are let in than the limit allows, with requests that really compete.
#[tokio::test]
async fn of_handshakes_that_compete_for_the_last_places_no_more_are_let_in_than_there_are() {
    let mut chat = Chat::start(Names::Optional, Index::FriendAndRoom).await;
    chat.policy.limits.connections_per_name = Some(3);
    chat.policy.limits.room_size = Some(1_000);
    let tom = context("Tom", "Jerry");
    for round in 0..4 {
        let ids: Vec<_> = (0..8).map(|number| format!("{round}-{number}")).collect();
        let at_once = ids.iter().map(|id| chat.connects(id, Some(&tom)));
        let statuses = futures_util::future::join_all(at_once).await;
        let admitted = statuses.iter().filter(|status| **status == 200).count();
        assert!(admitted <= 3, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 429].contains(status)));
        // One after another, exactly the places that are left are given away.
        let mut open = admitted;
        for number in 0..4 {
            let status = chat
                .connects(&format!("{round}+{number}"), Some(&tom))
                .await;
            open += usize::from(status == 200);
        }
        assert_eq!(open, 3);
        for id in ids
            .iter()
            .cloned()
            .chain((0..4).map(|number| format!("{round}+{number}")))
        {
            chat.disconnect(&id, Some(&tom)).await;
        }
    }
}

pub(crate) struct Chat {
    table: LocalTable,
    pub(crate) meter: Meter,
    pub(crate) store: DynamoStore,
    pub(crate) delivery: MemoryDelivery,
    pub(crate) dispatch: MemoryDispatch,
    pub(crate) policy: Recording,
}

impl Chat {
    pub(crate) async fn start(names: Names, index: Index) -> Self {
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
            table,
            meter,
            delivery: MemoryDelivery::default(),
            dispatch: MemoryDispatch::default(),
            policy: (names, index).into(),
        }
    }

    pub(crate) async fn connect(&self, connection: &str, context: Option<&Value>) {
        assert_eq!(self.connects(connection, context).await, 200);
    }

    /// The status of the answer.
    pub(crate) async fn connects(&self, connection: &str, context: Option<&Value>) -> u16 {
        self.delivery.open(&ConnectionId::new(connection));
        let event = event("CONNECT", "$connect", connection, context);
        let log = Log::new(Level::Error, |line| panic!("{line}"));
        let invocation = Invocation {
            log,
            ..invocation(0)
        };
        let answer = connect(&event, &self.store, self.policy, &invocation).await;
        answer.expect("an answer").status_code()
    }

    pub(crate) async fn connect_proven(&self, connection: &str, context: &Value) {
        self.delivery.open(&ConnectionId::new(connection));
        let event = event("CONNECT", "$connect", connection, Some(context));
        let answer = connect_proven(&event, &self.store, self.policy, &invocation(0)).await;
        assert_eq!(answer.expect("an answer").status_code(), 200);
    }

    pub(crate) async fn disconnect(&self, connection: &str, context: Option<&Value>) {
        let event = event("DISCONNECT", "$disconnect", connection, context);
        let answer = disconnect(&event, &self.store, self.policy.index, &invocation(60)).await;
        assert_eq!(answer.expect("an answer").status_code(), 200);
    }

    pub(crate) async fn direct(&self, connection: &str, context: Option<&Value>) {
        let event = event("MESSAGE", "$default", connection, context);
        let routes = Routes::default();
        let answer = direct(
            &event,
            &self.store,
            &self.delivery,
            &routes,
            &invocation(60),
        )
        .await;
        assert_eq!(answer.expect("an answer").status_code(), 200);
    }

    pub(crate) async fn broadcast(&self, connection: &str, context: Option<&Value>) {
        let event = event("MESSAGE", "$default", connection, context);
        let (services, routes) = ((&self.store, &self.delivery), Routes::default());
        let answer = broadcast(&event, services, &self.dispatch, &routes, &invocation(60)).await;
        assert_eq!(answer.expect("an answer").status_code(), 200);
    }

    /// Adds members to `room` until it has `count`, without counting the requests.
    pub(crate) async fn fill(&self, room: &str, count: usize) {
        use chat_lambdas::session::{Room, Session};
        use chat_lambdas::store::{ConnectionStore as _, Presence};
        for number in 0..count {
            let presence = Presence {
                session: Session {
                    room: Room::parse(room).expect("a valid name"),
                    ..Session::default()
                },
                connection: member(number),
                connected_at: NOW,
            };
            self.table.store.join(&presence).await.expect("writable");
            self.delivery.open(&presence.connection);
        }
    }
}

/// An id as long as API Gateway's.
fn member(number: usize) -> ConnectionId {
    ConnectionId::new(format!("BFaT_f{number:05}MCg="))
}

pub(crate) fn invocation(seconds: u64) -> Invocation {
    Invocation {
        now: NOW + seconds,
        until: tokio::time::Instant::now() + Duration::from_secs(60),
        log: Log::new(Level::Error, |line| panic!("{line}")),
    }
}

pub(crate) fn context(name: &str, friend: &str) -> Value {
    json!({"principalId": name, "name": name, "friend": friend})
}

/// A message with this frame, received later than the one before.
pub(crate) fn event_with(
    route: &str,
    connection: &str,
    frame: &Value,
    context: &Value,
) -> SocketEvent {
    static RECEIVED: AtomicU64 = AtomicU64::new(0);
    let later = RECEIVED.fetch_add(1, Ordering::Relaxed);
    let event = json!({
        "requestContext": {"eventType": "MESSAGE", "routeKey": route, "connectionId": connection,
            "requestTimeEpoch": (NOW + 60) * 1_000 + later, "authorizer": context},
        "body": frame.to_string(),
    });
    serde_json::from_value(event).expect("an event of the documented shape")
}

pub(crate) fn event(
    kind: &str,
    route: &str,
    connection: &str,
    context: Option<&Value>,
) -> SocketEvent {
    let event = json!({
        "requestContext": {"eventType": kind, "routeKey": route, "connectionId": connection,
            "authorizer": context},
        "body": "hi",
    });
    serde_json::from_value(event).expect("an event of the documented shape")
}
