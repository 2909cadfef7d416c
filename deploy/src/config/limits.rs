//! `[limits]`: how much one connection, one name and one room may take.

use chat_protocol::Index;
use chat_protocol::limit::{
    MAX_CONNECTIONS_PER_NAME, MAX_MESSAGES_PER_SECOND, MAX_ROOM_SIZE, MIN_ROOM_SIZE,
};
use chat_protocol::variable;
use serde::Deserialize;
use toml::Spanned;

use super::auth::Auth;
use super::permission::Grant;
use super::route::Purpose;
use super::routes::{Problem, Routes};
#[cfg(test)]
use super::schema::shape;

/// How much a chat accepts; `None` stands for any number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Messages of one connection in a second.
    pub messages_per_second: Option<u32>,
    /// Connections of one name at a time.
    pub connections_per_name: Option<u32>,
    /// Members of one room at a time.
    pub room_size: Option<u32>,
}

/// `[limits]`, as the file has it.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LimitsTable {
    /// The messages that one connection may send in a second; more are answered with an error frame. Each message then costs
    /// a write to the table.
    #[cfg_attr(test, schemars(with = "Option<shape::MessagesPerSecond>"))]
    messages_per_second: Option<Spanned<Within<1, MAX_MESSAGES_PER_SECOND>>>,
    /// The connections that one name may have at a time; a further handshake gets 429.
    #[cfg_attr(test, schemars(with = "Option<shape::ConnectionsPerName>"))]
    connections_per_name: Option<Spanned<Within<1, MAX_CONNECTIONS_PER_NAME>>>,
    /// The members that one room may have at a time; a further handshake gets 429.
    #[cfg_attr(test, schemars(with = "Option<shape::RoomSize>"))]
    room_size: Option<Spanned<Within<MIN_ROOM_SIZE, MAX_ROOM_SIZE>>>,
}

/// A whole number between two others.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "i64")]
struct Within<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> TryFrom<i64> for Within<MIN, MAX> {
    type Error = String;
    fn try_from(number: i64) -> Result<Self, String> {
        match u32::try_from(number) {
            Ok(number) if (MIN..=MAX).contains(&number) => Ok(Self(number)),
            _ => Err(format!(
                "{number} is not possible, only {MIN} to {MAX}; leave the key out for no limit"
            )),
        }
    }
}

impl LimitsTable {
    /// Checks that what is limited passes a function of chatctl, which counts it.
    ///
    /// # Errors
    /// What is wrong with the table, with its place.
    pub(super) fn resolve(&self, routes: &Routes) -> Result<Limits, Problem> {
        if routes.lifecycle.is_some() {
            let places = [
                self.connections_per_name.as_ref().map(Spanned::span),
                self.room_size.as_ref().map(Spanned::span),
            ];
            if let Some(place) = places.into_iter().flatten().next() {
                let message = "the route `$connect` leads to your backend, which decides who connects: leave this out and count \
                               there, or leave `$connect` and `$disconnect` to chatctl";
                return Err((place, message.into()));
            }
        }
        let receivers = routes
            .messages
            .iter()
            .filter_map(|route| match route.purpose {
                Purpose::People { receivers, .. } => Some(receivers),
                _ => None,
            });
        let has_rooms = Index::for_receivers(receivers).has_room();
        if let (Some(said), false) = (&self.room_size, has_rooms) {
            let message = "`room-size` belongs to rooms, and no route has `receivers = \"room\"`";
            return Err((said.span(), message.into()));
        }
        let is_uncounted = |purpose: &Purpose| matches!(purpose, Purpose::Http { .. });
        if let Some(said) = &self.messages_per_second
            && routes.messages.iter().all(|it| is_uncounted(&it.purpose))
        {
            let message = "every route leads to a backend without a function that could count messages: leave this out and count \
                           there; `throttle` under `[stage]` limits each route";
            return Err((said.span(), message.into()));
        }
        Ok(Limits {
            messages_per_second: self.messages_per_second.as_ref().map(|it| it.get_ref().0),
            connections_per_name: self.connections_per_name.as_ref().map(|it| it.get_ref().0),
            room_size: self.room_size.as_ref().map(|it| it.get_ref().0),
        })
    }
}

impl Limits {
    /// The variables of functions that receive messages.
    pub fn of_messages(&self) -> Option<(&'static str, String)> {
        let most = self.messages_per_second?;
        Some((variable::MESSAGES_PER_SECOND, most.to_string()))
    }

    /// The variables of the function that records connections.
    pub fn of_connections(&self) -> Vec<(&'static str, String)> {
        let limits = [
            (variable::CONNECTIONS_PER_NAME, self.connections_per_name),
            (variable::ROOM_SIZE, self.room_size),
        ];
        let set = limits
            .into_iter()
            .filter_map(|(name, most)| Some((name, most?.to_string())));
        set.collect()
    }

    /// What each of the user's handlers is granted beside its own permissions and what `auth` grants, to count messages and to
    /// refuse some.
    pub(super) fn grants_of_handlers(&self, auth: &Auth) -> Vec<Grant> {
        match self.messages_per_second {
            None => Vec::new(),
            // What ends a connection may post to it, too.
            Some(_) if auth.mode().proves_names() => vec![Grant::counting()],
            Some(_) => vec![Grant::counting(), Grant::noticing()],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::parse::parse;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        let error = parse(Path::new("chatctl.toml"), text, Path::new("")).expect_err(text);
        let reported = error.to_string();
        expected.assert_eq(reported.lines().next().unwrap_or_default());
    }

    const BACKEND: &str = "http = \"https://backend.example\"";

    #[test]
    fn a_limit_that_cannot_hold_is_refused_with_its_line_and_a_remedy() {
        check(
            "[limits]\nmessages-per-second = 0\n",
            expect![
                "chatctl.toml:2:23: 0 is not possible, only 1 to 500; leave the key out for no limit"
            ],
        );
        check(
            "[limits]\nconnections-per-name = 1001\n",
            expect![
                "chatctl.toml:2:24: 1001 is not possible, only 1 to 1000; leave the key out for no limit"
            ],
        );
        check(
            "[[routes]]\nkey = \"a\"\nreceivers = \"room\"\n[limits]\nroom-size = 1\n",
            expect![
                "chatctl.toml:5:13: 1 is not possible, only 2 to 10000; leave the key out for no limit"
            ],
        );
        check(
            "[limits]\nroom-size = 50\n",
            expect![[
                r#"chatctl.toml:2:13: `room-size` belongs to rooms, and no route has `receivers = "room"`"#
            ]],
        );
        check(
            "[limits]\nmessages = 5\n",
            expect![
                "chatctl.toml:2:1: unknown field `messages`, expected one of `messages-per-second`, `connections-per-name`, `room-size`"
            ],
        );
        check(
            "[limits]\nmessages-per-second = \"5\"\n",
            expect![[r#"chatctl.toml:2:23: expected a whole number, found the string "5""#]],
        );
    }

    #[test]
    fn what_no_function_counts_cannot_be_limited() {
        let routes = |keys: &[&str]| {
            let route = |key: &&str| format!("[[routes]]\nkey = \"{key}\"\n{BACKEND}\n");
            keys.iter().map(route).collect::<String>()
        };
        check(
            &(routes(&["send"]) + "[limits]\nmessages-per-second = 5\n"),
            expect![
                "chatctl.toml:5:23: every route leads to a backend without a function that could count messages: leave this out and count there; `throttle` under `[stage]` limits each route"
            ],
        );
        let connecting = routes(&["$connect", "$disconnect", "send"]);
        for key in ["connections-per-name", "room-size"] {
            let text = format!("{connecting}[limits]\n{key} = 5\n");
            let error = parse(Path::new("chatctl.toml"), &text, Path::new("")).expect_err(key);
            assert!(
                error.to_string().contains("leads to your backend"),
                "{error}"
            );
        }
    }
}
