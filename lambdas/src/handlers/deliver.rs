//! The handler for one shard of a large room.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{HandlerError, Invocation};
use crate::delivery::Delivery;
use crate::dispatch::{Dispatch, ShardMessage};
use crate::log::{Log, reasons};
use crate::room::{Rest, RoomPost, SHARD_POSTS_AT_ONCE, Tally};
use crate::store::ConnectionStore;

/// The time reserved to hand on what is left: as long as a post.
const HANDING_ON: Duration = Duration::from_secs(4);

/// The time for retries to a receiver whose post got 429. Many functions may share the account's limit.
const RETRY_TIME: Duration = Duration::from_secs(20);

/// Posts a message to every member in one shard of a room, page by page, and counts.
///
/// Members for whom there is no time are handed on: the function invokes itself with the last member that it began
/// with, and those whose posts were postponed. It does so at most [`MAX_STEPS`](crate::dispatch::MAX_STEPS) times.
///
/// No post can be taken back, or repeated without showing the message twice, so Lambda must not retry it
/// (`MaximumRetryAttempts` 0). Lambda sometimes delivers an event twice although nothing failed; then the shard's
/// members get the message twice (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>).
///
/// Needs `dynamodb:Query`, `dynamodb:DeleteItem`, `execute-api:ManageConnections`
/// (`POST` only) and `lambda:InvokeFunction` on itself.
///
/// # Errors
/// [`HandlerError::Store`] if the shard could not be read to its end; the members found before have been served.
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
    let (room, text, services) = (&message.room, &message.text, (store, delivery));
    let post = RoomPost {
        until: end_of_posting(invocation.until),
        at_once: SHARD_POSTS_AT_ONCE,
        retry_time: RETRY_TIME,
        log: &log,
        ..RoomPost::new(room, text, &message.except, services, invocation)
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
    if rest.is_empty() {
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

/// Returns the request id of the next function, or why there is none.
async fn hand_on(
    message: &ShardMessage,
    rest: Rest,
    dispatch: &impl Dispatch,
) -> Result<String, String> {
    let Some(next) = message.handed_on(rest) else {
        return Err("the last step is reached".to_owned());
    };
    let handed_on = dispatch.dispatch(&next).await;
    handed_on.map_err(|error| reasons(&error))
}

/// With little time left, half of it is used for posts, so that at least some are made.
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
