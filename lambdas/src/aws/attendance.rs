//! What is on record about announcements, in DynamoDB.
//!
//! | item | `pk` | `sk` | attributes |
//! |---|---|---|---|
//! | the turn of a room | `P#<room>` | `turn` | `pending_until`, `held_until`, `held_by`, `expires_at` |
//! | the names that were announced | `P#<room>` | `announced` | `people`, `expires_at` |
//!
//! They are two items, because a write costs by the size of its item, and every change of a room may open its turn.

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use chat_protocol::table;

use super::DynamoStore;
use super::rows::{Item, member_key, read_number, text};
use crate::presence::{ANNOUNCED_LIFETIME_SECONDS, Announced, Attendance, Names, TURN_SECONDS};
use crate::session::{ConnectionId, Name, Room};
use crate::store::StoreError;

/// How long the item of a turn is kept after its last use, in seconds.
const KEPT_SECONDS: u64 = 24 * 60 * 60;

const OPEN: &str = "open the turn of a room";
const UPDATE: &str = "dynamodb:UpdateItem";

impl DynamoStore {
    /// The item at `sort` of what is on record for `room`.
    async fn on_record(
        &self,
        room: &Room,
        sort: &str,
        attempt: &'static str,
    ) -> Result<Option<Item>, StoreError> {
        // Not `GetItem`: no function of a stack with an authorizer has that right.
        let query = self.client.query().table_name(&self.table);
        let found = query
            .key_condition_expression("pk = :room AND sk = :sort")
            .expression_attribute_values(":room", string(&table::announcing(room.as_str())))
            .expression_attribute_values(":sort", string(sort))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| self.failure(attempt, "dynamodb:Query", error))?;
        Ok(found.items.and_then(|items| items.into_iter().next()))
    }

    fn update(&self, room: &Room, sort: &str) -> UpdateItemFluentBuilder {
        let update = self.client.update_item().table_name(&self.table);
        update.set_key(Some(Item::from([
            text("pk", &table::announcing(room.as_str())),
            text("sk", sort),
        ])))
    }

    /// Sends `update`; whether its condition held.
    async fn holds(
        &self,
        update: UpdateItemFluentBuilder,
        attempt: &'static str,
    ) -> Result<bool, StoreError> {
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(self.failure(attempt, UPDATE, error)),
        }
    }
}

impl Attendance for DynamoStore {
    async fn open_turn(&self, room: &Room, now: u64) -> Result<bool, StoreError> {
        // Most changes of a busy room find an open turn. Reading costs a fifth of writing, and a partition takes three
        // times as many reads as writes.
        let turn = self.on_record(room, table::TURN, OPEN).await?;
        if turn.is_some_and(|turn| read_number(&turn, "pending_until") > now) {
            return Ok(false);
        }
        let update = self
            .update(room, table::TURN)
            .update_expression("SET pending_until = :until, expires_at = :expires")
            .condition_expression("attribute_not_exists(pending_until) OR pending_until <= :now")
            .expression_attribute_values(":now", count(now))
            .expression_attribute_values(":until", count(now + TURN_SECONDS))
            .expression_attribute_values(":expires", count(now + KEPT_SECONDS));
        self.holds(update, OPEN).await
    }

    async fn close_turn(&self, room: &Room) -> Result<(), StoreError> {
        let update = self.update(room, table::TURN);
        let update = update.update_expression("REMOVE pending_until");
        self.holds(update, "close the turn of a room").await?;
        Ok(())
    }

    async fn take_turn(
        &self,
        room: &Room,
        holder: &str,
        now: u64,
        until: u64,
    ) -> Result<bool, StoreError> {
        let update = self
            .update(room, table::TURN)
            .update_expression(
                "SET held_until = :until, held_by = :holder, expires_at = :expires REMOVE pending_until",
            )
            .condition_expression("attribute_not_exists(held_until) OR held_until <= :now")
            .expression_attribute_values(":now", count(now))
            .expression_attribute_values(":until", count(until))
            .expression_attribute_values(":holder", string(holder))
            .expression_attribute_values(":expires", count(now + KEPT_SECONDS));
        self.holds(update, "take the turn of a room").await
    }

    async fn let_go(&self, room: &Room, holder: &str) -> Result<(), StoreError> {
        let update = self
            .update(room, table::TURN)
            .update_expression("REMOVE held_until, held_by")
            .condition_expression("held_by = :holder")
            .expression_attribute_values(":holder", string(holder));
        self.holds(update, "hand the turn of a room on").await?;
        Ok(())
    }

    async fn announced(&self, room: &Room, now: u64) -> Result<Announced, StoreError> {
        let attempt = "find who was announced in a room";
        let item = self.on_record(room, table::ANNOUNCED, attempt).await?;
        let item = item.filter(|item| read_number(item, "expires_at") > now);
        Ok(item.map_or_else(Announced::default, |item| {
            let names = item.get("people").and_then(|names| names.as_ss().ok());
            let names = names.into_iter().flatten();
            Announced {
                names: names.filter_map(|name| Name::parse(name).ok()).collect(),
                expires_at: read_number(&item, "expires_at"),
            }
        }))
    }

    async fn save_announced(&self, room: &Room, names: &Names, now: u64) -> Result<(), StoreError> {
        let expires = count(now + ANNOUNCED_LIFETIME_SECONDS);
        let update = self
            .update(room, table::ANNOUNCED)
            .expression_attribute_values(":expires", expires);
        // A set is never empty.
        let update = if names.is_empty() {
            update.update_expression("SET expires_at = :expires REMOVE people")
        } else {
            let names = names.iter().map(ToString::to_string).collect();
            update
                .update_expression("SET expires_at = :expires, people = :people")
                .expression_attribute_values(":people", AttributeValue::Ss(names))
        };
        self.holds(update, "record who was announced in a room")
            .await?;
        Ok(())
    }

    async fn take_out(&self, room: &Room, connection: &ConnectionId) -> Result<bool, StoreError> {
        let delete = self.client.delete_item().table_name(&self.table);
        // What was there costs nothing more
        // (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html).
        let deleted = delete
            .set_key(Some(member_key(room, connection)))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(|error| {
                self.failure("remove a member of a room", "dynamodb:DeleteItem", error)
            })?;
        let member = deleted.attributes;
        Ok(member.is_some_and(|member| member.contains_key(table::NAME)))
    }
}

fn string(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn count(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}
