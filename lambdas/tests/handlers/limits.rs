use chat_lambdas::event::SocketEvent;
use chat_lambdas::handlers::{Gate, HandlerError, ProxyResponse, connect, disconnect, excess};
use chat_lambdas::limits::{Limits, Recording};
use chat_lambdas::memory::Call;
use chat_lambdas::session::{ConnectionId, Names};
use chat_lambdas::store::{Index, LIFETIME_SECONDS};
use chat_protocol::Mode;
use serde_json::{Value, json};

use crate::gateway::{self, context};
use crate::scene::{BEGIN, Scene, json_of};

fn recording(index: Index, connections: Option<u32>, members: Option<u32>) -> Recording {
    Recording {
        names: Names::Optional,
        index,
        limits: Limits {
            messages_per_second: None,
            connections_per_name: connections,
            room_size: members,
        },
    }
}

async fn connects(scene: &Scene, recording: Recording, connection: &str, context: &Value) -> u16 {
    let event = gateway::connect(connection, (None, None), Some(context));
    let answer = connect(&event, &scene.store, recording, &scene.invocation()).await;
    answer.unwrap().status_code()
}

async fn leaves(scene: &Scene, index: Index, connection: &str, context: &Value) {
    let event = gateway::disconnect(connection, Some(context));
    let answer = disconnect(&event, &scene.store, index, &scene.invocation()).await;
    assert_eq!(answer.unwrap().status_code(), 200);
}

#[tokio::test]
async fn a_name_has_as_many_connections_as_the_limit_allows_and_an_ended_one_frees_a_place() {
    let scene = Scene::new();
    let two = recording(Index::Friend, Some(2), None);
    let (tom, ann) = (context("Tom", "Jerry"), context("Ann", "Tom"));
    assert_eq!(connects(&scene, two, "a", &tom).await, 200);
    assert_eq!(connects(&scene, two, "b", &tom).await, 200);
    let event = gateway::connect("c", (None, None), Some(&tom));
    let refused = connect(&event, &scene.store, two, &scene.invocation()).await;
    let reason = "its name has 2 open connections, the most that `connections-per-name` allows";
    assert_eq!(
        json_of(&refused.unwrap()),
        json!({"statusCode": 429, "body": reason})
    );
    assert!(scene.logged().contains(reason), "{}", scene.logged());
    assert!(!scene.logged().contains("Tom"), "{}", scene.logged());
    // A refused handshake leaves nothing behind that would count.
    assert_eq!(scene.rows(), ["Tom/a", "Tom/b"]);
    assert_eq!(connects(&scene, two, "d", &ann).await, 200);
    leaves(&scene, Index::Friend, "a", &tom).await;
    assert_eq!(connects(&scene, two, "c", &tom).await, 200);
}

#[tokio::test]
async fn a_connection_that_ended_without_an_event_blocks_its_name_until_a_message_or_its_time() {
    let one = recording(Index::Friend, Some(1), None);
    let (tom, jerry) = (context("Tom", "Jerry"), context("Jerry", "Tom"));
    // Found gone by a message.
    let mut scene = Scene::new();
    assert_eq!(connects(&scene, one, "lost", &jerry).await, 200);
    scene.now += 60;
    assert_eq!(connects(&scene, one, "new", &jerry).await, 429);
    scene.tom_says("are you there?").await.unwrap();
    assert_eq!(connects(&scene, one, "new", &jerry).await, 200);
    // Or expired, although DynamoDB has not removed it yet.
    let mut scene = Scene::new();
    assert_eq!(connects(&scene, one, "lost", &tom).await, 200);
    scene.now += LIFETIME_SECONDS;
    assert_eq!(connects(&scene, one, "new", &tom).await, 200);
    assert_eq!(scene.rows(), ["Tom/lost", "Tom/new"]);
}

#[tokio::test]
async fn a_room_has_as_many_members_as_the_limit_allows_over_all_of_its_shards() {
    let scene = Scene::new();
    let index = Index::FriendAndRoom;
    let fifty = recording(index, None, Some(50));
    let mut hall = context("Tom", "Jerry");
    hall["room"] = json!("hall");
    for number in 0..50 {
        let id = format!("L{number:05}AIAMCK=");
        assert_eq!(connects(&scene, fifty, &id, &hall).await, 200, "{number}");
    }
    assert_eq!(connects(&scene, fifty, "beyond", &hall).await, 429);
    assert!(scene.logged().contains("its room has 50 members"));
    assert_eq!(scene.members().len(), 50);
    assert_eq!(scene.rows().len(), 50, "its row by name is taken back, too");
    let mut attic = context("Tom", "Jerry");
    attic["room"] = json!("attic");
    assert_eq!(connects(&scene, fifty, "beyond", &attic).await, 200);
    leaves(&scene, index, "L00007AIAMCK=", &hall).await;
    assert_eq!(connects(&scene, fifty, "next", &hall).await, 200);
}

#[tokio::test]
async fn nameless_clients_share_none_and_without_an_authorizer_a_refusal_leaves_no_session() {
    let scene = Scene::new();
    let one = recording(Index::FriendAndRoom, Some(1), None);
    for connection in ["a", "b"] {
        let anonymous = gateway::room_context("hall");
        assert_eq!(connects(&scene, one, connection, &anonymous).await, 200);
    }
    for (connection, status) in [("c", 200), ("d", 429)] {
        let event = gateway::connect(connection, (Some("Tom"), None), None);
        let answer = connect(&event, &scene.store, one, &scene.invocation()).await;
        assert_eq!(answer.unwrap().status_code(), status);
    }
    assert_eq!(scene.store.sessions().len(), 1);
}

#[tokio::test]
async fn where_nothing_can_be_counted_nothing_is_let_in() {
    for call in [Call::ConnectionsOf, Call::Members] {
        let scene = Scene::new();
        scene.store.break_down(call);
        let limited = recording(Index::FriendAndRoom, Some(2), Some(2));
        let tom = context("Tom", "Jerry");
        assert_eq!(connects(&scene, limited, "a", &tom).await, 500, "{call:?}");
    }
    let scene = Scene::new();
    scene.store.break_down(Call::CountMessage);
    let outcome = says(&scene, "t", 0, Some(1)).await;
    assert!(matches!(outcome, Err(HandlerError::Store(_))));
}

/// What becomes of a frame that API Gateway received `milliseconds` after the beginning.
async fn says(
    scene: &Scene,
    connection: &str,
    milliseconds: u64,
    most: Option<u32>,
) -> Result<Option<ProxyResponse>, HandlerError> {
    let mut event = json!({"requestContext": {"eventType": "MESSAGE", "routeKey": "$default",
        "connectionId": connection}, "body": "hi"});
    event["requestContext"]["requestTimeEpoch"] = json!(BEGIN * 1_000 + milliseconds);
    let event: SocketEvent = serde_json::from_value(event).unwrap();
    let services = (&scene.store, &scene.delivery);
    let gate = Gate::for_mode(Mode::Claimed).with_rate(most);
    excess(&event, &gate, services, &scene.invocation()).await
}

#[tokio::test]
async fn a_connection_sends_as_much_in_a_second_as_the_limit_allows_and_the_rest_is_answered() {
    let mut scene = Scene::new();
    let (tom, ann) = (ConnectionId::new("t"), ConnectionId::new("a"));
    scene.delivery.open(&tom);
    scene.delivery.open(&ann);
    let passes = None;
    let refused = Some(ProxyResponse::status(429));
    for (connection, milliseconds, expected) in [
        ("t", 0, &passes),
        ("t", 400, &passes),
        ("t", 999, &refused),
        ("t", 999, &refused),
        // Another connection, and another second.
        ("a", 999, &passes),
        ("t", 1_000, &passes),
        ("t", 1_001, &passes),
        ("t", 1_002, &refused),
    ] {
        // The functions' own clocks differ.
        scene.now = BEGIN + milliseconds * 7 % 90;
        let outcome = says(&scene, connection, milliseconds, Some(2)).await;
        assert_eq!(&outcome.unwrap(), expected, "{connection} {milliseconds}");
    }
    let reported = scene.delivery.take(&tom).unwrap();
    let reported: Value = serde_json::from_str(&reported).unwrap();
    assert_eq!(
        reported,
        json!({"error": "TooManyMessages", "route": "$default",
            "message": "more than 2 messages a second; wait a second, then send it again"})
    );
    assert_eq!(scene.delivery.take(&ann), None);
    assert_eq!(scene.logged(), "", "a flood must not fill the log");
}

#[tokio::test]
async fn without_a_limit_no_message_is_counted() {
    let scene = Scene::new();
    scene.store.break_down(Call::CountMessage);
    for _ in 0..3 {
        assert_eq!(says(&scene, "t", 0, None).await.unwrap(), None);
    }
}
