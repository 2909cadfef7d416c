//! The handler for messages to all members of the sender's room.

use chat_protocol::Receivers;
use futures_util::future::{join, join_all};
use futures_util::stream;
use serde_json::json;

use super::keep::outgoing;
use super::sender::{notify, refuse, sender_session};
use super::{HandlerError, Invocation, ProxyResponse};
use crate::delivery::Delivery;
use crate::dispatch::{Dispatch, DispatchError, ShardMessage};
use crate::event::SocketEvent;
use crate::history::History;
use crate::log::{Log, reasons};
use crate::review::Rules;
use crate::room::{Audience, INLINE_RECEIVERS, Rest, RoomPost, Tally};
use crate::session::{ConnectionId, Names};
use crate::shard::Shard;
use crate::store::{ConnectionStore, Device};

/// Posts the message to every connection in the sender's room, and to the sender's own only if the route includes it:
/// unchanged, or in an envelope if its route says so. With an envelope and a `ref`, the sender gets a receipt.
///
/// Up to [`INLINE_RECEIVERS`] receivers are served here. For more, the function for large rooms is invoked
/// asynchronously, once per shard. A shard that Lambda does not accept is served here, as long as there is time.
///
/// On a route with history the message is written before its receivers are looked up. One that cannot be written is refused.
///
/// The sender's own copy needs no lookup.
///
/// Returns 200 if the message was processed; 403 without any post if the connection is unknown; and 400 if the frame
/// does not match its route's rule, is refused by the route's review, or cannot be kept, with a notice to the sender. A one-way route shows none of these to the client.
///
/// Needs `dynamodb:Query`, `dynamodb:DeleteItem`, `execute-api:ManageConnections` (`POST` only),
/// `lambda:InvokeFunction` on the function for large rooms and on those that review, `dynamodb:PutItem` if a route has history, and `dynamodb:GetItem` if
/// there is no authorizer.
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]; [`HandlerError::Store`] if the sender or the room could not be looked up, before
/// any post.
pub async fn broadcast<S: ConnectionStore + History, D: Delivery>(
    event: &SocketEvent,
    (store, delivery): (&S, &D),
    dispatch: &impl Dispatch,
    routes: &impl Rules,
    invocation: &Invocation,
) -> Result<ProxyResponse, HandlerError> {
    let (connection, frame) = event.message()?;
    let log = invocation
        .log
        .with("connectionId", connection.as_str())
        .with("route", event.route());

    let session =
        sender_session(event, &connection, Names::Optional, store, invocation.now).await?;
    let Some(session) = session else {
        log.warn("message of an unknown connection dropped", []);
        return Ok(ProxyResponse::status(403));
    };
    let route = routes.rule(event.route());
    let rule = (route, Receivers::Room);
    let (given, services) = ((event, frame), (routes, store));
    let outgoing = match outgoing(given, rule, &session, services, invocation.now, &log).await {
        Ok(outgoing) => outgoing,
        Err(refused) => return Ok(refuse(&refused, event, &connection, delivery, &log).await),
    };
    let (room, text, services) = (&session.room, &outgoing.post, (store, delivery));
    let post = RoomPost {
        log: &log,
        ..RoomPost::new(room, text, &connection, services, invocation)
    };
    let own = route.include_sender.then(|| own_copy(&connection));
    // On its own, because a receipt does not count it.
    let own = post.post_to_few(stream::iter(own));
    let delivered = match post.audience(INLINE_RECEIVERS).await? {
        Audience::Few(members) => {
            let (own, others) = join(own, post.post_to_few(stream::iter(members))).await;
            report(own.and(others), 0, &log);
            Some(others.delivered)
        }
        Audience::Many => {
            let (own, (others, handed_over)) = join(own, hand_over(&post, dispatch)).await;
            report(own.and(others), handed_over, &log);
            None
        }
    };
    if let Some(answer) = outgoing.answer(delivered, Receivers::Room, event.route()) {
        notify(&connection, &answer, delivery, &log).await;
    }
    Ok(ProxyResponse::status(200))
}

/// The sender's connection exists for certain, because it has sent a message.
fn own_copy(connection: &ConnectionId) -> Device {
    Device {
        connection: connection.clone(),
        connected_at: 0,
    }
}

/// Hands each shard over, and serves those that Lambda does not accept. Returns the tally of posts made here, and the
/// number of shards handed over.
async fn hand_over<S: ConnectionStore, D: Delivery>(
    post: &RoomPost<'_, S, D>,
    dispatch: &impl Dispatch,
) -> (Tally, usize) {
    let handed_over = join_all(Shard::all().map(|shard| async move {
        let message = ShardMessage {
            room: post.room.clone(),
            shard,
            text: post.text.to_owned(),
            except: post.except.clone(),
            step: 0,
            rest: Rest::everybody(),
        };
        (shard, dispatch.dispatch(&message).await)
    }));
    let mut tally = Tally::default();
    let mut taken = Vec::new();
    for (shard, outcome) in handed_over.await {
        let error = match outcome {
            Ok(invocation) => {
                taken.push(invocation);
                continue;
            }
            Err(error) => error,
        };
        let fields = [
            ("shard", json!(shard.number())),
            ("reason", json!(reasons(&error))),
        ];
        post.log.error("shard not handed over", fields);
        if let DispatchError::Refused { .. } = error {
            tally = tally.and(post.serve_shard(shard).await);
        }
    }
    // Lambda's queue does not report what it drops. An id without any later log line shows it.
    let invocations = ("invocations", json!(taken));
    post.log.info("shards handed over", [invocations]);
    (tally, taken.len())
}

fn report(tally: Tally, handed_over: usize, log: &Log) {
    let counts = [
        ("delivered", json!(tally.delivered)),
        ("gone", json!(tally.gone)),
        ("refused", json!(tally.refused)),
        ("shardsHandedOver", json!(handed_over)),
    ];
    if tally.cut_short {
        log.error("message not delivered to everybody: no time left", counts);
    } else if tally.is_plain() {
        // Stored log lines would cost more than everything else that this function does.
        log.debug("message handled", counts);
    } else {
        log.info("message handled", counts);
    }
}
