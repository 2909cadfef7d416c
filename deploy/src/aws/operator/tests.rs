use super::super::stub::Stub;
use super::*;
use crate::engine::ErrorKind;
use crate::engine::operator::{ConnectionTable as _, Connections as _, Only, Page};
use serde_json::{Value, json};

async fn at(answers: Vec<(u16, String)>) -> (Stub, DynamoConnections, ApiConnections) {
    let stub = Stub::answering(answers).await;
    let target = stub.target().await;
    let place = ChatLocation {
        table: "T".into(),
        connections_url: format!("{}/v1", stub.url()),
    };
    let (table, api) = target.chat(&place);
    (stub, table, api)
}

fn body(asked: &str) -> Value {
    serde_json::from_str(&asked[asked.find('{').unwrap()..]).unwrap()
}

#[tokio::test]
async fn a_page_of_the_table_is_read_with_what_follows_it() {
    let row = json!({
        "pk": {"S": "R#hall#2"}, "sk": {"S": "C#a="}, "name": {"S": "Ann"},
        "connected_at": {"N": "100"}, "expires_at": {"N": "200"},
    });
    let first = json!({"Items": [row], "LastEvaluatedKey": {"pk": {"S": "p"}, "sk": {"S": "s"}}});
    let answers = vec![
        (200, first.to_string()),
        (200, json!({"Items": []}).to_string()),
    ];
    let (stub, table, _) = at(answers).await;
    let page = table.scan(Only::Name("Ann"), None).await.unwrap();
    let item = &page.items[0];
    assert_eq!(item.name.as_deref(), Some("Ann"));
    assert_eq!((item.connected_at, item.expires_at), (100, 200));
    let last = table.scan(Only::Name("Ann"), page.next).await.unwrap();
    assert_eq!(last, Page::default());
    let asked: Vec<_> = stub.asked().iter().map(|asked| body(asked)).collect();
    assert_eq!(asked[0]["ConsistentRead"], true);
    assert_eq!(asked[0]["ExpressionAttributeValues"][":name"]["S"], "Ann");
    assert_eq!(asked[1]["ExclusiveStartKey"]["sk"]["S"], "s");
}

#[tokio::test]
async fn a_connection_is_asked_posted_to_and_closed_below_the_stage() {
    let reported = json!({
        "connectedAt": "2026-01-01T00:00:00Z", "lastActiveAt": "2026-01-01T00:01:00Z",
        "identity": {"sourceIp": "192.0.2.1", "userAgent": "x"},
    });
    let answers = vec![
        (200, reported.to_string()),
        (200, String::new()),
        (204, String::new()),
    ];
    let (stub, _, api) = at(answers).await;
    let activity = api.activity("BFaT_fALIAMCKug=").await.unwrap().unwrap();
    assert_eq!(activity.last_active_at, Some(1_767_225_660));
    assert_eq!(activity.source_ip.as_deref(), Some("192.0.2.1"));
    assert!(api.post("BFaT_fALIAMCKug=", "hi").await.unwrap());
    assert!(api.close("BFaT_fALIAMCKug=").await.unwrap());
    let path = "/v1/@connections/BFaT_fALIAMCKug%3D";
    for (asked, method) in stub.asked().iter().zip(["GET", "POST", "DELETE"]) {
        let decoded = asked.replace("%40", "@");
        assert!(decoded.starts_with(&format!("{method} {path}")), "{asked}");
    }
}

#[tokio::test]
async fn a_connection_that_has_ended_is_no_error() {
    let unknown = r#"{"__type":"BadRequestException","message":"Invalid connectionId: x"}"#;
    let (_stub, _, api) = at(vec![(410, String::new()), (400, unknown.into())]).await;
    assert_eq!(api.activity("x=").await.unwrap(), None);
    assert!(!api.close("x=").await.unwrap());
}

#[tokio::test]
async fn a_refusal_names_the_permission_that_is_missing() {
    let words = r#"{"__type":"AccessDeniedException","message":"User: u is not authorized"}"#;
    let (_stub, table, api) = at(vec![(403, words.into())]).await;
    let error = table.scan(Only::Connections, None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(error.hint.unwrap().contains("dynamodb:Scan"));
    let error = api.close("x=").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(
        error
            .hint
            .unwrap()
            .contains("execute-api:ManageConnections")
    );
}
