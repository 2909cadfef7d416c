//! Items of the user's handlers, in DynamoDB.

use chat_protocol::table;

use super::DynamoStore;
use super::dynamo::{Attribute, Operation, Parameters};
use super::rows::{self, Item, read_text, text};
use crate::items::Items;
use crate::store::StoreError;

impl Items for DynamoStore {
    async fn read(&self, key: &str) -> Result<Option<String>, StoreError> {
        let get = Parameters::key(item_key(key)).consistent_read(true);
        let found = self.send(Operation::GetItem, get, "read an item").await?;
        let item = found.item.unwrap_or_default();
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
        let update = Parameters::key(item_key(key))
            .update("ADD #counter :by")
            .name("#counter", COUNTER)
            .value(":by", Attribute::number(by))
            .return_values("UPDATED_NEW")
            .unrepeated();
        let attempt = "count in an item";
        let counted = self.send(Operation::UpdateItem, update, attempt).await?;
        let item = counted.attributes.unwrap_or_default();
        Ok(match item.get(COUNTER) {
            Some(Attribute::N(counter)) => counter.parse().unwrap_or_default(),
            _ => 0,
        })
    }
}

const VALUE: &str = "value";
const COUNTER: &str = "counter";

fn item_key(key: &str) -> Item {
    rows::item_key(&table::handler_item(key), table::ALONE)
}
