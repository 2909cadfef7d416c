//! The table of connections, in DynamoDB.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use chat_protocol::table::{self, PARTITION, SORT};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::aws::call::{self, Client, Failure};
use crate::aws::error::refused;
use crate::engine::TargetError;
use crate::engine::operator::{ConnectionTable, Item, Key, Only, Page};

/// The connections of a chat as its table has them.
#[derive(Debug)]
pub struct DynamoConnections {
    client: Client,
    table: String,
}

/// A value of an item. Of other types, none is read.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Attribute {
    #[serde(rename = "S", skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(rename = "N", skip_serializing_if = "Option::is_none")]
    number: Option<String>,
}

type Attributes = BTreeMap<String, Attribute>;

/// What a query or a scan returns.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rows {
    items: Option<Vec<Attributes>>,
    last_evaluated_key: Option<Attributes>,
}

/// What is read of an item; `name` is a reserved word of DynamoDB's.
const READ: [&str; 7] = [
    PARTITION,
    SORT,
    "#name",
    table::FRIEND,
    table::ROOM,
    table::CONNECTED_AT,
    table::EXPIRES_AT,
];

fn text(text: &str) -> Attribute {
    Attribute {
        text: Some(text.to_owned()),
        ..Attribute::default()
    }
}

fn attributes(key: &Key) -> Attributes {
    Attributes::from([
        (PARTITION.to_owned(), text(&key.partition)),
        (SORT.to_owned(), text(&key.sort)),
    ])
}

fn item(attributes: &Attributes) -> Item {
    let text = |name: &str| {
        let value = attributes.get(name)?;
        value.text.clone()
    };
    // A missing or foreign number counts as the distant past: such an item has expired.
    let number = |name: &str| {
        let value = attributes.get(name)?.number.as_ref()?;
        value.parse().ok()
    };
    Item {
        partition: text(PARTITION).unwrap_or_default(),
        sort: text(SORT).unwrap_or_default(),
        name: text(table::NAME),
        friend: text(table::FRIEND),
        room: text(table::ROOM),
        connected_at: number(table::CONNECTED_AT).unwrap_or_default(),
        expires_at: number(table::EXPIRES_AT).unwrap_or_default(),
    }
}

fn page(rows: &Rows) -> Page {
    let key = |last: &Attributes| {
        let Item {
            partition, sort, ..
        } = item(last);
        Key { partition, sort }
    };
    let last = rows.last_evaluated_key.as_ref();
    Page {
        items: rows.items.iter().flatten().map(item).collect(),
        next: last.filter(|last| !last.is_empty()).map(key),
    }
}

impl DynamoConnections {
    pub(super) fn new(config: &SdkConfig, table: &str) -> Self {
        Self {
            client: Client::new(&call::DYNAMODB, config),
            table: table.to_owned(),
        }
    }

    fn refused(&self, action: &'static str, attempt: &str, error: Failure) -> TargetError {
        refused(action, format!("{attempt} in table {}", self.table), error)
    }

    /// What a request that reads has beside `condition`, with `values` in it.
    fn reading(&self, condition: (&str, String), values: Value, start: Option<&Key>) -> Value {
        let mut asked = json!({
            "TableName": self.table,
            "ConsistentRead": true,
            "ProjectionExpression": READ.join(", "),
            "ExpressionAttributeNames": { "#name": table::NAME },
            "ExpressionAttributeValues": values,
        });
        asked[condition.0] = condition.1.into();
        if let Some(start) = start {
            asked["ExclusiveStartKey"] = json!(attributes(start));
        }
        asked
    }

    fn query_of(&self, partition: &str, start: Option<&Key>) -> Value {
        let condition = format!("{PARTITION} = :pk AND begins_with({SORT}, :connection)");
        let values = json!({ ":pk": text(partition), ":connection": text(table::CONNECTION) });
        self.reading(("KeyConditionExpression", condition), values, start)
    }

    fn scan_of(&self, only: Only<'_>, start: Option<&Key>) -> Value {
        let connections = text(table::CONNECTION);
        let (condition, values) = match only {
            Only::Connections => (
                format!("begins_with({SORT}, :connection)"),
                json!({ ":connection": connections }),
            ),
            Only::Connection(id) => (
                format!("{SORT} = :connection"),
                json!({ ":connection": text(&table::connection(id)) }),
            ),
            Only::Name(name) => (
                format!("begins_with({SORT}, :connection) AND #name = :name"),
                json!({ ":connection": connections, ":name": text(name) }),
            ),
        };
        self.reading(("FilterExpression", condition), values, start)
    }
}

impl ConnectionTable for DynamoConnections {
    async fn query(&self, partition: &str, start: Option<Key>) -> Result<Page, TargetError> {
        let asked = self.query_of(partition, start.as_ref());
        match self.client.json("Query", &asked).await {
            Ok(rows) => Ok(page(&rows)),
            Err(error) => Err(self.refused("dynamodb:Query", "find connections", error)),
        }
    }

    async fn scan(&self, only: Only<'_>, start: Option<Key>) -> Result<Page, TargetError> {
        let asked = self.scan_of(only, start.as_ref());
        match self.client.json("Scan", &asked).await {
            Ok(rows) => Ok(page(&rows)),
            Err(error) => Err(self.refused("dynamodb:Scan", "find connections", error)),
        }
    }

    async fn remove(&self, key: &Key) -> Result<(), TargetError> {
        let asked = json!({ "TableName": self.table, "Key": attributes(key) });
        match self.client.json::<IgnoredAny>("DeleteItem", &asked).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.refused("dynamodb:DeleteItem", "remove an item", error)),
        }
    }

    async fn put(&self, key: &Key, expires_at: u64) -> Result<(), TargetError> {
        let mut item = attributes(key);
        let expires_at = Attribute {
            number: Some(expires_at.to_string()),
            ..Attribute::default()
        };
        item.insert(table::EXPIRES_AT.to_owned(), expires_at);
        let asked = json!({ "TableName": self.table, "Item": item });
        match self.client.json::<IgnoredAny>("PutItem", &asked).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.refused("dynamodb:PutItem", "write an item", error)),
        }
    }
}
