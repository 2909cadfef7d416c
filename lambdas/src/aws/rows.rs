//! Keys and attributes of the table's items, as DynamoDB has them.

use chat_protocol::table::{self, ALONE, CONNECTED_AT, CONNECTION, NAME, PARTITION, SORT};

use super::dynamo::Attribute;
pub(super) use super::dynamo::Item;
use crate::session::{ConnectionId, Name, Room};
use crate::shard::Shard;
use crate::store::{Device, Member, PageStart};

pub(super) fn user_key(name: &Name) -> String {
    table::user(name.as_str())
}

pub(super) fn room_key(room: &Room, shard: Shard) -> String {
    table::room(room.as_str(), shard.number())
}

pub(super) fn connection_key(name: &Name, connection: &ConnectionId) -> Item {
    key_of(&user_key(name), connection)
}

pub(super) fn member_key(room: &Room, connection: &ConnectionId) -> Item {
    key_of(
        &room_key(room, Shard::for_connection(connection)),
        connection,
    )
}

pub(super) fn key_of(partition: &str, connection: &ConnectionId) -> Item {
    item_key(partition, &table::connection(connection.as_str()))
}

pub(super) fn session_key(connection: &ConnectionId) -> Item {
    item_key(&table::connection(connection.as_str()), ALONE)
}

/// The key of any item.
pub(super) fn item_key(partition: &str, sort: &str) -> Item {
    Item::from([text(PARTITION, partition), text(SORT, sort)])
}

pub(super) fn device(item: &Item) -> Option<Device> {
    let connection = read_text(item, SORT)?.strip_prefix(CONNECTION)?;
    Some(Device {
        connection: ConnectionId::new(connection),
        connected_at: read_number(item, CONNECTED_AT),
    })
}

pub(super) fn member(item: &Item) -> Option<Member> {
    let name = read_text(item, NAME);
    Some(Member {
        name: name.and_then(|name| Name::parse(name).ok()),
        device: device(item)?,
    })
}

pub(super) fn start_after(key: &Item) -> Option<PageStart> {
    device(key).map(|device| PageStart(device.connection))
}

pub(super) fn text(attribute: &str, value: &str) -> (String, Attribute) {
    (attribute.to_owned(), Attribute::text(value))
}

pub(super) fn number(attribute: &str, value: u64) -> (String, Attribute) {
    (attribute.to_owned(), Attribute::number(value))
}

pub(super) fn read_text<'item>(item: &'item Item, attribute: &str) -> Option<&'item str> {
    match item.get(attribute)? {
        Attribute::S(text) => Some(text),
        _ => None,
    }
}

/// A missing or foreign value counts as the distant past: such a row has expired, and is no newcomer.
pub(super) fn read_number(item: &Item, attribute: &str) -> u64 {
    match item.get(attribute) {
        Some(Attribute::N(number)) => number.parse().unwrap_or_default(),
        _ => 0,
    }
}
