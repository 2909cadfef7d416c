//! The event's trace id is sent with every request that the event causes.

use serde_json::json;

use crate::runtime::{Function, TRACE_ID};
use crate::stub::{Reply, Stub};
use crate::table::{LocalTable, TABLE};

#[tokio::test]
async fn every_request_that_an_event_causes_carries_its_trace_id() {
    let table = LocalTable::start().await;
    let gone = Reply::With {
        status: 410,
        error_type: Some("GoneException"),
        body: "",
    };
    let posts = Stub::start(gone).await;
    let mut direct = Function::start(
        "direct",
        &[
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("TABLE_NAME", TABLE),
            ("AWS_ENDPOINT_URL_DYNAMODB", table.endpoint.as_str()),
            ("CONNECTIONS_ENDPOINT", posts.endpoint.as_str()),
        ],
    )
    .await;
    let message = json!({
        "requestContext": {
            "eventType": "MESSAGE",
            "routeKey": "$default",
            "connectionId": "t",
            "authorizer": {"principalId": "Tom", "name": "Tom", "friend": "Jerry"},
        },
        "body": "hi",
    });
    for number in 1..=2 {
        direct.invoke(&message.to_string()).await;
        let post = posts.requests().pop().expect("the sender gets a reply");
        let id = format!("x-amzn-trace-id: {TRACE_ID}{number}\r\n");
        assert!(post.contains(&id), "{post}");
    }
}
