//! DynamoDB: the size of a table, before it is deleted.

use aws_config::SdkConfig;
use serde::Deserialize;
use serde_json::json;

use super::call::{self, Client};
use super::error::{Kind, kind, refused};
use crate::engine::TargetError;

/// Tables of one Region.
#[derive(Debug)]
pub struct Tables {
    client: Client,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    table: Option<Table>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Table {
    item_count: Option<i64>,
}

impl Tables {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(&call::DYNAMODB, config),
        }
    }

    /// The approximate number of items of `table`, `None` if it is gone. DynamoDB updates it about every six hours
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html>).
    ///
    /// # Errors
    /// [`TargetError`] if DynamoDB refuses or does not respond.
    pub async fn items(&self, table: &str) -> Result<Option<u64>, TargetError> {
        let asked = json!({ "TableName": table });
        match self.client.json::<Described>("DescribeTable", &asked).await {
            Ok(described) => {
                let items = described.table.and_then(|table| table.item_count);
                Ok(Some(
                    items.and_then(|items| items.try_into().ok()).unwrap_or(0),
                ))
            }
            Err(error) if kind(&error) == Kind::NotFound => Ok(None),
            Err(error) => {
                let attempt = format!("read the number of items of table {table}");
                Err(refused("dynamodb:DescribeTable", attempt, error))
            }
        }
    }
}
