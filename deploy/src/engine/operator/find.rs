//! Which connections there are.

use std::collections::BTreeMap;

use chat_protocol::table::{self, FoundBy, ROOM_SHARDS};
use chat_protocol::{Index, name};
use futures_util::{StreamExt, stream};

use super::{AT_ONCE, Activity, ConnectionTable, Connections, Item, Key, Only, Page};
use crate::config::names::PersonName;
use crate::engine::{ErrorKind, TargetError};

/// The most parts of the table that are read for one answer, of 1 MB each. It bounds what a look at a table costs that
/// holds other items, too, such as those of users' handlers.
const MAX_PARTS: usize = 200;

/// Whose connections are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionFilter {
    /// Those of all users.
    Everybody,
    /// Those of the user with this name.
    Person(PersonName),
    /// Those in the room with this name.
    Room(PersonName),
    /// The one with this id.
    Connection(String),
}

/// A connection on record. It may have ended without an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordedConnection {
    /// Its id.
    pub connection: String,
    /// `None` if it connected without one.
    pub name: Option<String>,
    /// `None` in a chat without friends.
    pub friend: Option<String>,
    /// `None` in a chat without rooms.
    pub room: Option<String>,
    /// Seconds since the Unix epoch.
    pub connected_at: u64,
}

impl RecordedConnection {
    /// The longest open first, and devices of one name that opened in the same second together.
    fn order(&self) -> (u64, Option<&str>, &str) {
        (self.connected_at, self.name.as_deref(), &self.connection)
    }

    /// Everything that the table may hold of it, where connections are found by `index`.
    pub(super) fn keys(&self, index: Index) -> Vec<Key> {
        let sort = || table::connection(&self.connection);
        let by_name = self.name.as_deref().filter(|_| index.has_friend());
        let by_room = self.room.as_deref().filter(|_| index.has_room());
        let shard = table::shard(&self.connection);
        let partitions = [
            by_name.map(table::user),
            by_room.map(|room| table::room(room, shard)),
        ];
        let keys = partitions.into_iter().flatten();
        keys.map(|partition| Key {
            partition,
            sort: sort(),
        })
        .collect()
    }
}

/// The connections that `filter` selects and that have not expired `now` (seconds since the Unix epoch), the longest open first, and
/// whether these are all.
///
/// A person is found by one query if there are routes to a friend, a room by four; anything else is looked for in the
/// whole table. More than `most` are not read.
///
/// # Errors
/// The table cannot be read, or the chat has no rooms.
pub async fn find(
    source: &impl ConnectionTable,
    index: Index,
    filter: &ConnectionFilter,
    now: u64,
    most: usize,
) -> Result<(Vec<RecordedConnection>, bool), TargetError> {
    let mut reading = Reading {
        index,
        now,
        most,
        found: BTreeMap::new(),
        parts: 0,
        is_complete: true,
    };
    match filter {
        ConnectionFilter::Person(name) if index.has_friend() => {
            let partition = table::user(name.as_ref());
            let next = async |start| source.query(&partition, start).await;
            reading.read(next).await?;
        }
        ConnectionFilter::Room(room) if index.has_room() => {
            for shard in 0..ROOM_SHARDS {
                let partition = table::room(room.as_ref(), shard);
                let next = async |start| source.query(&partition, start).await;
                reading.read(next).await?;
            }
        }
        ConnectionFilter::Room(room) => {
            let message =
                format!("this chat has no room `{room}`: its routes lead to friends only");
            return Err(TargetError::new(ErrorKind::Usage, message).with_hint(
                "name a person instead; a route with `receivers = \"room\"` adds rooms",
            ));
        }
        ConnectionFilter::Person(_)
        | ConnectionFilter::Everybody
        | ConnectionFilter::Connection(_) => {
            let only = match filter {
                ConnectionFilter::Person(name) => Only::Name(name.as_ref()),
                ConnectionFilter::Connection(connection) => Only::Connection(connection),
                _ => Only::Connections,
            };
            let next = async |start| source.scan(only, start).await;
            reading.read(next).await?;
        }
    }
    let mut found: Vec<_> = reading.found.into_values().collect();
    found.sort_by(|a, b| a.order().cmp(&b.order()));
    Ok((found, reading.is_complete))
}

struct Reading {
    index: Index,
    now: u64,
    most: usize,
    /// By id: where connections are found by name and room, each has two items.
    found: BTreeMap<String, RecordedConnection>,
    parts: usize,
    is_complete: bool,
}

impl Reading {
    async fn read(
        &mut self,
        next: impl AsyncFn(Option<Key>) -> Result<Page, TargetError>,
    ) -> Result<(), TargetError> {
        let mut start = None;
        loop {
            if self.parts == MAX_PARTS {
                self.is_complete = false;
                return Ok(());
            }
            self.parts += 1;
            let page = next(start).await?;
            for item in page.items {
                self.add(item);
            }
            if self.found.len() >= self.most && page.next.is_some() {
                self.is_complete = false;
                return Ok(());
            }
            start = page.next;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    fn add(&mut self, item: Item) {
        let Some((connection, by)) = table::parse(&item.partition, &item.sort) else {
            return;
        };
        // DynamoDB removes expired items within days.
        if item.expires_at <= self.now {
            return;
        }
        let is_new = !self.found.contains_key(connection);
        if is_new && self.found.len() >= self.most {
            self.is_complete = false;
            return;
        }
        let everybody = || name::EVERYBODY.to_owned();
        let has_room = self.index.has_room();
        let found = self.found.entry(connection.to_owned()).or_default();
        found.connection = connection.to_owned();
        found.connected_at = item.connected_at;
        found.friend = found.friend.take().or(item.friend);
        match by {
            FoundBy::User(name) => {
                found.name = Some(name.to_owned());
                let room = item.room.or_else(|| has_room.then(everybody));
                found.room = found.room.take().or(room.filter(|_| has_room));
            }
            FoundBy::Room(room) => {
                found.room = Some(room.to_owned());
                found.name = found.name.take().or(item.name);
            }
        }
    }
}

/// What API Gateway says of each of `found`, in their order; `None` of one that has ended.
///
/// # Errors
/// API Gateway refuses or does not respond.
pub async fn activity(
    gateway: &impl Connections,
    found: &[RecordedConnection],
) -> Result<Vec<Option<Activity>>, TargetError> {
    let asked = found.iter().map(|one| gateway.activity(&one.connection));
    let mut asked = stream::iter(asked).buffered(AT_ONCE);
    let mut all = Vec::with_capacity(found.len());
    while let Some(one) = asked.next().await {
        all.push(one?);
    }
    Ok(all)
}
