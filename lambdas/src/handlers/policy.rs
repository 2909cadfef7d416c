//! An authorizer's response.

use serde::Serialize;
use serde_json::{Value, json};

use crate::event::Proof;
use crate::session::{Names, Session};

/// An authorizer's response.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-lambda-authorizer-output.html>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    principal_id: String,
    policy_document: PolicyDocument,
    context: Context,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyDocument {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: &'static str,
    effect: &'static str,
    resource: String,
}

/// Missing names are omitted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Context {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    friend: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    can: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<String>,
}

impl Policy {
    /// Refuses what was asked for; the client gets 403.
    pub(super) fn deny(arn: &str) -> Self {
        Self {
            principal_id: ANONYMOUS.to_owned(),
            policy_document: PolicyDocument::new("Deny", arn),
            context: Context::default(),
        }
    }

    /// Allows exactly what was asked for: the `$connect` of this API and stage. The session, and the `proof` of a token,
    /// become the context.
    #[must_use]
    pub fn allow(arn: &str, session: &Session, names: Names, proof: Option<&Proof>) -> Self {
        let Session { name, friend, room } = session;
        // A client without a name still gets a context: a context without any of our fields would prove nothing later.
        let has_room = names == Names::Optional || !room.is_everybody();
        Self {
            principal_id: name
                .as_ref()
                .map_or_else(|| ANONYMOUS.to_owned(), ToString::to_string),
            policy_document: PolicyDocument::new("Allow", arn),
            context: Context {
                name: name.as_ref().map(ToString::to_string),
                friend: friend.as_ref().map(ToString::to_string),
                room: has_room.then(|| room.to_string()),
                exp: proof.map(|proof| proof.expires_at.to_string()),
                can: proof
                    .and_then(|proof| proof.can.as_ref())
                    .map(|can| json!(can).to_string()),
                claims: proof
                    .filter(|proof| !proof.claims.is_empty())
                    .map(|proof| json!(proof.claims).to_string()),
            },
        }
    }

    /// The context, which API Gateway repeats in every later event of the connection.
    #[must_use]
    pub fn context(&self) -> Value {
        json!(self.context)
    }

    /// Whether API Gateway takes it
    /// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>).
    pub(super) fn fits(&self) -> bool {
        serde_json::to_string(self).is_ok_and(|text| text.len() <= MAX_BYTES)
    }
}

/// The largest response of an authorizer is 8 KB. API Gateway may count more than the text.
const MAX_BYTES: usize = 8_000;

impl PolicyDocument {
    fn new(effect: &'static str, arn: &str) -> Self {
        Self {
            version: "2012-10-17",
            statement: [Statement {
                action: "execute-api:Invoke",
                effect,
                resource: arn.to_owned(),
            }],
        }
    }
}

/// The principal of clients without a name. It is never a name, because names cannot contain this character.
const ANONYMOUS: &str = "#anonymous";
