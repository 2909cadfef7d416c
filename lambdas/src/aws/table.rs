//! The table of connections in DynamoDB.
//!
//! | item | `pk` | `sk` | attributes |
//! |---|---|---|---|
//! | a connection, by its user | `U#<name>` | `C#<connection id>` | `friend`, `connected_at`, `expires_at`, and `room` if it is not `everybody` |
//! | a connection, in its room | `R#<room>#<shard>` | `C#<connection id>` | `connected_at`, `expires_at`, and `name` when it has one |
//! | what is on record about announcements | `P#<room>` | | see `announcement_store.rs` |
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
use std::sync::Arc;

use chat_protocol::table::{
    self, CONNECTED_AT, CONNECTION, EXPIRES_AT, FRIEND, NAME, PARTITION, ROOM, SORT,
};

use super::dynamo::{self, Attribute, Found, Operation, Parameters};
use super::failure::CallError;
use super::rows::{
    Item, connection_key, device, item_key, key_of, member, member_key, number, read_number,
    read_text, room_key, session_key, start_after, text, user_key,
};
use super::service::Service;
use crate::session::{ConnectionId, Name, Names, Room, Session};
use crate::shard::Shard;
use crate::store::{
    COUNT_LIFETIME_SECONDS, ConnectionStore, Device, PAGE_ROWS, Page, PageStart, People, Presence,
    Read, StoreError,
};

/// The table of connections in DynamoDB: string keys `pk` and `sk`, TTL on `expires_at`.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    service: Arc<Service>,
    table: String,
}

/// What became of a write with a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Held,
    Failed {
        /// Whether an attempt before had no response, so that it may have been written by that.
        is_unanswered: bool,
    },
}

impl DynamoStore {
    pub(super) fn new(service: Service, table: String) -> Self {
        let service = Arc::new(service);
        Self { service, table }
    }

    /// Sends `operation` with `parameters`, in the course of `attempt`.
    pub(super) async fn send(
        &self,
        operation: Operation,
        parameters: Parameters,
        attempt: &'static str,
    ) -> Result<Found, StoreError> {
        let sent = dynamo::send(&self.service, &self.table, operation, &parameters).await;
        sent.map_err(|error| self.failure(attempt, operation, error))
    }

    /// Sends a write with a condition; whether it held.
    pub(super) async fn holds(
        &self,
        operation: Operation,
        parameters: Parameters,
        attempt: &'static str,
    ) -> Result<bool, StoreError> {
        let condition = self.condition(operation, parameters, attempt).await?;
        Ok(condition == Condition::Held)
    }

    /// Sends a write with a condition.
    pub(super) async fn condition(
        &self,
        operation: Operation,
        parameters: Parameters,
        attempt: &'static str,
    ) -> Result<Condition, StoreError> {
        match dynamo::send(&self.service, &self.table, operation, &parameters).await {
            Ok(_) => Ok(Condition::Held),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
                let is_unanswered = error.is_unanswered;
                Ok(Condition::Failed { is_unanswered })
            }
            Err(error) => Err(self.failure(attempt, operation, error)),
        }
    }

    pub(super) async fn put(&self, item: Item, attempt: &'static str) -> Result<(), StoreError> {
        let put = Parameters::item(item);
        self.send(Operation::PutItem, put, attempt).await.map(drop)
    }

    pub(super) async fn delete(&self, key: Item, attempt: &'static str) -> Result<(), StoreError> {
        let delete = Parameters::key(key);
        let deleted = self.send(Operation::DeleteItem, delete, attempt);
        deleted.await.map(drop)
    }

    fn failure(&self, attempt: &'static str, operation: Operation, error: CallError) -> StoreError {
        let is_denied = error.code() == Some("AccessDeniedException");
        StoreError {
            denied: is_denied.then_some(operation.action()),
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

/// A query for the connections in one partition that have not expired.
fn connections_in(partition: String, now: u64) -> Parameters {
    Parameters::key_condition(format!(
        "{PARTITION} = :pk AND begins_with({SORT}, :connection)"
    ))
    .filter(format!("{EXPIRES_AT} > :now"))
    .projection(format!("{SORT}, {CONNECTED_AT}"))
    .value(":pk", Attribute::text(partition))
    .value(":connection", Attribute::text(CONNECTION))
    .value(":now", Attribute::number(now))
}

/// A query for a page of members.
fn page_of(room: &Room, shard: Shard, now: u64, start: Option<PageStart>) -> Parameters {
    let partition = room_key(room, shard);
    let start = start.map(|PageStart(connection)| key_of(&partition, &connection));
    connections_in(partition, now)
        .consistent_read(true)
        .limit(PAGE_ROWS)
        .start_key(start)
}

impl ConnectionStore for DynamoStore {
    async fn remember(&self, presence: &Presence) -> Result<(), StoreError> {
        let Session { name, friend, room } = &presence.session;
        let Some(name) = name else {
            return Ok(());
        };
        let mut item = connection_key(name, &presence.connection);
        item.extend(friend.as_ref().map(|name| text(FRIEND, name.as_str())));
        // For the operator: where there are both kinds of routes, the room leads to the other item.
        item.extend((!room.is_everybody()).then(|| text(ROOM, room.as_str())));
        item.extend([
            number(CONNECTED_AT, presence.connected_at),
            number(EXPIRES_AT, presence.expires_at()),
        ]);
        self.put(item, "record a connection").await
    }

    async fn join(&self, presence: &Presence) -> Result<(), StoreError> {
        let Session { name, room, .. } = &presence.session;
        let mut item = member_key(room, &presence.connection);
        item.extend(name.as_ref().map(|name| text(NAME, name.as_str())));
        item.extend([
            number(CONNECTED_AT, presence.connected_at),
            number(EXPIRES_AT, presence.expires_at()),
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
        let query = page_of(room, shard, now, start);
        let page = self.send(Operation::Query, query, FIND_MEMBERS).await?;
        Ok(Page {
            members: page.items().iter().filter_map(device).collect(),
            next: page.last_evaluated_key.as_ref().and_then(start_after),
        })
    }

    async fn people(
        &self,
        room: &Room,
        shard: Shard,
        now: u64,
        start: Option<PageStart>,
    ) -> Result<People, StoreError> {
        let query = page_of(room, shard, now, start)
            .projection(format!("{SORT}, {CONNECTED_AT}, #name"))
            .name("#name", NAME);
        let page = self.send(Operation::Query, query, FIND_MEMBERS).await?;
        Ok(People {
            members: page.items().iter().filter_map(member).collect(),
            next: page.last_evaluated_key.as_ref().and_then(start_after),
        })
    }

    async fn remember_session(&self, presence: &Presence) -> Result<(), StoreError> {
        let mut item = session_key(&presence.connection);
        let Session { name, friend, room } = &presence.session;
        item.extend(name.as_ref().map(|name| text(NAME, name.as_str())));
        item.extend(friend.as_ref().map(|name| text(FRIEND, name.as_str())));
        item.extend((!room.is_everybody()).then(|| text(ROOM, room.as_str())));
        item.extend([number(EXPIRES_AT, presence.expires_at())]);
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
            let query = connections_in(user_key(name), now)
                .consistent_read(read == Read::Consistent)
                .start_key(next_page);
            let page = self.send(Operation::Query, query, attempt).await?;
            devices.extend(page.items().iter().filter_map(device));
            next_page = page.last_evaluated_key;
            if next_page.is_none() {
                return Ok(devices);
            }
        }
    }

    async fn ban_of(&self, name: &Name, now: u64) -> Result<Option<u64>, StoreError> {
        // Not `GetItem`: no function of a stack with an authorizer has that permission.
        let query = Parameters::key_condition(format!("{PARTITION} = :ban AND {SORT} = :alone"))
            .value(":ban", Attribute::text(table::ban(name.as_str())))
            .value(":alone", Attribute::text(table::ALONE))
            .consistent_read(true);
        let answer = self.send(Operation::Query, query, "find a ban").await?;
        let item = answer.items().first();
        let until = item.map(|item| read_number(item, EXPIRES_AT));
        Ok(until.filter(|until| *until > now))
    }

    async fn count_message(
        &self,
        connection: &ConnectionId,
        second: u64,
        most: u32,
    ) -> Result<bool, StoreError> {
        // Sent again after a lost response, because a message that could not be counted is not passed on, which is worse than
        // one that counts twice.
        //
        // An item for each second, because one update cannot both begin a new second and count within one: this is one
        // write unit, whatever the outcome.
        let partition = table::message_counts(connection.as_str());
        let key = item_key(&partition, &second.to_string());
        let update = Parameters::key(key)
            .update(format!("SET {EXPIRES_AT} = :expires ADD sent :one"))
            .condition("attribute_not_exists(sent) OR sent < :most")
            .value(
                ":expires",
                Attribute::number(second + COUNT_LIFETIME_SECONDS),
            )
            .value(":one", Attribute::number(1))
            .value(":most", Attribute::number(most));
        self.holds(Operation::UpdateItem, update, "count a message")
            .await
    }

    async fn session_of(
        &self,
        connection: &ConnectionId,
        now: u64,
    ) -> Result<Option<Session>, StoreError> {
        let attempt = "find the session of a connection";
        // A first message may follow its connect within milliseconds.
        let get = Parameters::key(session_key(connection)).consistent_read(true);
        let answer = self.send(Operation::GetItem, get, attempt).await?;
        let Some(item) = answer
            .item
            .filter(|item| read_number(item, EXPIRES_AT) > now)
        else {
            return Ok(None);
        };
        Session::parse(
            (NAME, read_text(&item, NAME)),
            (FRIEND, read_text(&item, FRIEND)),
            (ROOM, read_text(&item, ROOM)),
            // Whether they were required was decided when it was written.
            Names::Optional,
        )
        .map(Some)
        .map_err(|error| self.unusable(attempt, error))
    }
}

const FIND_MEMBERS: &str = "find the members of a room";
