//! The table of connections in DynamoDB.
//!
//! | item | `pk` | `sk` | attributes |
//! |---|---|---|---|
//! | a connection, by its user | `U#<name>` | `C#<connection id>` | `friend`, `connected_at`, `expires_at`, and `room` if it is not `everybody` |
//! | a connection, in its room | `R#<room>#<shard>` | `C#<connection id>` | `connected_at`, `expires_at`, and `name` when it has one |
//! | what is on record about announcements | `P#<room>` | | see `attendance.rs` |
//! | a ban | `B#<name>` | `#` | `expires_at` |
//! | the messages of a connection in one second, with `messages-per-second` | `L#<connection id>` | the second |
//! `sent`, `expires_at` |
//! | an item of a user's handler | `H#<key>` | `#` | `value`, `counter` |
//! | a connection's own record, if there is no authorizer | `C#<connection id>` | `#` | `name`, `friend`, `room` if
//! known, `expires_at` |
//!
//! Messages that are kept are in `history.rs`.
//!
//! `expires_at` is the table's TTL attribute; items of handlers have none. The kinds never collide: their keys begin
//! differently, a sort key of the first two is never `#`, and names contain no `#`.

use std::error::Error;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;

use chat_protocol::table;

use super::rows::{
    CONNECTION, Item, connection_key, device, key_of, member, member_key, number, read_number,
    read_text, room_key, session_key, start_after, text, user_key,
};
use crate::session::{ConnectionId, Name, Names, Room, Session};
use crate::shard::Shard;
use crate::store::{
    COUNT_LIFETIME_SECONDS, ConnectionStore, Device, PAGE_ROWS, Page, PageStart, People, Presence,
    Read, StoreError,
};

/// The table of connections in DynamoDB: string keys `pk` and `sk`, TTL on `expires_at`.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    pub(super) client: Client,
    pub(super) table: String,
}

impl DynamoStore {
    pub(super) const fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    pub(super) async fn put(&self, item: Item, attempt: &'static str) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table);
        put.set_item(Some(item))
            .send()
            .await
            .map_err(|error| self.failure(attempt, "dynamodb:PutItem", error))?;
        Ok(())
    }

    pub(super) async fn delete(&self, key: Item, attempt: &'static str) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table);
        delete
            .set_key(Some(key))
            .send()
            .await
            .map_err(|error| self.failure(attempt, "dynamodb:DeleteItem", error))?;
        Ok(())
    }

    /// A query for the connections in one partition that have not expired.
    fn connections_in(&self, partition: String, now: u64) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :connection)")
            .filter_expression("expires_at > :now")
            .projection_expression("sk, connected_at")
            .expression_attribute_values(":pk", AttributeValue::S(partition))
            .expression_attribute_values(":connection", AttributeValue::S(CONNECTION.to_owned()))
            .expression_attribute_values(":now", AttributeValue::N(now.to_string()))
    }

    /// A query for a page of members.
    fn page_of(
        &self,
        room: &Room,
        shard: Shard,
        now: u64,
        start: Option<PageStart>,
    ) -> QueryFluentBuilder {
        let partition = room_key(room, shard);
        let start = start.map(|PageStart(connection)| key_of(&partition, &connection));
        self.connections_in(partition, now)
            .consistent_read(true)
            .limit(i32::from(PAGE_ROWS))
            .set_exclusive_start_key(start)
    }

    /// The error of a request that needs `action`.
    pub(super) fn failure<E>(
        &self,
        attempt: &'static str,
        action: &'static str,
        error: SdkError<E>,
    ) -> StoreError
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let is_denied = error.code() == Some("AccessDeniedException");
        StoreError {
            denied: is_denied.then_some(action),
            ..self.unusable(attempt, error)
        }
    }

    fn unusable(
        &self,
        attempt: &'static str,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> StoreError {
        StoreError {
            attempt,
            table: self.table.clone(),
            denied: None,
            source: error.into(),
        }
    }
}

impl ConnectionStore for DynamoStore {
    async fn remember(&self, presence: &Presence) -> Result<(), StoreError> {
        let Session { name, friend, room } = &presence.session;
        let Some(name) = name else {
            return Ok(());
        };
        let mut item = connection_key(name, &presence.connection);
        item.extend(friend.as_ref().map(|name| text("friend", name.as_str())));
        // For the operator: where there are both kinds of routes, the room leads to the other item.
        item.extend((!room.is_everybody()).then(|| text("room", room.as_str())));
        item.extend([
            number("connected_at", presence.connected_at),
            number("expires_at", presence.expires_at()),
        ]);
        self.put(item, "record a connection").await
    }

    async fn join(&self, presence: &Presence) -> Result<(), StoreError> {
        let Session { name, room, .. } = &presence.session;
        let mut item = member_key(room, &presence.connection);
        item.extend(name.as_ref().map(|name| text("name", name.as_str())));
        item.extend([
            number("connected_at", presence.connected_at),
            number("expires_at", presence.expires_at()),
        ]);
        self.put(item, "record a member of a room").await
    }

    async fn leave(&self, room: &Room, connection: &ConnectionId) -> Result<(), StoreError> {
        self.delete(member_key(room, connection), "remove a member of a room")
            .await
    }

    async fn members(
        &self,
        room: &Room,
        shard: Shard,
        now: u64,
        start: Option<PageStart>,
    ) -> Result<Page, StoreError> {
        let page = self.page_of(room, shard, now, start).send().await;
        let page = page.map_err(|error| self.failure(FIND_MEMBERS, QUERY, error))?;
        Ok(Page {
            members: page.items().iter().filter_map(device).collect(),
            next: page.last_evaluated_key().and_then(start_after),
        })
    }

    async fn people(
        &self,
        room: &Room,
        shard: Shard,
        now: u64,
        start: Option<PageStart>,
    ) -> Result<People, StoreError> {
        let query = self
            .page_of(room, shard, now, start)
            .projection_expression("sk, connected_at, #name")
            .expression_attribute_names("#name", "name");
        let page = query.send().await;
        let page = page.map_err(|error| self.failure(FIND_MEMBERS, QUERY, error))?;
        Ok(People {
            members: page.items().iter().filter_map(member).collect(),
            next: page.last_evaluated_key().and_then(start_after),
        })
    }

    async fn remember_session(&self, presence: &Presence) -> Result<(), StoreError> {
        let mut item = session_key(&presence.connection);
        let Session { name, friend, room } = &presence.session;
        item.extend(name.as_ref().map(|name| text("name", name.as_str())));
        item.extend(friend.as_ref().map(|name| text("friend", name.as_str())));
        item.extend((!room.is_everybody()).then(|| text("room", room.as_str())));
        item.extend([number("expires_at", presence.expires_at())]);
        self.put(item, "record a session").await
    }

    async fn forget(&self, name: &Name, connection: &ConnectionId) -> Result<(), StoreError> {
        self.delete(connection_key(name, connection), "remove a connection")
            .await
    }

    async fn forget_session(&self, connection: &ConnectionId) -> Result<(), StoreError> {
        self.delete(session_key(connection), "remove a session")
            .await
    }

    async fn connections_of(
        &self,
        name: &Name,
        now: u64,
        read: Read,
    ) -> Result<Vec<Device>, StoreError> {
        let attempt = "find a user's connections";
        let mut devices = Vec::new();
        let mut next_page = None;
        loop {
            let page = self
                .connections_in(user_key(name), now)
                .consistent_read(read == Read::Consistent)
                .set_exclusive_start_key(next_page)
                .send()
                .await
                .map_err(|error| self.failure(attempt, QUERY, error))?;
            devices.extend(page.items().iter().filter_map(device));
            next_page = page.last_evaluated_key;
            if next_page.is_none() {
                return Ok(devices);
            }
        }
    }

    async fn ban_of(&self, name: &Name, now: u64) -> Result<Option<u64>, StoreError> {
        let ban = AttributeValue::S(table::ban(name.as_str()));
        let alone = AttributeValue::S(table::ALONE.to_owned());
        // Not `GetItem`: no function of a stack with an authorizer has that right.
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :ban AND sk = :alone")
            .expression_attribute_values(":ban", ban)
            .expression_attribute_values(":alone", alone)
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| self.failure("find a ban", QUERY, error))?;
        let item = answer.items().first();
        let until = item.map(|item| read_number(item, "expires_at"));
        Ok(until.filter(|until| *until > now))
    }

    async fn count_message(
        &self,
        connection: &ConnectionId,
        second: u64,
        most: u32,
    ) -> Result<bool, StoreError> {
        // An item for each second, because one update cannot both begin a new second and count within one: this is one
        // write unit, whatever the outcome.
        let key = Item::from([
            text("pk", &format!("L#{connection}")),
            text("sk", &second.to_string()),
        ]);
        let number = |number: u64| AttributeValue::N(number.to_string());
        let counted = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .update_expression("SET expires_at = :expires ADD sent :one")
            .condition_expression("attribute_not_exists(sent) OR sent < :most")
            .expression_attribute_values(":expires", number(second + COUNT_LIFETIME_SECONDS))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(most.into()))
            .send()
            .await;
        match counted {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(self.failure("count a message", "dynamodb:UpdateItem", error)),
        }
    }

    async fn session_of(
        &self,
        connection: &ConnectionId,
        now: u64,
    ) -> Result<Option<Session>, StoreError> {
        let attempt = "find the session of a connection";
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(session_key(connection)))
            // A first message may follow its connect within milliseconds.
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| self.failure(attempt, "dynamodb:GetItem", error))?;
        let Some(item) = answer
            .item
            .filter(|item| read_number(item, "expires_at") > now)
        else {
            return Ok(None);
        };
        Session::parse(
            ("name", read_text(&item, "name")),
            ("friend", read_text(&item, "friend")),
            ("room", read_text(&item, "room")),
            // Whether they were required was decided when it was written.
            Names::Optional,
        )
        .map(Some)
        .map_err(|error| self.unusable(attempt, error))
    }
}

const QUERY: &str = "dynamodb:Query";

const FIND_MEMBERS: &str = "find the members of a room";
