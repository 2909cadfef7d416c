//! Who is in a room, and the end of a person's connections.

use chat_lambdas::delivery::{Delivery as _, DeliveryError, Posted};
use chat_lambdas::handlers::{Gate, HandlerError, kick, refusal, rule_of_requests, who};
use chat_lambdas::memory::Call;
use chat_lambdas::session::{ConnectionId, Name, Room, Session};
use chat_lambdas::store::{ConnectionStore as _, Index, Presence};
use chat_protocol::{Answers, Mode};
use serde_json::{Value, json};

use crate::gateway::{self, context};
use crate::scene::{BEGIN, Scene};

/// Opens a connection of `name` in `room` that was recorded `age` seconds ago.
async fn enters(
    scene: &Scene,
    name: Option<&str>,
    room: &str,
    connection: &str,
    age: u64,
) -> ConnectionId {
    let presence = Presence {
        session: Session {
            name: name.map(|name| Name::parse(name).unwrap()),
            friend: None,
            room: Room::parse(room).unwrap(),
        },
        connection: ConnectionId::new(connection),
        connected_at: scene.now - age,
    };
    scene.store.join(&presence).await.unwrap();
    scene.store.remember(&presence).await.unwrap();
    scene.delivery.open(&presence.connection);
    presence.connection
}

/// The context of a member of the kitchen.
fn in_kitchen(name: &str) -> Value {
    json!({"name": name, "room": "kitchen"})
}

/// What Ann in the kitchen gets for `frame`, on connection `a`.
async fn asked(scene: &Scene, frame: &Value) -> Value {
    let ann = ConnectionId::new("a");
    scene.delivery.open(&ann);
    let event = gateway::message("a", &frame.to_string(), Some(&in_kitchen("Ann")));
    who(&event, scene.services(), &scene.invocation())
        .await
        .unwrap();
    serde_json::from_str(&scene.delivery.take(&ann).unwrap()).unwrap()
}

#[tokio::test]
async fn people_are_listed_once_however_many_devices_they_have_and_strangers_are_counted() {
    let scene = Scene::new();
    for (name, room, connection, age) in [
        (Some("Zoe"), "kitchen", "z", 10),
        (Some("Ann"), "kitchen", "a", 20),
        (Some("Ann"), "kitchen", "a2", 30),
        (None, "kitchen", "n", 40),
        (Some("Bob"), "attic", "b", 50),
        (Some("Old"), "kitchen", "o", 8_100),
    ] {
        enters(&scene, name, room, connection, age).await;
    }
    let person = |name, devices, since| json!({"name": name, "devices": devices, "since": since});
    assert_eq!(
        asked(&scene, &json!({"action": "who", "ref": "r1"})).await,
        json!({
            "type": "who", "room": "kitchen", "nameless": 1, "next": null, "ref": "r1",
            "people": [person("Ann", 2, "2025-12-31T23:59:30.000Z"), person("Zoe", 1, "2025-12-31T23:59:50.000Z")],
        })
    );
}

#[tokio::test]
async fn many_people_come_in_pages_and_a_page_is_one_frame() {
    let scene = Scene::new();
    let long = "x".repeat(61);
    for number in 0..250 {
        let name = format!("{number:03}{long}");
        enters(&scene, Some(&name), "kitchen", &number.to_string(), 10).await;
    }
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = asked(&scene, &json!({"action": "who", "after": after})).await;
        assert!(page.to_string().len() < 32_768);
        let people = page["people"].as_array().unwrap();
        seen.extend(
            people
                .iter()
                .map(|person| person["name"].as_str().unwrap()[..3].to_owned()),
        );
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
        assert_eq!(people.len(), 100);
    }
    let expected: Vec<_> = (0..250).map(|number| format!("{number:03}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_room_of_more_than_a_thousand_is_not_listed_and_is_not_read_to_its_end() {
    let scene = Scene::new();
    for number in 0..3_000 {
        enters(&scene, None, "kitchen", &number.to_string(), 10).await;
    }
    let answer = asked(&scene, &json!({"action": "who", "ref": "r1"})).await;
    assert_eq!(
        (&answer["error"], &answer["ref"]),
        (&json!("RoomTooLarge"), &json!("r1"))
    );
    // All of it would be twelve pages.
    assert!(scene.store.pages_read() <= 8);
}

#[tokio::test]
async fn a_request_that_is_not_understood_is_answered_with_its_ref() {
    let scene = Scene::new();
    for (frame, reference) in [
        (json!({"after": 7, "ref": "r1"}), json!("r1")),
        (json!({"after": "a#b", "ref": "r1"}), json!("r1")),
        (json!({"ref": 7}), Value::Null),
    ] {
        let answer = asked(&scene, &frame).await;
        assert_eq!(
            (&answer["error"], &answer["ref"]),
            (&json!("BadMember"), &reference),
            "{frame}"
        );
    }
}

#[tokio::test]
async fn an_unknown_connection_gets_no_answer_and_an_unreadable_room_is_an_error() {
    let scene = Scene::new();
    let event = gateway::message("a", "{}", None);
    let answer = who(&event, scene.services(), &scene.invocation())
        .await
        .unwrap();
    assert_eq!(answer.status_code(), 403);
    scene.store.break_down(Call::Members);
    let event = gateway::message("a", "{}", Some(&in_kitchen("Ann")));
    let failed = who(&event, scene.services(), &scene.invocation()).await;
    assert!(matches!(failed, Err(HandlerError::Store(_))), "{failed:?}");
}

/// What Mo, a moderator in the kitchen, gets for `frame`, on connection `m`.
async fn ordered(scene: &Scene, index: Index, frame: &Value) -> Value {
    let mo = ConnectionId::new("m");
    scene.delivery.open(&mo);
    let event = gateway::message("m", &frame.to_string(), Some(&in_kitchen("Mo")));
    kick(&event, scene.services(), index, &scene.invocation())
        .await
        .unwrap();
    serde_json::from_str(&scene.delivery.take(&mo).unwrap()).unwrap()
}

/// Whether `device` has got the notice, and nothing can be posted to it.
async fn is_ended(scene: &Scene, device: &ConnectionId) -> bool {
    matches!(
        scene.delivery.post(device, "still there?").await,
        Ok(Posted::Gone)
    )
}

#[tokio::test]
async fn all_devices_of_the_person_in_the_moderator_s_room_get_a_frame_and_are_closed() {
    let scene = Scene::new();
    let ended = [
        enters(&scene, Some("Bob"), "kitchen", "b1", 10).await,
        enters(&scene, Some("Bob"), "kitchen", "b2", 10).await,
    ];
    let staying = [
        enters(&scene, Some("bob"), "kitchen", "b3", 10).await,
        enters(&scene, Some("Bob"), "attic", "b4", 10).await,
        enters(&scene, None, "kitchen", "n", 10).await,
    ];
    let answer = ordered(&scene, Index::Room, &json!({"name": "Bob", "ref": "r1"})).await;
    assert_eq!(
        answer,
        json!({"type": "kicked", "name": "Bob", "connections": 2, "ref": "r1"})
    );
    for device in &ended {
        assert!(is_ended(&scene, device).await, "{device}");
    }
    for device in &staying {
        assert_eq!(scene.delivery.take(device), None);
        assert!(!is_ended(&scene, device).await, "{device}");
    }
}

#[tokio::test]
async fn without_rooms_all_connections_of_the_name_are_ended() {
    let scene = Scene::new();
    let bob = enters(&scene, Some("Bob"), "attic", "b", 10).await;
    let answer = ordered(&scene, Index::Friend, &json!({"name": "Bob"})).await;
    assert_eq!(answer["connections"], 1);
    assert!(is_ended(&scene, &bob).await);
}

#[tokio::test]
async fn a_device_that_left_unnoticed_is_forgotten_and_one_that_cannot_be_ended_not_counted() {
    let scene = Scene::new();
    let gone = enters(&scene, Some("Bob"), "kitchen", "gone", 10).await;
    scene.delivery.close(&gone);
    let stuck = enters(&scene, Some("Bob"), "kitchen", "stuck", 10).await;
    scene.delivery.refuse(&stuck, || DeliveryError::Forbidden);
    let answer = ordered(&scene, Index::Room, &json!({"name": "Bob"})).await;
    assert_eq!(answer["connections"], 0);
    assert_eq!(scene.members(), ["kitchen/stuck"]);
    assert!(
        scene.logged().contains("connection not ended"),
        "{}",
        scene.logged()
    );
}

#[tokio::test]
async fn an_order_must_name_a_person() {
    let scene = Scene::new();
    for frame in [
        json!({}),
        json!({"name": null}),
        json!({"name": ["Bob"]}),
        json!({"name": "a#b"}),
    ] {
        let answer = ordered(&scene, Index::Room, &frame).await;
        assert_eq!(answer["error"], "BadMember", "{frame}");
    }
}

#[tokio::test]
async fn only_a_moderator_s_token_passes_the_gate_and_a_question_needs_no_right() {
    let scene = Scene::new();
    let passes = async |answers: Answers, can: Option<&str>| {
        let gate = Gate::for_mode(Mode::Token).for_requests(rule_of_requests(), answers.right());
        let mut context = context("Tom", "Jerry");
        context["exp"] = json!((BEGIN + 1).to_string());
        if let Some(can) = can {
            context["can"] = json!(can);
        }
        let tom = ConnectionId::new("t");
        scene.delivery.open(&tom);
        let event = gateway::message("t", r#"{"name":"Bob","ref":"r1"}"#, Some(&context));
        let refused = refusal(&event, &gate, &scene.delivery, &scene.invocation()).await;
        let notice = scene.delivery.take(&tom);
        if let Some(notice) = &notice {
            let notice: Value = serde_json::from_str(notice).unwrap();
            assert_eq!(
                (&notice["error"], &notice["ref"]),
                (&json!("NotAllowed"), &json!("r1"))
            );
        }
        assert_eq!(refused.as_ref().unwrap().is_some(), notice.is_some());
        notice.is_none()
    };
    assert!(passes(Answers::Kick, Some(r#"["moderate"]"#)).await);
    for can in [
        None,
        Some("[]"),
        Some(r#"["send"]"#),
        Some(r#"["Moderate"]"#),
    ] {
        assert!(!passes(Answers::Kick, can).await, "{can:?}");
        assert!(passes(Answers::Who, can).await, "{can:?}");
    }
}
