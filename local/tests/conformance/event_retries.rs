//! Failed asynchronous invocations, and those that are interrupted by a stop.

use std::time::Duration;

use chatctl_local::unstable::stack::EventPolicy;
use chatctl_local::{ManualClock, Options, StackNotice};

use crate::invocations::{send_event, worker, workers};
use crate::puppets::Act;
use crate::world::{World, until};

/// A world with a clock moved by hand, in which `worker` fails on every event.
async fn failing(policy: EventPolicy) -> (World, ManualClock) {
    let manual = ManualClock::default();
    let options = Options::default().with_clock(manual.clock());
    let world = World::start_with(options, |setup| {
        workers(setup).edit(|stack| stack.functions.get_mut("worker").unwrap().events = policy)
    })
    .await;
    world
        .puppets
        .on("worker", |_| Act::Fail("Broken", "no luck"));
    (world, manual)
}

/// Waits for the `index`th announcement of a retry, and returns its pause.
async fn announced(world: &World, index: usize) -> String {
    let pause = |notice| match notice {
        StackNotice::Log(line) if line.function == "worker" => {
            let (_, pause) = line.text.split_once("retrying in ")?;
            Some(pause.to_owned())
        }
        _ => None,
    };
    until(async || world.notices().into_iter().filter_map(pause).nth(index)).await
}

async fn dropped(world: &World) -> String {
    until(async || {
        let warnings = world.warnings();
        warnings
            .into_iter()
            .find(|text| text.contains("is dropped"))
    })
    .await
}

#[tokio::test]
async fn a_failed_event_is_retried_after_one_and_after_two_minutes_and_then_dropped() {
    let (world, manual) = failing(EventPolicy::default()).await;
    send_event(&world, "{}").await;
    assert_eq!(announced(&world, 0).await, "60 seconds");
    manual.advance(Duration::from_secs(59));
    assert_eq!(world.puppets.count("worker"), 1);
    manual.advance(Duration::from_secs(1));
    assert_eq!(announced(&world, 1).await, "120 seconds");
    assert_eq!(world.puppets.count("worker"), 2);
    manual.advance(Duration::from_secs(120));
    let last = dropped(&world).await;
    assert_eq!(
        last,
        "an asynchronous invocation of `worker` failed 3 times and is dropped: Broken: no luck"
    );
    let request = async |index| {
        let received = world.puppets.event("worker", index).await;
        received.headers["lambda-runtime-aws-request-id"].clone()
    };
    let first = request(0).await;
    assert_eq!((&first, &first), (&request(1).await, &request(2).await));
}

#[tokio::test]
async fn retries_can_be_disabled_in_the_template() {
    let policy = EventPolicy {
        retries: 0,
        ..EventPolicy::default()
    };
    let (world, _hand) = failing(policy).await;
    send_event(&world, "{}").await;
    assert_eq!(
        dropped(&world).await,
        "an asynchronous invocation of `worker` failed once and is dropped: Broken: no luck"
    );
    assert_eq!(world.puppets.count("worker"), 1);
}

#[tokio::test]
async fn an_event_that_would_be_too_old_is_not_retried() {
    let policy = EventPolicy {
        longest_age: Duration::from_secs(90),
        ..EventPolicy::default()
    };
    let (world, manual) = failing(policy).await;
    send_event(&world, "{}").await;
    announced(&world, 0).await;
    manual.advance(Duration::from_secs(60));
    assert!(dropped(&world).await.contains("failed twice"));
    assert_eq!(world.puppets.count("worker"), 2);
}

#[tokio::test]
async fn a_function_without_any_concurrency_is_429_and_its_events_are_dropped() {
    let world = World::start(|setup| {
        workers(setup).edit(|stack| {
            let worker = stack.functions.get_mut("worker").unwrap();
            worker.reserved_concurrency = Some(0);
        })
    })
    .await;
    let error = worker(&world)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_too_many_requests_exception(), "{error:?}");
    send_event(&world, "{}").await;
    assert!(dropped(&world).await.contains("failed once"));
}

#[tokio::test]
async fn a_stop_waits_for_running_events_and_reports_lost_ones() {
    let (world, _hand) = failing(EventPolicy::default()).await;
    send_event(&world, "1").await;
    announced(&world, 0).await;
    let finish = world.puppets.later("worker", Act::unexpected);
    send_event(&world, "2").await;
    world.puppets.event("worker", 1).await;
    finish.send(Act::ok()).unwrap();
    let World { stack, notices, .. } = world;
    stack.stop().await;
    let reported: Vec<_> = notices
        .lock()
        .unwrap()
        .iter()
        .filter(|notice| matches!(notice, StackNotice::Warning(_)))
        .cloned()
        .collect();
    assert_eq!(
        reported,
        [StackNotice::Warning(
            "1 asynchronous invocations were unfinished when the stack stopped, and are lost; Lambda would have kept them"
                .to_owned()
        )]
    );
}
