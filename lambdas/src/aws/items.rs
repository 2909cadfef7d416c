//! Items of the user's handlers, in DynamoDB.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::DynamoStore;
use super::rows::{Item, read_text, text};
use crate::items::Items;
use crate::store::StoreError;

impl Items for DynamoStore {
    async fn read(&self, key: &str) -> Result<Option<String>, StoreError> {
        let get = self.client.get_item().table_name(&self.table);
        let answer = get
            .set_key(Some(item_key(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| self.failure("read an item", "dynamodb:GetItem", error))?;
        let item = answer.item.unwrap_or_default();
        Ok(read_text(&item, VALUE).map(str::to_owned))
    }

    async fn write(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let mut item = item_key(key);
        item.extend([text(VALUE, value)]);
        self.put(item, "write an item").await
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.delete(item_key(key), "remove an item").await
    }

    async fn count(&self, key: &str, by: i64) -> Result<i64, StoreError> {
        let update = self.client.update_item().table_name(&self.table);
        let counted = update
            .set_key(Some(item_key(key)))
            .update_expression("ADD #counter :by")
            .expression_attribute_names("#counter", COUNTER)
            .expression_attribute_values(":by", AttributeValue::N(by.to_string()))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| self.failure("count in an item", "dynamodb:UpdateItem", error))?;
        let item = counted.attributes();
        let counter = item.and_then(|item| item.get(COUNTER)?.as_n().ok());
        Ok(counter
            .and_then(|counter| counter.parse().ok())
            .unwrap_or_default())
    }
}

const VALUE: &str = "value";
const COUNTER: &str = "counter";

fn item_key(key: &str) -> Item {
    Item::from([text("pk", &format!("H#{key}")), text("sk", "#")])
}
