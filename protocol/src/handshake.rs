//! How a client says who it is when it connects: in headers or, as browsers cannot set headers, in the query string.

use std::collections::BTreeMap;

/// One thing that a client may say about itself when it connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Its own name.
    From,
    /// Its friend's name.
    To,
    /// The room to be in.
    Room,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 3] = [Self::From, Self::To, Self::Room];

    /// The name of its header and of its query parameter. Headers may be of any case, parameters may not.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::From => "msgfrom",
            Self::To => "msgto",
            Self::Room => "msgroom",
        }
    }

    /// What the web client calls it, in its settings and in its own address.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To => "to",
            Self::Room => "room",
        }
    }
}

/// What one client says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handshake {
    said: BTreeMap<Field, String>,
}

impl Handshake {
    /// Says who it is and who its friend is.
    #[must_use]
    pub fn between(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self::default().with(Field::From, from).with(Field::To, to)
    }

    /// The same handshake with `value` for `field`.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<String>) -> Self {
        self.said.insert(field, value.into());
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

    /// What it says in `field`.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&str> {
        self.said.get(&field).map(String::as_str)
    }

    /// What it says, field by field.
    pub fn fields(&self) -> impl Iterator<Item = (Field, &str)> {
        let said = self.said.iter();
        said.map(|(field, value)| (*field, value.as_str()))
    }

    /// The headers, or query parameters, that say it.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.fields().map(|(field, value)| (field.name(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_on_the_wire_stay_what_deployed_clients_send() {
        let names = Field::ALL.map(Field::name);
        assert_eq!(names, ["msgfrom", "msgto", "msgroom"]);
    }

    #[test]
    fn a_handshake_says_each_field_once() {
        let handshake = Handshake::between("Tom", "Ann").with(Field::To, "Jerry");
        let handshake = handshake.with_some(Field::Room, None::<String>);
        let headers: Vec<_> = handshake.headers().collect();
        assert_eq!(headers, [("msgfrom", "Tom"), ("msgto", "Jerry")]);
        assert_eq!(handshake.get(Field::To), Some("Jerry"));
        assert_eq!(handshake.get(Field::Room), None);
    }
}
