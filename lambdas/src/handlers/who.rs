//! The handler that says who is in a room.

use std::collections::BTreeMap;

use chat_protocol::answers::{self, AFTER, MAX_PEOPLE, Person};

use super::requests::{Request, frame};
use super::sender::{notify, refuse};
use super::{HandlerError, Invocation, ProxyResponse};
use crate::delivery::Delivery;
use crate::envelope::Refused;
use crate::event::SocketEvent;
use crate::log::rfc3339_of;
use crate::protocol::FrameError;
use crate::room::people;
use crate::session::Room;
use crate::store::{ConnectionStore, Member};

/// Posts the people in the sender's room to the sender: one entry a name, sorted, [`MAX_PEOPLE`] at a time.
///
/// A room of more than [`INLINE_RECEIVERS`](crate::room::INLINE_RECEIVERS) connections is not listed, and the sender gets an
/// error. A connection that has ended without an event counts until a message finds it gone, or it expires.
///
/// Returns 200; 403 without any post if the connection is unknown; 400 with a notice if the request is not understood.
///
/// Needs `dynamodb:Query`, `execute-api:ManageConnections` (`POST` only), and `dynamodb:GetItem` if there is no authorizer.
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]; [`HandlerError::Store`] if the room could not be read.
pub async fn who(
    event: &SocketEvent,
    (store, delivery): (&impl ConnectionStore, &impl Delivery),
    invocation: &Invocation,
) -> Result<ProxyResponse, HandlerError> {
    let log = invocation.log.with("route", event.route());
    let Some((connection, request)) = Request::read(event, store, invocation).await? else {
        log.warn("request of an unknown connection dropped", []);
        return Ok(ProxyResponse::status(403));
    };
    let log = log.with("connectionId", connection.as_str());
    let answer = match request {
        Ok(request) => answer(&request, store, invocation).await?,
        Err(refused) => Err(refused),
    };
    match answer {
        Ok(answer) => notify(&connection, &frame(&answer), delivery, &log).await,
        Err(refused) => return Ok(refuse(&refused, event, &connection, delivery, &log).await),
    }
    Ok(ProxyResponse::status(200))
}

async fn answer(
    request: &Request<'_>,
    store: &impl ConnectionStore,
    invocation: &Invocation,
) -> Result<Result<answers::AnswerFrame, Refused>, HandlerError> {
    let after = match request.name(AFTER) {
        Ok(after) => after,
        Err(refused) => return Ok(Err(refused)),
    };
    let room = &request.sender.room;
    let Some(members) = people(room, invocation.now, store).await? else {
        return Ok(Err(request.refused(FrameError::RoomTooLarge)));
    };
    let after = after.as_ref().map(|name| name.as_str());
    let mut page = page(room, &members, after);
    if let answers::AnswerFrame::Who { reference, .. } = &mut page {
        reference.clone_from(&request.reference);
    }
    Ok(Ok(page))
}

/// The people after the name `after`.
fn page(room: &Room, members: &[Member], after: Option<&str>) -> answers::AnswerFrame {
    let mut people: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    let mut nameless = 0;
    for Member { name, device } in members {
        match name {
            None => nameless += 1,
            Some(name) => {
                let first = (0, device.connected_at);
                let (devices, since) = people.entry(name.as_str()).or_insert(first);
                *devices += 1;
                *since = device.connected_at.min(*since);
            }
        }
    }
    let mut following = people
        .into_iter()
        .filter(|(name, _)| after.is_none_or(|after| *name > after))
        .map(|(name, (devices, since))| Person {
            name: name.to_owned(),
            devices,
            since: rfc3339_of(since.saturating_mul(1000)),
        });
    let listed: Vec<_> = following.by_ref().take(MAX_PEOPLE).collect();
    let has_more = following.next().is_some();
    answers::AnswerFrame::Who {
        room: room.to_string(),
        next: listed
            .last()
            .filter(|_| has_more)
            .map(|person| person.name.clone()),
        people: listed,
        nameless,
        reference: None,
    }
}
