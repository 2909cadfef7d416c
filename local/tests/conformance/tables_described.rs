//! DynamoDB's descriptions of an account and of a table.

use serde_json::json;

use crate::tables::{call, with_policy};

#[tokio::test]
async fn the_account_its_endpoints_and_a_tables_backups_are_described() {
    let allow = json!([{ "Effect": "Allow", "Action": ["dynamodb:DescribeLimits", "dynamodb:DescribeEndpoints"], "Resource": "*" }]);
    let (_world, key, endpoint) = with_policy(allow).await;
    let (status, limits) = call(&endpoint, &key, "DescribeLimits", &json!({})).await;
    assert_eq!(
        (status, &limits["TableMaxReadCapacityUnits"]),
        (200, &json!(40_000))
    );
    let (status, endpoints) = call(&endpoint, &key, "DescribeEndpoints", &json!({})).await;
    let address = endpoints["Endpoints"][0]["Address"].as_str().unwrap();
    assert_eq!((status, address), (200, "127.0.0.1"), "never AWS's own");
    let table = json!({ "TableName": "chat" });
    let (status, denied) = call(&endpoint, &key, "DescribeContinuousBackups", &table).await;
    assert!(
        status == 400
            && denied["__type"]
                .as_str()
                .unwrap()
                .ends_with("AccessDeniedException"),
        "{denied}"
    );
    let as_operator = async |name: &str| {
        let table = json!({ "TableName": name });
        call(&endpoint, "operator", "DescribeContinuousBackups", &table).await
    };
    let (status, backups) = as_operator("chat").await;
    let backups = &backups["ContinuousBackupsDescription"];
    assert_eq!(
        (status, &backups["ContinuousBackupsStatus"]),
        (200, &json!("ENABLED"))
    );
    let (status, missing) = as_operator("none").await;
    assert_eq!(
        (status, missing["__type"].as_str().unwrap()),
        (
            400,
            "com.amazonaws.dynamodb.v20120810#TableNotFoundException"
        )
    );
}
