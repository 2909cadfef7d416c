//! The authorizer of `$connect`: decides the identity of a connection.

use serde::Serialize;
use serde_json::json;

use super::{HandlerError, Invocation};
use crate::environment::{Environment, EnvironmentError};
use crate::event::SocketEvent;
use crate::log::reasons;
use crate::session::{Names, Session};

/// The requirements of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// Whether it must have the names of the user and the friend.
    pub names: Names,
}

impl Admission {
    /// Reads the requirements from the function's environment.
    ///
    /// # Errors
    /// [`EnvironmentError`]: a misspelt value must not allow more.
    pub fn of_environment(environment: Environment<'_>) -> Result<Self, EnvironmentError> {
        Ok(Self {
            names: environment.names()?,
        })
    }
}

/// Accepts a connection with the valid names and the room that it claims.
///
/// The session becomes the authorizer's context, which API Gateway repeats in every later event of the connection, so
/// no handler has to look it up.
///
/// Needs no permissions and sends no requests.
///
/// # Errors
/// [`HandlerError::Unauthorized`] if a name is missing or invalid; the reason is only logged.
pub fn authorize(
    event: &SocketEvent,
    admission: &Admission,
    invocation: &Invocation,
) -> Result<Policy, HandlerError> {
    let arn = event.authorizing()?;
    let names = admission.names;
    match event.claimed_session(names) {
        Ok(session) => {
            invocation.log.info("handshake authorized", []);
            Ok(Policy::allow(arn, &session, names))
        }
        Err(error) => {
            let reason = json!(reasons(&error));
            invocation
                .log
                .warn("handshake not authorized", [("reason", reason)]);
            Err(HandlerError::Unauthorized)
        }
    }
}

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Context {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    friend: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<String>,
}

impl Policy {
    /// Allows exactly the requested ARN: the `$connect` of this API and stage.
    fn allow(arn: &str, session: &Session, names: Names) -> Self {
        let Session { name, friend, room } = session;
        // A client without a name still gets a context: a context without any of our fields would prove nothing later.
        let has_room = names == Names::Optional || !room.is_everybody();
        Self {
            principal_id: name
                .as_ref()
                .map_or_else(|| ANONYMOUS.to_owned(), ToString::to_string),
            policy_document: PolicyDocument {
                version: "2012-10-17",
                statement: [Statement {
                    action: "execute-api:Invoke",
                    effect: "Allow",
                    resource: arn.to_owned(),
                }],
            },
            context: Context {
                name: name.as_ref().map(ToString::to_string),
                friend: friend.as_ref().map(ToString::to_string),
                room: has_room.then(|| room.to_string()),
            },
        }
    }
}

/// The principal of clients without a name. It is never a name, because names cannot contain this character.
const ANONYMOUS: &str = "#anonymous";
