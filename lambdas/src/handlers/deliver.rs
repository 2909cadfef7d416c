//! One shard of a large room.

use serde_json::json;

use super::{HandlerError, Invocation};
use crate::delivery::Delivery;
use crate::dispatch::ShardMessage;
use crate::room::{RoomPost, Tally};
use crate::store::ConnectionStore;

/// Posts a message to everybody in one shard of a room, page by page, and counts.
///
/// Nothing of what it did can be taken back or repeated without showing the
/// message twice, so Lambda must not repeat it (`MaximumRetryAttempts` 0). Now
/// and then Lambda hands an event over twice although nothing failed; then the
/// shard reads the message twice
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>).
///
/// Needs `dynamodb:Query`, `dynamodb:DeleteItem` and
/// `execute-api:ManageConnections` (`POST` only).
///
/// # Errors
/// [`HandlerError::Store`] when the shard could not be read to its end; who was found before has been served.
pub async fn deliver<S: ConnectionStore, D: Delivery>(
    message: &ShardMessage,
    (store, delivery): (&S, &D),
    invocation: &Invocation,
) -> Result<Tally, HandlerError> {
    let log = invocation.log.with("shard", message.shard.number());
    let post = RoomPost {
        room: &message.room,
        text: &message.text,
        except: &message.except,
        store,
        delivery,
        invocation,
        log: &log,
    };
    let (tally, read) = post.post_to_shard(message.shard).await;
    let counts = [
        ("delivered", json!(tally.delivered)),
        ("gone", json!(tally.gone)),
        ("refused", json!(tally.refused)),
    ];
    if tally.cut_short {
        log.error("shard not served to its end: no time left", counts);
    } else {
        log.info("shard served", counts);
    }
    read?;
    Ok(tally)
}
