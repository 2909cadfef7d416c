//! A request of a client that a route serves: its handshake, a message, or its end.

use serde_json::{Map, Value};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::http::head::Head;
use crate::moments;

/// Values that stay the same for the whole connection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConnectionInfo {
    pub(crate) connection_id: String,
    /// Milliseconds since 1970.
    pub(crate) connected_at: i64,
    pub(crate) stage: String,
    pub(crate) api_id: String,
    pub(crate) domain_name: String,
    pub(crate) source_ip: String,
    pub(crate) user_agent: Option<String>,
    /// `principalId` and the authorizer's context, all strings.
    pub(crate) authorizer: Option<Map<String, Value>>,
}

/// Values that differ between requests of one connection.
#[derive(Debug, Clone)]
pub(crate) struct RequestInfo {
    pub(crate) request_id: String,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
}

impl RequestInfo {
    pub(crate) fn now() -> Self {
        Self {
            request_id: crate::ids::request_id(),
            at: moments::now_millis(),
        }
    }
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: u16,
    pub(crate) reason: String,
}

/// A request with all that its event or its backend gets.
#[derive(Debug)]
pub(crate) struct Incoming<'a> {
    pub(crate) info: &'a ConnectionInfo,
    /// The stage's variables.
    pub(crate) variables: &'a Map<String, Value>,
    pub(crate) request: &'a RequestInfo,
    /// `X-Amzn-Trace-Id`.
    pub(crate) trace: &'a str,
    pub(crate) kind: IncomingKind<'a>,
}

#[derive(Debug)]
pub(crate) enum IncomingKind<'a> {
    Connect(&'a Head),
    Message {
        route_key: &'a str,
        message_id: &'a str,
        body: Utf8Bytes,
    },
    Disconnect(&'a Ended),
}

impl Incoming<'_> {
    /// The message; empty for handshakes and ends.
    pub(super) fn body(&self) -> &str {
        match &self.kind {
            IncomingKind::Message { body, .. } => body,
            IncomingKind::Connect(_) | IncomingKind::Disconnect(_) => "",
        }
    }
}
