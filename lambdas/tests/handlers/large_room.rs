use std::time::Duration;

use chat_lambdas::dispatch::DispatchError;
use chat_lambdas::room::INLINE_RECEIVERS;
use chat_lambdas::session::ConnectionId;
use chat_lambdas::shard::Shard;

use crate::scene::Scene;

/// Whole frames, without a copy for the sender.
const RELAY: &str = "{}";

/// The message in a field, with a copy for the sender.
const ECHO: &str = r#"{"$default":{"text":"message","includeSender":true,"maxTextBytes":32768}}"#;

#[tokio::test]
async fn rooms_up_to_the_limit_are_not_handed_over() {
    let scene = Scene::new();
    crowd(&scene, INLINE_RECEIVERS).await;
    scene.present("hall", "a").await;
    scene.says("hi", RELAY).await.unwrap();
    assert!(scene.dispatch.take().is_empty());
    assert_eq!(delivered(&scene, INLINE_RECEIVERS), INLINE_RECEIVERS);
}

#[tokio::test]
async fn a_larger_room_is_handed_over_shard_by_shard_and_only_the_sender_is_served_here() {
    let scene = Scene::new();
    crowd(&scene, INLINE_RECEIVERS + 1).await;
    let sender = scene.present("hall", "a").await;
    scene.says(r#"{"message":"hi"}"#, ECHO).await.unwrap();
    let messages = scene.dispatch.take();
    let shards: Vec<_> = messages.iter().map(|message| message.shard).collect();
    assert_eq!(shards, Shard::all());
    for message in &messages {
        assert_eq!(
            (message.room.as_str(), message.text.as_str()),
            ("hall", "hi")
        );
        assert_eq!(message.except, sender);
    }
    assert_eq!(scene.delivery.take(&sender).unwrap(), "hi");
    assert_eq!(delivered(&scene, INLINE_RECEIVERS + 1), 0);
}

#[tokio::test]
async fn only_the_first_pages_of_a_huge_room_are_read() {
    let scene = Scene::new();
    crowd(&scene, 5_000).await;
    scene.says("hi", RELAY).await.unwrap();
    assert_eq!(scene.dispatch.take().len(), 4);
    assert_eq!(scene.store.pages_read(), 4);
}

#[tokio::test]
async fn a_refused_shard_is_served_here_and_one_with_an_unknown_outcome_is_not() {
    let scene = Scene::new();
    let many = INLINE_RECEIVERS + 100;
    crowd(&scene, many).await;
    let [first, second, ..] = Shard::all();
    scene.dispatch.refuse(first, || DispatchError::Refused {
        source: "too many requests".into(),
    });
    scene.dispatch.refuse(second, || DispatchError::Unknown {
        source: "no answer".into(),
    });
    scene.says("hi", RELAY).await.unwrap();
    let of_first = (0..many)
        .filter(|number| Shard::for_connection(&guest(*number)) == first)
        .count();
    assert_eq!(delivered(&scene, many), of_first);
    assert_eq!(scene.dispatch.take().len(), 2);
    let logged = scene.logged();
    assert_eq!(
        logged.matches("shard not handed over").count(),
        2,
        "{logged}"
    );
    assert!(
        logged.contains("too many requests") && logged.contains("no answer"),
        "{logged}"
    );
}

#[tokio::test]
async fn without_time_no_post_is_begun_and_that_is_logged() {
    let mut scene = Scene::new();
    crowd(&scene, 20).await;
    scene.time_left = Duration::ZERO;
    scene.says("hi", RELAY).await.unwrap();
    assert_eq!(delivered(&scene, 20), 0);
    assert!(
        scene.logged().contains("no time left"),
        "{}",
        scene.logged()
    );
}

/// Adds `count` members to the hall.
pub(crate) async fn crowd(scene: &Scene, count: usize) {
    for number in 0..count {
        scene.present("hall", guest(number).as_str()).await;
    }
}

fn guest(number: usize) -> ConnectionId {
    ConnectionId::new(format!("guest-{number:05}="))
}

/// The number of members that have received `hi` exactly once.
fn delivered(scene: &Scene, count: usize) -> usize {
    let guests = (0..count).map(guest);
    let received =
        guests.filter(|guest| scene.delivery.take(guest).is_some_and(|text| text == "hi"));
    let received: Vec<_> = received.collect();
    assert!(
        received
            .iter()
            .all(|guest| scene.delivery.take(guest).is_none()),
        "nobody twice"
    );
    received.len()
}
