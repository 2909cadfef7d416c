//! The handler that deletes a message that is kept.

use chat_protocol::auth::MODERATE;
use chat_protocol::envelope::{Envelope, Message};
use chat_protocol::history::{Deleted, Done, Frame};
use serde_json::json;

use super::history::{id_of_message, place};
use super::requests::Request;
use super::sender::{notify, refuse};
use super::{HandlerError, Invocation, ProxyResponse};
use crate::delivery::Delivery;
use crate::envelope::Refused;
use crate::event::SocketEvent;
use crate::fan_out::fan_out;
use crate::history::{Found, History, Line, ReadableConversation, Reader, Ulid};
use crate::log::{Log, rfc3339_of};
use crate::protocol::FrameError;
use crate::room::RoomPost;
use crate::session::{ConnectionId, Name};
use crate::store::{ConnectionStore, Read, StoreError};

/// Deletes the message that the frame names: the sender's own one, or another sender's if its token has the right to moderate.
///
/// What the message said is replaced by the notice of its deletion, which also becomes an entry of the conversation until the
/// message would have expired. Those who get the conversation's messages get the notice, and so do the sender's other
/// connections; the sender gets a receipt if it asks for one. To delete a message again has the same answer, and repairs what
/// a failure has left undone.
///
/// In a room that is so large that several functions serve its messages, members for whom there is no time find the notice
/// in the history.
///
/// Returns 200; 403 without any post if the connection is unknown; 400 with a notice if the request is not understood, or
/// refused.
///
/// Needs `dynamodb:Query`, `dynamodb:PutItem`, `dynamodb:DeleteItem`, `execute-api:ManageConnections` (`POST` only), and
/// `dynamodb:GetItem` if there is no authorizer.
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]; [`HandlerError::Store`] if the message could not be replaced, or receivers could not be
/// looked up.
pub async fn delete(
    event: &SocketEvent,
    (store, delivery): (&(impl ConnectionStore + History), &impl Delivery),
    reader: Reader,
    invocation: &Invocation,
) -> Result<ProxyResponse, HandlerError> {
    let log = invocation.log.with("route", event.route());
    let Some((connection, request)) = Request::read(event, store, invocation).await? else {
        log.warn("request of an unknown connection dropped", []);
        return Ok(ProxyResponse::status(403));
    };
    let log = log.with("connectionId", connection.as_str());
    let order = request.and_then(|request| Order::new(event, request, reader));
    let order = match order {
        Ok(order) => order,
        Err(refused) => return Ok(refuse(&refused, event, &connection, delivery, &log).await),
    };
    let notice = match order.carry_out(event, store, invocation).await? {
        Ok(notice) => notice,
        Err(error) => {
            let refused = order.request.refused(error);
            return Ok(refuse(&refused, event, &connection, delivery, &log).await);
        }
    };
    let services = (store, delivery);
    order
        .tell(&notice.frame, &connection, services, invocation, &log)
        .await?;
    if let Some(reference) = &order.request.reference {
        let done = Frame::Done(Done {
            reference: reference.into(),
            id: notice.id.to_string().into(),
        });
        let done = serde_json::to_string(&done).expect("texts always serialise");
        notify(&connection, &done, delivery, &log).await;
    }
    Ok(ProxyResponse::status(200))
}

/// A message to delete.
struct Order<'a> {
    request: Request<'a>,
    place: ReadableConversation,
    id: Ulid,
    by: Name,
    moderates: bool,
}

impl<'a> Order<'a> {
    fn new(event: &SocketEvent, request: Request<'a>, reader: Reader) -> Result<Self, Refused> {
        let place = place(&request, event, reader)?;
        let id = id_of_message(&request)?;
        // Nothing tells one connection without a name from another.
        let by = request
            .sender
            .name
            .clone()
            .ok_or_else(|| request.refused(FrameError::NotYours))?;
        let moderates =
            reader.mode.proves_names() && event.proof().is_some_and(|proof| proof.can(MODERATE));
        Ok(Self {
            request,
            place,
            id,
            by,
            moderates,
        })
    }

    /// Replaces the message by the notice of its deletion, and makes that an entry.
    async fn carry_out(
        &self,
        event: &SocketEvent,
        history: &impl History,
        invocation: &Invocation,
    ) -> Result<Result<Line, FrameError>, StoreError> {
        let conversation = self.place.conversation();
        let find = || history.find(&conversation, self.id, invocation.now);
        let mut found = find().await?;
        if let Some(Found::Kept { frame, expires_at }) = &found {
            let Ok(Envelope::Message(message)) = serde_json::from_str(frame) else {
                // It is a notice itself.
                return Ok(Err(FrameError::NotFound));
            };
            if !self.moderates && message.from.as_deref() != Some(self.by.as_str()) {
                return Ok(Err(FrameError::NotYours));
            }
            let notice = self.notice(&message, event, invocation);
            let expires_at = *expires_at;
            let is_first = history
                .erase(&conversation, self.id, &notice, expires_at)
                .await?;
            found = match is_first {
                true => Some(Found::Erased { notice, expires_at }),
                // Another order was faster, and its notice is the one.
                false => find().await?,
            };
        }
        let Some(Found::Erased { notice, expires_at }) = found else {
            return Ok(Err(FrameError::NotFound));
        };
        if !self.moderates && author(&notice).as_deref() != Some(self.by.as_str()) {
            return Ok(Err(FrameError::NotYours));
        }
        history.keep(&conversation, &notice, expires_at).await?;
        Ok(Ok(notice))
    }

    fn notice(&self, message: &Message<'_>, event: &SocketEvent, invocation: &Invocation) -> Line {
        let now = invocation.now.saturating_mul(1_000);
        let moment = event.received_at_ms().unwrap_or(now);
        let id = Ulid::from_parts(moment, fastrand::u128(..));
        let deleted = Frame::Deleted(Deleted {
            id: id.to_string().into(),
            of: self.id.to_string().into(),
            by: self.by.as_str().into(),
            room: message.room.clone(),
            to: message.to.clone(),
            from: message.from.clone(),
            at: rfc3339_of(moment).into(),
        });
        Line {
            id,
            frame: serde_json::to_string(&deleted).expect("texts always serialise"),
        }
    }

    /// Posts `notice` to everybody in the conversation, except to the connection that asked.
    async fn tell<S: ConnectionStore, D: Delivery>(
        &self,
        notice: &str,
        asking: &ConnectionId,
        (store, delivery): (&S, &D),
        invocation: &Invocation,
        log: &Log,
    ) -> Result<(), StoreError> {
        let (delivered, refused) = match &self.place {
            ReadableConversation::Room(room) => {
                let post = RoomPost {
                    log,
                    ..RoomPost::new(room, notice, asking, (store, delivery), invocation)
                };
                let tally = post.post_to_everybody().await?;
                (tally.delivered, tally.refused)
            }
            ReadableConversation::With { own, other } => {
                let mut people = vec![own, other];
                people.dedup();
                let (mut delivered, mut refused) = (0, 0);
                for person in people {
                    let now = invocation.now;
                    let mut devices = store.connections_of(person, now, Read::Consistent).await?;
                    devices.retain(|device| device.connection != *asking);
                    let services = (store, delivery);
                    let posts = fan_out(notice, person, devices, now, services, log).await;
                    delivered += posts.delivered;
                    refused += posts.refused.len();
                }
                (delivered, refused)
            }
        };
        let counts = [("delivered", json!(delivered)), ("refused", json!(refused))];
        log.info("message deleted", counts);
        Ok(())
    }
}

/// The sender of the message that `notice` is about.
fn author(notice: &Line) -> Option<String> {
    match serde_json::from_str(&notice.frame) {
        Ok(Frame::Deleted(deleted)) => deleted.from.map(Into::into),
        _ => None,
    }
}
