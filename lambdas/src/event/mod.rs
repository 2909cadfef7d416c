//! API Gateway's events, reduced to what a chat needs.
//!
//! There are four kinds: a REQUEST authorizer's event, and the proxy events CONNECT, MESSAGE and DISCONNECT. Fields are
//! often absent or `null` (a MESSAGE has no headers, a CONNECT without query string no query field), so each is only
//! required by the method that uses it. That method also checks the event's own type: a route key alone is not enough,
//! because the sender of a message can choose it.
//!
//! Sources: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>,
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>.

mod proof;

use std::collections::HashMap;

use chat_protocol::Field;
use serde::Deserialize;

pub use proof::{Offered, Proof};

use crate::session::{ConnectionId, InvalidSession, Names, Session};

/// An event of any kind.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SocketEvent {
    /// `REQUEST` for an authorizer.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// The ARN that an authorizer allows or denies.
    method_arn: Option<String>,
    headers: Option<HashMap<String, Option<String>>>,
    multi_value_headers: Option<HashMap<String, Option<Vec<Option<String>>>>>,
    query_string_parameters: Option<HashMap<String, Option<String>>>,
    multi_value_query_string_parameters: Option<HashMap<String, Option<Vec<Option<String>>>>>,
    request_context: Option<RequestContext>,
    body: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RequestContext {
    route_key: Option<String>,
    event_type: Option<String>,
    connection_id: Option<String>,
    /// When API Gateway received it, in milliseconds since the epoch.
    request_time_epoch: Option<f64>,
    identity: Option<Identity>,
    authorizer: Option<AuthorizerContext>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Identity {
    source_ip: Option<String>,
}

/// The context of our authorizer. API Gateway converts every value to a string.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct AuthorizerContext {
    name: Option<String>,
    friend: Option<String>,
    room: Option<String>,
    /// When the token expires, in seconds since the Unix epoch.
    exp: Option<String>,
    /// The rights that it lists, as a JSON list.
    can: Option<String>,
    /// Every claim, as JSON.
    claims: Option<String>,
}

/// An event reached the wrong handler, or lacks a field that its kind always has.
///
/// A route is wired to the wrong function, or the function was invoked by hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, got {found}; check which function each route invokes")]
pub struct UnexpectedEvent {
    expected: &'static str,
    found: String,
}

impl UnexpectedEvent {
    pub(crate) fn new(expected: &'static str, found: &str) -> Self {
        Self {
            expected,
            found: found.to_owned(),
        }
    }
}

impl SocketEvent {
    /// The ARN that an authorizer's response is about.
    ///
    /// # Errors
    /// [`UnexpectedEvent`] unless this is a REQUEST authorizer's event.
    pub fn authorizing(&self) -> Result<&str, UnexpectedEvent> {
        match (self.kind.as_deref(), &self.method_arn) {
            (Some("REQUEST"), Some(arn)) => Ok(arn),
            _ => Err(self.unexpected("a REQUEST authorizer event")),
        }
    }

    /// The connection that is being opened.
    ///
    /// # Errors
    /// [`UnexpectedEvent`] unless this is a CONNECT event with a connection id.
    pub fn connecting(&self) -> Result<ConnectionId, UnexpectedEvent> {
        self.connection("CONNECT", "a CONNECT event", |route| route == "$connect")
    }

    /// The connection that was closed.
    ///
    /// # Errors
    /// [`UnexpectedEvent`] unless this is a DISCONNECT event with a connection id.
    pub fn disconnecting(&self) -> Result<ConnectionId, UnexpectedEvent> {
        self.connection("DISCONNECT", "a DISCONNECT event", |route| {
            route == "$disconnect"
        })
    }

    /// The sender of a message, and the message, unchanged. An empty message may have no body.
    ///
    /// # Errors
    /// [`UnexpectedEvent`] unless this is a MESSAGE event with a connection id.
    pub fn message(&self) -> Result<(ConnectionId, &str), UnexpectedEvent> {
        let connection = self.connection("MESSAGE", "a MESSAGE event", |route| {
            route != "$connect" && route != "$disconnect"
        })?;
        Ok((connection, self.body.as_deref().unwrap_or_default()))
    }

    /// The route that API Gateway selected, for logs.
    #[must_use]
    pub fn route(&self) -> Option<&str> {
        self.request_context.as_ref()?.route_key.as_deref()
    }

    /// When API Gateway received the event, in milliseconds since the epoch. It is API Gateway's own clock, which the
    /// functions' clocks may differ from, and no client's.
    #[must_use]
    pub fn received_at_ms(&self) -> Option<u64> {
        let milliseconds = self.request_context.as_ref()?.request_time_epoch?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a time before the epoch or beyond all time becomes a limit, and a fraction does not matter"
        )]
        let milliseconds = milliseconds as u64;
        Some(milliseconds)
    }

    /// The same, in seconds since the epoch.
    #[must_use]
    pub fn received_at(&self) -> Option<u64> {
        self.received_at_ms()
            .map(|milliseconds| milliseconds / 1000)
    }

    /// The address that the client has at API Gateway.
    #[must_use]
    pub fn source_ip(&self) -> Option<&str> {
        let identity = self.request_context.as_ref()?.identity.as_ref()?;
        identity.source_ip.as_deref()
    }

    /// The session that our authorizer proved. API Gateway repeats it in every event of a connection.
    ///
    /// `None` without an authorizer, or with one whose context has none of our fields.
    ///
    /// # Errors
    /// [`InvalidSession`] if the context lacks one of the required `names`, or contains an invalid name.
    pub fn proven_session(&self, names: Names) -> Result<Option<Session>, InvalidSession> {
        let context = self
            .request_context
            .as_ref()
            .and_then(|context| context.authorizer.as_ref())
            .filter(|it| it.name.is_some() || it.friend.is_some() || it.room.is_some());
        context
            .map(|context| {
                Session::parse(
                    ("authorizer.name", context.name.as_deref()),
                    ("authorizer.friend", context.friend.as_deref()),
                    ("authorizer.room", context.room.as_deref()),
                    names,
                )
            })
            .transpose()
    }

    /// The session that the client claims in its handshake.
    ///
    /// # Errors
    /// [`InvalidSession`] if a name is invalid, or missing and required by `names`.
    pub fn claimed_session(&self, names: Names) -> Result<Session, InvalidSession> {
        Session::parse(
            (Field::From.name(), self.claim(Field::From)),
            (Field::To.name(), self.claim(Field::To)),
            (Field::Room.name(), self.claim(Field::Room)),
            names,
        )
    }

    /// The value of `field` in the handshake: a header in any case, else a query parameter.
    ///
    /// A browser cannot set headers, so it uses the query string.
    #[must_use]
    pub fn claim(&self, field: Field) -> Option<&str> {
        let name = field.name();
        let header = self
            .headers
            .iter()
            .flatten()
            .filter(|(header, _)| header.eq_ignore_ascii_case(name));
        let query = self
            .query_string_parameters
            .iter()
            .flatten()
            .filter(|(parameter, _)| *parameter == name);
        header.chain(query).find_map(|(_, value)| value.as_deref())
    }

    fn connection(
        &self,
        event_type: &str,
        expected: &'static str,
        is_route: impl Fn(&str) -> bool,
    ) -> Result<ConnectionId, UnexpectedEvent> {
        let context = self.request_context.as_ref();
        context
            .filter(|context| context.event_type.as_deref() == Some(event_type))
            .filter(|context| context.route_key.as_deref().is_none_or(is_route))
            .and_then(|context| context.connection_id.as_deref())
            .filter(|id| !id.is_empty())
            .map(ConnectionId::new)
            .ok_or_else(|| self.unexpected(expected))
    }

    fn unexpected(&self, expected: &'static str) -> UnexpectedEvent {
        let context = self.request_context.clone().unwrap_or_default();
        let connection = match context.connection_id {
            Some(_) => "a",
            None => "no",
        };
        UnexpectedEvent {
            expected,
            found: format!(
                "event type {}, route {}, {connection} connection id",
                excerpt(context.event_type.or(self.kind.clone())),
                excerpt(context.route_key),
            ),
        }
    }
}

/// The beginning of a text, safe for a log line.
fn excerpt(text: Option<String>) -> String {
    match text {
        Some(text) => format!("{:?}", text.chars().take(40).collect::<String>()),
        None => "none".to_owned(),
    }
}
