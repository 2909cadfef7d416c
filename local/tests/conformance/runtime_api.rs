//! Statements `runtime`: the Lambda Runtime API, and the use of processes.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use chatctl_local::{LogSource, Options, StackNotice};
use serde_json::json;
use tokio::sync::mpsc;

use crate::puppets::{Act, Puppet, later};
use crate::setup::{Setup, function_arn};
use crate::world::{Client, World, until, within};

/// A chat whose `$default` function is controlled by hand: the first message is on its way, and its process has
/// started.
pub(crate) async fn by_hand() -> (World, Client, mpsc::UnboundedReceiver<Puppet>, Puppet) {
    let world = World::start(|setup| setup.chat().two_way("echo", "echo")).await;
    let mut processes = world.puppets.by_hand("echo");
    let mut client = world.connect().await;
    client.send(r#"{"action":"echo"}"#).await;
    let process = within(processes.recv()).await.unwrap();
    (world, client, processes, process)
}

fn response(body: &str) -> String {
    json!({ "statusCode": 200, "body": body }).to_string()
}

pub(crate) fn request_of(received: &crate::puppets::Received) -> String {
    received.headers["lambda-runtime-aws-request-id"].clone()
}

#[tokio::test]
async fn runtime_1_next_carries_request_id_deadline_arn_and_trace() {
    let (_world, _client, _processes, mut process) = by_hand().await;
    let before = SystemTime::now();
    let received = within(process.next()).await.unwrap();
    let headers = &received.headers;
    assert_eq!(headers["lambda-runtime-aws-request-id"].len(), 36);
    assert_eq!(
        headers["lambda-runtime-invoked-function-arn"],
        function_arn("echo")
    );
    assert_eq!(headers["content-type"], "application/json");
    let trace = &headers["lambda-runtime-trace-id"];
    assert!(
        trace.starts_with("Root=1-") && trace.contains(";Parent=") && trace.contains(";Sampled="),
        "{trace}"
    );
    let deadline: u64 = headers["lambda-runtime-deadline-ms"].parse().unwrap();
    let deadline = SystemTime::UNIX_EPOCH + Duration::from_millis(deadline);
    let timeout = Duration::from_secs(30);
    let slack = Duration::from_millis(1);
    assert!(
        deadline + slack >= before + timeout && deadline <= SystemTime::now() + timeout,
        "{deadline:?}"
    );
}

#[tokio::test]
async fn runtime_2_a_wrong_request_id_is_400_and_an_answer_is_taken_once() {
    let (_world, mut client, _processes, mut process) = by_hand().await;
    let received = within(process.next()).await.unwrap();
    let request = request_of(&received);
    let wrong = within(process.respond("11111111-2222-4333-8444-555555555555", &response("wrong")))
        .await
        .unwrap();
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.body.contains(r#""errorType":"InvalidRequestID""#),
        "{}",
        wrong.body
    );
    let right = within(process.respond(&request, &response("right")))
        .await
        .unwrap();
    assert_eq!(
        (right.status, right.body.as_str()),
        (202, r#"{"status":"OK"}"#)
    );
    assert_eq!(client.receive().await, "right");
    for path in ["response", "error"] {
        let path = format!("/2018-06-01/runtime/invocation/{request}/{path}");
        let again = within(process.call("POST", &path, &response("again")))
            .await
            .unwrap();
        assert_eq!(again.status, 400, "{path}");
    }
}

#[tokio::test]
async fn runtime_3_an_exit_during_an_invocation_is_an_error_and_a_fresh_process_follows() {
    let world = World::start(|setup| setup.chat().two_way("echo", "echo")).await;
    let mut client = world.connect().await;
    world.puppets.on("echo", |_| Act::Exit(7));
    client
        .gets_error(r#"{"action":"echo"}"#, "Internal server error")
        .await;
    world.puppets.on("echo", |_| Act::Answer(response("fresh")));
    client.send(r#"{"action":"echo"}"#).await;
    assert_eq!(client.receive().await, "fresh");
    let pids = (
        world.puppets.event("echo", 0).await.pid,
        world.puppets.event("echo", 1).await.pid,
    );
    assert_ne!(pids.0, pids.1);
    let logged = world.notices().into_iter().any(|notice| match notice {
        StackNotice::Log(line) => {
            line.source == LogSource::Platform && line.text.ends_with("exit status 7")
        }
        _ => false,
    });
    assert!(logged, "the log has the reason for the process's end");
    let echo = world
        .stack
        .status()
        .functions
        .into_iter()
        .find(|one| one.logical_id == "echo")
        .unwrap();
    assert_eq!((echo.invocations, echo.errors), (2, 1));
}

#[tokio::test]
async fn runtime_4_an_answer_beyond_6_mb_is_413_to_the_runtime_and_an_error_to_the_caller() {
    let (_world, mut client, _processes, mut process) = by_hand().await;
    let received = within(process.next()).await.unwrap();
    let too_long = "x".repeat(6 * 1024 * 1024 + 101);
    let reply = within(process.respond(&request_of(&received), &too_long))
        .await
        .unwrap();
    assert_eq!(reply.status, 413);
    assert!(
        reply.body.contains("RequestEntityTooLarge"),
        "{}",
        reply.body
    );
    assert!(
        client
            .receive()
            .await
            .starts_with(r#"{"message": "Internal server error""#)
    );
    // The process keeps running.
    client.send(r#"{"action":"echo"}"#).await;
    let received = within(process.next()).await.unwrap();
    within(process.respond(&request_of(&received), &response("next")))
        .await
        .unwrap();
    assert_eq!(client.receive().await, "next");
}

#[tokio::test]
async fn runtime_5_a_process_gets_no_second_event_before_it_asks_and_n_messages_use_up_to_n() {
    let (world, mut client, mut processes, mut first) = by_hand().await;
    let one = within(first.next()).await.unwrap();
    client.send(r#"{"action":"echo"}"#).await;
    let mut second = within(processes.recv()).await.unwrap();
    let two = within(second.next()).await.unwrap();
    assert_ne!(first.pid, second.pid);
    let early = within(first.call("GET", "/2018-06-01/runtime/invocation/next", ""))
        .await
        .unwrap();
    assert_eq!(early.status, 403, "it has not responded to the first event");
    within(second.respond(&request_of(&two), &response("two")))
        .await
        .unwrap();
    assert_eq!(client.receive().await, "two");
    within(first.respond(&request_of(&one), &response("one")))
        .await
        .unwrap();
    assert_eq!(client.receive().await, "one");
    assert_eq!(
        world
            .stack
            .status()
            .functions
            .iter()
            .find(|one| one.name == "echo")
            .unwrap()
            .processes,
        2
    );
    n_messages_use_up_to_n_processes().await;
}

async fn n_messages_use_up_to_n_processes() {
    let options = Options::default().with_max_processes_per_function(3);
    let world = World::start_with(options, Setup::chat).await;
    let (begun, mut begins) = mpsc::unbounded_channel();
    world.puppets.on("default", move |received| {
        let (finish, act) = later();
        begun.send((received.pid, finish)).unwrap();
        act
    });
    let mut client = world.connect().await;
    for _ in 0..5 {
        client.send("x").await;
    }
    let mut running = Vec::new();
    for _ in 0..3 {
        running.push(within(begins.recv()).await.unwrap());
    }
    let pids: BTreeSet<u32> = running.iter().map(|(pid, _)| *pid).collect();
    assert_eq!(pids.len(), 3, "each has its own process");
    let function = || {
        world
            .stack
            .status()
            .functions
            .into_iter()
            .find(|one| one.name == "default")
            .unwrap()
    };
    assert_eq!((function().processes, function().in_flight), (3, 5));
    for (_, finish) in running {
        finish.send(Act::ok()).unwrap();
    }
    for _ in 0..2 {
        let (pid, finish) = within(begins.recv()).await.unwrap();
        assert!(
            pids.contains(&pid),
            "waiting messages get an existing process"
        );
        finish.send(Act::ok()).unwrap();
    }
    until(async || (function().in_flight == 0).then_some(())).await;
}

#[tokio::test]
async fn a_runtime_that_registers_as_an_extension_is_served() {
    let (_world, _client, _processes, mut process) = by_hand().await;
    let reply = within(process.call("POST", "/2020-01-01/extension/register", r#"{"events":[]}"#))
        .await
        .unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["lambda-extension-identifier"].len(), 36);
    assert!(
        reply.body.contains(r#""functionName":"echo""#),
        "{}",
        reply.body
    );
    assert_eq!(
        within(process.call("GET", "/ping", "")).await.unwrap().body,
        "pong"
    );
    assert_eq!(
        within(process.call("GET", "/2018-06-01/other", ""))
            .await
            .unwrap()
            .status,
        404
    );
}
