//! What is on record about announcements, in DynamoDB.
//!
//! | item | `pk` | `sk` | attributes |
//! |---|---|---|---|
//! | the turn of a room | `P#<room>` | `turn` | `pending_until`, `held_until`, `held_by`, `expires_at` |
//! | the names that were announced | `P#<room>` | `announced` | `people`, `expires_at` |
//!
//! They are two items, because a write costs by the size of its item, and every change of a room may open its turn.

use chat_protocol::table::{self, EXPIRES_AT, PARTITION, SORT};

use super::DynamoStore;
use super::dynamo::{Attribute, Operation, Parameters};
use super::rows::{Item, item_key, member_key, read_number};
use super::table::Condition;
use crate::presence::{
    ANNOUNCED_LIFETIME_SECONDS, Announced, AnnouncementStore, Names, TURN_SECONDS,
};
use crate::session::{ConnectionId, Name, Room};
use crate::store::StoreError;

/// How long the item of a turn is kept after its last use, in seconds.
const KEPT_SECONDS: u64 = 24 * 60 * 60;

const OPEN: &str = "open the turn of a room";

impl DynamoStore {
    /// The item at `sort` of what is on record for `room`.
    async fn on_record(
        &self,
        room: &Room,
        sort: &str,
        attempt: &'static str,
    ) -> Result<Option<Item>, StoreError> {
        // Not `GetItem`: no function of a stack with an authorizer has that permission.
        let query = Parameters::key_condition(format!("{PARTITION} = :room AND {SORT} = :sort"))
            .value(":room", Attribute::text(table::announcing(room.as_str())))
            .value(":sort", Attribute::text(sort))
            .consistent_read(true);
        let found = self.send(Operation::Query, query, attempt).await?;
        Ok(found.items().first().cloned())
    }

    /// Sends `update`; whether its condition held.
    async fn updated(&self, update: Parameters, attempt: &'static str) -> Result<bool, StoreError> {
        self.holds(Operation::UpdateItem, update, attempt).await
    }
}

/// An update of the item at `sort` of what is on record for `room`.
fn update(room: &Room, sort: &str, expression: impl Into<String>) -> Parameters {
    Parameters::key(item_key(&table::announcing(room.as_str()), sort)).update(expression)
}

impl AnnouncementStore for DynamoStore {
    async fn open_turn(&self, room: &Room, now: u64) -> Result<bool, StoreError> {
        // Most changes of a busy room find an open turn. Reading costs a fifth of writing, and a partition takes three
        // times as many reads as writes.
        let turn = self.on_record(room, table::TURN, OPEN).await?;
        if turn.is_some_and(|turn| read_number(&turn, "pending_until") > now) {
            return Ok(false);
        }
        let update = update(
            room,
            table::TURN,
            format!("SET pending_until = :until, {EXPIRES_AT} = :expires"),
        )
        .condition("attribute_not_exists(pending_until) OR pending_until <= :now")
        .value(":now", Attribute::number(now))
        .value(":until", Attribute::number(now + TURN_SECONDS))
        .value(":expires", Attribute::number(now + KEPT_SECONDS));
        match self.condition(Operation::UpdateItem, update, OPEN).await? {
            Condition::Held => Ok(true),
            // An attempt whose response was lost may have opened it. A second announcer waits for the first; none at all
            // would leave the room unannounced.
            Condition::Failed { is_unanswered } => Ok(is_unanswered),
        }
    }

    async fn close_turn(&self, room: &Room) -> Result<(), StoreError> {
        let update = update(room, table::TURN, "REMOVE pending_until");
        self.updated(update, "close the turn of a room").await?;
        Ok(())
    }

    async fn take_turn(
        &self,
        room: &Room,
        holder: &str,
        now: u64,
        until: u64,
    ) -> Result<bool, StoreError> {
        let expression = format!(
            "SET held_until = :until, held_by = :holder, {EXPIRES_AT} = :expires REMOVE pending_until"
        );
        let update = update(room, table::TURN, expression)
            // Its own is what an attempt has left whose response was lost.
            .condition(
                "attribute_not_exists(held_until) OR held_until <= :now OR held_by = :holder",
            )
            .value(":now", Attribute::number(now))
            .value(":until", Attribute::number(until))
            .value(":holder", Attribute::text(holder))
            .value(":expires", Attribute::number(now + KEPT_SECONDS));
        self.updated(update, "take the turn of a room").await
    }

    async fn let_go(&self, room: &Room, holder: &str) -> Result<(), StoreError> {
        let update = update(room, table::TURN, "REMOVE held_until, held_by")
            .condition("held_by = :holder")
            .value(":holder", Attribute::text(holder));
        self.updated(update, "hand the turn of a room on").await?;
        Ok(())
    }

    async fn announced(&self, room: &Room, now: u64) -> Result<Announced, StoreError> {
        let attempt = "find who was announced in a room";
        let item = self
            .on_record(room, table::ANNOUNCED, attempt)
            .await?
            .filter(|item| read_number(item, EXPIRES_AT) > now);
        Ok(item.map_or_else(Announced::default, |item| {
            let names = match item.get("people") {
                Some(Attribute::Texts(names)) => &names[..],
                _ => &[],
            };
            let names = names.iter();
            Announced {
                names: names.filter_map(|name| Name::parse(name).ok()).collect(),
                expires_at: read_number(&item, EXPIRES_AT),
            }
        }))
    }

    async fn save_announced(&self, room: &Room, names: &Names, now: u64) -> Result<(), StoreError> {
        let expires = Attribute::number(now + ANNOUNCED_LIFETIME_SECONDS);
        // A set is never empty.
        let update = if names.is_empty() {
            let expression = format!("SET {EXPIRES_AT} = :expires REMOVE people");
            update(room, table::ANNOUNCED, expression)
        } else {
            let names = names.iter().map(ToString::to_string).collect();
            let expression = format!("SET {EXPIRES_AT} = :expires, people = :people");
            update(room, table::ANNOUNCED, expression).value(":people", Attribute::Texts(names))
        };
        let update = update.value(":expires", expires);
        self.updated(update, "record who was announced in a room")
            .await?;
        Ok(())
    }

    async fn take_out(&self, room: &Room, connection: &ConnectionId) -> Result<bool, StoreError> {
        // What was there costs nothing more
        // (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html).
        let delete = Parameters::key(member_key(room, connection)).return_values("ALL_OLD");
        let attempt = "remove a member of a room";
        let deleted = self.send(Operation::DeleteItem, delete, attempt).await?;
        let member = deleted.attributes;
        Ok(member.is_some_and(|member| member.contains_key(table::NAME)))
    }
}
