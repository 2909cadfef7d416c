//! The authorizer of `$connect` where a handler of the stack's owner decides.

use chat_identity::Claims;
use serde_json::{Map, Value, json};

use super::authorize::refused;
use super::prove::admitted;
use super::{Admission, HandlerError, Invocation, Policy};
use crate::event::SocketEvent;
use crate::store::LIFETIME_SECONDS;

/// What a user's authorizer decides about a handshake.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// The connection is opened under a name.
    Allow(Allowed),
    /// It is refused with 403. The reason is only logged.
    Deny(String),
}

/// What a connection is allowed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Allowed {
    /// The only name that it has.
    pub name: String,
    /// The only friend; `None` leaves the choice to the client.
    pub friend: Option<String>,
    /// The only room; `None` leaves the choice to the client.
    pub room: Option<String>,
    /// Its rights; `None` stands for that to send.
    pub rights: Option<Vec<String>>,
    /// When it ends, in seconds since the epoch; `None` lets it last as long as a connection may.
    pub until: Option<u64>,
    /// What handlers learn about it.
    pub claims: Map<String, Value>,
}

/// The denial of a handshake that `admission` refuses, so that the user's authorizer need not be asked.
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]
pub fn not_admitted(
    event: &SocketEvent,
    admission: &Admission,
    invocation: &Invocation,
) -> Result<Option<Policy>, HandlerError> {
    let arn = event.authorizing()?;
    let refusal = admission.refusal(event);
    Ok(refusal.map(|reason| refused(arn, reason, invocation)))
}

/// The answer to API Gateway for `decision`.
///
/// An allowed name is the only name, as that of a token: a handshake that says another one in `msgfrom`, or another friend
/// or room than the decision narrows it to, is denied. The decision becomes the authorizer's context as a token's claims do.
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]
pub fn decided(
    event: &SocketEvent,
    admission: &Admission,
    decision: Decision,
    invocation: &Invocation,
) -> Result<Policy, HandlerError> {
    let arn = event.authorizing()?;
    let allowed = match decision {
        Decision::Allow(allowed) => allowed,
        Decision::Deny(reason) => {
            let reason = format!("the authorizer denies it: {reason}");
            return Ok(refused(arn, &reason, invocation));
        }
    };
    let expires_at = allowed.until.unwrap_or(invocation.now + LIFETIME_SECONDS);
    if expires_at <= invocation.now {
        let log = &invocation.log;
        log.debug("decision", [("until", json!(expires_at))]);
        let reason = "the authorizer allows it until a time that has passed";
        return Ok(refused(arn, reason, invocation));
    }
    let claims = Claims {
        name: allowed.name,
        expires_at,
        to: allowed.friend.map(|friend| vec![friend]),
        rooms: allowed.room.map(|room| vec![room]),
        can: allowed.rights,
        all: allowed.claims,
    };
    Ok(admitted(event, arn, admission.names, claims, invocation))
}
