//! The handler that ends a person's connections.

use chat_protocol::answers::{self, KICKED, NAME};
use futures_util::stream::{self, StreamExt as _};
use serde_json::json;

use super::requests::{Request, frame};
use super::sender::{notify, refuse};
use super::{HandlerError, Invocation, ProxyResponse};
use crate::delivery::{Delivery, Posted};
use crate::envelope::Refused;
use crate::event::SocketEvent;
use crate::fan_out::log_removal;
use crate::log::{Log, reasons};
use crate::protocol::FrameError;
use crate::room::people;
use crate::session::{ConnectionId, Name};
use crate::store::{ConnectionStore, Index, Read};

/// The most connections that are ended at the same time.
const AT_ONCE: usize = 8;

/// Ends the connections of the person whom the frame names, and tells the sender how many: those in the sender's room, or
/// all of them in a stack without rooms.
///
/// The person gets an error frame before. It may connect again at once; who may connect is decided elsewhere.
///
/// Returns 200; 403 without any post if the connection is unknown; 400 with a notice if the request is not understood. The
/// right to ask is checked before ([`Gate`](super::Gate)).
///
/// Needs `dynamodb:Query`, `dynamodb:DeleteItem` and `execute-api:ManageConnections` (`POST` and `DELETE`).
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]; [`HandlerError::Store`] if the person's connections could not be looked up.
pub async fn kick(
    event: &SocketEvent,
    (store, delivery): (&impl ConnectionStore, &impl Delivery),
    index: Index,
    invocation: &Invocation,
) -> Result<ProxyResponse, HandlerError> {
    let log = invocation.log.with("route", event.route());
    let Some((connection, request)) = Request::read(event, store, invocation).await? else {
        log.warn("request of an unknown connection dropped", []);
        return Ok(ProxyResponse::status(403));
    };
    let log = log.with("connectionId", connection.as_str());
    let request = match request.and_then(|request| Ok((named(&request)?, request))) {
        Ok(request) => request,
        Err(refused) => return Ok(refuse(&refused, event, &connection, delivery, &log).await),
    };
    let (name, request) = request;
    let now = invocation.now;
    let found: Vec<ConnectionId> = if index.has_room() {
        let Some(people) = people(&request.sender.room, now, store).await? else {
            let refused = request.refused(FrameError::RoomTooLarge);
            return Ok(refuse(&refused, event, &connection, delivery, &log).await);
        };
        let named = people
            .into_iter()
            .filter(|it| it.name.as_ref() == Some(&name));
        named.map(|member| member.device.connection).collect()
    } else {
        let devices = store.connections_of(&name, now, Read::Consistent).await?;
        devices
            .into_iter()
            .map(|device| device.connection)
            .collect()
    };
    let services = (store, delivery);
    let ended = found
        .iter()
        .map(|device| end(device, &name, &request, services, index, &log));
    let ended: Vec<bool> = stream::iter(ended)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let connections = ended.into_iter().filter(|is_ended| *is_ended).count();
    log.info("person kicked", [("connections", json!(connections))]);
    let answer = answers::AnswerFrame::Kicked {
        name: name.to_string(),
        connections,
        reference: request.reference,
    };
    notify(&connection, &frame(&answer), delivery, &log).await;
    Ok(ProxyResponse::status(200))
}

fn named(request: &Request<'_>) -> Result<Name, Refused> {
    let missing = || {
        request.refused(FrameError::BadMember {
            member: NAME,
            reason: "it must name who is meant".into(),
        })
    };
    request.name(NAME)?.ok_or_else(missing)
}

/// Ends one connection; answers whether it was open.
async fn end(
    device: &ConnectionId,
    name: &Name,
    request: &Request<'_>,
    (store, delivery): (&impl ConnectionStore, &impl Delivery),
    index: Index,
    log: &Log,
) -> bool {
    let notice = json!({
        "error": KICKED,
        "message": "a moderator has ended this connection",
        "route": null,
    });
    notify(device, &notice.to_string(), delivery, log).await;
    match delivery.end(device).await {
        Ok(Posted::Delivered) => true,
        Ok(Posted::Gone) => {
            // What `$disconnect` has not removed.
            let room = &request.sender.room;
            let removed = match index.has_room() {
                true => store.leave(room, device).await,
                false => store.forget(name, device).await,
            };
            log_removal(removed, device, log);
            false
        }
        Err(error) => {
            let fields = [
                ("receiver", json!(device.as_str())),
                ("reason", json!(reasons(&error))),
            ];
            log.warn("connection not ended", fields);
            false
        }
    }
}
