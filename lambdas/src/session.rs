//! Who a connection is: names, rooms, and the rules that make a text a name.

use std::fmt;

pub use chat_protocol::Names;
use chat_protocol::name;
pub use chat_protocol::name::{EVERYBODY, InvalidName};

/// What a connection said and proved about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// Who is speaking. `None` only where [`Names::Optional`] allows it.
    pub name: Option<Name>,
    /// Who is spoken to. `None` only where [`Names::Optional`] allows it.
    pub friend: Option<Name>,
    /// Where messages to a room go, and come from.
    pub room: Room,
}

/// A text that may be one of a session's members, with the word for it that an error is to use.
pub type Claim<'a> = (&'static str, Option<&'a str>);

impl Session {
    /// Makes a session of three texts. A room that is not given is [`EVERYBODY`].
    ///
    /// # Errors
    /// [`InvalidSession`] for the first text that is absent and `names` requires it, or that is given and no [`Name`].
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
    /// Takes `text` as the name of a room if it is a name, unchanged.
    ///
    /// # Errors
    /// [`InvalidName`] with the first rule it breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        Name::parse(text).map(Self)
    }

    /// The room's name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether this is the room of those who name none.
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

/// Why nobody can be recognised in what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSession {
    /// A name was not given at all.
    #[error("`{field}` is missing; give it as a header or in the query string")]
    Missing {
        /// The header, query parameter or context member.
        field: &'static str,
    },
    /// A name was given and is none.
    #[error("`{field}` is not a name")]
    Name {
        /// The header, query parameter or context member.
        field: &'static str,
        /// The rule it breaks.
        source: InvalidName,
    },
}

/// The name of a person or a room, by the rule of [`chat_protocol::name`].
///
/// Names are compared letter by letter: `Tom` is not `tom`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// Takes `text` as a name if it is one, unchanged.
    ///
    /// # Errors
    /// [`InvalidName`] with the first rule it breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        name::check(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The name as it was given.
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

/// API Gateway's name for one open WebSocket. Opaque: nothing may be read out of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// Takes what API Gateway calls a connection.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as API Gateway gave it.
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
    fn the_missing_name_is_the_one_that_is_named() {
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
    fn where_names_are_optional_only_what_is_given_must_be_a_name() {
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
        fn a_text_by_the_rules_is_a_name_and_stays_as_it_is(
            text in "[A-Za-z0-9._@+'-]([A-Za-z0-9 ._@+'-]{0,62}[A-Za-z0-9._@+'-])?"
        ) {
            let name = Name::parse(&text).unwrap();
            prop_assert_eq!(name.as_str(), text);
        }
    }
}
