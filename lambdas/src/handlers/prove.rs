//! The authorizer of `$connect` where a token must prove who a connection is.

use chat_identity::{Claims, LEEWAY_SECONDS};
use chat_protocol::Field;
use serde_json::json;

use super::authorize::refused;
use super::{Admission, HandlerError, Invocation, Policy};
use crate::event::{Offered, Proof, SocketEvent};
use crate::log::reasons;
use crate::session::{InvalidSession, Name, Names, Session};
use crate::tokens::{TokenError, Tokens};

/// Lets a connection in under the name that its token proves, and as the token allows.
///
/// The claims become the authorizer's context beside the session, so that later handlers know rights and expiry.
/// Answers with a denial, which the client sees as 403, when the token is not accepted, or does not allow the friend, the room
/// or the name that the handshake asks for. The reason is only logged.
///
/// Calls nothing but, through `tokens`, an issuer.
///
/// # Errors
/// [`HandlerError::Unauthorized`] without a token (401); [`HandlerError::Tokens`] when tokens cannot be checked at the moment
/// (500).
pub async fn prove(
    event: &SocketEvent,
    admission: &Admission,
    tokens: &impl Tokens,
    invocation: &Invocation,
) -> Result<Policy, HandlerError> {
    let arn = event.authorizing()?;
    let log = &invocation.log;
    if let Some(reason) = admission.refusal(event) {
        return Ok(refused(arn, reason, invocation));
    }
    let token = match event.offered_token() {
        Offered::One(token) => token,
        Offered::Several => {
            let reason = "it comes with several tokens that differ";
            return Ok(refused(arn, reason, invocation));
        }
        Offered::Nothing => {
            let reason = json!("it comes without a token");
            log.warn("handshake not authorized", [("reason", reason)]);
            return Err(HandlerError::Unauthorized);
        }
    };
    let claims = match tokens.verify(token, invocation).await {
        Ok(claims) => claims,
        Err(TokenError::Refused(refusal)) => {
            let reason = format!("its token is not accepted: {refusal}");
            return Ok(refused(arn, &reason, invocation));
        }
        Err(TokenError::Unavailable(source)) => return Err(HandlerError::Tokens(source)),
    };
    Ok(admitted(event, arn, admission.names, claims, invocation))
}

/// Lets the connection in under the name in `claims`, if they allow what the handshake says.
pub(super) fn admitted(
    event: &SocketEvent,
    arn: &str,
    names: Names,
    claims: Claims,
    invocation: &Invocation,
) -> Policy {
    match session(event, &claims, names) {
        Ok(session) => policy(arn, &session, names, claims, invocation),
        Err(error) => refused(arn, &reasons(&error), invocation),
    }
}

/// Allows the handshake. Claims that are too long for the context are left out of it: handlers then see none of them. Rights
/// cannot be left out, so a token with too many of them is refused.
fn policy(
    arn: &str,
    session: &Session,
    names: Names,
    claims: Claims,
    invocation: &Invocation,
) -> Policy {
    // A clock may be behind: what is let in now may send for some time.
    let expires_at = match claims.expires_at > invocation.now {
        true => claims.expires_at,
        false => claims.expires_at + LEEWAY_SECONDS,
    };
    let mut proof = Proof {
        expires_at,
        can: claims.can,
        claims: claims.all,
    };
    let mut policy = Policy::allow(arn, session, names, Some(&proof));
    if !policy.fits() {
        proof.claims.clear();
        policy = Policy::allow(arn, session, names, Some(&proof));
        if !policy.fits() {
            let reason = "its token lists more rights than a connection can carry (`can`)";
            return refused(arn, reason, invocation);
        }
        let lost = "the claims are too long for handlers to receive them";
        invocation.log.warn(lost, []);
    }
    invocation.log.info("handshake authorized", []);
    policy
}

/// Why a good token, or a user's authorizer that allows it, does not let this handshake in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum NotAllowed {
    #[error("the name that is proven cannot be used in a chat")]
    Name(#[source] crate::session::InvalidName),
    #[error("`{}` is not the name that is proven", Field::From.name())]
    OtherName,
    #[error("what proves its name does not allow what it says in `{}`", .0.name())]
    Narrowed(Field),
    #[error("what proves its name allows several values of `{}`, and it names none of them", .0.name())]
    Choice(Field),
    #[error(transparent)]
    Session(#[from] InvalidSession),
}

/// The session that `claims` prove, with friend and room as the handshake asks for.
fn session(event: &SocketEvent, claims: &Claims, names: Names) -> Result<Session, NotAllowed> {
    let name = claims.name.as_str();
    Name::parse(name).map_err(NotAllowed::Name)?;
    if event.claims_in(Field::From).any(|said| said != name) {
        return Err(NotAllowed::OtherName);
    }
    let friend = narrowed(event, Field::To, claims.to.as_deref(), None)?;
    let everybody = Some(crate::session::EVERYBODY);
    let room = narrowed(event, Field::Room, claims.rooms.as_deref(), everybody)?;
    let session = Session::parse(
        (Field::From.name(), Some(name)),
        (Field::To.name(), friend),
        (Field::Room.name(), room),
        // A name is there anyway.
        names,
    )?;
    Ok(session)
}

/// What the handshake says in `field`, if that is one of `allowed`; without a word of it the only one that is allowed, or
/// what `otherwise` stands for, if that is allowed.
fn narrowed<'a>(
    event: &'a SocketEvent,
    field: Field,
    allowed: Option<&'a [String]>,
    otherwise: Option<&'a str>,
) -> Result<Option<&'a str>, NotAllowed> {
    let Some(allowed) = allowed else {
        return Ok(event.claim(field));
    };
    let is_allowed = |said: &str| allowed.iter().any(|it| it == said);
    if !event.claims_in(field).all(is_allowed) {
        return Err(NotAllowed::Narrowed(field));
    }
    match (event.claim(field), allowed, otherwise) {
        (Some(said), _, _) => Ok(Some(said)),
        (None, [only], _) => Ok(Some(only)),
        (None, _, Some(otherwise)) if is_allowed(otherwise) => Ok(Some(otherwise)),
        (None, [], None) => Ok(None),
        (None, [], Some(_)) => Err(NotAllowed::Narrowed(field)),
        (None, _, _) => Err(NotAllowed::Choice(field)),
    }
}
