use std::time::Duration;

use chat_lambdas::delivery::DeliveryError;
use chat_lambdas::fan_out::ARRIVAL_SECONDS;
use chat_lambdas::handlers::{HandlerError, connect};
use chat_lambdas::log::Level;
use chat_lambdas::memory::Call;
use chat_lambdas::room::{INLINE_RECEIVERS, POSTS_AT_ONCE};
use chat_lambdas::session::ConnectionId;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::gateway::{self, room_context};
use crate::large_room::crowd;
use crate::scene::{ROOMS, Scene, json_of};

/// Long enough for anything in memory. Only a failing test reaches it.
const DEADLINE: Duration = Duration::from_secs(20);

/// Whole frames, without a copy for the sender.
const RELAY: &str = "{}";

const ECHO: &str = r#"{"$default":{"text":"message","includeSender":true,"maxTextBytes":32768}}"#;

#[tokio::test]
async fn only_members_of_the_room_get_the_message_and_only_once() {
    let scene = Scene::new();
    let sender = scene.present("hall", "a").await;
    let others = [
        scene.present("hall", "b").await,
        scene.present("hall", "c").await,
    ];
    let elsewhere = scene.present("attic", "d").await;
    let answer = scene.says("hi", RELAY).await.unwrap();
    assert_eq!(json_of(&answer), json!({"statusCode": 200}));
    for receiver in &others {
        assert_eq!(scene.delivery.take(receiver).unwrap(), "hi");
        assert_eq!(scene.delivery.take(receiver), None);
    }
    assert_eq!(scene.delivery.take(&sender), None);
    assert_eq!(scene.delivery.take(&elsewhere), None);
}

#[tokio::test]
async fn an_included_sender_gets_it_once_even_without_a_row() {
    for is_known in [true, false] {
        let scene = Scene::new();
        let sender = ConnectionId::new("a");
        scene.delivery.open(&sender);
        if is_known {
            scene.present("hall", "a").await;
        }
        scene.says(r#"{"message":"hi"}"#, ECHO).await.unwrap();
        assert_eq!(scene.delivery.take(&sender).unwrap(), "hi");
        assert_eq!(scene.delivery.take(&sender), None);
    }
}

#[tokio::test]
async fn a_refused_frame_costs_no_read_and_only_its_sender_gets_a_notice() {
    let scene = Scene::new();
    let (sender, other) = (
        scene.present("hall", "a").await,
        scene.present("hall", "b").await,
    );
    for (frame, error) in [
        ("hi", "BadJson"),
        ("{}", "MissingText"),
        ("[]", "MissingText"),
    ] {
        let answer = scene.says(frame, ECHO).await.unwrap();
        assert_eq!(json_of(&answer), json!({"statusCode": 400}));
        let reported: Value = serde_json::from_str(&scene.delivery.take(&sender).unwrap()).unwrap();
        assert_eq!(
            (&reported["error"], &reported["route"]),
            (&json!(error), &json!("$default"))
        );
    }
    assert_eq!(scene.delivery.take(&other), None);
    assert_eq!(scene.store.pages_read(), 0);
}

#[tokio::test]
async fn a_gone_member_is_forgotten_unless_it_is_just_arriving() {
    let scene = Scene::new();
    scene.present("hall", "a").await;
    let here = scene.present("hall", "here").await;
    scene
        .joined("hall", "left", scene.now - ARRIVAL_SECONDS)
        .await;
    scene
        .joined("hall", "arriving", scene.now - ARRIVAL_SECONDS + 1)
        .await;
    scene.joined("attic", "left", scene.now - 60).await;
    scene.says("hi", RELAY).await.unwrap();
    assert_eq!(scene.delivery.take(&here).unwrap(), "hi");
    assert_eq!(
        scene.members(),
        ["attic/left", "hall/a", "hall/arriving", "hall/here"]
    );
}

#[tokio::test]
async fn an_expired_member_is_not_posted_to() {
    let mut scene = Scene::new();
    let old = scene.present("hall", "old").await;
    scene.now += 8_100 - 60;
    scene.says("hi", RELAY).await.unwrap();
    assert_eq!(scene.delivery.take(&old), None);
}

#[tokio::test]
async fn a_refusal_and_a_row_that_cannot_be_removed_do_not_stop_the_others() {
    let scene = Scene::new();
    scene.store.break_down(Call::Leave);
    scene.joined("hall", "gone", scene.now - 60).await;
    let refusals: [fn() -> DeliveryError; 4] = [
        || DeliveryError::TooLarge,
        || DeliveryError::Forbidden,
        || DeliveryError::TimedOut,
        || DeliveryError::Unavailable {
            source: "the wire is cut".into(),
        },
    ];
    for (number, refusal) in refusals.into_iter().enumerate() {
        let member = scene.present("hall", &format!("refusing {number}")).await;
        scene.delivery.refuse(&member, refusal);
    }
    let here = scene.present("hall", "zz here").await;
    scene.says("hi", RELAY).await.unwrap();
    assert_eq!(scene.delivery.take(&here).unwrap(), "hi");
    assert_eq!(scene.members().len(), 6, "no member is forgotten");
    let logged = scene.logged();
    assert!(
        logged.contains(r#""delivered":1,"gone":1,"refused":4"#),
        "{logged}"
    );
    for reason in [
        "(413)",
        "(403)",
        "no response in time",
        "the wire is cut",
        "gone connection not forgotten",
    ] {
        assert!(logged.contains(reason), "{reason} in {logged}");
    }
}

#[tokio::test]
async fn many_refusals_are_counted_and_only_the_first_are_listed() {
    let scene = Scene::new();
    for number in 0..40 {
        let member = scene.present("hall", &format!("refusing {number}")).await;
        scene.delivery.refuse(&member, || DeliveryError::Forbidden);
    }
    scene.says("hi", RELAY).await.unwrap();
    let logged = scene.logged();
    assert_eq!(logged.matches("post refused").count(), 10, "{logged}");
    assert!(logged.contains(r#""refused":40"#), "{logged}");
}

#[tokio::test]
async fn slow_members_do_not_delay_the_others_and_concurrent_posts_are_limited() {
    let scene = Scene::new();
    for number in 0..POSTS_AT_ONCE - 1 {
        let slow = scene.present("hall", &format!("slow {number}")).await;
        scene.delivery.hold(&slow);
    }
    let mut fast = Vec::new();
    for number in 0..100 {
        fast.push(scene.present("hall", &format!("fast {number}")).await);
    }
    let watch = async {
        scene.delivery.wait_for_held(POSTS_AT_ONCE - 1).await;
        for member in &fast {
            while scene.delivery.take(member).is_none() {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(
            scene.delivery.held(),
            POSTS_AT_ONCE - 1,
            "the slow ones still wait"
        );
        scene.delivery.release();
    };
    let both = async { tokio::join!(scene.says("hi", RELAY), watch) };
    let (answer, ()) = timeout(DEADLINE, both)
        .await
        .expect("the fast ones are served");
    assert_eq!(answer.unwrap().status_code(), 200);
}

#[tokio::test]
async fn concurrent_posts_are_limited() {
    let scene = Scene::new();
    for number in 0..POSTS_AT_ONCE + 30 {
        let member = scene.present("hall", &format!("slow {number}")).await;
        scene.delivery.hold(&member);
    }
    let watch = async {
        scene.delivery.wait_for_held(POSTS_AT_ONCE).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(scene.delivery.held(), POSTS_AT_ONCE);
        scene.delivery.release();
    };
    let both = async { tokio::join!(scene.says("hi", RELAY), watch) };
    timeout(DEADLINE, both)
        .await
        .expect("all are served")
        .0
        .unwrap();
}

#[tokio::test]
async fn a_throttled_post_is_retried_until_it_is_accepted() {
    let scene = Scene::new();
    let member = scene.present("hall", "b").await;
    scene
        .delivery
        .refuse_times(&member, 3, || DeliveryError::Throttled);
    scene.says("hi", RELAY).await.unwrap();
    assert_eq!(scene.delivery.take(&member).unwrap(), "hi");
    assert_eq!(scene.delivery.take(&member), None);
}

#[tokio::test]
async fn a_throttled_post_is_dropped_when_there_is_no_time_left() {
    let mut scene = Scene::new();
    scene.time_left = Duration::from_millis(200);
    let member = scene.present("hall", "b").await;
    scene.delivery.refuse(&member, || DeliveryError::Throttled);
    timeout(DEADLINE, scene.says("hi", RELAY))
        .await
        .expect("it gives up")
        .unwrap();
    assert!(scene.logged().contains("(429)"), "{}", scene.logged());
}

#[tokio::test]
async fn an_unreadable_room_makes_the_invocation_fail_before_any_post() {
    let scene = Scene::new();
    let other = scene.present("hall", "b").await;
    scene.store.break_down(Call::Members);
    assert!(matches!(
        scene.says("hi", RELAY).await,
        Err(HandlerError::Store(_))
    ));
    assert_eq!(scene.delivery.take(&other), None);
}

#[tokio::test]
async fn without_an_authorizer_the_record_has_the_room() {
    let scene = Scene::new();
    let other = scene.present("attic", "b").await;
    let handshake = gateway::connect("x", gateway::in_room("attic"), None);
    connect(&handshake, &scene.store, ROOMS, &scene.invocation())
        .await
        .unwrap();
    let answer = scene
        .broadcast(&gateway::message("x", "hi", None), RELAY)
        .await;
    assert_eq!(answer.unwrap().status_code(), 200);
    assert_eq!(scene.delivery.take(&other).unwrap(), "hi");
}

#[tokio::test]
async fn a_message_of_an_unknown_connection_is_dropped_without_a_notice() {
    let scene = Scene::new();
    let other = scene.present("everybody", "b").await;
    for context in [
        None,
        Some(json!({"principalId": "x"})),
        Some(json!({"room": "#"})),
    ] {
        let event = gateway::message("stranger", "hi", context.as_ref());
        let answer = scene.broadcast(&event, RELAY).await.unwrap();
        assert_eq!(json_of(&answer), json!({"statusCode": 403}));
    }
    assert_eq!(scene.delivery.take(&other), None);
}

#[tokio::test]
async fn events_of_another_kind_are_errors() {
    let scene = Scene::new();
    let context = room_context("hall");
    let events = [
        gateway::connect("a", gateway::in_room("hall"), Some(&context)),
        gateway::disconnect("a", Some(&context)),
    ];
    for event in events {
        let outcome = scene.broadcast(&event, RELAY).await;
        assert!(matches!(outcome, Err(HandlerError::UnexpectedEvent(_))));
    }
}

#[tokio::test]
async fn no_log_line_quotes_a_message_or_a_refused_frame() {
    let scene = Scene::logging_from(Level::Debug);
    scene.present("hall", "a").await;
    scene.joined("hall", "gone", scene.now - 60).await;
    for frame in [
        r#"{"message":"a private matter"}"#,
        "a private matter",
        r#"{"private":1}"#,
    ] {
        scene.says(frame, ECHO).await.unwrap();
    }
    crowd(&scene, INLINE_RECEIVERS + 1).await;
    scene
        .says(r#"{"message":"a private matter"}"#, ECHO)
        .await
        .unwrap();
    let logged = scene.logged();
    assert!(
        logged.contains(r#""delivered":1,"gone":1,"refused":0,"shardsHandedOver":0"#),
        "{logged}"
    );
    assert!(logged.contains(r#""shardsHandedOver":4"#), "{logged}");
    assert!(!logged.contains("private"), "{logged}");
}
