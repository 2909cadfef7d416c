//! What becomes of each response, and of each way to get none: the outcome, and the number of attempts.
//!
//! `outcomes.txt` was written by the generated clients of the AWS SDK, before the adapters had a client of their own. What
//! differs on purpose is in [`OURS`].

mod acting;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chat_lambdas::aws::{Clients, Timeouts};
use chat_lambdas::delivery::{Delivery, DeliveryError, Posted};
use chat_lambdas::dispatch::DispatchError;
use chat_lambdas::environment::{FunctionAddress, Identity, TableAddress};
use chat_lambdas::log::reasons;
use chat_lambdas::presence::Announcer as _;
use chat_lambdas::review::{ReviewError, Reviewers as _};
use chat_lambdas::runtime::Trace;
use chat_lambdas::session::{ConnectionId, Room};
use chat_lambdas::store::{ConnectionStore as _, StoreError};
use expect_test::expect_file;
use futures_util::future::join_all;

use self::acting::{Act, Acting};
use crate::stub::LONG;
use crate::table::{TABLE, identity};

const NAMESPACED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"}"#;

const ACTS: [(&str, Act); 37] = [
    ("200 {}", Act::Respond("200 OK\r\n", "{}")),
    ("200 empty", Act::Respond("200 OK\r\n", "")),
    ("200 not JSON", Act::Respond("200 OK\r\n", "<html>")),
    (
        "200 half JSON",
        Act::Respond("200 OK\r\n", r#"{"Item":{"pk":"#),
    ),
    (
        "202",
        Act::Respond("202 Accepted\r\nx-amzn-requestid: r-1\r\n", ""),
    ),
    ("204", Act::Respond("204 No Content\r\n", "")),
    ("302", Act::Respond("302 Found\r\nlocation: /\r\n", "")),
    ("400 nothing", Act::Respond("400 Bad Request\r\n", "")),
    (
        "400 condition",
        Act::Respond(
            "400 Bad Request\r\n",
            r#"{"__type":"ConditionalCheckFailedException"}"#,
        ),
    ),
    (
        "400 condition, namespace",
        Act::Respond("400 Bad Request\r\n", NAMESPACED),
    ),
    (
        "400 condition, header",
        Act::Respond(
            "400 Bad Request\r\nx-amzn-errortype: ConditionalCheckFailedException:http://internal.amazon.com/coral/\r\n",
            "{}",
        ),
    ),
    (
        "400 throughput",
        Act::Respond(
            "400 Bad Request\r\n",
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}"#,
        ),
    ),
    (
        "400 throttling",
        Act::Respond(
            "400 Bad Request\r\n",
            r#"{"__type":"ThrottlingException","Message":"slow"}"#,
        ),
    ),
    (
        "400 code wins",
        Act::Respond(
            "400 Bad Request\r\n",
            r#"{"code":"SlowDown","__type":"ValidationException"}"#,
        ),
    ),
    (
        "400 RequestTimeout",
        Act::Respond(
            "400 Bad Request\r\n",
            r#"{"__type":"RequestTimeoutException"}"#,
        ),
    ),
    (
        "400 in progress",
        Act::Respond(
            "400 Bad Request\r\n",
            r#"{"__type":"TransactionInProgressException"}"#,
        ),
    ),
    (
        "400 validation",
        Act::Respond(
            "400 Bad Request\r\n",
            r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"no"}"#,
        ),
    ),
    (
        "400 missing table",
        Act::Respond(
            "400 Bad Request\r\n",
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"}"#,
        ),
    ),
    (
        "400 denied",
        Act::Respond(
            "400 Bad Request\r\n",
            r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"no"}"#,
        ),
    ),
    (
        "400 invalid id",
        Act::Respond(
            "400 Bad Request\r\nx-amzn-errortype: BadRequestException\r\n",
            r#"{"message":"Invalid connectionId: a"}"#,
        ),
    ),
    (
        "403 denied",
        Act::Respond("403 Forbidden\r\n", r#"{"__type":"AccessDeniedException"}"#),
    ),
    (
        "403 page",
        Act::Respond("403 Forbidden\r\ncontent-type: text/html\r\n", "<html>"),
    ),
    (
        "404",
        Act::Respond(
            "404 Not Found\r\nx-amzn-errortype: ResourceNotFoundException\r\n",
            r#"{"Message":"no function"}"#,
        ),
    ),
    ("408", Act::Respond("408 Request Timeout\r\n", "")),
    ("410", Act::Respond("410 Gone\r\n", "")),
    (
        "413",
        Act::Respond(
            "413 Content Too Large\r\nx-amzn-errortype: PayloadTooLargeException\r\n",
            "{}",
        ),
    ),
    ("429 nothing", Act::Respond("429 Too Many Requests\r\n", "")),
    (
        "429 limit",
        Act::Respond(
            "429 Too Many Requests\r\nx-amzn-errortype: LimitExceededException\r\n",
            "{}",
        ),
    ),
    (
        "429 too many",
        Act::Respond(
            "429 Too Many Requests\r\nx-amzn-errortype: TooManyRequestsException\r\n",
            r#"{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded"}"#,
        ),
    ),
    (
        "500",
        Act::Respond(
            "500 Internal Server Error\r\n",
            r#"{"__type":"InternalServerError"}"#,
        ),
    ),
    ("501", Act::Respond("501 Not Implemented\r\n", "")),
    (
        "502 page",
        Act::Respond("502 Bad Gateway\r\ncontent-type: text/html\r\n", "<html>"),
    ),
    (
        "503 and when",
        Act::Respond("503 Service Unavailable\r\nx-amz-retry-after: 1\r\n", ""),
    ),
    ("504", Act::Respond("504 Gateway Timeout\r\n", "")),
    ("truncated", Act::Truncate),
    ("hangs up", Act::HangUp),
    ("reset", Act::Reset),
];

/// Those that the tests wait for, or that have another server.
const SLOW: [(&str, Act); 3] = [
    ("reset at once", Act::ResetAtOnce),
    ("refused", Act::Refuse),
    ("silence", Act::Silence),
];

/// Of all attempts there is time for three where the timeout of one is passed, except for posts.
fn timeouts(act: Act, is_post: bool) -> Timeouts {
    let attempt = Duration::from_millis(800);
    match act {
        Act::Silence if is_post => Timeouts {
            attempt,
            operation: attempt,
        },
        Act::Silence => Timeouts { attempt, ..LONG },
        _ => LONG,
    }
}

static NUMBER: AtomicUsize = AtomicUsize::new(0);

async fn outcome(act: Act, way: &str) -> String {
    let acting = Acting::start(act).await;
    let endpoint = acting.endpoint.clone();
    // The SDK's clients of one Region share a budget for retries.
    let identity = Identity {
        region: format!("eu-central-{}", NUMBER.fetch_add(1, Ordering::SeqCst)),
        ..identity()
    };
    let clients = Clients::new(identity, Trace::default(), &[Some(&endpoint)]);
    let timeouts = timeouts(act, !matches!(way, "read" | "list" | "count" | "write"));
    let connection = ConnectionId::new("c=");
    let address = TableAddress {
        name: TABLE.to_owned(),
        endpoint: Some(endpoint.clone()),
    };
    let store = clients.table(address, timeouts);
    let room = Room::default();
    let words = match way {
        "read" => of_store(store.session_of(&connection, 0).await),
        "list" => {
            let name = chat_lambdas::session::Name::parse("Tom").expect("a name");
            let read = chat_lambdas::store::Read::Eventual;
            of_store(store.connections_of(&name, 0, read).await)
        }
        "count" => of_store(store.count_message(&connection, 0, 1).await),
        "write" => of_store(store.leave(&room, &connection).await),
        "post" => {
            let delivery = clients.delivery(endpoint, timeouts);
            of_post(delivery.post(&connection, "hi").await)
        }
        "crowd" => {
            let delivery = clients.crowd_delivery(endpoint, timeouts);
            of_post(delivery.post(&connection, "hi").await)
        }
        "end" => of_post(clients.delivery(endpoint, timeouts).end(&connection).await),
        "event" => {
            let address = FunctionAddress {
                name: "f".to_owned(),
                endpoint: Some(endpoint),
            };
            match clients.dispatch(address, timeouts).summon(&room).await {
                Ok(id) => format!("accepted `{id}`"),
                Err(DispatchError::Refused { source }) => format!("refused{}", code(&*source)),
                Err(DispatchError::Unknown { source }) => format!("unknown{}", code(&*source)),
            }
        }
        _ => {
            let reviewers = clients.reviewers(Some(endpoint), timeouts);
            match reviewers.ask("f", b"{}".to_vec()).await {
                Ok(answer) => format!("{:?}", String::from_utf8_lossy(&answer)),
                Err(ReviewError::NotInvoked { source }) => format!("none{}", code(&*source)),
                Err(error) => format!("{error:?}"),
            }
        }
    };
    format!("{way} {words} x{}", acting.count.load(Ordering::SeqCst))
}

fn of_store<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(error) => {
            let denied = error
                .denied
                .map_or_else(String::new, |action| format!(" without {action}"));
            format!("failed{denied}{}", code(&error))
        }
    }
}

fn of_post(outcome: Result<Posted, DeliveryError>) -> String {
    match outcome {
        Ok(posted) => format!("{posted:?}"),
        Err(DeliveryError::Unavailable { source }) => format!("Unavailable{}", code(&*source)),
        Err(error) => format!("{error:?}"),
    }
}

/// The service's own name for the error, by which an operator searches.
fn code(error: &(dyn std::error::Error + 'static)) -> String {
    let reasons = reasons(error);
    let words = reasons.split(|c: char| !c.is_ascii_alphanumeric());
    let mut codes: Vec<_> = words
        .filter(|word| word.ends_with("Exception") || word.ends_with("ServerError"))
        .filter(|word| !word.starts_with("Unhandled"))
        .collect();
    codes.sort_unstable();
    codes.dedup();
    codes.iter().map(|code| format!(" {code}")).collect()
}

const WAYS: [&str; 9] = [
    "read", "list", "count", "write", "post", "crowd", "end", "event", "ask",
];

/// An act, a way, its outcome here, and its outcome with the SDK: a message whose response of success has begun has
/// arrived, so it is not sent again, and where nothing of the body is read, its status is enough.
const OURS: [(&str, &str, &str); 4] = [
    ("truncated", "post Delivered x1", "post Unavailable x3"),
    ("truncated", "crowd Delivered x1", "crowd Unavailable x3"),
    ("truncated", "end Delivered x1", "end Unavailable x3"),
    ("truncated", "event accepted `` x1", "event unknown x3"),
];

/// The SDK's outcome in place of `outcome`, which must be ours where they differ.
fn with_sdk(act: &str, way: &str, outcome: String) -> String {
    let is_of = |outcome: &str| outcome.split(' ').next() == Some(way);
    let ours = OURS
        .into_iter()
        .find(|(of, ours, _)| *of == act && is_of(ours));
    ours.map_or(outcome.clone(), |(_, ours, sdk)| {
        assert_eq!(outcome, ours, "{act}");
        sdk.to_owned()
    })
}

#[tokio::test]
async fn every_response_has_the_outcome_and_the_attempts_that_it_has_with_the_sdk() {
    let lines_of = async |(name, act): (&str, Act)| {
        let outcomes = WAYS.map(async |way| with_sdk(name, way, outcome(act, way).await));
        let outcomes = join_all(outcomes).await;
        format!("{name}\n    {}\n", outcomes.join("\n    "))
    };
    let quick = join_all(ACTS.map(lines_of)).await.concat();
    // Alone, because what others do takes time, too.
    let slow = join_all(SLOW.map(lines_of)).await.concat();
    expect_file!["../outcomes.txt"].assert_eq(&(quick + &slow));
}
