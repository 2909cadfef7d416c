//! Who a connection is: names, rooms, and the rules that make a text a name.

use std::fmt;

/// The longest name, in characters. Ours: it keeps keys, logs and authorizer contexts small.
pub const MAXIMUM_NAME_LENGTH: usize = 64;

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

/// Whether a connection must say who it is and whom it talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Both names, or nobody gets in: messages to friends could not be delivered otherwise.
    Required,
    /// Each may be absent. One that is given must be a name all the same.
    Optional,
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

/// The room of everybody who names none.
pub const EVERYBODY: &str = "everybody";

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

/// The name of a person or a room: 1 to 64 of the ASCII letters, digits and ``._@+'-``, and spaces between them.
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
        if text.is_empty() {
            return Err(InvalidName::Empty);
        }
        if let Some(character) = text.chars().find(|character| !is_allowed(*character)) {
            return Err(InvalidName::Character(character));
        }
        if text.len() > MAXIMUM_NAME_LENGTH {
            return Err(InvalidName::TooLong(text.len()));
        }
        if text.starts_with(' ') || text.ends_with(' ') {
            return Err(InvalidName::SpaceAtAnEnd);
        }
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

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || " ._@+'-".contains(character)
}

/// Why a text is no name. Shows at most one character of the text, escaped, so that it may go into a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// It has no characters.
    #[error("it is empty")]
    Empty,
    /// It has this many characters.
    #[error("it has {0} characters, {MAXIMUM_NAME_LENGTH} are allowed")]
    TooLong(usize),
    /// It begins or ends with a space.
    #[error("it begins or ends with a space")]
    SpaceAtAnEnd,
    /// It contains this character.
    #[error("{0:?} is not allowed in it; letters A to Z, digits, spaces and ._@+'- are")]
    Character(char),
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
    fn each_rule_about_names_has_its_own_error() {
        check("", Err(InvalidName::Empty));
        check(" Tom", Err(InvalidName::SpaceAtAnEnd));
        check("Tom ", Err(InvalidName::SpaceAtAnEnd));
        check(" ", Err(InvalidName::SpaceAtAnEnd));
        check(&"x".repeat(64), Ok(()));
        check(&"x".repeat(65), Err(InvalidName::TooLong(65)));
        check("a#b", Err(InvalidName::Character('#')));
        check("Jürgen", Err(InvalidName::Character('ü')));
        check("Tom\u{202e}", Err(InvalidName::Character('\u{202e}')));
        check("Mary Ann O'Neil-Smith", Ok(()));
        check("tom.j_1+x@example.com", Ok(()));
    }

    fn check(text: &str, expected: Result<(), InvalidName>) {
        assert_eq!(Name::parse(text).map(drop), expected, "{text:?}");
    }

    #[test]
    fn an_error_shows_one_escaped_character_and_nothing_else_of_the_text() {
        let error = Name::parse("secret\u{1b}[31m").unwrap_err().to_string();
        assert!(error.contains(r"'\u{1b}'"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }

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

        #[test]
        fn whatever_passes_is_short_and_plain(text in any::<String>()) {
            if let Ok(name) = Name::parse(&text) {
                prop_assert!(name.as_str().len() <= 64 && name.as_str().is_ascii());
                prop_assert!(!name.as_str().chars().any(char::is_control));
            }
        }
    }
}
