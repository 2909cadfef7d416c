//! Every request of the adapters, beside the one that the AWS SDK's generated client sends for the same parameters.

use std::collections::HashMap;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use aws_sdk_lambda::types::InvocationType;
use serde_json::{Map, Value};

use crate::signatures::signed_headers;
use crate::table::identity;
use crate::wire::{Sent, TRACE, accepting, all};

macro_rules! client {
    ($service:ident, $endpoint:expr) => {{
        let identity = identity();
        let credentials = Credentials::new(
            identity.access_key_id,
            identity.secret_access_key,
            identity.session_token,
            None,
            "test",
        );
        let config = $service::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(identity.region))
            .credentials_provider(credentials)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url($endpoint);
        $service::Client::from_conf(config.build())
    }};
}

/// Sends an operation with the trace id that ours has.
macro_rules! sent {
    ($operation:expr) => {
        $operation
            .customize()
            .mutate_request(|request| {
                let _previous = request.headers_mut().insert("x-amzn-trace-id", TRACE);
            })
            .send()
            .await
            .map(drop)
            .expect("it is accepted")
    };
}

struct Mirror {
    dynamodb: aws_sdk_dynamodb::Client,
    lambda: aws_sdk_lambda::Client,
    connections: aws_sdk_apigatewaymanagement::Client,
}

impl Mirror {
    fn at(endpoint: &str) -> Self {
        Self {
            dynamodb: client!(aws_sdk_dynamodb, endpoint),
            lambda: client!(aws_sdk_lambda, endpoint),
            connections: client!(aws_sdk_apigatewaymanagement, endpoint),
        }
    }

    /// Sends what `ours` asks for.
    async fn repeat(&self, ours: &Sent) {
        if let Some(target) = ours.headers.get("x-amz-target") {
            let operation = target.rsplit('.').next().unwrap_or_default();
            let body = serde_json::from_str(&ours.body).expect("JSON");
            return self.repeat_on_table(operation, body).await;
        }
        let path = ours.line.split(' ').nth(1).expect("a path");
        let segments: Vec<_> = path.split('/').map(decoded).collect();
        let body = ours.body.as_bytes().to_vec();
        match &segments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["", "v1", "@connections", id] if ours.line.starts_with("POST ") => {
                let post = self.connections.post_to_connection().connection_id(*id);
                sent!(post.data(body.into()));
            }
            ["", "v1", "@connections", id] => {
                let deletion = self.connections.delete_connection();
                sent!(deletion.connection_id(*id));
            }
            ["", "v1", "2015-03-31", "functions", name, "invocations"] => {
                let kind = ours.headers["x-amz-invocation-type"].as_str();
                let kind = InvocationType::from(kind);
                let invoke = self.lambda.invoke().function_name(*name);
                sent!(invoke.invocation_type(kind).payload(body.into()));
            }
            other => panic!("{other:?}"),
        }
    }

    async fn repeat_on_table(&self, operation: &str, body: Map<String, Value>) {
        let given = &mut Given(body);
        let table = given.text("TableName");
        let client = &self.dynamodb;
        match operation {
            "GetItem" => sent!(
                client
                    .get_item()
                    .set_table_name(table)
                    .set_key(given.item("Key"))
                    .set_consistent_read(given.flag("ConsistentRead"))
            ),
            "PutItem" => sent!(
                client
                    .put_item()
                    .set_table_name(table)
                    .set_item(given.item("Item"))
                    .set_condition_expression(given.text("ConditionExpression"))
                    .set_expression_attribute_names(given.names())
            ),
            "DeleteItem" => sent!(
                client
                    .delete_item()
                    .set_table_name(table)
                    .set_key(given.item("Key"))
                    .set_return_values(
                        given.text("ReturnValues").map(|it| ReturnValue::from(&*it))
                    )
            ),
            "UpdateItem" => sent!(
                client
                    .update_item()
                    .set_table_name(table)
                    .set_key(given.item("Key"))
                    .set_update_expression(given.text("UpdateExpression"))
                    .set_condition_expression(given.text("ConditionExpression"))
                    .set_expression_attribute_names(given.names())
                    .set_expression_attribute_values(given.item("ExpressionAttributeValues"))
                    .set_return_values(
                        given.text("ReturnValues").map(|it| ReturnValue::from(&*it))
                    )
            ),
            "Query" => sent!(
                client
                    .query()
                    .set_table_name(table)
                    .set_key_condition_expression(given.text("KeyConditionExpression"))
                    .set_filter_expression(given.text("FilterExpression"))
                    .set_projection_expression(given.text("ProjectionExpression"))
                    .set_expression_attribute_names(given.names())
                    .set_expression_attribute_values(given.item("ExpressionAttributeValues"))
                    .set_consistent_read(given.flag("ConsistentRead"))
                    .set_scan_index_forward(given.flag("ScanIndexForward"))
                    .set_limit(given.number("Limit"))
                    .set_exclusive_start_key(given.item("ExclusiveStartKey"))
            ),
            other => panic!("{other}"),
        }
        assert!(given.0.is_empty(), "{:?} is not repeated", given.0);
    }
}

/// The parameters that are still to be repeated.
struct Given(Map<String, Value>);

impl Given {
    fn text(&mut self, name: &str) -> Option<String> {
        let value = self.0.remove(name)?;
        Some(value.as_str().expect("a text").to_owned())
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        self.0.remove(name)?.as_bool()
    }

    fn number(&mut self, name: &str) -> Option<i32> {
        let number = self.0.remove(name)?.as_i64().expect("a number");
        i32::try_from(number).ok()
    }

    fn names(&mut self) -> Option<HashMap<String, String>> {
        let names = self.0.remove("ExpressionAttributeNames")?;
        serde_json::from_value(names).ok()
    }

    fn item(&mut self, name: &str) -> Option<HashMap<String, AttributeValue>> {
        let item = self.0.remove(name)?;
        let item: HashMap<String, HashMap<String, Value>> =
            serde_json::from_value(item).expect("attributes");
        let attributes = item.into_iter().map(|(name, value)| {
            let [(kind, value)] = &value.into_iter().collect::<Vec<_>>()[..] else {
                panic!("{name} has no kind, or two");
            };
            let text = || value.as_str().expect("a text").to_owned();
            let value = match kind.as_str() {
                "S" => AttributeValue::S(text()),
                "N" => AttributeValue::N(text()),
                "SS" => {
                    let texts = value.as_array().expect("a list").iter();
                    let texts = texts.map(|it| it.as_str().expect("a text").to_owned());
                    AttributeValue::Ss(texts.collect())
                }
                other => panic!("{other}"),
            };
            (name, value)
        });
        Some(attributes.collect())
    }
}

fn decoded(segment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = segment;
    while let Some((plain, encoded)) = rest.split_once('%') {
        bytes.extend(plain.bytes());
        let (byte, after) = encoded.split_at(2);
        bytes.extend(hex::decode(byte).expect("two digits"));
        rest = after;
    }
    bytes.extend(rest.bytes());
    String::from_utf8(bytes).expect("text")
}

#[tokio::test]
async fn the_sdk_sends_the_same_for_the_same_parameters() {
    let (ours, theirs) = (accepting().await, accepting().await);
    all(&ours.endpoint).await;
    let mirror = Mirror::at(&theirs.endpoint);
    let ours = ours.requests();
    for text in &ours {
        mirror.repeat(&Sent::new(text)).await;
    }
    let theirs = theirs.requests();
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let (ours, theirs) = (Sent::new(ours), Sent::new(theirs));
        assert_eq!(ours.essence(), theirs.essence());
        // Beside what only describes the SDK, the same headers are signed.
        let mut of_theirs = signed_headers(&theirs);
        of_theirs.retain(|name| !name.starts_with("amz-sdk-") && name != "x-amz-user-agent");
        assert_eq!(signed_headers(&ours), of_theirs, "{}", ours.line);
    }
}
