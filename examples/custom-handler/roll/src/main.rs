//! Answers `{"action":"roll","sides":6}` with `{"rolled":4,"rolls":17}`: what the die shows, and how often one was rolled.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::{Client, types::AttributeValue, types::ReturnValue};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let tls = Provider::Rustls(CryptoMode::Ring);
    let http = aws_smithy_http_client::Builder::new().tls_provider(tls);
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http.build_https());
    let dynamodb = Client::new(&config.load().await);
    let table = std::env::var("TABLE_NAME")?;
    run(service_fn(|event| answer(&dynamodb, &table, event))).await
}

/// The route says `reply = true`, so what is in `body` goes to the sender, whatever the status.
async fn answer(dynamodb: &Client, table: &str, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let frame = event.payload["body"].as_str().unwrap_or_default();
    let asked: Value = serde_json::from_str(frame).unwrap_or_default();
    let answer = match asked["sides"].as_u64() {
        Some(sides @ 1..) => {
            json!({ "rolled": fastrand::u64(1..=sides), "rolls": count(dynamodb, table).await? })
        }
        _ => json!({ "error": "send the number of sides: {\"action\":\"roll\",\"sides\":6}" }),
    };
    Ok(json!({ "statusCode": 200, "body": answer.to_string() }))
}

/// Counts in an item of its own in the chat's table, which the route's permission allows.
async fn count(dynamodb: &Client, table: &str) -> Result<u64, Error> {
    let update = dynamodb.update_item().table_name(table);
    let item = update
        .key("pk", AttributeValue::S("ROLLS".into()))
        .key("sk", AttributeValue::S("#".into()));
    let counted = item
        .update_expression("ADD rolls :one")
        .expression_attribute_values(":one", AttributeValue::N("1".into()))
        .return_values(ReturnValue::UpdatedNew)
        .send()
        .await?;
    let item = counted.attributes();
    let rolls = item.and_then(|item| item.get("rolls")?.as_n().ok());
    Ok(rolls.map_or(Ok(0), |rolls| rolls.parse())?)
}
