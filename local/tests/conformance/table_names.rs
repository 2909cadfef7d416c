//! Tables named by their ARNs.

use serde_json::json;

use crate::setup::table_arn;
use crate::tables::{call, with_policy};

#[tokio::test]
async fn a_table_may_be_named_by_its_arn_and_is_described_by_it() {
    let arn = table_arn("chat");
    let allow = json!([{ "Effect": "Allow", "Action": "dynamodb:*", "Resource": arn }]);
    let (_world, key, endpoint) = with_policy(allow).await;
    let item = json!({ "pk": { "S": "a" }, "sk": { "S": "#" } });
    let put = json!({ "TableName": arn, "Item": item });
    assert_eq!(
        call(&endpoint, &key, "PutItem", &put).await,
        (200, json!({}))
    );
    let get = json!({ "TableName": arn, "Key": item });
    let (status, found) = call(&endpoint, &key, "GetItem", &get).await;
    assert_eq!((status, &found["Item"]), (200, &item));
    for named in ["chat", &arn] {
        let asked = json!({ "TableName": named });
        let (status, described) = call(&endpoint, &key, "DescribeTable", &asked).await;
        assert_eq!(
            (status, &described["Table"]["TableArn"]),
            (200, &json!(arn))
        );
    }
    let (status, tags) = call(
        &endpoint,
        &key,
        "ListTagsOfResource",
        &json!({ "ResourceArn": arn }),
    )
    .await;
    assert_eq!(status, 200, "{tags}");
}
