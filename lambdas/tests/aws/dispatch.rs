//! Lambda's responses to an invocation, and their interpretation.

use chat_lambdas::aws::{Clients, Timeouts};
use chat_lambdas::dispatch::{Dispatch as _, DispatchError, ShardMessage};
use chat_lambdas::environment::FunctionAddress;
use chat_lambdas::room::Rest;
use chat_lambdas::runtime::Trace;
use chat_lambdas::session::{ConnectionId, Room};
use chat_lambdas::shard::Shard;
use testing::ports::Closed;

use crate::stub::{LONG, Reply, SHORT, Stub};
use crate::table::identity;

#[tokio::test]
async fn an_invocation_is_asynchronous_and_carries_the_message() {
    let stub = Stub::start(answer(202)).await;
    dispatch(&stub.endpoint, Timeouts::POST).await.unwrap();
    let requests = stub.requests();
    assert_eq!(requests.len(), 1);
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("POST /v1/2015-03-31/functions/chat-Deliver/invocations HTTP/1.1"),
        "{head}"
    );
    let head = head.to_ascii_lowercase();
    assert!(head.contains("x-amz-invocation-type: event"), "{head}");
    assert!(head.contains("/eu-central-1/lambda/aws4_request"), "{head}");
    let read: ShardMessage = serde_json::from_str(body).unwrap();
    assert_eq!(read, message());
}

#[tokio::test]
async fn an_error_response_means_that_the_message_was_not_accepted() {
    for (status, attempts) in [(403, 1), (404, 1), (413, 1), (500, 3)] {
        let stub = Stub::start(answer(status)).await;
        let outcome = dispatch(&stub.endpoint, LONG).await;
        assert!(
            matches!(outcome, Err(DispatchError::Refused { .. })),
            "{status}: {outcome:?}"
        );
        assert_eq!(stub.requests().len(), attempts, "{status}");
    }
}

#[tokio::test]
async fn without_a_listener_the_message_was_not_accepted() {
    let closed = Closed::new();
    let endpoint = format!("http://{}", closed.address);
    let outcome = dispatch(&endpoint, LONG).await;
    assert!(
        matches!(outcome, Err(DispatchError::Refused { .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn without_a_response_the_outcome_is_unknown_and_it_is_not_repeated() {
    let stub = Stub::start(Reply::Nothing).await;
    let outcome = dispatch(&stub.endpoint, SHORT).await;
    assert!(
        matches!(outcome, Err(DispatchError::Unknown { .. })),
        "{outcome:?}"
    );
    assert_eq!(stub.requests().len(), 1);
}

async fn dispatch(endpoint: &str, timeouts: Timeouts) -> Result<String, DispatchError> {
    let clients = Clients::new(identity(), Trace::default(), &[Some(endpoint)]);
    let address = FunctionAddress {
        name: "chat-Deliver".to_owned(),
        endpoint: Some(endpoint.to_owned()),
    };
    clients
        .dispatch(address, timeouts)
        .dispatch(&message())
        .await
}

fn message() -> ShardMessage {
    ShardMessage {
        room: Room::parse("hall").expect("a valid name"),
        shard: Shard::numbered(3).expect("there are four"),
        text: "a \"text\"\n\u{1F600}".to_owned(),
        except: ConnectionId::new("BFaT_fALIAMCKug="),
        step: 0,
        rest: Rest::everybody(),
    }
}

fn answer(status: u16) -> Reply {
    Reply::With {
        status,
        error_type: None,
        body: "{}",
    }
}
