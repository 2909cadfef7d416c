//! Lambda's Invoke API, through which functions call functions.

use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::operation::invoke::builders::InvokeFluentBuilder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use chatctl_local::{Limits, Options};
use serde_json::json;
use tokio::sync::mpsc;

use crate::puppets::{Act, later};
use crate::setup::{Setup, function_arn};
use crate::world::{World, signed_by, until, within};

const PATH: &str = "/2015-03-31/functions/worker/invocations";

/// `$connect` with a function `connect`, and a function `worker` without a route.
pub(crate) fn workers(setup: Setup) -> Setup {
    setup.route("$connect", "connect").function("worker")
}

/// The AWS SDK with the access key `key`.
fn sdk(world: &World, key: &str) -> aws_sdk_lambda::Client {
    let config = aws_sdk_lambda::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(format!("http://127.0.0.1:{}", world.stack.port()))
        .credentials_provider(Credentials::new(key, "secret", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .build();
    aws_sdk_lambda::Client::from_conf(config)
}

pub(crate) fn worker(world: &World) -> InvokeFluentBuilder {
    sdk(world, "AKIAOPERATOR").invoke().function_name("worker")
}

pub(crate) async fn send_event(world: &World, payload: &str) {
    let sent = worker(world)
        .invocation_type(InvocationType::Event)
        .payload(Blob::new(payload))
        .send();
    assert_eq!(sent.await.unwrap().status_code(), 202);
}

fn payload(output: &InvokeOutput) -> String {
    String::from_utf8(output.payload().unwrap().as_ref().to_vec()).unwrap()
}

#[tokio::test]
async fn an_event_is_accepted_with_an_empty_202_and_reaches_the_function_unchanged() {
    let world = World::start(workers).await;
    let text = " {\"room\" : \"everybody\",\"text\":\"ü\"} ";
    let headers = format!(
        "Authorization: {}\r\nX-Amz-Invocation-Type: Event\r\nX-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad\r\n",
        signed_by("AKIAOPERATOR", "lambda")
    );
    let answer = world.request("POST", PATH, &headers, text.as_bytes()).await;
    assert_eq!((answer.status, answer.body.as_str()), (202, ""));
    assert_eq!(answer.header("X-Amz-Function-Error"), None);
    let received = world.puppets.event("worker", 0).await;
    assert_eq!(received.event, json!({ "room": "everybody", "text": "ü" }));
    let headers = &received.headers;
    assert_eq!(
        Some(headers["lambda-runtime-aws-request-id"].as_str()),
        answer.header("x-amzn-RequestId")
    );
    let trace = &headers["lambda-runtime-trace-id"];
    assert!(
        trace.starts_with("Root=1-67891233-abcdef012345678912345678;"),
        "{trace}"
    );
}

#[tokio::test]
async fn a_synchronous_caller_gets_the_function_s_response() {
    let world = World::start(workers).await;
    world
        .puppets
        .on("worker", |_| Act::json(&json!({ "sum": 3 })));
    let output = worker(&world)
        .payload(Blob::new(r#"{"a":1}"#))
        .client_context("eyJjdXN0b20iOnsiYSI6IjEifX0=")
        .send()
        .await
        .unwrap();
    assert_eq!((output.status_code(), output.function_error()), (200, None));
    assert_eq!(output.executed_version(), Some("$LATEST"));
    assert_eq!(payload(&output), r#"{"sum":3}"#);
    let received = world.puppets.event("worker", 0).await;
    assert_eq!(
        received.headers["lambda-runtime-client-context"],
        r#"{"custom":{"a":"1"}}"#
    );
    // Without a payload a function gets an empty object.
    worker(&world).send().await.unwrap();
    assert_eq!(world.puppets.event("worker", 1).await.event, json!({}));
}

#[tokio::test]
async fn a_function_error_is_200_with_a_header_for_a_synchronous_caller() {
    let world = World::start(workers).await;
    world
        .puppets
        .on("worker", |_| Act::Fail("Broken", "no luck"));
    let output = worker(&world).send().await.unwrap();
    assert_eq!(
        (output.status_code(), output.function_error()),
        (200, Some("Unhandled"))
    );
    assert_eq!(
        payload(&output),
        r#"{"errorType":"Broken","errorMessage":"no luck"}"#
    );
}

#[tokio::test]
async fn a_dry_run_checks_and_runs_nothing() {
    let world = World::start(workers).await;
    let output = worker(&world)
        .invocation_type(InvocationType::DryRun)
        .send()
        .await
        .unwrap();
    assert_eq!(output.status_code(), 204);
    worker(&world).send().await.unwrap();
    assert_eq!(world.puppets.count("worker"), 1);
}

#[tokio::test]
async fn a_function_may_be_named_by_its_arn_and_with_its_only_version() {
    let world = World::start(workers).await;
    let arn = function_arn("worker");
    let partial = arn.split_once("central-1:").unwrap().1.to_owned();
    for name in [&arn, &partial, &format!("{arn}:$LATEST")] {
        let invoke = sdk(&world, "AKIA").invoke().function_name(name);
        assert_eq!(invoke.send().await.unwrap().status_code(), 200, "{name}");
    }
    let latest = worker(&world).qualifier("$LATEST").send().await;
    assert_eq!(latest.unwrap().status_code(), 200);
    for invoke in [
        worker(&world).qualifier("7"),
        sdk(&world, "AKIA").invoke().function_name("nobody"),
    ] {
        let error = invoke.send().await.unwrap_err().into_service_error();
        assert!(error.is_resource_not_found_exception(), "{error:?}");
    }
}

#[tokio::test]
async fn events_run_concurrently_in_the_available_processes() {
    let world = World::start(workers).await;
    let (begun, mut begins) = mpsc::unbounded_channel();
    world.puppets.on("worker", move |_| {
        let (finish, act) = later();
        begun.send(finish).unwrap();
        act
    });
    for _ in 0..3 {
        send_event(&world, "{}").await;
    }
    let mut running = Vec::new();
    for _ in 0..3 {
        running.push(within(begins.recv()).await.unwrap());
    }
    for finish in running {
        finish.send(Act::ok()).unwrap();
    }
}

#[tokio::test]
async fn a_function_needs_the_permission_to_invoke_another_one() {
    let allow = |resource: &str| json!([{ "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": resource }]);
    for (resource, allowed) in [
        (function_arn("worker"), true),
        (function_arn("connect"), false),
    ] {
        let world = World::start(|setup| workers(setup).policy(&allow(&resource))).await;
        let _client = world.connect().await;
        let variables = world.puppets.variables()[0].clone();
        let endpoint = &variables["AWS_ENDPOINT_URL_LAMBDA"];
        assert_eq!(
            *endpoint,
            format!("http://127.0.0.1:{}", world.stack.port())
        );
        let sdk = sdk(&world, &variables["AWS_ACCESS_KEY_ID"]);
        for kind in [
            InvocationType::Event,
            InvocationType::RequestResponse,
            InvocationType::DryRun,
        ] {
            let invoke = sdk.invoke().function_name("worker").invocation_type(kind);
            let result = invoke
                .send()
                .await
                .map_err(|error| error.into_service_error());
            if allowed {
                result.unwrap();
                continue;
            }
            let error = result.unwrap_err();
            assert_eq!(error.code(), Some("AccessDeniedException"));
            let worker = function_arn("worker");
            let expected = format!(
                "User: arn:aws:sts::123456789012:assumed-role/chat-role/connect is not authorized to perform: \
                 lambda:InvokeFunction on resource: {worker} because no identity-based policy allows the \
                 lambda:InvokeFunction action"
            );
            assert_eq!(error.message(), Some(expected.as_str()));
        }
        assert_eq!(world.puppets.count("worker") > 0, allowed);
    }
}

#[tokio::test]
async fn an_unsigned_invocation_is_refused() {
    let world = World::start(workers).await;
    let answer = world.request("POST", PATH, "", b"{}").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (403, r#"{"message":"Missing Authentication Token"}"#)
    );
}

#[tokio::test]
async fn payloads_have_the_limits_of_lambda_and_must_be_json() {
    let world = World::start(workers).await;
    let text = |bytes: usize| Blob::new(format!("\"{}\"", "x".repeat(bytes - 2)));
    let send = async |kind: InvocationType, payload: Blob| {
        let invoke = worker(&world).invocation_type(kind).payload(payload);
        let result = invoke.send().await;
        result.map_err(|error| error.into_service_error().code().map(str::to_owned))
    };
    let (event, waiting) = (InvocationType::Event, InvocationType::RequestResponse);
    send(event.clone(), text(1024 * 1024)).await.unwrap();
    assert_eq!(
        send(event.clone(), text(1024 * 1024 + 1))
            .await
            .unwrap_err(),
        Some("RequestEntityTooLargeException".to_owned())
    );
    send(waiting.clone(), text(6 * 1024 * 1024)).await.unwrap();
    assert_eq!(
        send(waiting.clone(), text(6 * 1024 * 1024 + 1))
            .await
            .unwrap_err(),
        Some("RequestTooLargeException".to_owned())
    );
    for kind in [event, waiting] {
        assert_eq!(
            send(kind, Blob::new("{no json")).await.unwrap_err(),
            Some("InvalidRequestContentException".to_owned())
        );
    }
}

#[tokio::test]
async fn a_full_queue_is_429_until_there_is_room() {
    let limits = Limits::default().with_waiting_events(2);
    let options = Options::default().with_limits(limits);
    let world = World::start_with(options, workers).await;
    let (begun, mut begins) = mpsc::unbounded_channel();
    world.puppets.on("worker", move |_| {
        let (finish, act) = later();
        begun.send(finish).unwrap();
        act
    });
    send_event(&world, "1").await;
    send_event(&world, "2").await;
    let third = || worker(&world).invocation_type(InvocationType::Event).send();
    let error = third().await.unwrap_err().into_service_error();
    assert!(error.is_too_many_requests_exception(), "{error:?}");
    let first = within(begins.recv()).await.unwrap();
    first.send(Act::ok()).unwrap();
    until(async || third().await.ok()).await;
}
