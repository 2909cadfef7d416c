//! DynamoDB: the size of a table, before it is deleted.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;

use super::error::{Kind, kind, refused};
use super::requests::Named;
use crate::engine::TargetError;

/// Tables of one Region.
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

    /// The approximate number of items of `table`, `None` if it is gone. DynamoDB updates it about every six hours
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html>).
    ///
    /// # Errors
    /// [`TargetError`] if DynamoDB refuses or does not respond.
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
                let attempt = format!("read the number of items of table {table}");
                Err(refused("dynamodb:DescribeTable", attempt, error))
            }
        }
    }
}
