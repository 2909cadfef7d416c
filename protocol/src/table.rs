//! The keys of the items in the table of connections.
//!
//! The functions write the items, and the command reads and removes them for the stack's operator. The kinds never
//! collide: their keys begin differently, and no name contains `#`.

/// The partition key.
pub const PARTITION: &str = "pk";

/// The sort key.
pub const SORT: &str = "sk";

/// The number with which an item expires, in seconds since the Unix epoch. Items of users' handlers have none.
pub const EXPIRES_AT: &str = "expires_at";

/// The number of a connection's begin, in seconds since the Unix epoch.
pub const CONNECTED_AT: &str = "connected_at";

/// The user's name, in an item that is not found by it.
pub const NAME: &str = "name";

/// The name of the user's friend.
pub const FRIEND: &str = "friend";

/// The room, in an item that is not found by it. Absent for [`EVERYBODY`](crate::name::EVERYBODY).
pub const ROOM: &str = "room";

/// Begins the partition of a user's connections.
const USER: &str = "U#";

/// Begins the partition of a room's members in one of its shards.
const MEMBERS: &str = "R#";

/// Begins the partition of a ban.
const BAN: &str = "B#";

/// Begins the partition of what is on record about the announcements in a room.
const ANNOUNCING: &str = "P#";

/// Begins the partition of the numbers of a connection's messages.
const MESSAGE_COUNTS: &str = "L#";

/// Begins the partition of an item of a user's handler.
const HANDLER_ITEM: &str = "H#";

/// Begins the partition of the messages that are kept of a conversation.
pub const CONVERSATION: &str = "M#";

/// The frame of a message that is kept, or of a deletion, as its receivers got it. Its item has the entry's id as sort key.
pub const FRAME: &str = "frame";

/// The frame of the deletion, in the item of a message that was deleted. Such an item has no [`FRAME`].
pub const DELETED: &str = "deleted";

/// Begins the sort key of a connection's item.
pub const CONNECTION: &str = "C#";

/// The sort key of an item that is alone in its partition.
pub const ALONE: &str = "#";

/// The number of partitions of each room. Changing it loses the connections that are open at that moment.
///
/// One partition accepts some 1,000 writes a second
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>), which bounds the
/// members that enter or leave a room of one shard.
pub const ROOM_SHARDS: u8 = 4;

/// The partition of the connections of the user `name`.
#[must_use]
pub fn user(name: &str) -> String {
    format!("{USER}{name}")
}

/// The partition of the members of `room` in one of its shards.
#[must_use]
pub fn room(room: &str, shard: u8) -> String {
    format!("{MEMBERS}{room}#{shard}")
}

/// The partition of the ban on `name`, whose item is [`ALONE`] in it.
#[must_use]
pub fn ban(name: &str) -> String {
    format!("{BAN}{name}")
}

/// The partition of what is on record about the announcements in `room`.
#[must_use]
pub fn announcing(room: &str) -> String {
    format!("{ANNOUNCING}{room}")
}

/// The partition of the numbers of `connection`'s messages, an item for each second. The sort key is the second since the Unix
/// epoch.
#[must_use]
pub fn message_counts(connection: &str) -> String {
    format!("{MESSAGE_COUNTS}{connection}")
}

/// The partition of the item of a user's handler with `key`, whose item is [`ALONE`] in it.
#[must_use]
pub fn handler_item(key: &str) -> String {
    format!("{HANDLER_ITEM}{key}")
}

/// The sort key of the item by which functions agree who announces in a room.
pub const TURN: &str = "turn";

/// The sort key of the item with the names that were announced in a room.
pub const ANNOUNCED: &str = "announced";

/// The partition of the messages that are kept of `room`.
///
/// A conversation is one partition. One accepts 1,000 write units and 3,000 read units a second
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>), and a message of 1 KB is
/// one write unit. A room of 10 with 1,000 messages a second would need the 10,000 posts a second that API Gateway grants an
/// account (<https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>), so posts are exhausted first. Its size
/// is not limited, because the table has no local secondary index
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html>). Partitions by day or shard would make a
/// page several queries, and nothing faster.
#[must_use]
pub fn messages_in(room: &str) -> String {
    format!("{CONVERSATION}{MEMBERS}{room}")
}

/// The partition of the messages that are kept between two people, in either order.
#[must_use]
pub fn messages_between(one: &str, other: &str) -> String {
    let (first, second) = if one <= other {
        (one, other)
    } else {
        (other, one)
    };
    format!("{CONVERSATION}{USER}{first}#{second}")
}

/// The sort key of `connection`'s item, which is also the partition of its session where there is no authorizer.
#[must_use]
pub fn connection(connection: &str) -> String {
    format!("{CONNECTION}{connection}")
}

/// The shard of `connection` in any room, which never changes.
#[must_use]
pub fn shard(connection: &str) -> u8 {
    // FNV-1a, because the standard library's hash may change in the next version. The low bits of each step depend
    // only on the low bits of the text, so the high ones decide.
    let hash = connection
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let high = hash >> 32;
    (high % u64::from(ROOM_SHARDS)) as u8
}

/// What the keys of a connection's item say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundBy<'a> {
    /// The user's name.
    User(&'a str),
    /// The room.
    Room(&'a str),
}

/// The connection whose item has these keys, and what it is found by; `None` for an item of another kind.
#[must_use]
pub fn parse<'a>(partition: &'a str, sort: &'a str) -> Option<(&'a str, FoundBy<'a>)> {
    let connection = sort.strip_prefix(CONNECTION)?;
    if let Some(name) = partition.strip_prefix(USER) {
        return Some((connection, FoundBy::User(name)));
    }
    let (room, _shard) = partition.strip_prefix(MEMBERS)?.rsplit_once('#')?;
    Some((connection, FoundBy::Room(room)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_never_change_and_are_read_back() {
        let sort = connection("BFaT_fALIAMCKug=");
        assert_eq!(sort, "C#BFaT_fALIAMCKug=");
        let (user, room) = (user("Ann Lee"), room("kitchen", 3));
        assert_eq!((user.as_str(), room.as_str()), ("U#Ann Lee", "R#kitchen#3"));
        assert_eq!(ban("Ann"), "B#Ann");
        assert_eq!(announcing("kitchen"), "P#kitchen");
        assert_eq!(message_counts("BFaT_fALIAMCKug="), "L#BFaT_fALIAMCKug=");
        assert_eq!(handler_item("score"), "H#score");
        assert_eq!(messages_in("kitchen"), "M#R#kitchen");
        for (one, other) in [("Ann", "Bob"), ("Bob", "Ann")] {
            assert_eq!(messages_between(one, other), "M#U#Ann#Bob");
        }
        let found = |partition| parse(partition, &sort).map(|(_, by)| by);
        assert_eq!(found(&user), Some(FoundBy::User("Ann Lee")));
        assert_eq!(found(&room), Some(FoundBy::Room("kitchen")));
        assert_eq!(parse(&room, &sort).unwrap().0, "BFaT_fALIAMCKug=");
    }

    #[test]
    fn items_of_other_kinds_are_no_connections() {
        for (partition, sort) in [
            ("H#score", ALONE),
            ("C#BFaT_fALIAMCKug=", ALONE),
            ("B#Ann", ALONE),
            ("P#kitchen", TURN),
            ("P#kitchen", ANNOUNCED),
            ("L#BFaT_fALIAMCKug=", "1700000000"),
            ("H#U#Ann", "C#x"),
            ("M#R#kitchen", "01KDVDNA3VZ45Q3VGG66KE622W"),
            ("M#U#Ann#Bob", "01KDVDNA3VZ45Q3VGG66KE622W"),
            ("R#kitchen", "C#x"),
        ] {
            assert_eq!(parse(partition, sort), None, "{partition}");
        }
    }
}
