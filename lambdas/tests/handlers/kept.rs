//! Messages that are kept: written before their receivers are looked up, read by those who may, and deleted.

use chat_lambdas::event::SocketEvent;
use chat_lambdas::handlers::{self, HandlerError, ProxyResponse};
use chat_lambdas::history::{Conversation, Reader};
use chat_lambdas::memory::MemoryStore;
use chat_lambdas::routes::Routes;
use chat_lambdas::session::{ConnectionId, Name, Room, Session};
use chat_lambdas::store::{ConnectionStore as _, Index, Presence};
use chat_protocol::Mode;
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use crate::gateway;
use crate::scene::Scene;

/// A room and a friend whose messages are kept for an hour.
const KEPT: &str = r#"{"say":{"text":"message","envelope":true,"history":3600},
    "tell":{"text":"message","envelope":true,"history":3600},
    "plain":{"text":"message","envelope":true}}"#;

/// The room of all people here.
pub(crate) const KITCHEN: &str = "kitchen";

pub(crate) fn context(name: &str, friend: &str) -> Value {
    json!({"name": name, "friend": friend, "room": KITCHEN})
}

/// Where any client can take any name.
pub(crate) const CLAIMED: Reader = Reader {
    mode: Mode::Claimed,
    index: Index::FriendAndRoom,
};

pub(crate) fn kitchen() -> Conversation {
    Conversation::Room(Room::parse(KITCHEN).unwrap())
}

pub(crate) fn name(name: &str) -> Name {
    Name::parse(name).unwrap()
}

pub(crate) fn id(connection: &str) -> ConnectionId {
    ConnectionId::new(connection)
}

impl Scene {
    pub(crate) fn event(
        &self,
        route: &str,
        connection: &str,
        frame: &Value,
        context: &Value,
    ) -> SocketEvent {
        self.event_at(self.now * 1_000, route, connection, frame, context)
    }

    pub(crate) fn event_at(
        &self,
        moment: u64,
        route: &str,
        connection: &str,
        frame: &Value,
        context: &Value,
    ) -> SocketEvent {
        gateway::routed_at(moment, route, connection, &frame.to_string(), Some(context))
    }

    /// Runs `direct` with the routes that keep messages.
    pub(crate) async fn tells(&self, event: &SocketEvent) -> Result<ProxyResponse, HandlerError> {
        let routes = Routes::parse(KEPT).unwrap();
        let invocation = self.invocation();
        handlers::direct(event, &self.store, &self.delivery, &routes, &invocation).await
    }

    /// Runs `broadcast` with the routes that keep messages.
    pub(crate) async fn says_kept(
        &self,
        event: &SocketEvent,
    ) -> Result<ProxyResponse, HandlerError> {
        self.broadcast(event, KEPT).await
    }

    /// Ann, on connection `a`, says this to the kitchen. The answer to her.
    pub(crate) async fn ann_says(&self, text: &str) -> Value {
        let frame = json!({"message": text, "ref": "r1"});
        self.delivery.open(&id("a"));
        let event = self.event("say", "a", &frame, &context("Ann", "Bob"));
        self.says_kept(&event).await.unwrap();
        self.next("a").unwrap()
    }

    /// Ann, on connection `a`, says this to Bob. The answer to her.
    pub(crate) async fn ann_tells(&self, text: &str) -> Value {
        let frame = json!({"message": text, "ref": "r1"});
        self.delivery.open(&id("a"));
        let event = self.event("tell", "a", &frame, &context("Ann", "Bob"));
        self.tells(&event).await.unwrap();
        self.next("a").unwrap()
    }

    /// The next frame of a connection.
    pub(crate) fn next(&self, connection: &str) -> Option<Value> {
        let frame = self.delivery.take(&id(connection))?;
        Some(serde_json::from_str(&frame).unwrap())
    }

    /// What the owner of `context` gets for a request for history, on connection `q`.
    pub(crate) async fn asks(&self, reader: Reader, frame: &Value, context: &Value) -> Value {
        self.delivery.open(&id("q"));
        let event = self.event("history", "q", frame, context);
        let (services, reader) = (self.services(), (reader, 3_600));
        let answer = handlers::history(&event, services, reader, &self.invocation()).await;
        assert!([200, 400].contains(&answer.unwrap().status_code()));
        self.next("q").unwrap()
    }

    /// What the owner of `context` gets for an order to delete, on connection `q`.
    pub(crate) async fn orders(&self, reader: Reader, frame: &Value, context: &Value) -> Value {
        self.delivery.open(&id("q"));
        let event = self.event("delete", "q", frame, context);
        let answer = handlers::delete(&event, self.services(), reader, &self.invocation()).await;
        assert!([200, 400].contains(&answer.unwrap().status_code()));
        self.next("q").unwrap()
    }
}

pub(crate) fn present(name: &str, friend: &str, connection: &str, at: u64) -> Presence {
    Presence {
        session: Session {
            name: Some(self::name(name)),
            friend: Some(self::name(friend)),
            room: Room::parse(KITCHEN).unwrap(),
        },
        connection: id(connection),
        connected_at: at,
    }
}

pub(crate) fn texts(page: &Value) -> Vec<&str> {
    let entries = page["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| entry["text"].as_str().unwrap_or("deleted"))
        .collect()
}

/// Of each moment in which a receiver can arrive, which is before any call of the table, it must get the message: from the
/// handler, which finds it, or from the history, for which it asks when it is recorded.
///
/// If the receivers were looked up before the message is written, one that arrives between the two would get it neither way.
async fn a_receiver_who_arrives_at_any_moment_gets_the_message(route: &'static str) {
    let mut moments = 0;
    loop {
        let scene = Scene::new();
        scene.delivery.open(&id("a"));
        scene.delivery.open(&id("b"));
        let (now, found) = (scene.now, std::sync::Arc::new(std::sync::Mutex::new(0)));
        let sink = found.clone();
        scene.store.interrupt_after(moments, move |store| {
            *sink.lock().unwrap() = arrives_and_reads(store, route, now);
        });
        let frame = json!({"message": "hello"});
        let event = scene.event(route, "a", &frame, &context("Ann", "Bob"));
        let answer = match route {
            "say" => scene.says_kept(&event).await,
            _ => scene.tells(&event).await,
        };
        assert_eq!(answer.unwrap().status_code(), 200);
        if scene.store.is_to_be_interrupted() {
            // The handler makes no more calls: all moments have been tried.
            break;
        }
        let live = usize::from(scene.next("b").is_some());
        let found = *found.lock().unwrap();
        assert!(live + found > 0, "{route}: lost at call {moments}");
        moments += 1;
    }
    assert!(moments >= 2, "{route}: {moments} moments");
}

/// Bob arrives, and reads what was said. How much that is.
fn arrives_and_reads(store: &MemoryStore, route: &str, now: u64) -> usize {
    use chat_lambdas::history::{Wanted, page};
    let bob = present("Bob", "Ann", "b", now);
    let conversation = match route {
        "say" => {
            store.join(&bob).now_or_never().unwrap().unwrap();
            kitchen()
        }
        _ => {
            store.remember(&bob).now_or_never().unwrap().unwrap();
            Conversation::Two(name("Bob"), name("Ann"))
        }
    };
    let page = page(store, &conversation, (Wanted::Newest, 50), 3_600, now);
    page.now_or_never().unwrap().unwrap().frames.len()
}

#[tokio::test]
async fn no_message_is_lost_between_a_search_without_result_and_its_storage() {
    a_receiver_who_arrives_at_any_moment_gets_the_message("tell").await;
    a_receiver_who_arrives_at_any_moment_gets_the_message("say").await;
}

#[tokio::test]
async fn a_second_device_that_an_eventual_read_misses_gets_a_message_that_is_kept() {
    let scene = Scene::new();
    scene.online("Bob", "phone").await;
    scene.store.lag();
    scene.online("Bob", "tablet").await;
    assert_eq!(scene.ann_tells("hello").await["delivered"], 2);
    assert!(scene.next("phone").is_some() && scene.next("tablet").is_some());
}

#[tokio::test]
async fn a_message_that_cannot_be_written_is_refused_and_delivered_to_no_receiver() {
    let scene = Scene::new();
    scene.online("Bob", "b").await;
    scene
        .store
        .join(&present("Bob", "Ann", "b", scene.now - 60))
        .await
        .unwrap();
    scene.store.break_down(chat_lambdas::memory::Call::Keep);
    for reported in [scene.ann_says("hi").await, scene.ann_tells("hi").await] {
        assert_eq!(
            (&reported["error"], &reported["ref"]),
            (&json!("NotStored"), &json!("r1"))
        );
        assert_eq!(scene.next("b"), None);
    }
    assert!(scene.logged().contains("message not kept"));
    // A route without history writes nothing.
    let event = scene.event(
        "plain",
        "a",
        &json!({"message": "hi", "ref": "r2"}),
        &context("Ann", "Bob"),
    );
    scene.tells(&event).await.unwrap();
    assert_eq!(scene.next("a").unwrap()["stored"], false);
}
