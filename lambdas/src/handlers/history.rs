//! The handler that reads the messages of a conversation.

use std::borrow::Cow;

use chat_protocol::history::{
    self as wire, AFTER, BEFORE, DEFAULT_ENTRIES, EXACT, ID, LIMIT, MAX_ENTRIES, ROOM, WITH,
};
use serde_json::Value;

use super::requests::Request;
use super::sender::{notify, refuse};
use super::{HandlerError, Invocation, ProxyResponse};
use crate::delivery::Delivery;
use crate::envelope::Refused;
use crate::event::SocketEvent;
use crate::history::{History, Page, ReadableConversation, Reader, Ulid, Wanted, page, ulid};
use crate::protocol::FrameError;
use crate::session::Room;
use crate::store::ConnectionStore;

/// Posts a page of the conversation that the frame names to the sender. Entries are as their receivers got them.
///
/// `seconds` is for how long the stack keeps messages at most.
///
/// Returns 200; 403 without any post if the connection is unknown; 400 with a notice if the request is not understood, or the
/// sender may not read there.
///
/// Needs `dynamodb:Query`, `execute-api:ManageConnections` (`POST` only), and `dynamodb:GetItem` if there is no authorizer.
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]; [`HandlerError::Store`] if the conversation could not be read.
pub async fn history(
    event: &SocketEvent,
    (store, delivery): (&(impl ConnectionStore + History), &impl Delivery),
    (reader, seconds): (Reader, u32),
    invocation: &Invocation,
) -> Result<ProxyResponse, HandlerError> {
    let log = invocation.log.with("route", event.route());
    let Some((connection, request)) = Request::read(event, store, invocation).await? else {
        log.warn("request of an unknown connection dropped", []);
        return Ok(ProxyResponse::status(403));
    };
    let log = log.with("connectionId", connection.as_str());
    let wanted = request.and_then(|request| {
        let place = place(&request, event, reader)?;
        let wanted = wanted(&request)?;
        Ok((place, wanted, request))
    });
    let (place, wanted, request) = match wanted {
        Ok(wanted) => wanted,
        Err(refused) => return Ok(refuse(&refused, event, &connection, delivery, &log).await),
    };
    let conversation = place.conversation();
    let page = page(store, &conversation, wanted, seconds, invocation.now).await?;
    let frame = frame(&place, &page, request.reference.as_deref());
    notify(&connection, &frame, delivery, &log).await;
    Ok(ProxyResponse::status(200))
}

/// The place that `request` is about, if its sender may read there.
pub(super) fn place(
    request: &Request<'_>,
    event: &SocketEvent,
    reader: Reader,
) -> Result<ReadableConversation, Refused> {
    let (room, with) = (request.name(ROOM)?, request.name(WITH)?);
    if room.is_some() && with.is_some() {
        return Err(bad(request, WITH, "it is a room or a person, not both"));
    }
    let room = room
        .map(|name| Room::parse(name.as_str()))
        .transpose()
        .expect("the rule for rooms is that for names");
    let place = reader.place(&request.sender, event, room, with);
    place.ok_or_else(|| request.refused(FrameError::NotReadable))
}

/// The id in `member`; `None` if it is absent.
pub(super) fn id(request: &Request<'_>, member: &'static str) -> Result<Option<Ulid>, Refused> {
    let id = match request.member(member)? {
        None => return Ok(None),
        Some(Value::String(id)) => ulid(&id),
        Some(_) => None,
    };
    let id = id.ok_or_else(|| bad(request, member, "it must be the id of an entry"))?;
    Ok(Some(id))
}

/// The id of the message that `request` is about.
pub(super) fn id_of_message(request: &Request<'_>) -> Result<Ulid, Refused> {
    let missing = || bad(request, ID, "it must be the id of a message");
    id(request, ID)?.ok_or_else(missing)
}

fn wanted(request: &Request<'_>) -> Result<(Wanted, usize), Refused> {
    let is_exact = match request.member(EXACT)? {
        None => false,
        Some(Value::Bool(is_exact)) => is_exact,
        Some(_) => return Err(bad(request, EXACT, "it must be `true` or `false`")),
    };
    let wanted = match (id(request, BEFORE)?, id(request, AFTER)?) {
        (Some(_), Some(_)) => {
            return Err(bad(request, AFTER, "it goes without `before`"));
        }
        (None, None) if is_exact => return Err(bad(request, EXACT, "it goes with `after`")),
        (Some(_), None) if is_exact => return Err(bad(request, EXACT, "it goes with `after`")),
        (None, None) => Wanted::Newest,
        (Some(id), None) => Wanted::Before(id),
        (None, Some(id)) if is_exact => Wanted::ExactlyAfter(id),
        (None, Some(id)) => Wanted::After(id),
    };
    let most = match request.member(LIMIT)? {
        None => DEFAULT_ENTRIES,
        Some(limit) => limit
            .as_u64()
            .and_then(|limit| usize::try_from(limit).ok())
            .filter(|limit| (1..=MAX_ENTRIES).contains(limit))
            .ok_or_else(|| {
                let reason = format!("it must be a number from 1 to {MAX_ENTRIES}");
                bad(request, LIMIT, reason)
            })?,
    };
    Ok((wanted, most))
}

fn bad(
    request: &Request<'_>,
    member: &'static str,
    reason: impl Into<Cow<'static, str>>,
) -> Refused {
    let reason = reason.into();
    request.refused(FrameError::BadMember { member, reason })
}

/// `page` as a frame. Its entries are JSON already, and of the very characters that receivers got.
fn frame(place: &ReadableConversation, page: &Page, reference: Option<&str>) -> String {
    let (room, with) = match place {
        ReadableConversation::Room(room) => (Some(room.to_string().into()), None),
        ReadableConversation::With { other, .. } => (None, Some(other.to_string().into())),
    };
    let empty = wire::Frame::History(wire::Page {
        room,
        with,
        entries: Vec::new(),
        more: page.has_more,
        reference: reference.map(Into::into),
    });
    let empty = serde_json::to_string(&empty).expect("texts always serialise");
    // Names contain no quotes, and the `ref` comes later.
    let entries = format!(r#""entries":[{}]"#, page.frames.join(","));
    empty.replacen(r#""entries":[]"#, &entries, 1)
}
