//! What a synchronous caller of Lambda's Invoke API gets of a function that gives no answer of its own.
//!
//! Sources: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.

use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use serde_json::Value;

use crate::invocations::{worker, workers};
use crate::puppets::Act;
use crate::world::{World, within};

/// A stack whose function `worker` may run for so long.
async fn with_timeout(timeout: Duration) -> World {
    World::start(move |setup| {
        workers(setup).edit(|stack| stack.functions.get_mut("worker").unwrap().timeout = timeout)
    })
    .await
}

/// The payload of a response with the header of a function error.
async fn failure(world: &World) -> Value {
    let output = worker(world).send().await.unwrap();
    assert_eq!(
        (output.status_code(), output.function_error()),
        (200, Some("Unhandled"))
    );
    serde_json::from_slice(output.payload().unwrap().as_ref()).unwrap()
}

#[tokio::test]
async fn a_function_that_ends_is_200_with_a_function_error() {
    let world = World::start(workers).await;
    world.puppets.on("worker", |_| Act::Exit(3));
    assert_eq!(failure(&world).await["errorType"], "Runtime.ExitError");
    world.puppets.on("worker", |_| Act::ok());
    let next = worker(&world).send().await.unwrap();
    assert_eq!((next.status_code(), next.function_error()), (200, None));
}

#[tokio::test]
async fn a_function_beyond_its_timeout_is_200_with_a_function_error() {
    let world = with_timeout(Duration::from_millis(100)).await;
    let _never = world.puppets.later("worker", Act::ok);
    let failure = failure(&world).await;
    assert_eq!(failure["errorType"], "Sandbox.Timedout");
    let message = failure["errorMessage"].as_str().unwrap();
    assert!(
        message.ends_with("Task timed out after 0.10 seconds"),
        "{message}"
    );
}

#[tokio::test]
async fn an_answer_beyond_six_megabytes_is_200_with_a_function_error() {
    let world = World::start(workers).await;
    let six = 6 * 1024 * 1024;
    world.puppets.on("worker", move |_| {
        Act::Answer(format!("\"{}\"", "x".repeat(six - 2)))
    });
    let output = worker(&world).send().await.unwrap();
    assert_eq!(output.function_error(), None);
    assert_eq!(
        output.payload().map(|it: &Blob| it.as_ref().len()),
        Some(six)
    );
    world.puppets.on("worker", move |_| {
        Act::Answer(format!("\"{}\"", "x".repeat(six + 200)))
    });
    let failure = failure(&world).await;
    assert_eq!(failure["errorType"], "Function.ResponseSizeTooLarge");
}

#[tokio::test]
async fn a_caller_that_leaves_takes_nothing_from_the_function_and_the_next_one_is_served() {
    let world = World::start(workers).await;
    let finish = world.puppets.later("worker", Act::ok);
    let caller = worker(&world).payload(Blob::new("1")).send();
    let caller = tokio::spawn(caller);
    let first = world.puppets.event("worker", 0).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    finish.send(Act::ok()).unwrap();
    let next = worker(&world).payload(Blob::new("2")).send();
    assert_eq!(within(next).await.unwrap().function_error(), None);
    let second = world.puppets.event("worker", 1).await;
    assert_eq!((first.event, second.event), (1.into(), 2.into()));
}
