//! The tables: permissions and persistence.

use std::path::Path;
use std::process::Stdio;

use chatctl_local::{LocalStack, Options, ResourceError, StartError, TableStorage, TablesError};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::puppets::Puppets;
use crate::setup::{ACCOUNT, Setup, table_arn};
use crate::world::{Answer, World, exchange, recorder, signed_by, within};

/// A DynamoDB call, signed by `key`.
pub(crate) async fn call(endpoint: &str, key: &str, operation: &str, body: &Value) -> (u16, Value) {
    let authorization = format!(
        "Authorization: {}\r\nX-Amz-Date: 20260101T000000Z\r\n",
        signed_by(key, "dynamodb")
    );
    let answer = send(endpoint, &authorization, operation, body).await;
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

async fn send(endpoint: &str, headers: &str, operation: &str, body: &Value) -> Answer {
    let port = endpoint.rsplit(':').next().unwrap().parse().unwrap();
    let body = body.to_string();
    let length = body.len();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.0\r\n\
         X-Amz-Target: DynamoDB_20120810.{operation}\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    within(exchange(port, &head, body.as_bytes())).await
}

fn item(table: &str, pk: &str) -> Value {
    json!({ "TableName": table, "Item": { "pk": { "S": pk }, "sk": { "S": "#" } } })
}

fn key_of(table: &str, pk: &str) -> Value {
    json!({ "TableName": table, "Key": { "pk": { "S": pk }, "sk": { "S": "#" } } })
}

/// The key of the role under test, and the tables' address.
pub(crate) async fn with_policy(statements: Value) -> (World, String, String) {
    let world = World::start(|setup| setup.chat().table("chat").policy(&statements)).await;
    world.connect().await;
    let key = world.puppets.variables()[0]["AWS_ACCESS_KEY_ID"].clone();
    let endpoint = world.stack.status().tables_endpoint;
    (world, key, endpoint)
}

#[tokio::test]
async fn a_role_may_only_do_what_its_policies_allow() {
    let allow = json!([{ "Effect": "Allow", "Action": ["dynamodb:PutItem"], "Resource": table_arn("chat") }]);
    let (_world, key, endpoint) = with_policy(allow).await;
    assert_eq!(
        call(&endpoint, &key, "PutItem", &item("chat", "a")).await,
        (200, json!({}))
    );
    let query = json!({
        "TableName": "chat",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": { ":pk": { "S": "a" } },
    });
    let (status, body) = call(&endpoint, &key, "Query", &query).await;
    assert_eq!(
        (status, &body["__type"]),
        (
            400,
            &"com.amazon.coral.service#AccessDeniedException".into()
        )
    );
    let message = format!(
        "User: arn:aws:sts::{ACCOUNT}:assumed-role/chat-role/connect is not authorized to perform: dynamodb:Query on \
         resource: {} because no identity-based policy allows the dynamodb:Query action",
        table_arn("chat")
    );
    assert_eq!(body["Message"], message);
    for (operation, body) in [
        ("GetItem", key_of("chat", "a")),
        ("DeleteItem", key_of("chat", "a")),
        ("Scan", json!({ "TableName": "chat" })),
        ("PutItem", item("other", "a")),
        (
            "BatchWriteItem",
            json!({ "RequestItems": { "chat": [{ "PutRequest": item("chat", "a") }] } }),
        ),
        (
            "TransactWriteItems",
            json!({ "TransactItems": [{ "Put": item("chat", "a") }, { "Delete": key_of("chat", "b") }] }),
        ),
        (
            "ExecuteStatement",
            json!({ "Statement": "SELECT * FROM chat" }),
        ),
        ("ListTables", json!({})),
        ("DeleteTable", json!({ "TableName": "chat" })),
    ] {
        let (status, answer) = call(&endpoint, &key, operation, &body).await;
        assert_eq!(
            (status, &answer["__type"]),
            (
                400,
                &"com.amazon.coral.service#AccessDeniedException".into()
            ),
            "{operation}"
        );
    }
    let transaction = json!({ "TransactItems": [{ "Put": item("chat", "b") }] });
    assert_eq!(
        call(&endpoint, &key, "TransactWriteItems", &transaction)
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn a_role_may_be_limited_to_partition_keys_and_attributes() {
    let held = |key: &str, values: &[&str]| {
        json!([{
            "Effect": "Allow",
            "Action": "dynamodb:*",
            "Resource": table_arn("chat"),
            "Condition": { "ForAllValues:StringLike": { key: values } },
        }])
    };
    let query = |pk: &str| {
        json!({
            "TableName": "chat",
            "KeyConditionExpression": "#pk = :pk",
            "ExpressionAttributeNames": { "#pk": "pk" },
            "ExpressionAttributeValues": { ":pk": { "S": pk } },
        })
    };
    let (_world, key, endpoint) = with_policy(held("dynamodb:LeadingKeys", &["U#*"])).await;
    let batch = |keys: [&str; 2]| {
        let puts = keys.map(|pk| json!({ "PutRequest": { "Item": item("chat", pk)["Item"] } }));
        json!({ "RequestItems": { "chat": puts } })
    };
    for (operation, body, allowed) in [
        ("PutItem", item("chat", "U#Tom"), true),
        ("PutItem", item("chat", "R#room"), false),
        ("GetItem", key_of("chat", "U#Tom"), true),
        ("GetItem", key_of("chat", "R#room"), false),
        ("Query", query("U#Tom"), true),
        ("Query", query("R#room"), false),
        ("BatchWriteItem", batch(["U#a", "U#b"]), true),
        ("BatchWriteItem", batch(["U#a", "R#b"]), false),
    ] {
        let (status, answer) = call(&endpoint, &key, operation, &body).await;
        assert_eq!(status == 200, allowed, "{operation} {body}: {answer}");
    }
    let (_world, key, endpoint) = with_policy(held("dynamodb:Attributes", &["pk", "sk"])).await;
    let (status, _) = call(&endpoint, &key, "PutItem", &item("chat", "a")).await;
    assert_eq!(status, 200);
    let mut more = item("chat", "a");
    more["Item"]["secret"] = json!({ "S": "x" });
    assert_eq!(call(&endpoint, &key, "PutItem", &more).await.0, 400);
}

#[tokio::test]
async fn the_table_and_its_index_are_two_resources_and_a_deny_wins() {
    let statements = json!([
        { "Effect": "Allow", "Action": "dynamodb:*", "Resource": [table_arn("chat"), format!("{}/index/*", table_arn("chat"))] },
        { "Effect": "Deny", "Action": "dynamodb:Scan", "Resource": table_arn("chat") },
    ]);
    let (_world, key, endpoint) = with_policy(statements).await;
    let (status, denied) = call(&endpoint, &key, "Scan", &json!({ "TableName": "chat" })).await;
    assert_eq!(status, 400);
    assert!(
        denied["Message"]
            .as_str()
            .unwrap()
            .ends_with("with an explicit deny in an identity-based policy"),
        "{denied}"
    );
    // Allowed by IAM; DynamoDB itself does not find the index.
    let (_, missing) = call(
        &endpoint,
        &key,
        "Scan",
        &json!({ "TableName": "chat", "IndexName": "nope" }),
    )
    .await;
    assert!(
        missing["__type"]
            .as_str()
            .unwrap()
            .ends_with("ValidationException"),
        "{missing}"
    );
}

#[tokio::test]
async fn the_operator_may_do_everything_and_unsigned_requests_nothing() {
    let (_world, _, endpoint) = with_policy(json!([])).await;
    assert_eq!(
        call(&endpoint, "AKIAOPERATOR", "PutItem", &item("chat", "a"))
            .await
            .0,
        200
    );
    let unsigned = send(&endpoint, "", "Scan", &json!({ "TableName": "chat" })).await;
    assert_eq!(unsigned.status, 400);
    assert!(
        unsigned.body.contains("MissingAuthenticationToken"),
        "{}",
        unsigned.body
    );
    let (_, ttl) = call(
        &endpoint,
        "AKIA",
        "DescribeTimeToLive",
        &json!({ "TableName": "chat" }),
    )
    .await;
    assert_eq!(
        ttl["TimeToLiveDescription"],
        json!({ "AttributeName": "ttl", "TimeToLiveStatus": "ENABLED" })
    );
}

#[tokio::test]
async fn the_sdk_parses_items_and_denials() {
    use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
    use aws_sdk_dynamodb::error::ProvideErrorMetadata;
    use aws_sdk_dynamodb::types::AttributeValue;
    let allow = json!([{
        "Effect": "Allow",
        "Action": ["dynamodb:PutItem", "dynamodb:Query"],
        "Resource": table_arn("chat"),
    }]);
    let (world, _, endpoint) = with_policy(allow).await;
    let variables = &world.puppets.variables()[0];
    let credentials = Credentials::new(
        &variables["AWS_ACCESS_KEY_ID"],
        &variables["AWS_SECRET_ACCESS_KEY"],
        Some(variables["AWS_SESSION_TOKEN"].clone()),
        None,
        "test",
    );
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(endpoint)
        .credentials_provider(credentials)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let sdk = aws_sdk_dynamodb::Client::from_conf(config);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    sdk.put_item()
        .table_name("chat")
        .item("pk", text("a"))
        .item("sk", text("b"))
        .send()
        .await
        .unwrap();
    let query = sdk
        .query()
        .table_name("chat")
        .key_condition_expression("pk = :pk");
    let found = query
        .expression_attribute_values(":pk", text("a"))
        .send()
        .await
        .unwrap();
    assert_eq!(found.items()[0]["sk"], text("b"));
    let denied = sdk
        .scan()
        .table_name("chat")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(denied.code(), Some("AccessDeniedException"));
    assert!(
        denied
            .message()
            .unwrap()
            .contains("not authorized to perform: dynamodb:Scan"),
        "{denied:?}"
    );
}

#[tokio::test]
async fn a_request_beyond_16_mb_is_refused() {
    let (_world, _, endpoint) = with_policy(json!([])).await;
    let large = json!({ "TableName": "x".repeat(16 * 1024 * 1024) });
    assert_eq!(send(&endpoint, "", "GetItem", &large).await.status, 413);
}

async fn start_on(file: &Path) -> Result<LocalStack, StartError> {
    let puppets = Puppets::new().await;
    let setup = Setup::empty(puppets.bootstrap()).table("chat");
    let options = Options::default().with_tables(TableStorage::File(file.to_owned()));
    LocalStack::start_resolved(setup.stack, setup.code, options, recorder().0).await
}

/// Writes an item with this partition key.
pub(crate) async fn put(endpoint: &str, table: &str, pk: &str) {
    assert_eq!(
        call(endpoint, "AKIA", "PutItem", &item(table, pk)).await.0,
        200
    );
}

/// The names of all tables.
pub(crate) async fn table_names(endpoint: &str) -> Vec<String> {
    let (_, listed) = call(endpoint, "AKIA", "ListTables", &json!({})).await;
    serde_json::from_value(listed["TableNames"].clone()).unwrap()
}

/// The partition keys of every item of table `chat`.
pub(crate) async fn pks(endpoint: &str) -> Vec<String> {
    let (_, scanned) = call(endpoint, "AKIA", "Scan", &json!({ "TableName": "chat" })).await;
    let items = scanned["Items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["pk"]["S"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_table_file_keeps_its_items_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tables.db");
    let first = start_on(&file).await.unwrap();
    let endpoint = first.status().tables_endpoint;
    assert_eq!(
        call(&endpoint, "AKIA", "PutItem", &item("chat", "kept"))
            .await
            .0,
        200
    );
    first.stop().await;
    let second = start_on(&file).await.unwrap();
    assert_eq!(pks(&second.status().tables_endpoint).await, ["kept"]);
    second.stop().await;
}

#[tokio::test]
async fn written_items_survive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tables.db");
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates/table.yaml");
    let test = std::env::current_exe().unwrap();
    let example = test
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/run_template");
    let mut child = tokio::process::Command::new(example)
        .args([&template, &file])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = within(lines.next_line()).await.unwrap().unwrap();
    let endpoint = said.strip_prefix("tables ").unwrap();
    let mut written = Vec::new();
    for index in 0..50 {
        let pk = format!("item{index:02}");
        assert_eq!(
            call(endpoint, "AKIA", "PutItem", &item("chat", &pk))
                .await
                .0,
            200
        );
        written.push(pk);
    }
    child.kill().await.unwrap();
    let again = start_on(&file).await.unwrap();
    let mut kept = pks(&again.status().tables_endpoint).await;
    kept.sort();
    assert_eq!(kept, written);
    again.stop().await;
}

#[tokio::test]
async fn the_error_names_a_file_that_is_not_a_table_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tables.db");
    std::fs::write(&file, "this is a letter, not a database".repeat(100)).unwrap();
    match start_on(&file).await {
        Err(StartError::Resource(ResourceError::Tables(TablesError::Open { path, .. }))) => {
            assert_eq!(path, file);
        }
        other => panic!("{other:?}"),
    }
}
