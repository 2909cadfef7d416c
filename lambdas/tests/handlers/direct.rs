use chat_lambdas::delivery::DeliveryError;
use chat_lambdas::handlers::{HandlerError, connect, direct};
use chat_lambdas::log::Level;
use chat_lambdas::memory::Call;
use chat_lambdas::protocol::FRIEND_NOT_REACHABLE;
use chat_lambdas::routes::Routes;
use chat_lambdas::session::ConnectionId;
use serde_json::{Value, json};

use crate::gateway::{self, context};
use crate::scene::{FRIENDS, Scene, json_of};

#[tokio::test]
async fn only_the_friend_s_devices_get_the_message() {
    let scene = Scene::new();
    let tom = scene.online("Tom", "t").await;
    let (desk, phone) = (
        scene.online("Jerry", "j1").await,
        scene.online("Jerry", "j2").await,
    );
    let answer = scene.tom_says(" {\"action\": 1}\n").await.unwrap();
    assert_eq!(json_of(&answer), json!({"statusCode": 200}));
    for device in [&desk, &phone] {
        assert_eq!(scene.delivery.take(device).unwrap(), " {\"action\": 1}\n");
    }
    assert_eq!(scene.delivery.take(&tom), None);
}

#[tokio::test]
async fn the_notice_never_changes() {
    assert_eq!(
        FRIEND_NOT_REACHABLE,
        "Your friend is not reachable. Connect from the other terminal and then try again"
    );
    assert_eq!(FRIEND_NOT_REACHABLE, testing::conversations::NOTICE);
    let scene = Scene::new();
    let tom = scene.online("Tom", "t").await;
    let answer = scene.tom_says("hi").await.unwrap();
    assert_eq!(json_of(&answer), json!({"statusCode": 200}));
    assert_eq!(scene.delivery.take(&tom).unwrap(), FRIEND_NOT_REACHABLE);
    assert_eq!(scene.delivery.take(&tom), None);
}

#[tokio::test]
async fn a_friend_missed_by_the_cheap_read_is_found_by_the_consistent_one() {
    let scene = Scene::new();
    let tom = scene.online("Tom", "t").await;
    scene.store.lag();
    let jerry = scene.online("Jerry", "j").await;
    scene.tom_says("hi").await.unwrap();
    assert_eq!(scene.delivery.take(&jerry).unwrap(), "hi");
    assert_eq!(scene.delivery.take(&tom), None);
}

#[tokio::test]
async fn a_friend_who_reconnected_is_reached_on_the_new_connection_only_and_once() {
    let scene = Scene::new();
    let tom = scene.online("Tom", "t").await;
    scene.recorded("Jerry", "old", scene.now - 60).await;
    scene.store.lag();
    let new = scene.online("Jerry", "new").await;
    scene.tom_says("hi").await.unwrap();
    assert_eq!(scene.delivery.take(&new).unwrap(), "hi");
    assert_eq!(scene.delivery.take(&new), None);
    assert_eq!(scene.delivery.take(&tom), None);
    assert_eq!(scene.rows(), ["Jerry/new", "Tom/t"]);
}

#[tokio::test]
async fn a_device_that_refused_is_not_tried_a_second_time() {
    let scene = Scene::new();
    let tom = scene.online("Tom", "t").await;
    let jerry = scene.recorded("Jerry", "j", scene.now - 60).await;
    scene.delivery.refuse(&jerry, || DeliveryError::Throttled);
    scene.tom_says("hi").await.unwrap();
    assert_eq!(
        scene.logged().matches("post refused").count(),
        1,
        "{}",
        scene.logged()
    );
    assert_eq!(scene.delivery.take(&tom).unwrap(), FRIEND_NOT_REACHABLE);
}

#[tokio::test]
async fn no_notice_is_sent_if_one_device_accepts_the_message() {
    let scene = Scene::new();
    let tom = scene.online("Tom", "t").await;
    scene.recorded("Jerry", "gone", scene.now - 60).await;
    let refusing = scene.recorded("Jerry", "refusing", scene.now - 60).await;
    scene.delivery.refuse(&refusing, || DeliveryError::TimedOut);
    let jerry = scene.online("Jerry", "j").await;
    scene.tom_says("hi").await.unwrap();
    assert_eq!(scene.delivery.take(&jerry).unwrap(), "hi");
    assert_eq!(scene.delivery.take(&tom), None);
}

#[tokio::test]
async fn an_expired_row_is_not_posted_to() {
    let mut scene = Scene::new();
    let tom = scene.online("Tom", "t").await;
    let jerry = scene.online("Jerry", "j").await;
    scene.now += 8_100 - 60;
    scene.tom_says("hi").await.unwrap();
    assert_eq!(scene.delivery.take(&jerry), None);
    assert_eq!(scene.delivery.take(&tom).unwrap(), FRIEND_NOT_REACHABLE);
}

#[tokio::test]
async fn a_sender_who_has_left_needs_no_notice() {
    let scene = Scene::new();
    assert_eq!(scene.tom_says("hi").await.unwrap().status_code(), 200);

    let scene = Scene::new();
    scene
        .delivery
        .refuse(&ConnectionId::new("t"), || DeliveryError::Forbidden);
    assert_eq!(scene.tom_says("hi").await.unwrap().status_code(), 200);
    assert!(
        scene.logged().contains("notice refused"),
        "{}",
        scene.logged()
    );
}

#[tokio::test]
async fn without_an_authorizer_the_record_has_the_sender() {
    let scene = Scene::new();
    let jerry = scene.online("Jerry", "j").await;
    let handshake = gateway::connect("t", (Some("Tom"), Some("Jerry")), None);
    connect(&handshake, &scene.store, FRIENDS, &scene.invocation())
        .await
        .unwrap();
    let event = gateway::message("t", "hi", None);
    let outcome = scene.direct(&event).await;
    assert_eq!(outcome.unwrap().status_code(), 200);
    assert_eq!(scene.delivery.take(&jerry).unwrap(), "hi");
}

#[tokio::test]
async fn a_message_of_an_unknown_connection_is_dropped_without_a_notice() {
    let scene = Scene::new();
    let jerry = scene.online("Jerry", "j").await;
    let stranger = scene.online("Spike", "s").await;
    for context in [
        None,
        Some(json!({"name": "Tom"})),
        Some(json!({"principalId": "x"})),
    ] {
        let event = gateway::message("s", "hi", context.as_ref());
        let outcome = scene.direct(&event).await;
        assert_eq!(json_of(&outcome.unwrap()), json!({"statusCode": 403}));
    }
    assert_eq!(scene.delivery.take(&jerry), None);
    assert_eq!(scene.delivery.take(&stranger), None);
    assert_eq!(scene.logged().matches("unknown connection").count(), 3);
}

#[tokio::test]
async fn a_failed_lookup_of_the_friend_makes_the_invocation_fail() {
    // API Gateway then sends an error frame, so the sender learns that the message is lost.
    let scene = Scene::new();
    scene.online("Jerry", "j").await;
    scene.store.break_down(Call::ConnectionsOf);
    assert!(matches!(
        scene.tom_says("hi").await,
        Err(HandlerError::Store(_))
    ));

    scene.store.break_down(Call::SessionOf);
    let event = gateway::message("t", "hi", None);
    let outcome = scene.direct(&event).await;
    assert!(matches!(outcome, Err(HandlerError::Store(_))));
}

#[tokio::test]
async fn a_route_with_a_field_passes_on_that_field_and_refuses_frames_without_it() {
    let scene = Scene::new();
    let (tom, jerry) = (
        scene.online("Tom", "t").await,
        scene.online("Jerry", "j").await,
    );
    let routes = r#"{"say":{"text":"message","includeSender":false,"maxTextBytes":5}}"#;
    let routes = Routes::parse(routes).unwrap();
    let say = async |frame| {
        let event = gateway::routed("say", "t", frame, Some(&context("Tom", "Jerry")));
        let (store, delivery) = scene.services();
        let answer = direct(&event, store, delivery, &routes, &scene.invocation()).await;
        answer.unwrap().status_code()
    };
    assert_eq!(say(r#"{"action":"say","message":"hello"}"#).await, 200);
    assert_eq!(scene.delivery.take(&jerry).unwrap(), "hello");
    for (frame, error) in [
        ("hello", "BadJson"),
        (r#"{"action":"say"}"#, "MissingText"),
        (r#"{"message":"hello!"}"#, "TextTooLarge"),
    ] {
        assert_eq!(say(frame).await, 400);
        let reported: Value = serde_json::from_str(&scene.delivery.take(&tom).unwrap()).unwrap();
        assert_eq!(
            (&reported["error"], &reported["route"]),
            (&json!(error), &json!("say"))
        );
    }
    assert_eq!(scene.delivery.take(&jerry), None);
}

#[tokio::test]
async fn events_of_another_kind_are_errors() {
    let scene = Scene::new();
    let tom = context("Tom", "Jerry");
    let events = [
        gateway::connect("t", (Some("Tom"), Some("Jerry")), Some(&tom)),
        gateway::disconnect("t", Some(&tom)),
    ];
    for event in events {
        let outcome = scene.direct(&event).await;
        assert!(matches!(outcome, Err(HandlerError::UnexpectedEvent(_))));
    }
}

#[tokio::test]
async fn the_log_counts_and_never_quotes() {
    let scene = Scene::logging_from(Level::Debug);
    scene.online("Jerry", "j").await;
    scene.recorded("Jerry", "gone", scene.now - 60).await;
    scene.tom_says("a very private matter").await.unwrap();
    let logged = scene.logged();
    assert!(
        logged.contains(
            r#""connectionId":"t","route":"$default","delivered":1,"gone":1,"refused":0"#
        ),
        "{logged}"
    );
    assert!(!logged.contains("private"), "{logged}");
}
