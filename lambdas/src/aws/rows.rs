//! Keys and attributes of the table's items, as DynamoDB has them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chat_protocol::table;

use crate::session::{ConnectionId, Name, Room};
use crate::shard::Shard;
use crate::store::{Device, Member, PageStart};

/// One item of the table.
pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const CONNECTION: &str = table::CONNECTION;

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
    Item::from([
        text("pk", partition),
        text("sk", &format!("{CONNECTION}{connection}")),
    ])
}

pub(super) fn session_key(connection: &ConnectionId) -> Item {
    Item::from([
        text("pk", &format!("{CONNECTION}{connection}")),
        text("sk", "#"),
    ])
}

pub(super) fn device(item: &Item) -> Option<Device> {
    let connection = read_text(item, "sk")?.strip_prefix(CONNECTION)?;
    Some(Device {
        connection: ConnectionId::new(connection),
        connected_at: read_number(item, "connected_at"),
    })
}

pub(super) fn member(item: &Item) -> Option<Member> {
    let name = read_text(item, "name");
    Some(Member {
        name: name.and_then(|name| Name::parse(name).ok()),
        device: device(item)?,
    })
}

pub(super) fn start_after(key: &Item) -> Option<PageStart> {
    device(key).map(|device| PageStart(device.connection))
}

pub(super) fn text(attribute: &str, value: &str) -> (String, AttributeValue) {
    (attribute.to_owned(), AttributeValue::S(value.to_owned()))
}

pub(super) fn number(attribute: &str, value: u64) -> (String, AttributeValue) {
    (attribute.to_owned(), AttributeValue::N(value.to_string()))
}

pub(super) fn read_text<'item>(item: &'item Item, attribute: &str) -> Option<&'item str> {
    Some(item.get(attribute)?.as_s().ok()?)
}

/// A missing or foreign value counts as the distant past: such a row has expired, and is no newcomer.
pub(super) fn read_number(item: &Item, attribute: &str) -> u64 {
    let number = item.get(attribute).and_then(|value| value.as_n().ok());
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}
