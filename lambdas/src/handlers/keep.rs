//! What handlers of messages do before they look for receivers.

use chat_protocol::Receivers;
use serde_json::json;

use crate::envelope::{Outgoing, Refused};
use crate::event::SocketEvent;
use crate::history::{Conversation, History};
use crate::log::{Log, reasons};
use crate::protocol::FrameError;
use crate::review::Rules;
use crate::routes::Rule;
use crate::session::Session;

/// What is posted for `frame`, which the owner of `session` sent `now`, in seconds since the epoch: read by the rule, reviewed,
/// and written if its route keeps messages.
///
/// # Errors
/// [`Refused`] if it may not be delivered. The sender gets a notice.
pub(super) async fn outgoing<'frame>(
    (event, frame): (&SocketEvent, &'frame str),
    rule: (&Rule, Receivers),
    session: &Session,
    (routes, history): (&impl Rules, &impl History),
    now: u64,
    log: &Log,
) -> Result<Outgoing<'frame>, Refused> {
    let outgoing = Outgoing::new(event, frame, rule, session, now)?;
    let mut outgoing = routes.reviewed(outgoing, event, log).await?;
    keep(&mut outgoing, rule, session, history, log).await?;
    Ok(outgoing)
}

/// Writes the message to its conversation, if its route keeps messages.
///
/// This comes before the receivers are looked up. The other order would lose a message to a receiver that connects, and
/// reads the history, after the lookup and before the write.
///
/// Needs `dynamodb:PutItem`.
///
/// # Errors
/// [`Refused`] if it could not be written. It must not be delivered then, because its receipt would say too much.
async fn keep(
    outgoing: &mut Outgoing<'_>,
    (rule, receivers): (&Rule, Receivers),
    session: &Session,
    history: &impl History,
    log: &Log,
) -> Result<(), Refused> {
    let (Some(seconds), Some(line)) = (rule.history, outgoing.line()) else {
        return Ok(());
    };
    let conversation = match receivers.reach_a_room() {
        true => Some(Conversation::Room(session.room.clone())),
        false => {
            let names = session.name.clone().zip(session.friend.clone());
            names.map(|(own, friend)| Conversation::Two(own, friend))
        }
    };
    let Some(conversation) = conversation else {
        log.error("message without both names not kept", []);
        return Err(outgoing.refused(FrameError::NotStored));
    };
    let expires_at = line.id.timestamp_ms() / 1_000 + u64::from(seconds);
    if let Err(error) = history.keep(&conversation, &line, expires_at).await {
        log.error("message not kept", [("reason", json!(reasons(&error)))]);
        return Err(outgoing.refused(FrameError::NotStored));
    }
    outgoing.set_stored();
    Ok(())
}
