//! The identity of a connection: names, rooms, and the rules for names.

use std::fmt;

pub use chat_protocol::Names;
use chat_protocol::name;
pub use chat_protocol::name::{EVERYBODY, InvalidName};

/// The claimed or proven identity of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// The user. `None` only where [`Names::Optional`] allows it.
    pub name: Option<Name>,
    /// The friend. `None` only where [`Names::Optional`] allows it.
    pub friend: Option<Name>,
    /// The room whose messages the connection sends and receives.
    pub room: Room,
}

/// A claimed value of a session, with the field's name for errors.
pub type Claim<'a> = (&'static str, Option<&'a str>);

impl Session {
    /// Makes a session of three strings. The default room is [`EVERYBODY`].
    ///
    /// # Errors
    /// [`InvalidSession`] for the first value that is missing and required by `names`, or that is not a valid [`Name`].
    pub fn parse(
        name: Claim<'_>,
        friend: Claim<'_>,
        room: Claim<'_>,
        names: Names,
    ) -> Result<Self, InvalidSession> {
        let person = |claim| match names {
            Names::Required => required(claim).map(Some),
            Names::Optional => optional(claim),
        };
        Ok(Self {
            name: person(name)?,
            friend: person(friend)?,
            room: optional(room)?.map(Room).unwrap_or_default(),
        })
    }
}

fn required((field, text): Claim<'_>) -> Result<Name, InvalidSession> {
    optional((field, text))?.ok_or(InvalidSession::Missing { field })
}

fn optional((field, text): Claim<'_>) -> Result<Option<Name>, InvalidSession> {
    text.map(Name::parse)
        .transpose()
        .map_err(|source| InvalidSession::Name { field, source })
}

/// The name of a room, by the rules of a [`Name`]. By default [`EVERYBODY`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Room(Name);

impl Room {
    /// Returns `text` as the name of a room if it is a valid name, unchanged.
    ///
    /// # Errors
    /// [`InvalidName`] with the first violated rule.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        Name::parse(text).map(Self)
    }

    /// The room's name, unchanged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether this is the default room.
    #[must_use]
    pub fn is_everybody(&self) -> bool {
        self.as_str() == EVERYBODY
    }
}

impl Default for Room {
    fn default() -> Self {
        Self(Name(EVERYBODY.to_owned()))
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Room({:?})", self.as_str())
    }
}

impl fmt::Display for Room {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why a session is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSession {
    /// A name is missing.
    #[error("`{field}` is missing; send it as a header or in the query string")]
    Missing {
        /// The header, query parameter or context field.
        field: &'static str,
    },
    /// A value is not a valid name.
    #[error("`{field}` is not a name")]
    Name {
        /// The header, query parameter or context field.
        field: &'static str,
        /// The violated rule.
        source: InvalidName,
    },
}

/// The name of a user or a room, by the rule of [`chat_protocol::name`].
///
/// Names are compared case-sensitively: `Tom` is not `tom`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// Returns `text` as a name if it is valid, unchanged.
    ///
    /// # Errors
    /// [`InvalidName`] with the first violated rule.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        name::check(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The name, unchanged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Name({:?})", self.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// API Gateway's id of one open WebSocket. It is opaque.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// Wraps API Gateway's connection id.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id, unchanged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidName, InvalidSession, Name, Names, Room, Session};
    use proptest::prelude::*;

    #[test]
    fn the_error_names_the_missing_name() {
        let field = |name, friend| {
            let room = ("msgroom", None);
            Session::parse(("msgfrom", name), ("msgto", friend), room, Names::Required)
        };
        assert_eq!(
            field(None, None),
            Err(InvalidSession::Missing { field: "msgfrom" })
        );
        assert_eq!(
            field(Some("Tom"), None),
            Err(InvalidSession::Missing { field: "msgto" })
        );
        assert_eq!(
            field(Some("Tom"), Some("")),
            Err(InvalidSession::Name {
                field: "msgto",
                source: InvalidName::Empty
            })
        );
    }

    #[test]
    fn optional_names_must_still_be_valid() {
        let session = |name, friend, room| {
            let claims = (("name", name), ("friend", friend), ("room", room));
            Session::parse(claims.0, claims.1, claims.2, Names::Optional)
        };
        assert_eq!(session(None, None, None), Ok(Session::default()));
        assert_eq!(Session::default().room.as_str(), "everybody");
        let named = session(Some("Tom"), None, Some("kitchen")).unwrap();
        assert_eq!(named.name, Some(Name::parse("Tom").unwrap()));
        assert_eq!(named.friend, None);
        assert_eq!(named.room, Room::parse("kitchen").unwrap());
        let source = InvalidName::Empty;
        for (claims, field) in [
            ((Some(""), None, None), "name"),
            ((None, Some(""), None), "friend"),
            ((None, None, Some("")), "room"),
        ] {
            let invalid = Err(InvalidSession::Name { field, source });
            assert_eq!(session(claims.0, claims.1, claims.2), invalid);
        }
    }

    proptest! {
        #[test]
        fn a_valid_name_is_accepted_unchanged(
            text in "[A-Za-z0-9._@+'-]([A-Za-z0-9 ._@+'-]{0,62}[A-Za-z0-9._@+'-])?"
        ) {
            let name = Name::parse(&text).unwrap();
            prop_assert_eq!(name.as_str(), text);
        }
    }
}
