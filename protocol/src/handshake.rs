//! The names that a client sends when it connects: in headers or, because browsers cannot set headers, in the query
//! string.

use std::collections::BTreeMap;

/// A field that a client may send when it connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The user's name.
    From,
    /// The friend's name.
    To,
    /// The room.
    Room,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 3] = [Self::From, Self::To, Self::Room];

    /// The name of its header and of its query parameter. Headers ignore case, parameters do not.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::From => "msgfrom",
            Self::To => "msgto",
            Self::Room => "msgroom",
        }
    }

    /// Its name in the web client, in the settings and in the client's own address.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To => "to",
            Self::Room => "room",
        }
    }
}

/// The fields of one client's handshake.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handshake {
    values: BTreeMap<Field, String>,
}

impl Handshake {
    /// A handshake with the names of the user and the friend.
    #[must_use]
    pub fn between(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self::default().with(Field::From, from).with(Field::To, to)
    }

    /// The same handshake with `value` for `field`.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<String>) -> Self {
        self.values.insert(field, value.into());
        self
    }

    /// The same handshake with `value` for `field`, if there is one.
    #[must_use]
    pub fn with_some(self, field: Field, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(field, value),
            None => self,
        }
    }

    /// The value of `field`.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&str> {
        self.values.get(&field).map(String::as_str)
    }

    /// The fields with their values.
    pub fn fields(&self) -> impl Iterator<Item = (Field, &str)> {
        let values = self.values.iter();
        values.map(|(field, value)| (*field, value.as_str()))
    }

    /// The headers, or query parameters, for the fields.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.fields().map(|(field, value)| (field.name(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_on_the_wire_never_change() {
        let names = Field::ALL.map(Field::name);
        assert_eq!(names, ["msgfrom", "msgto", "msgroom"]);
    }

    #[test]
    fn a_handshake_has_each_field_once() {
        let handshake = Handshake::between("Tom", "Ann")
            .with(Field::To, "Jerry")
            .with_some(Field::Room, None::<String>);
        let headers: Vec<_> = handshake.headers().collect();
        assert_eq!(headers, [("msgfrom", "Tom"), ("msgto", "Jerry")]);
        assert_eq!(handshake.get(Field::To), Some("Jerry"));
        assert_eq!(handshake.get(Field::Room), None);
    }
}
