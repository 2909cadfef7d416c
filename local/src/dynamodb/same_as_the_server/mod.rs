//! Compares the endpoint's responses with those of the database's own HTTP server, which has its own conformance suite.

mod both;

use hyper::Request;
use hyper::body::Bytes;
use serde_json::{Value, json};

use self::both::Both;

const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20260101/r/dynamodb/aws4_request, SignedHeaders=host, Signature=0";

const JSON: &str = "application/x-amz-json-1.0";

fn post(operation: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post("/")
        .header("Content-Type", JSON)
        .header("Authorization", SIGNED)
        .header("X-Amz-Date", "20260101T000000Z")
        .header("X-Amz-Target", format!("DynamoDB_20120810.{operation}"))
        .body(body.into())
        .unwrap()
}

fn call(operation: &str, body: &Value) -> Request<Bytes> {
    post(operation, body.to_string())
}

fn table() -> Value {
    json!({
        "TableName": "chat",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "sk", "AttributeType": "S" },
        ],
        "KeySchema": [
            { "AttributeName": "pk", "KeyType": "HASH" },
            { "AttributeName": "sk", "KeyType": "RANGE" },
        ],
    })
}

fn key(pk: &str) -> Value {
    json!({ "pk": { "S": pk }, "sk": { "S": "#" } })
}

/// A request about the table, extended with `more`.
fn on(more: &Value) -> Value {
    let mut body = json!({ "TableName": "chat" });
    let (body_members, more) = (body.as_object_mut().unwrap(), more.as_object().unwrap());
    body_members.extend(more.clone());
    body
}

#[tokio::test]
async fn successful_and_refused_operations_have_the_same_responses() {
    let both = Both::start().await;
    let put = |pk: &str| on(&json!({ "Item": key(pk) }));
    let only_new = json!({
        "Item": key("a"),
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    let query = |expression: &str| {
        on(&json!({
            "KeyConditionExpression": expression,
            "ExpressionAttributeValues": { ":pk": { "S": "a" } },
            "ReturnConsumedCapacity": "TOTAL",
        }))
    };
    let arn = "arn:aws:dynamodb:dynoxide:000000000000:table/chat";
    let ttl = json!({ "TimeToLiveSpecification": { "AttributeName": "ttl", "Enabled": true } });
    let calls = [
        ("CreateTable", table()),
        ("CreateTable", table()),
        ("DescribeTable", on(&json!({}))),
        ("DescribeTable", json!({ "TableName": "other" })),
        ("ListTables", json!({})),
        ("UpdateTimeToLive", on(&ttl)),
        ("DescribeTimeToLive", on(&json!({}))),
        ("PutItem", put("a")),
        ("PutItem", on(&only_new)),
        ("PutItem", json!({ "TableName": "other", "Item": key("a") })),
        ("PutItem", on(&json!({ "Item": { "pk": { "S": "a" } } }))),
        (
            "PutItem",
            on(&json!({ "Item": { "pk": { "N": "1" }, "sk": { "S": "#" } } })),
        ),
        (
            "PutItem",
            on(&json!({ "Item": { "pk": { "S": "" }, "sk": { "S": "#" } } })),
        ),
        (
            "GetItem",
            on(&json!({ "Key": key("a"), "ConsistentRead": true })),
        ),
        ("GetItem", on(&json!({ "Key": key("none") }))),
        ("GetItem", on(&json!({ "Key": { "pk": { "S": "a" } } }))),
        ("Query", query("pk = :pk")),
        ("Query", query("pk == :pk")),
        ("Query", query("other = :pk")),
        ("Scan", on(&json!({ "Limit": 1 }))),
        ("Scan", on(&json!({ "Limit": 0 }))),
        ("Scan", on(&json!({ "IndexName": "nope" }))),
        (
            "UpdateItem",
            on(&json!({
                "Key": key("a"),
                "UpdateExpression": "SET n = :n",
                "ExpressionAttributeValues": { ":n": { "N": "1" } },
                "ReturnValues": "ALL_NEW",
            })),
        ),
        (
            "UpdateItem",
            on(&json!({ "Key": key("a"), "UpdateExpression": "SET" })),
        ),
        (
            "DeleteItem",
            on(&json!({ "Key": key("a"), "ReturnValues": "ALL_OLD" })),
        ),
        (
            "DeleteItem",
            on(&json!({ "Key": key("a"), "ReturnValues": "UPDATED_NEW" })),
        ),
        (
            "BatchWriteItem",
            json!({ "RequestItems": { "chat": [{ "PutRequest": { "Item": key("b") } }] } }),
        ),
        ("BatchWriteItem", json!({ "RequestItems": {} })),
        (
            "BatchGetItem",
            json!({ "RequestItems": { "chat": { "Keys": [key("b")] } } }),
        ),
        (
            "TransactWriteItems",
            json!({ "TransactItems": [{ "Put": put("c") }, { "Put": on(&only_new) }] }),
        ),
        (
            "TransactWriteItems",
            json!({ "TransactItems": [{ "Put": put("d") }, { "Put": on(&only_new) }] }),
        ),
        (
            "TransactGetItems",
            json!({ "TransactItems": [{ "Get": on(&json!({ "Key": key("a") })) }] }),
        ),
        (
            "ExecuteStatement",
            json!({ "Statement": "SELECT * FROM chat WHERE pk = 'b'" }),
        ),
        ("ExecuteStatement", json!({ "Statement": "SELECT" })),
        (
            "ExecuteStatement",
            json!({
                "Statement": "DELETE FROM chat WHERE pk = 'b' AND sk = '#' AND n = 1",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }),
        ),
        (
            "BatchExecuteStatement",
            json!({ "Statements": [{ "Statement": "SELECT * FROM chat WHERE pk = 'b'" }] }),
        ),
        (
            "ExecuteTransaction",
            json!({ "TransactStatements": [{ "Statement": "nonsense" }] }),
        ),
        (
            "TagResource",
            json!({ "ResourceArn": arn, "Tags": [{ "Key": "a", "Value": "b" }] }),
        ),
        ("ListTagsOfResource", json!({ "ResourceArn": arn })),
        (
            "UntagResource",
            json!({ "ResourceArn": arn, "TagKeys": ["a"] }),
        ),
        ("ListStreams", json!({})),
        (
            "UpdateTable",
            on(&json!({ "DeletionProtectionEnabled": true })),
        ),
        ("DeleteTable", json!({ "TableName": "other" })),
        ("NoSuchOperation", json!({})),
    ];
    both.check(calls.map(|(operation, body)| call(operation, &body)))
        .await;
}

#[tokio::test]
async fn unreadable_requests_have_the_same_responses() {
    let both = Both::start().await;
    both.check([call("CreateTable", &table())]).await;
    let value = |value: Value| {
        on(&json!({ "Item": { "pk": { "S": "a" }, "sk": { "S": "#" }, "x": value } }))
    };
    let calls = [
        ("PutItem", json!({ "Item": key("a") })),
        ("PutItem", json!({ "TableName": "chat" })),
        ("PutItem", json!({ "TableName": 5, "Item": key("a") })),
        ("PutItem", json!({ "TableName": 5.5, "Item": key("a") })),
        ("PutItem", json!({ "TableName": true, "Item": key("a") })),
        (
            "PutItem",
            json!({ "TableName": ["chat"], "Item": key("a") }),
        ),
        (
            "PutItem",
            json!({ "TableName": { "a": 1 }, "Item": key("a") }),
        ),
        ("PutItem", json!({ "TableName": null, "Item": key("a") })),
        ("PutItem", json!({ "TableName": "a", "Item": key("a") })),
        ("PutItem", on(&json!({ "Item": "text" }))),
        (
            "PutItem",
            on(&json!({ "Item": key("a"), "ReturnValues": "SOME" })),
        ),
        ("PutItem", value(json!({}))),
        ("PutItem", value(json!({ "S": "a", "N": "1" }))),
        ("PutItem", value(json!({ "N": "one" }))),
        ("PutItem", value(json!({ "NULL": false }))),
        ("PutItem", value(json!({ "BOOL": "true" }))),
        ("PutItem", value(json!({ "BOOL": 1 }))),
        ("PutItem", value(json!({ "SS": [] }))),
        ("PutItem", value(json!({ "SS": ["a", "a"] }))),
        ("PutItem", value(json!({ "B": "not base64" }))),
        ("PutItem", value(json!({ "L": { "S": "a" } }))),
        (
            "GetItem",
            on(&json!({ "Key": key("a"), "ConsistentRead": "yes" })),
        ),
        (
            "GetItem",
            on(&json!({ "Key": key("a"), "ConsistentRead": 1 })),
        ),
        ("Query", on(&json!({ "KeyConditionExpression": 5 }))),
        (
            "UpdateItem",
            on(&json!({ "Key": key("a"), "UpdateExpression": { "SET": "n" } })),
        ),
        ("BatchGetItem", json!({})),
        ("TransactWriteItems", json!({ "TransactItems": "all" })),
        ("ExecuteStatement", json!({})),
        ("CreateTable", json!({ "TableName": "new" })),
        ("DeleteTable", json!({})),
        ("PutItem", json!([])),
        ("PutItem", json!("text")),
    ];
    both.check(calls.map(|(operation, body)| call(operation, &body)))
        .await;
    // The server checks these before it parses the request, and names what it found.
    let calls = [
        ("PutItem", value(json!({ "S": 5 }))),
        ("PutItem", value(json!({ "S": true }))),
        ("PutItem", value(json!({ "N": 1 }))),
        ("GetItem", on(&json!({ "Key": [] }))),
        ("ListTables", json!({ "Limit": "x" })),
        ("Scan", on(&json!({ "Limit": "many" }))),
    ];
    for (operation, body) in calls {
        let request = call(operation, &body);
        for address in [both.theirs, both.ours] {
            let (status, [_, body]) = both.ask(address, &request).await;
            assert_eq!(status, 400, "{body}");
            assert!(body.contains("SerializationException"), "{body}");
        }
    }
    let deep = |levels: usize| {
        let value = r#"{"L":["#.repeat(levels) + r#"{"S":"a"}"# + &"]}".repeat(levels);
        format!(
            r#"{{"TableName":"chat","Item":{{"pk":{{"S":"a"}},"sk":{{"S":"b"}},"x":{value}}}}}"#
        )
    };
    both.check([30, 32, 40, 100].map(|levels| post("PutItem", deep(levels))))
        .await;
    both.check(["", "{", "nonsense", "{}{}", "\u{1}"].map(|body| post("PutItem", body)))
        .await;
}

#[tokio::test]
async fn requests_that_are_not_for_dynamodb_have_the_same_response() {
    let both = Both::start().await;
    let without = |names: &[&str]| {
        let mut request = call("ListTables", &json!({}));
        for name in names {
            assert!(request.headers_mut().remove(*name).is_some());
        }
        request
    };
    let with = |name: &'static str, value: &str| {
        let mut request = call("ListTables", &json!({}));
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    let mut elsewhere = call("ListTables", &json!({}));
    *elsewhere.uri_mut() = "/tables".parse().unwrap();
    let mut put = call("ListTables", &json!({}));
    *put.method_mut() = hyper::Method::PUT;
    let mut presigned = without(&["authorization"]);
    *presigned.uri_mut() = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256".parse().unwrap();
    let mut twice = call("ListTables", &json!({}));
    *twice.uri_mut() = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256".parse().unwrap();
    let empty = |mut request: Request<Bytes>| {
        *request.body_mut() = Bytes::new();
        request
    };
    let broken = |mut request: Request<Bytes>| {
        *request.body_mut() = Bytes::from_static(br#"{"Limit":"x""#);
        request
    };
    both.check([
        without(&["content-type"]),
        empty(without(&["content-type"])),
        with("content-type", "application/json"),
        with("content-type", "Application/X-AMZ-JSON-1.0; charset=utf-8"),
        with("content-type", "text/plain"),
        without(&["x-amz-target"]),
        empty(without(&["x-amz-target"])),
        with("x-amz-target", "DynamoDBStreams_20120810.ListStreams"),
        with("x-amz-target", "Other_20120810.ListTables"),
        without(&["authorization"]),
        without(&["x-amz-date"]),
        with("authorization", "Bearer x"),
        with("authorization", "AWS4-HMAC-SHA256 Credential=AKIA/x"),
        empty(call("ListTables", &json!({}))),
        broken(without(&["authorization"])),
        broken(without(&["x-amz-target"])),
        broken(call("ListTables", &json!({}))),
        elsewhere,
        put,
        presigned,
        twice,
    ])
    .await;
}
