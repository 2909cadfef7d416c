//! DynamoDB: how much a table holds, before it goes.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;

use super::error::{Kind, kind, refused};
use super::requests::Named;
use crate::engine::TargetError;

/// Tables of one region.
#[derive(Debug)]
pub struct Tables {
    client: Client,
}

impl Tables {
    pub(super) fn new(config: &SdkConfig) -> Self {
        let config = aws_sdk_dynamodb::config::Builder::from(config).interceptor(Named);
        Self {
            client: Client::from_conf(config.build()),
        }
    }

    /// About how many items `table` has, `None` when it is gone. DynamoDB counts every six hours or so
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html>).
    ///
    /// # Errors
    /// [`TargetError`] when DynamoDB cannot be asked.
    pub async fn items(&self, table: &str) -> Result<Option<u64>, TargetError> {
        match self.client.describe_table().table_name(table).send().await {
            Ok(answer) => {
                let items = answer.table.and_then(|table| table.item_count);
                Ok(Some(
                    items.and_then(|items| items.try_into().ok()).unwrap_or(0),
                ))
            }
            Err(error) if kind(&error) == Kind::NotFound => Ok(None),
            Err(error) => {
                let attempt = format!("ask how many items table {table} has");
                Err(refused("dynamodb:DescribeTable", attempt, error))
            }
        }
    }
}
