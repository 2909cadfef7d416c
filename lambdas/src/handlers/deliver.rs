//! One shard of a large room.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{HandlerError, Invocation};
use crate::delivery::Delivery;
use crate::dispatch::{Dispatch, ShardMessage};
use crate::log::{Log, reasons};
use crate::room::{Rest, RoomPost, SHARD_POSTS_AT_ONCE, Tally};
use crate::store::ConnectionStore;

/// How long it may take to hand on what is left: as long as a post.
const HANDING_ON: Duration = Duration::from_secs(4);

/// For how long a receiver is tried again whose post was refused with 429: many functions may share what the account may ask.
const PATIENCE: Duration = Duration::from_secs(20);

/// Posts a message to everybody in one shard of a room, page by page, and counts.
///
/// What there is no time for is handed on: this function is invoked again, with the last member that was begun with, and those
/// whose posts were put off. That is done [`MAX_STEPS`](crate::dispatch::MAX_STEPS) times at most.
///
/// Nothing of what it did can be taken back or repeated without showing the
/// message twice, so Lambda must not repeat it (`MaximumRetryAttempts` 0). Now
/// and then Lambda hands an event over twice although nothing failed; then the
/// shard reads the message twice
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>).
///
/// Needs `dynamodb:Query`, `dynamodb:DeleteItem`, `execute-api:ManageConnections`
/// (`POST` only) and `lambda:InvokeFunction` on itself.
///
/// # Errors
/// [`HandlerError::Store`] when the shard could not be read to its end; who was found before has been served.
pub async fn deliver<S: ConnectionStore, D: Delivery>(
    message: &ShardMessage,
    (store, delivery): (&S, &D),
    dispatch: &impl Dispatch,
    invocation: &Invocation,
) -> Result<Tally, HandlerError> {
    let log = invocation
        .log
        .with("shard", message.shard.number())
        .with("step", message.step);
    let post = RoomPost {
        room: &message.room,
        text: &message.text,
        except: &message.except,
        store,
        delivery,
        invocation,
        until: end_of_posting(invocation.until),
        at_once: SHARD_POSTS_AT_ONCE,
        patience: PATIENCE,
        log: &log,
    };
    let from = message.rest.clone();
    let (tally, read) = post.post_to_shard(message.shard, from).await;
    let rest = match read {
        Ok(rest) => rest,
        Err(error) => {
            log.error("shard not served to its end: not readable", counts(tally));
            return Err(error.into());
        }
    };
    if rest.is_nobody() {
        log.info("shard served", counts(tally));
        return Ok(tally);
    }
    match hand_on(message, rest.clone(), dispatch).await {
        Ok(invocation) => {
            let log = log.with("invocation", invocation);
            log.info("shard handed on: no time left", counts(tally));
            Ok(tally)
        }
        Err(reason) => {
            let tally = post.give_up(tally, &rest);
            let log: Log = log.with("reason", reason);
            let message = "shard not served to its end: no time left";
            log.error(message, counts(tally));
            Ok(tally)
        }
    }
}

/// Answers the request id of the function that goes on, or why there is none.
async fn hand_on(
    message: &ShardMessage,
    rest: Rest,
    dispatch: &impl Dispatch,
) -> Result<String, String> {
    let Some(next) = message.handed_on(rest) else {
        return Err("enough functions have worked at it".to_owned());
    };
    let handed_on = dispatch.dispatch(&next).await;
    handed_on.map_err(|error| reasons(&error))
}

/// A function with little time uses half of it for posts, so that it does anything at all.
fn end_of_posting(until: Instant) -> Instant {
    let now = Instant::now();
    let left = until.saturating_duration_since(now);
    now + left.saturating_sub(HANDING_ON).max(left / 2)
}

fn counts(tally: Tally) -> [(&'static str, serde_json::Value); 3] {
    [
        ("delivered", json!(tally.delivered)),
        ("gone", json!(tally.gone)),
        ("refused", json!(tally.refused)),
    ]
}
