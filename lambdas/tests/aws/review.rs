//! Lambda's responses to a synchronous invocation, their interpretation, and the costs of a review.

use std::collections::HashMap;
use std::time::Duration;

use chat_lambdas::aws::{Clients, LambdaReviewers, Timeouts};
use chat_lambdas::environment::TableAddress;
use chat_lambdas::event::SocketEvent;
use chat_lambdas::handlers::{Invocation, broadcast, direct};
use chat_lambdas::log::{Level, Log};
use chat_lambdas::memory::{MemoryDelivery, MemoryDispatch, MemoryReviewers};
use chat_lambdas::review::{Fallback, ReviewError, Reviewed, Reviewer, Reviewers as _};
use chat_lambdas::routes::Routes;
use chat_lambdas::runtime::Trace;
use serde_json::json;
use testing::ports::Closed;

use crate::meter::Meter;
use crate::stub::{LONG, Reply, SHORT, Stub};
use crate::table::{LocalTable, TABLE, identity};

fn reviewers(endpoint: &str, timeouts: Timeouts) -> LambdaReviewers {
    let clients = Clients::new(identity(), Trace::default(), &[Some(endpoint)]);
    clients.reviewers(Some(endpoint.to_owned()), timeouts)
}

async fn ask(endpoint: &str, timeouts: Timeouts) -> Result<Vec<u8>, ReviewError> {
    let question = br#"{"message":{"text":"hi"}}"#.to_vec();
    reviewers(endpoint, timeouts)
        .ask("chat-Filter", question)
        .await
}

fn reply(status: u16, body: &'static str) -> Reply {
    Reply::With {
        status,
        // By which a throttled request differs from a wrong one.
        error_type: (status == 429).then_some("TooManyRequestsException"),
        body,
    }
}

#[tokio::test]
async fn a_question_is_a_synchronous_invocation_and_its_answer_is_the_payload() {
    let stub = Stub::start(reply(200, r#"{"verdict":"allow"}"#)).await;
    let answer = ask(&stub.endpoint, Timeouts::REVIEW).await.unwrap();
    assert_eq!(answer, br#"{"verdict":"allow"}"#);
    let requests = stub.requests();
    assert_eq!(requests.len(), 1);
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("POST /v1/2015-03-31/functions/chat-Filter/invocations HTTP/1.1"),
        "{head}"
    );
    let head = head.to_ascii_lowercase();
    assert!(
        head.contains("x-amz-invocation-type: requestresponse"),
        "{head}"
    );
    assert_eq!(body, r#"{"message":{"text":"hi"}}"#);
}

#[tokio::test]
async fn a_failed_function_is_an_error_of_its_kind_without_its_words() {
    let body = r#"{"errorType":"HandlerError","errorMessage":"cannot read \"hi\""}"#;
    for (body, kind) in [(body, "HandlerError"), ("", "no kind"), ("[]", "no kind")] {
        let stub = Stub::start(Reply::FailedFunction { body }).await;
        let error = ask(&stub.endpoint, LONG).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(kind) && !shown.contains("hi\\"), "{shown}");
        assert_eq!(stub.requests().len(), 1, "it is not asked again");
    }
}

#[tokio::test]
async fn what_lambda_refuses_for_a_moment_is_asked_again_and_what_it_refuses_is_not() {
    for (status, attempts) in [(403, 1), (404, 1), (413, 1), (429, 3), (500, 3)] {
        let stub = Stub::start(reply(status, "{}")).await;
        let outcome = ask(&stub.endpoint, LONG).await;
        assert!(
            matches!(outcome, Err(ReviewError::NotInvoked { .. })),
            "{status}: {outcome:?}"
        );
        assert_eq!(stub.requests().len(), attempts, "{status}");
    }
}

#[tokio::test]
async fn without_a_response_there_is_no_answer() {
    let stub = Stub::start(Reply::Nothing).await;
    let outcome = ask(&stub.endpoint, SHORT).await;
    assert!(
        matches!(outcome, Err(ReviewError::NotInvoked { .. })),
        "{outcome:?}"
    );
    let closed = Closed::new();
    let endpoint = format!("http://{}", closed.address);
    let outcome = ask(&endpoint, LONG).await;
    assert!(
        matches!(outcome, Err(ReviewError::NotInvoked { .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_review_costs_no_request_to_the_table_and_a_refused_message_none_at_all() {
    let table = LocalTable::start().await;
    let meter = Meter::before(&table.endpoint).await;
    let address = TableAddress {
        name: TABLE.to_owned(),
        endpoint: Some(meter.endpoint.clone()),
    };
    let clients = Clients::new(identity(), Trace::default(), &[Some(&meter.endpoint)]);
    let store = clients.table(address, LONG);
    let (delivery, dispatch) = (MemoryDelivery::default(), MemoryDispatch::default());
    let routes = Routes::parse(r#"{"say":{"envelope":true}}"#).unwrap();
    let invocation = Invocation {
        now: 1_767_225_600,
        until: tokio::time::Instant::now() + Duration::from_secs(60),
        log: Log::new(Level::Error, |line| panic!("{line}")),
    };
    let event: SocketEvent = serde_json::from_value(json!({
        "requestContext": {"eventType": "MESSAGE", "routeKey": "say", "connectionId": "t",
            "authorizer": {"name": "Tom", "friend": "Jerry", "room": "hall"}},
        "body": "hi",
    }))
    .unwrap();
    let reviewers = MemoryReviewers::default();
    let reviewer = Reviewer {
        function: "filter".to_owned(),
        fallback: Fallback::Refuse,
        timeout_ms: 2_000,
    };
    let by_key = HashMap::from([("say".to_owned(), reviewer)]);
    let rules = Reviewed::new(routes, by_key, &reviewers);
    let to_both = async || {
        let sent = direct(&event, &store, &delivery, &rules, &invocation).await;
        let friend = (sent.unwrap().status_code(), meter.bill());
        let services = (&store, &delivery);
        let sent = broadcast(&event, services, &dispatch, &rules, &invocation).await;
        [friend, (sent.unwrap().status_code(), meter.bill())]
    };
    reviewers.answer_with(|_| Ok(br#"{"verdict":"change","text":"x"}"#.to_vec()));
    let of_messages = [
        (200, "2 Query 1.5".to_owned()),
        (200, "4 Query 4".to_owned()),
    ];
    assert_eq!(to_both().await, of_messages);
    reviewers.answer_with(|_| Ok(br#"{"verdict":"refuse","reason":"no"}"#.to_vec()));
    let nothing = || (400, String::new());
    assert_eq!(to_both().await, [nothing(), nothing()]);
    assert_eq!(reviewers.take().len(), 4);
}
