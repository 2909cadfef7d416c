use std::time::Duration;

use chat_lambdas::dispatch::ShardMessage;
use chat_lambdas::handlers::{HandlerError, deliver};
use chat_lambdas::memory::Call;
use chat_lambdas::room::POSTS_AT_ONCE;
use chat_lambdas::session::{ConnectionId, Room};
use chat_lambdas::shard::Shard;
use chat_lambdas::store::PAGE_ROWS;
use serde_json::json;
use tokio::time::timeout;

use crate::scene::{Scene, json_of};

/// Long enough for anything in memory; only a failing test waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn everybody_in_the_shard_gets_it_once_over_however_many_pages() {
    let scene = Scene::new();
    let members = shard_of(&scene, 3 * usize::from(PAGE_ROWS) + 7).await;
    scene.joined("hall", "gone", scene.now - 60).await;
    let tally = deliver(&message("nobody"), scene.ways(), &scene.invocation())
        .await
        .unwrap();
    assert_eq!(tally.delivered, members.len());
    for member in &members {
        assert_eq!(scene.delivery.take(member).unwrap(), "hi");
        assert_eq!(scene.delivery.take(member), None);
    }
}

#[tokio::test]
async fn the_outcome_is_told_in_numbers_and_the_sender_is_passed_over() {
    let scene = Scene::new();
    let members = shard_of(&scene, 3).await;
    let tally = deliver(
        &message(members[0].as_str()),
        scene.ways(),
        &scene.invocation(),
    )
    .await;
    assert_eq!(
        json_of(&tally.unwrap()),
        json!({"delivered": 2, "gone": 0, "refused": 0, "cutShort": false})
    );
    assert_eq!(scene.delivery.take(&members[0]), None);
}

#[tokio::test]
async fn a_slow_member_of_one_page_does_not_keep_the_next_page_waiting() {
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
    let (event, invocation) = (message("nobody"), scene.invocation());
    let both = async { tokio::join!(deliver(&event, scene.ways(), &invocation), watch) };
    let (tally, ()) = timeout(DEADLINE, both)
        .await
        .expect("the last one is served");
    assert_eq!(tally.unwrap().delivered, members.len());
}

#[tokio::test]
async fn of_a_shard_that_is_served_slowly_no_more_than_the_next_page_is_read_ahead() {
    let scene = Scene::new();
    for member in shard_of(&scene, 10 * usize::from(PAGE_ROWS)).await {
        scene.delivery.hold(&member);
    }
    let watch = async {
        scene.delivery.wait_for_held(POSTS_AT_ONCE).await;
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(scene.delivery.held(), POSTS_AT_ONCE);
        assert_eq!(scene.store.pages_read(), 2);
        scene.delivery.release();
    };
    let (event, invocation) = (message("nobody"), scene.invocation());
    let both = async { tokio::join!(deliver(&event, scene.ways(), &invocation), watch) };
    timeout(DEADLINE, both)
        .await
        .expect("all are served")
        .0
        .unwrap();
}

#[tokio::test]
async fn a_shard_that_cannot_be_read_makes_the_invocation_fail() {
    let scene = Scene::new();
    scene.store.break_down(Call::Members);
    let outcome = deliver(&message("nobody"), scene.ways(), &scene.invocation()).await;
    assert!(matches!(outcome, Err(HandlerError::Store(_))));
}

#[tokio::test]
async fn when_time_is_up_reading_ends_too_and_it_is_said() {
    let mut scene = Scene::new();
    shard_of(&scene, 10 * usize::from(PAGE_ROWS)).await;
    scene.time_left = Duration::ZERO;
    let tally = deliver(&message("nobody"), scene.ways(), &scene.invocation())
        .await
        .unwrap();
    assert!(tally.cut_short);
    assert!(scene.store.pages_read() <= 2);
    assert!(
        scene.logged().contains("no time left"),
        "{}",
        scene.logged()
    );
}

/// So many open members of one shard of `hall`, in the order in which they are read.
async fn shard_of(scene: &Scene, count: usize) -> Vec<ConnectionId> {
    let ids = (0..).map(|number| format!("guest-{number:06}="));
    let ids = ids.filter(|id| Shard::of(&ConnectionId::new(id)) == shard());
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
    }
}

fn shard() -> Shard {
    Shard::numbered(2).expect("there are four")
}
