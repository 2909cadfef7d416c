//! What a message of the operator looks like to those who get it.

use chat_protocol::Receivers;
use chat_protocol::envelope::{Envelope, Message};
use chat_protocol::limit::MAX_MESSAGE_BYTES;
use ulid::Ulid;

use super::ConnectionFilter;
use crate::engine::random::random_bytes;
use crate::engine::{ErrorKind, TargetError};
use crate::stack::moment::rfc3339;
use crate::stack::records::Records;

/// The sender in the operator's envelopes. No user can have this name, because names contain no `#`.
pub(crate) const OPERATOR: &str = "#operator";

/// What is posted for `text` to the connections of `filter`: an envelope where the chat's routes have them, else the text itself. `now` is in
/// milliseconds since the Unix epoch.
///
/// # Errors
/// The text is empty or larger than API Gateway's largest message.
pub fn message(
    records: &Records,
    filter: &ConnectionFilter,
    text: &str,
    now: u64,
) -> Result<String, TargetError> {
    if text.is_empty() {
        return Err(TargetError::new(
            ErrorKind::Usage,
            "could not send an empty text",
        ));
    }
    let receivers = match filter {
        ConnectionFilter::Room(_) => Receivers::Room,
        _ => Receivers::Friend,
    };
    let post = match records.envelope(receivers) {
        None => text.to_owned(),
        Some(route) => envelope(route, filter, text, now),
    };
    if post.len() > MAX_MESSAGE_BYTES {
        let message = format!(
            "could not send a message of {} bytes: the largest has {MAX_MESSAGE_BYTES}",
            post.len()
        );
        return Err(
            TargetError::new(ErrorKind::Usage, message).with_hint("send it in several parts")
        );
    }
    Ok(post)
}

fn envelope(route: &str, filter: &ConnectionFilter, text: &str, now: u64) -> String {
    let id = Ulid::from_parts(now, u128::from_be_bytes(random_bytes())).to_string();
    let (room, to) = match filter {
        ConnectionFilter::Room(room) => (Some(room.as_ref().into()), None),
        ConnectionFilter::Person(name) => (None, Some(name.as_ref().into())),
        ConnectionFilter::Everybody | ConnectionFilter::Connection(_) => (None, None),
    };
    let message = Envelope::Message(Message {
        id: id.into(),
        route: route.into(),
        from: Some(OPERATOR.into()),
        room,
        to,
        text: text.into(),
        at: at(now).into(),
        attributes: Default::default(),
    });
    serde_json::to_string(&message).expect("texts always serialise")
}

/// As the functions write it.
fn at(now: u64) -> String {
    let now = i64::try_from(now).ok();
    now.and_then(rfc3339).unwrap_or_default()
}
