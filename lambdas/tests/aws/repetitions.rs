//! What is sent again although it may have arrived, and what is not.

use std::time::Duration;

use chat_lambdas::aws::{Clients, DynamoStore, Timeouts};
use chat_lambdas::environment::TableAddress;
use chat_lambdas::items::Items as _;
use chat_lambdas::presence::AnnouncementStore as _;
use chat_lambdas::runtime::Trace;
use chat_lambdas::session::{ConnectionId, Room};
use chat_lambdas::store::ConnectionStore as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::stub::{LONG, Reply, Stub, read_request};
use crate::table::{TABLE, identity};

const FAILED: &str = r#"{"__type":"ConditionalCheckFailedException"}"#;

fn store(endpoint: &str, timeouts: Timeouts) -> DynamoStore {
    let address = TableAddress {
        name: TABLE.to_owned(),
        endpoint: Some(endpoint.to_owned()),
    };
    Clients::new(identity(), Trace::default(), &[Some(endpoint)]).table(address, timeouts)
}

/// There is time for three attempts.
const BRIEF: Timeouts = Timeouts {
    attempt: Duration::from_millis(100),
    operation: Duration::from_millis(400),
};

fn refused(status: u16, error_type: &'static str) -> Reply {
    Reply::With {
        status,
        error_type: Some(error_type),
        body: "{}",
    }
}

#[tokio::test]
async fn an_addition_of_a_handler_is_not_sent_again_once_it_may_have_been_made() {
    for (reply, timeouts, expected) in [
        (Reply::HangUp, LONG, 1),
        (Reply::Nothing, BRIEF, 1),
        (refused(500, "InternalServerError"), LONG, 1),
        (refused(503, "ServiceUnavailable"), LONG, 1),
        (refused(400, "ThrottlingException"), LONG, 3),
        (
            refused(400, "ProvisionedThroughputExceededException"),
            LONG,
            3,
        ),
    ] {
        let stub = Stub::start(reply.clone()).await;
        let outcome = store(&stub.endpoint, timeouts).count("votes", 1).await;
        assert!(outcome.is_err(), "{reply:?}: {outcome:?}");
        assert_eq!(stub.requests().len(), expected, "{reply:?}");
    }
}

#[tokio::test]
async fn the_count_of_a_message_is_sent_again_so_that_the_message_is_not_lost() {
    let (endpoint, requests) = losing_one("Query", "200 OK", "{}").await;
    let store = store(&endpoint, LONG);
    let counted = store.count_message(&ConnectionId::new("c="), 7, 5).await;
    assert!(counted.expect("it is counted"));
    assert_eq!(requests.await.expect("all came"), 2);
}

#[tokio::test]
async fn a_turn_whose_response_was_lost_still_gets_its_announcer() {
    let (endpoint, requests) = losing_one("Query", "400 Bad Request", FAILED).await;
    let store = store(&endpoint, LONG);
    let opened = store.open_turn(&Room::default(), 7).await;
    assert!(
        opened.expect("it is written"),
        "it may be this call that has"
    );
    assert_eq!(requests.await.expect("all came"), 3);
}

/// A server that answers what has `known` in it with `{}`, hangs up on the first other request, and responds to the next one
/// with `status` and `body`. Then it ends with the number of requests.
async fn losing_one(
    known: &'static str,
    status: &'static str,
    body: &'static str,
) -> (String, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let server = tokio::spawn(async move {
        let (mut requests, mut is_lost) = (0, false);
        loop {
            let (mut socket, _) = listener.accept().await.expect("it listens");
            while let Some(request) = read_request(&mut socket).await {
                requests += 1;
                let is_known = request.contains(known);
                if !is_known && !is_lost {
                    is_lost = true;
                    break;
                }
                let (status, body) = match is_known {
                    true => ("200 OK", "{}"),
                    false => (status, body),
                };
                let length = body.len();
                let response =
                    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
                let written = socket.write_all(response.as_bytes()).await;
                written.expect("the client reads");
                if !is_known {
                    return requests;
                }
            }
        }
    });
    (format!("http://{address}"), server)
}
