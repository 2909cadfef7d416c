use std::time::Duration;

use chat_lambdas::delivery::DeliveryError;
use chat_lambdas::dispatch::{DispatchError, MAX_STEPS, ShardMessage};
use chat_lambdas::handlers::HandlerError;
use chat_lambdas::memory::Call;
use chat_lambdas::room::{POSTS_AT_FIRST, Rest};
use chat_lambdas::session::{ConnectionId, Room};
use chat_lambdas::shard::Shard;
use chat_lambdas::store::PAGE_ROWS;
use serde_json::json;
use tokio::time::timeout;

use crate::scene::{Scene, json_of};

/// Long enough for anything in memory. Only a failing test reaches it.
const DEADLINE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn every_member_of_the_shard_gets_it_once_over_any_number_of_pages() {
    let scene = Scene::new();
    let members = shard_of(&scene, 3 * usize::from(PAGE_ROWS) + 7).await;
    scene.joined("hall", "gone", scene.now - 60).await;
    let tally = scene.delivers(&message("nobody")).await.unwrap();
    assert_eq!(tally.delivered, members.len());
    for member in &members {
        assert_eq!(scene.delivery.take(member).unwrap(), "hi");
        assert_eq!(scene.delivery.take(member), None);
    }
}

#[tokio::test]
async fn the_outcome_is_counted_and_the_sender_is_skipped() {
    let scene = Scene::new();
    let members = shard_of(&scene, 3).await;
    let tally = scene.delivers(&message(members[0].as_str())).await;
    assert_eq!(
        json_of(&tally.unwrap()),
        json!({"delivered": 2, "gone": 0, "refused": 0, "cutShort": false})
    );
    assert_eq!(scene.delivery.take(&members[0]), None);
}

#[tokio::test]
async fn a_slow_member_of_one_page_does_not_delay_the_next_page() {
    let scene = Scene::new();
    let members = shard_of(&scene, 2 * usize::from(PAGE_ROWS)).await;
    let (slow, last) = (&members[0], &members[members.len() - 1]);
    scene.delivery.hold(slow);
    let watch = async {
        scene.delivery.wait_for_held(1).await;
        while scene.delivery.take(last).is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(scene.delivery.held(), 1, "the slow one still waits");
        scene.delivery.release();
    };
    let event = message("nobody");
    let both = async { tokio::join!(scene.delivers(&event), watch) };
    let (tally, ()) = timeout(DEADLINE, both)
        .await
        .expect("the last one is served");
    assert_eq!(tally.unwrap().delivered, members.len());
}

#[tokio::test]
async fn at_most_one_page_of_a_slow_shard_is_read_ahead() {
    let scene = Scene::new();
    for member in shard_of(&scene, 10 * usize::from(PAGE_ROWS)).await {
        scene.delivery.hold(&member);
    }
    let watch = async {
        scene.delivery.wait_for_held(POSTS_AT_FIRST).await;
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(scene.delivery.held(), POSTS_AT_FIRST);
        assert_eq!(scene.store.pages_read(), 2);
        scene.delivery.release();
    };
    let event = message("nobody");
    let both = async { tokio::join!(scene.delivers(&event), watch) };
    timeout(DEADLINE, both)
        .await
        .expect("all are served")
        .0
        .unwrap();
}

#[tokio::test]
async fn an_unreadable_shard_makes_the_invocation_fail() {
    let scene = Scene::new();
    scene.store.break_down(Call::Members);
    let outcome = scene.delivers(&message("nobody")).await;
    assert!(matches!(outcome, Err(HandlerError::Store(_))));
}

#[tokio::test]
async fn remaining_members_are_handed_on_with_the_place_to_continue() {
    let mut scene = Scene::new();
    let members = shard_of(&scene, 10 * usize::from(PAGE_ROWS)).await;
    scene.time_left = Duration::ZERO;
    let tally = scene.delivers(&message("nobody")).await.unwrap();
    assert_eq!((tally.delivered, tally.cut_short), (0, false));
    assert!(scene.store.pages_read() <= 2);
    let [next] = &scene.dispatch.take()[..] else {
        panic!("it is handed on once");
    };
    assert_eq!((next.step, &next.text), (1, &"hi".to_owned()));
    let logged = scene.logged();
    assert!(logged.contains("handed on: no time left"), "{logged}");
    assert!(logged.contains("kept-1"), "by which id: {logged}");

    scene.time_left = Duration::from_secs(60);
    let tally = scene.delivers(next).await.unwrap();
    assert_eq!(tally.delivered, members.len());
    assert!(scene.dispatch.take().is_empty());
}

#[tokio::test]
async fn the_next_function_posts_to_the_remaining_and_the_postponed_members() {
    let scene = Scene::new();
    let members = shard_of(&scene, 2 * usize::from(PAGE_ROWS) + 7).await;
    let mut message = message("nobody");
    message.step = 1;
    message.rest.last = Some(members[399].clone());
    message.rest.postponed = vec![members[3].clone(), members[5].clone()];
    let tally = scene.delivers(&message).await.unwrap();
    assert_eq!(tally.delivered, members.len() - 400 + 2);
    for (number, member) in members.iter().enumerate() {
        let is_due = number >= 400 || number == 3 || number == 5;
        assert_eq!(scene.delivery.take(member).is_some(), is_due, "{number}");
        assert_eq!(scene.delivery.take(member), None);
    }
}

#[tokio::test]
async fn members_that_are_throttled_to_the_end_are_handed_on_individually() {
    let mut scene = Scene::new();
    scene.time_left = Duration::from_millis(400);
    let members = shard_of(&scene, 5).await;
    let (slow, last) = (&members[1], &members[4]);
    scene.delivery.refuse(slow, || DeliveryError::Throttled);
    let tally = scene.delivers(&message("nobody")).await.unwrap();
    assert_eq!(
        (tally.delivered, tally.refused, tally.cut_short),
        (4, 0, false)
    );
    let [next] = &scene.dispatch.take()[..] else {
        panic!("it is handed on once");
    };
    assert_eq!(next.rest.postponed, std::slice::from_ref(slow));
    assert_eq!(next.rest.last, Some(last.clone()));
}

#[tokio::test]
async fn a_failure_to_hand_on_is_logged_as_an_error() {
    for (step, refusal) in [(MAX_STEPS - 1, false), (0, true)] {
        let mut scene = Scene::new();
        shard_of(&scene, 5).await;
        scene.time_left = Duration::ZERO;
        if refusal {
            scene.dispatch.refuse(shard(), || DispatchError::Refused {
                source: "too many requests".into(),
            });
        }
        let mut message = message("nobody");
        message.step = step;
        let tally = scene.delivers(&message).await.unwrap();
        assert!(tally.cut_short);
        assert!(scene.dispatch.take().is_empty());
        let logged = scene.logged();
        assert!(logged.contains("not served to its end"), "{logged}");
        assert!(logged.contains(r#""level":"ERROR""#), "{logged}");
    }
}

#[tokio::test(start_paused = true)]
async fn concurrency_falls_when_the_gateway_refuses() {
    let scene = Scene::new();
    let members = shard_of(&scene, 400).await;
    for member in &members {
        scene
            .delivery
            .refuse_times(member, 1, || DeliveryError::Throttled);
    }
    let tally = scene.delivers(&message("nobody")).await.unwrap();
    assert_eq!((tally.delivered, tally.refused), (members.len(), 0));
}

/// `count` open members of one shard of `hall`, in the order in which they are read.
async fn shard_of(scene: &Scene, count: usize) -> Vec<ConnectionId> {
    let ids = (0..).map(|number| format!("guest-{number:06}="));
    let ids = ids.filter(|id| Shard::for_connection(&ConnectionId::new(id)) == shard());
    let mut members = Vec::new();
    for id in ids.take(count) {
        members.push(scene.present("hall", &id).await);
    }
    members
}

fn message(except: &str) -> ShardMessage {
    ShardMessage {
        room: Room::parse("hall").expect("a valid name"),
        shard: shard(),
        text: "hi".to_owned(),
        except: ConnectionId::new(except),
        step: 0,
        rest: Rest::everybody(),
    }
}

fn shard() -> Shard {
    Shard::numbered(2).expect("there are four")
}
