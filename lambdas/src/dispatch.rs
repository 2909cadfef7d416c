//! How one shard of a large room is handed over to a function of its own.

use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::event::UnexpectedEvent;
use crate::room::Rest;
use crate::session::{ConnectionId, Room};
use crate::shard::Shard;

/// The way to the function that serves one shard: an asynchronous `Invoke`.
pub trait Dispatch {
    /// Hands `message` over. That it is delivered is not promised, only that it waits for its turn.
    ///
    /// Answers the request id that the function will have. An id under which nothing was logged afterwards is of a message that
    /// Lambda's queue dropped.
    ///
    /// # Errors
    /// [`DispatchError`]
    fn dispatch(
        &self,
        message: &ShardMessage,
    ) -> impl Future<Output = Result<String, DispatchError>> + Send;
}

/// Why a shard was not, or perhaps not, handed over.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// It was not: whoever wanted to can still serve the shard himself.
    #[error("the function for large rooms was not invoked")]
    Refused {
        /// What Lambda, or the way to it, reported.
        source: Box<dyn Error + Send + Sync>,
    },
    /// It may have been: to serve the shard as well would show the message twice.
    #[error("nobody knows whether the function for large rooms was invoked")]
    Unknown {
        /// What became of the request.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// A message to one shard of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardMessage {
    /// The room.
    pub room: Room,
    /// Which part of it.
    pub shard: Shard,
    /// What is said.
    pub text: String,
    /// Who is not to receive it.
    pub except: ConnectionId,
    /// How many functions have worked at this shard before.
    pub step: u8,
    /// Whom they have left over.
    pub rest: Rest,
}

/// How many functions work at one shard at most, one after another: almost an hour.
///
/// Each hands on what it had no time for, so there must be an end to it. Lambda itself stops a function that has caused itself
/// to run some 16 times (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>), and says so to its owner as of an
/// accident.
pub const MAX_STEPS: u8 = 12;

/// The payload. In Base64 the longest message has 175 KB, whatever its characters are: as JSON text it could have six
/// times its length, and Lambda once took no more than 256 KB (now 1 MB:
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>). Beyond 256 KB it also costs more.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    room: String,
    shard: u8,
    text_base64: String,
    except: String,
    #[serde(default, skip_serializing_if = "is_first")]
    step: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    postponed: Vec<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_first(step: &u8) -> bool {
    *step == 0
}

impl ShardMessage {
    /// The message as the function's event.
    #[must_use]
    pub fn to_payload(&self) -> Vec<u8> {
        let payload = Payload {
            room: self.room.to_string(),
            shard: self.shard.number(),
            text_base64: STANDARD.encode(&self.text),
            except: self.except.to_string(),
            step: self.step,
            after: self.rest.last.as_ref().map(ToString::to_string),
            postponed: ids(&self.rest.postponed),
        };
        serde_json::to_vec(&payload).expect("texts and numbers always become JSON")
    }

    /// The same message for the function that goes on with `rest`; `None` when enough functions have worked at it.
    #[must_use]
    pub fn handed_on(&self, rest: Rest) -> Option<Self> {
        let step = self.step + 1;
        (step < MAX_STEPS).then(|| Self {
            step,
            rest,
            ..self.clone()
        })
    }
}

fn ids(connections: &[ConnectionId]) -> Vec<String> {
    connections.iter().map(ToString::to_string).collect()
}

impl<'de> Deserialize<'de> for ShardMessage {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let payload = Payload::deserialize(deserializer)?;
        Self::try_from(payload).map_err(serde::de::Error::custom)
    }
}

impl TryFrom<Payload> for ShardMessage {
    type Error = UnexpectedEvent;

    fn try_from(payload: Payload) -> Result<Self, UnexpectedEvent> {
        let unexpected = |what| UnexpectedEvent::new("a message to one shard of a room", what);
        let text = STANDARD.decode(payload.text_base64).ok();
        Ok(Self {
            room: Room::parse(&payload.room).map_err(|_| unexpected("no room's name"))?,
            shard: Shard::numbered(payload.shard).ok_or_else(|| unexpected("an unknown shard"))?,
            text: text
                .and_then(|text| String::from_utf8(text).ok())
                .ok_or_else(|| unexpected("no text in Base64"))?,
            except: ConnectionId::new(payload.except),
            step: Some(payload.step)
                .filter(|step| *step < MAX_STEPS)
                .ok_or_else(|| unexpected("a step beyond the last"))?,
            rest: Rest {
                // Where everybody was begun with, the next page says so.
                is_unfinished: true,
                last: payload.after.map(ConnectionId::new),
                postponed: payload
                    .postponed
                    .into_iter()
                    .map(ConnectionId::new)
                    .collect(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_STEPS, ShardMessage};
    use crate::room::Rest;
    use crate::session::{ConnectionId, Room};
    use crate::shard::Shard;
    use chat_protocol::limit::MAX_MESSAGE_BYTES;

    #[test]
    fn a_message_survives_its_way_through_a_payload() {
        let message = message(" \"hi\"\n\u{1F600} ");
        assert_eq!(
            serde_json::from_slice::<ShardMessage>(&message.to_payload()).unwrap(),
            message
        );
    }

    #[test]
    fn the_worst_text_stays_below_what_lambda_takes() {
        for text in ["\u{1}", "\"", "\u{1F600}", "x"] {
            let longest = text.repeat(MAX_MESSAGE_BYTES / text.len());
            let bytes = message(&longest).to_payload().len();
            assert!(bytes < 256 * 1024, "{bytes} bytes of {text:?}");
        }
    }

    #[test]
    fn what_is_no_such_payload_is_refused_without_being_quoted() {
        for payload in [
            "{}",
            r#"{"room":" r","shard":0,"textBase64":"","except":"c"}"#,
            r#"{"room":"r","shard":9,"textBase64":"","except":"c"}"#,
            r#"{"room":"r","shard":0,"textBase64":"secret","except":"c"}"#,
            r#"{"room":"r","shard":0,"textBase64":"/w==","except":"c"}"#,
            r#"{"room":"r","shard":0,"textBase64":"","except":"c","step":12}"#,
        ] {
            let error = serde_json::from_str::<ShardMessage>(payload)
                .unwrap_err()
                .to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_message_as_broadcast_hands_it_over_begins_with_everybody() {
        let payload = r#"{"room":"r","shard":1,"textBase64":"aGk=","except":"c"}"#;
        let message: ShardMessage = serde_json::from_str(payload).unwrap();
        assert_eq!((message.step, &message.rest), (0, &Rest::everybody()));
        assert_eq!(message.to_payload(), payload.as_bytes());
    }

    #[test]
    fn a_message_is_handed_on_until_the_last_step() {
        let mut message = message("hi");
        while let Some(next) = message.handed_on(message.rest.clone()) {
            assert_eq!(next.step, message.step + 1);
            message = next;
        }
        assert_eq!(message.step, MAX_STEPS - 1);
        let read = serde_json::from_slice::<ShardMessage>(&message.to_payload());
        assert_eq!(read.unwrap(), message);
    }

    fn message(text: &str) -> ShardMessage {
        ShardMessage {
            room: Room::parse(&"x".repeat(64)).unwrap(),
            shard: Shard::numbered(3).unwrap(),
            text: text.to_owned(),
            except: ConnectionId::new("BFaT_fALIAMCKug="),
            step: 3,
            rest: Rest {
                is_unfinished: true,
                last: Some(ConnectionId::new("BFaT_fALIAMCKuh=")),
                postponed: vec![ConnectionId::new("BFaT_fALIAMCKui="); 1_000],
            },
        }
    }
}
