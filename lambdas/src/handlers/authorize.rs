//! The authorizer of `$connect`: decides the identity of a connection.

use serde_json::json;

use super::{HandlerError, Invocation, Policy};
use crate::environment::{Environment, EnvironmentError};
use crate::event::SocketEvent;
use crate::log::reasons;
use crate::session::Names;

/// The requirements of a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Whether it must have the names of the user and the friend.
    pub names: Names,
    /// The origins whose web pages may connect; none stands for all.
    pub origins: Vec<String>,
}

impl Admission {
    /// Requires `names`, and accepts every web page.
    #[must_use]
    pub const fn new(names: Names) -> Self {
        Self {
            names,
            origins: Vec::new(),
        }
    }

    /// Why the handshake is denied before anything is made of its names, whatever proves them; `None` admits it.
    ///
    /// A page needs one of the origins. Clients that are not browsers send none, and need none.
    pub(super) fn refusal(&self, event: &SocketEvent) -> Option<&'static str> {
        let is_accepted = |origin: &str| self.origins.iter().any(|it| it == origin);
        if !self.origins.is_empty() && !event.origins().all(is_accepted) {
            return Some("the origin of its page is not accepted");
        }
        None
    }

    /// Reads the requirements from the function's environment.
    ///
    /// # Errors
    /// [`EnvironmentError`]: a misspelt value must not allow more.
    pub fn from_environment(environment: Environment<'_>) -> Result<Self, EnvironmentError> {
        Ok(Self {
            names: environment.names()?,
            origins: environment.origins()?,
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
/// [`HandlerError::Unauthorized`] if a name is missing or invalid; the reason is only logged. What `admission` refuses is
/// denied.
pub fn authorize(
    event: &SocketEvent,
    admission: &Admission,
    invocation: &Invocation,
) -> Result<Policy, HandlerError> {
    let arn = event.authorizing()?;
    let names = admission.names;
    if let Some(reason) = admission.refusal(event) {
        return Ok(refused(arn, reason, invocation));
    }
    match event.claimed_session(names) {
        Ok(session) => {
            invocation.log.info("handshake authorized", []);
            Ok(Policy::allow(arn, &session, names, None))
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

/// Denies a handshake, which the client sees as 403, and logs why.
pub(super) fn refused(arn: &str, reason: &str, invocation: &Invocation) -> Policy {
    invocation
        .log
        .warn("handshake not authorized", [("reason", json!(reason))]);
    Policy::deny(arn)
}
