use std::time::Duration;

use chat_lambdas::delivery::DeliveryError;
use chat_lambdas::fan_out::{ARRIVAL_SECONDS, FanOut, fan_out};
use chat_lambdas::memory::Call;
use chat_lambdas::session::{ConnectionId, Name};
use chat_lambdas::store::{ConnectionStore as _, Read};
use tokio::time::timeout;

use crate::scene::Scene;

/// Long enough for anything in memory. Only a failing test reaches it.
const DEADLINE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_gone_device_is_forgotten_and_the_others_get_the_message() {
    let scene = Scene::new();
    let here = scene.online("Jerry", "here").await;
    let gone = scene.recorded("Jerry", "gone", scene.now - 60).await;
    scene.recorded("Ann", "gone", scene.now - 60).await;
    let outcome = post_to_jerry(&scene).await;
    assert_eq!((outcome.delivered, outcome.refused.len()), (1, 0));
    assert_eq!(outcome.gone, [gone]);
    assert_eq!(scene.delivery.take(&here).unwrap(), "hi");
    assert_eq!(scene.rows(), ["Ann/gone", "Jerry/here"]);
}

#[tokio::test]
async fn a_device_that_is_just_connecting_is_not_forgotten() {
    let scene = Scene::new();
    scene
        .recorded("Jerry", "arriving", scene.now - ARRIVAL_SECONDS + 1)
        .await;
    scene
        .recorded("Jerry", "left", scene.now - ARRIVAL_SECONDS)
        .await;
    scene
        .recorded("Jerry", "ahead of our clock", scene.now + 2)
        .await;
    let outcome = post_to_jerry(&scene).await;
    assert_eq!(outcome.gone.len(), 3);
    assert_eq!(scene.rows(), ["Jerry/ahead of our clock", "Jerry/arriving"]);
}

#[tokio::test]
async fn a_refusal_is_logged_with_its_reason_and_does_not_stop_the_others() {
    let refusals: [fn() -> DeliveryError; 5] = [
        || DeliveryError::Throttled,
        || DeliveryError::TooLarge,
        || DeliveryError::Forbidden,
        || DeliveryError::TimedOut,
        || DeliveryError::Unavailable {
            source: "the wire is cut".into(),
        },
    ];
    let scene = Scene::new();
    for (number, refusal) in refusals.into_iter().enumerate() {
        let device = scene.online("Jerry", &format!("refusing {number}")).await;
        scene.delivery.refuse(&device, refusal);
    }
    let here = scene.online("Jerry", "zz here").await;
    let outcome = post_to_jerry(&scene).await;
    assert_eq!((outcome.delivered, outcome.refused.len()), (1, 5));
    assert_eq!(scene.delivery.take(&here).unwrap(), "hi");
    assert_eq!(scene.rows().len(), 6, "a refusing device is not forgotten");
    let logged = scene.logged();
    for reason in [
        "(429)",
        "(413)",
        "(403)",
        "no response in time",
        "used: the wire is cut",
    ] {
        assert!(logged.contains(reason), "{reason} in {logged}");
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_removed_does_not_stop_the_others() {
    let scene = Scene::new();
    scene.store.break_down(Call::Forget);
    scene.recorded("Jerry", "gone", scene.now - 60).await;
    let here = scene.online("Jerry", "here").await;
    let outcome = post_to_jerry(&scene).await;
    assert_eq!((outcome.delivered, outcome.gone.len()), (1, 1));
    assert_eq!(scene.delivery.take(&here).unwrap(), "hi");
    assert!(scene.logged().contains("gone connection not forgotten"));
}

#[tokio::test]
async fn a_slow_device_does_not_delay_the_others() {
    let scene = Scene::new();
    scene.delivery.hold(&scene.online("Jerry", "a slow").await);
    let fast = scene.online("Jerry", "b fast").await;
    let watch = async {
        scene.delivery.wait_for_held(1).await;
        while scene.delivery.take(&fast).is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(scene.delivery.held(), 1, "the slow one still waits");
        scene.delivery.release();
    };
    let both = async { tokio::join!(post_to_jerry(&scene), watch) };
    let (outcome, ()) = timeout(DEADLINE, both)
        .await
        .expect("the fast one is served");
    assert_eq!(outcome.delivered, 2);
}

#[tokio::test]
async fn at_most_eight_posts_are_concurrent() {
    let scene = Scene::new();
    for number in 0..30 {
        let device = scene.online("Jerry", &format!("slow {number}")).await;
        scene.delivery.hold(&device);
    }
    let watch = async {
        scene.delivery.wait_for_held(8).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(scene.delivery.held(), 8);
        scene.delivery.release();
    };
    let both = async { tokio::join!(post_to_jerry(&scene), watch) };
    let (outcome, ()) = timeout(DEADLINE, both).await.expect("all are served");
    assert_eq!(outcome.delivered, 30);
}

#[test]
fn outcomes_add_up() {
    let id = ConnectionId::new;
    let mut all = FanOut {
        delivered: 1,
        gone: vec![id("a")],
        refused: vec![],
    };
    all.absorb(FanOut {
        delivered: 2,
        gone: vec![],
        refused: vec![(id("b"), DeliveryError::Throttled)],
    });
    assert_eq!(all.delivered, 3);
    assert!(all.missed(&id("a")) && all.missed(&id("b")) && !all.missed(&id("c")));
}

async fn post_to_jerry(scene: &Scene) -> FanOut {
    let jerry = Name::parse("Jerry").expect("a valid name");
    let devices = scene
        .store
        .connections_of(&jerry, scene.now, Read::Consistent);
    let devices = devices.await.expect("the table can be read");
    let services = (&scene.store, &scene.delivery);
    fan_out(
        "hi",
        &jerry,
        devices,
        scene.now,
        services,
        &scene.invocation().log,
    )
    .await
}
