//! The operator's view of a chat: the table of connections, and the @connections API of its stage.

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_apigatewaymanagement::config::http::HttpResponse;
use aws_sdk_apigatewaymanagement::error::SdkError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use chat_protocol::table;

use super::error::refused;
use super::requests::Named;
use super::{AwsTarget, http};
use crate::engine::TargetError;
use crate::engine::operator::{Activity, ConnectionTable, Connections, Item, Key, Only, Page};

/// Where a chat keeps and serves its connections.
#[derive(Debug, Clone)]
pub struct Place {
    /// The table's physical name.
    pub table: String,
    /// The base of the @connections API, stage included.
    pub connections_url: String,
}

/// The connections of a chat as its table has them.
#[derive(Debug)]
pub struct DynamoConnections {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

/// The connections of a chat as API Gateway has them.
#[derive(Debug)]
pub struct ApiConnections {
    client: aws_sdk_apigatewaymanagement::Client,
    url: String,
}

impl AwsTarget {
    /// The chat at `place`, as the operator sees it.
    pub fn chat(&self, place: &Place) -> (DynamoConnections, ApiConnections) {
        chat(&self.config, place)
    }
}

/// The chat at `place` whose table something at `tables_url` keeps that serves AWS's protocols on this machine, and that
/// lets its owner in by any key.
///
/// # Errors
/// The machine's certificates cannot be read.
pub async fn stand_in(
    tables_url: &str,
    place: &Place,
) -> Result<(DynamoConnections, ApiConnections), TargetError> {
    let credentials = Credentials::new("operator", "operator", None, None, "stand-in");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        // Part of signatures only, which are not verified there.
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http::client().await?)
        .timeout_config(http::timeouts())
        .endpoint_url(tables_url)
        .build();
    Ok(chat(&config, place))
}

pub(super) fn chat(config: &SdkConfig, place: &Place) -> (DynamoConnections, ApiConnections) {
    let tables = aws_sdk_dynamodb::config::Builder::from(config).interceptor(Named);
    let sockets = aws_sdk_apigatewaymanagement::config::Builder::from(config)
        .interceptor(Named)
        .endpoint_url(&place.connections_url);
    let tables = DynamoConnections {
        client: aws_sdk_dynamodb::Client::from_conf(tables.build()),
        table: place.table.clone(),
    };
    let sockets = ApiConnections {
        client: aws_sdk_apigatewaymanagement::Client::from_conf(sockets.build()),
        url: place.connections_url.clone(),
    };
    (tables, sockets)
}

type Attributes = HashMap<String, AttributeValue>;

/// What is read of an item; `name` is a reserved word of DynamoDB's.
const READ: &str = "pk, sk, #name, friend, room, connected_at, expires_at";

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn attributes(key: &Key) -> Attributes {
    Attributes::from([
        (table::PARTITION.to_owned(), text(&key.partition)),
        (table::SORT.to_owned(), text(&key.sort)),
    ])
}

fn item(attributes: &Attributes) -> Item {
    let text = |name: &str| {
        let value = attributes.get(name)?.as_s().ok()?;
        Some(value.clone())
    };
    // A missing or foreign number counts as the distant past: such an item has expired.
    let number = |name: &str| {
        let value = attributes.get(name)?.as_n().ok()?;
        value.parse().ok()
    };
    Item {
        partition: text(table::PARTITION).unwrap_or_default(),
        sort: text(table::SORT).unwrap_or_default(),
        name: text(table::NAME),
        friend: text(table::FRIEND),
        room: text(table::ROOM),
        connected_at: number(table::CONNECTED_AT).unwrap_or_default(),
        expires_at: number(table::EXPIRES_AT).unwrap_or_default(),
    }
}

fn page(items: &[Attributes], last: Option<&Attributes>) -> Page {
    let key = |last: &Attributes| {
        let Item {
            partition, sort, ..
        } = item(last);
        Key { partition, sort }
    };
    Page {
        items: items.iter().map(item).collect(),
        next: last.filter(|last| !last.is_empty()).map(key),
    }
}

impl DynamoConnections {
    fn refused<E>(
        &self,
        action: &'static str,
        attempt: &str,
        error: SdkError<E, HttpResponse>,
    ) -> TargetError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        refused(action, format!("{attempt} in table {}", self.table), error)
    }

    fn query_of(&self, partition: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :connection)")
            .projection_expression(READ)
            .expression_attribute_names("#name", table::NAME)
            .expression_attribute_values(":pk", text(partition))
            .expression_attribute_values(":connection", text(table::CONNECTION))
    }

    fn scan_of(&self, only: Only<'_>) -> ScanFluentBuilder {
        let scan = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .projection_expression(READ)
            .expression_attribute_names("#name", table::NAME);
        let connections = text(table::CONNECTION);
        match only {
            Only::Connections => scan
                .filter_expression("begins_with(sk, :connection)")
                .expression_attribute_values(":connection", connections),
            Only::Connection(id) => scan
                .filter_expression("sk = :connection")
                .expression_attribute_values(":connection", text(&table::connection(id))),
            Only::Name(name) => scan
                .filter_expression("begins_with(sk, :connection) AND #name = :name")
                .expression_attribute_values(":connection", connections)
                .expression_attribute_values(":name", text(name)),
        }
    }
}

impl ConnectionTable for DynamoConnections {
    async fn query(&self, partition: &str, start: Option<Key>) -> Result<Page, TargetError> {
        let start = start.as_ref().map(attributes);
        let query = self.query_of(partition).set_exclusive_start_key(start);
        let answer = query
            .send()
            .await
            .map_err(|error| self.refused("dynamodb:Query", "find connections", error))?;
        Ok(page(answer.items(), answer.last_evaluated_key()))
    }

    async fn scan(&self, only: Only<'_>, start: Option<Key>) -> Result<Page, TargetError> {
        let start = start.as_ref().map(attributes);
        let scan = self.scan_of(only).set_exclusive_start_key(start);
        let answer = scan
            .send()
            .await
            .map_err(|error| self.refused("dynamodb:Scan", "find connections", error))?;
        Ok(page(answer.items(), answer.last_evaluated_key()))
    }

    async fn remove(&self, key: &Key) -> Result<(), TargetError> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.set_key(Some(attributes(key)));
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.refused("dynamodb:DeleteItem", "remove an item", error)),
        }
    }

    async fn put(&self, key: &Key, expires_at: u64) -> Result<(), TargetError> {
        let mut item = attributes(key);
        let number = AttributeValue::N(expires_at.to_string());
        item.insert(table::EXPIRES_AT.to_owned(), number);
        let put = self.client.put_item().table_name(&self.table);
        match put.set_item(Some(item)).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.refused("dynamodb:PutItem", "write an item", error)),
        }
    }
}

/// The one action of IAM for all of the @connections API
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html>).
const MANAGE: &str = "execute-api:ManageConnections";

impl ApiConnections {
    /// `None` if there is no such connection. A real 410 has an empty body, so its status decides.
    fn answer<T, E>(
        &self,
        attempt: &str,
        answer: Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<Option<T>, TargetError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let error = match answer {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) => error,
        };
        let status = error.raw_response().map(|raw| raw.status().as_u16());
        // API Gateway answers with 400 to an id of another form, which can be no connection's.
        let is_no_id = || {
            error
                .message()
                .is_some_and(|it| it.contains("Invalid connectionId"))
        };
        match status {
            Some(410) => Ok(None),
            Some(400) if is_no_id() => Ok(None),
            _ if error.code() == Some("GoneException") => Ok(None),
            _ => Err(refused(MANAGE, format!("{attempt} at {}", self.url), error)),
        }
    }
}

impl Connections for ApiConnections {
    async fn activity(&self, connection: &str) -> Result<Option<Activity>, TargetError> {
        let get = self.client.get_connection().connection_id(connection);
        let answer = self.answer("read a connection", get.send().await)?;
        Ok(answer.map(|answer| Activity {
            last_active_at: answer.last_active_at.map(|at| at.secs()),
            source_ip: answer.identity.and_then(|identity| identity.source_ip),
        }))
    }

    async fn post(&self, connection: &str, text: &str) -> Result<bool, TargetError> {
        let post = self.client.post_to_connection().connection_id(connection);
        let answer = post.data(Blob::new(text)).send().await;
        Ok(self.answer("send to a connection", answer)?.is_some())
    }

    async fn close(&self, connection: &str) -> Result<bool, TargetError> {
        let delete = self.client.delete_connection().connection_id(connection);
        Ok(self
            .answer("close a connection", delete.send().await)?
            .is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::super::stub::Stub;
    use super::*;
    use crate::engine::ErrorKind;
    use serde_json::{Value, json};

    async fn at(answers: Vec<(u16, String)>) -> (Stub, DynamoConnections, ApiConnections) {
        let stub = Stub::answering(answers).await;
        let target = stub.target().await;
        let place = Place {
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
        let first =
            json!({"Items": [row], "LastEvaluatedKey": {"pk": {"S": "p"}, "sk": {"S": "s"}}});
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
}
