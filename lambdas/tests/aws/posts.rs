//! The management API's responses, and their interpretation.

use std::time::Duration;

use chat_lambdas::aws::{Clients, Timeouts};
use chat_lambdas::delivery::{Delivery as _, DeliveryError, Posted};
use chat_lambdas::log::reasons;
use chat_lambdas::runtime::Trace;
use chat_lambdas::session::ConnectionId;

use crate::stub::{LONG, Reply, SHORT, Stub};
use crate::table::identity;

#[tokio::test]
async fn an_accepted_post_is_delivered_unchanged() {
    let stub = Stub::start(answer(200, None, "")).await;
    let text = "{\"a\": 1}\n\u{1F600} ";
    assert!(matches!(
        post(&stub, text, LONG).await,
        Ok(Posted::Delivered)
    ));
    let requests = stub.requests();
    assert_eq!(requests.len(), 1);
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert_eq!(body, text);
    // The id's padding must be encoded, and the stage must stay in the path.
    assert!(
        head.starts_with("POST /v1/%40connections/BFaT_fALIAMCKug%3D HTTP/1.1")
            || head.starts_with("POST /v1/@connections/BFaT_fALIAMCKug%3D HTTP/1.1"),
        "{head}"
    );
    assert!(
        head.contains("/eu-central-1/execute-api/aws4_request"),
        "{head}"
    );
    assert!(head.contains("x-amz-security-token: local"), "{head}");
}

#[tokio::test]
async fn gone_is_an_outcome_whatever_its_body() {
    let gone = [
        answer(410, Some("GoneException"), ""),
        answer(410, None, ""),
        answer(410, None, "<html>not JSON</html>"),
        answer(
            400,
            Some("BadRequestException"),
            r#"{"message":"Invalid connectionId: nobody"}"#,
        ),
    ];
    for reply in gone {
        let stub = Stub::start(reply.clone()).await;
        let outcome = post(&stub, "hi", LONG).await;
        assert!(
            matches!(outcome, Ok(Posted::Gone)),
            "{reply:?}: {outcome:?}"
        );
        assert_eq!(stub.requests().len(), 1, "{reply:?} is not asked again");
    }
}

#[tokio::test]
async fn each_refusal_has_its_own_error() {
    let forbidden = refused(answer(
        403,
        Some("ForbiddenException"),
        r#"{"message":"Forbidden"}"#,
    ))
    .await;
    assert!(
        matches!(forbidden, (DeliveryError::Forbidden, 1)),
        "{forbidden:?}"
    );
    let too_large = refused(answer(413, Some("PayloadTooLargeException"), "{}")).await;
    assert!(
        matches!(too_large, (DeliveryError::TooLarge, 1)),
        "{too_large:?}"
    );
    let throttled = refused(answer(429, Some("LimitExceededException"), "{}")).await;
    assert!(
        matches!(throttled, (DeliveryError::Throttled, 3)),
        "{throttled:?}"
    );
    let broken = refused(answer(500, None, "{}")).await;
    assert!(
        matches!(broken, (DeliveryError::Unavailable { .. }, 3)),
        "{broken:?}"
    );
    let wrong = refused(answer(
        400,
        Some("BadRequestException"),
        r#"{"message":"no"}"#,
    ))
    .await;
    assert!(
        matches!(wrong, (DeliveryError::Unavailable { .. }, 1)),
        "{wrong:?}"
    );
    assert!(
        reasons(&wrong.0).contains("BadRequestException"),
        "{}",
        reasons(&wrong.0)
    );
}

#[tokio::test]
async fn a_broken_connection_is_retried_and_then_reported() {
    let broken = refused(Reply::HangUp).await;
    assert!(
        matches!(broken, (DeliveryError::Unavailable { .. }, 3)),
        "{broken:?}"
    );
}

#[tokio::test]
async fn a_post_without_a_response_ends_in_time_and_is_not_repeated() {
    let stub = Stub::start(Reply::Nothing).await;
    let outcome = post(&stub, "hi", SHORT).await;
    assert!(
        matches!(outcome, Err(DeliveryError::TimedOut)),
        "{outcome:?}"
    );
    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn without_retries_only_a_throttled_post_differs() {
    for (reply, attempts) in [
        (answer(429, Some("LimitExceededException"), "{}"), 1),
        (answer(500, None, "{}"), 3),
        (Reply::HangUp, 3),
    ] {
        let stub = Stub::start(reply).await;
        let clients = Clients::new(identity(), Trace::default(), &[Some(&stub.endpoint)]);
        let delivery = clients.crowd_delivery(stub.endpoint.clone(), LONG);
        let outcome = delivery.post(&ConnectionId::new("c"), "hi").await;
        assert!(outcome.is_err());
        assert_eq!(stub.requests().len(), attempts, "{outcome:?}");
    }
}

#[test]
fn the_timeout_of_posts_leaves_no_time_for_a_repetition() {
    assert_eq!(Timeouts::POST.attempt, Timeouts::POST.operation);
    assert!(Timeouts::POST.operation <= Duration::from_secs(3));
}

/// The error of a refused post, and the number of attempts.
async fn refused(reply: Reply) -> (DeliveryError, usize) {
    let stub = Stub::start(reply).await;
    let outcome = post(&stub, "hi", LONG).await;
    (outcome.expect_err("a refusal"), stub.requests().len())
}

async fn post(stub: &Stub, text: &str, timeouts: Timeouts) -> Result<Posted, DeliveryError> {
    let clients = Clients::new(identity(), Trace::default(), &[Some(&stub.endpoint)]);
    let delivery = clients.delivery(stub.endpoint.clone(), timeouts);
    let connection = ConnectionId::new("BFaT_fALIAMCKug=");
    delivery.post(&connection, text).await
}

fn answer(status: u16, error_type: Option<&'static str>, body: &'static str) -> Reply {
    Reply::With {
        status,
        error_type,
        body,
    }
}
