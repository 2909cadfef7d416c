//! The trait through which a shard of a large room is handed to its own function.

use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::event::UnexpectedEvent;
use crate::room::Rest;
use crate::session::{ConnectionId, Room};
use crate::shard::Shard;

/// Invokes the function that serves one shard: an asynchronous `Invoke`.
pub trait Dispatch {
    /// Hands `message` over. It is queued then; its delivery is not guaranteed.
    ///
    /// Returns the request id that the function will have. If no log line has that id later, Lambda's queue has dropped
    /// the message.
    ///
    /// # Errors
    /// [`DispatchError`]
    fn dispatch(
        &self,
        message: &ShardMessage,
    ) -> impl Future<Output = Result<String, DispatchError>> + Send;
}

/// Why a shard was not, or possibly not, handed over.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// It was not, so the caller can still serve the shard itself.
    #[error("the function was not invoked")]
    Refused {
        /// The cause that Lambda or the connection to it reported.
        source: Box<dyn Error + Send + Sync>,
    },
    /// It may have been, so serving the shard as well could show the message twice.
    #[error("it is unknown whether the function was invoked")]
    Unknown {
        /// The outcome of the request.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// A message to one shard of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardMessage {
    /// The room.
    pub room: Room,
    /// The part of the room.
    pub shard: Shard,
    /// The message.
    pub text: String,
    /// The connection that does not receive it.
    pub except: ConnectionId,
    /// The number of functions that have worked on this shard before.
    pub step: u8,
    /// The members that those have left over.
    pub rest: Rest,
}

/// The most functions that work on one shard, one after another: almost an hour.
///
/// Each function hands on what it had no time for, so their number must be bounded. Lambda itself stops a function that
/// has invoked itself some 16 times (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>), and
/// warns its owner of a loop.
pub const MAX_STEPS: u8 = 12;

/// The payload. In Base64 the longest message has 175 KB, whatever its characters: as JSON text it could have six times
/// its length, but Lambda's limit was 256 KB (now 1 MB:
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

    /// The same message for the next function, which serves `rest`; `None` after the last step.
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
            room: Room::parse(&payload.room).map_err(|_| unexpected("an invalid room name"))?,
            shard: Shard::numbered(payload.shard).ok_or_else(|| unexpected("an unknown shard"))?,
            text: text
                .and_then(|text| String::from_utf8(text).ok())
                .ok_or_else(|| unexpected("an invalid text in Base64"))?,
            except: ConnectionId::new(payload.except),
            step: Some(payload.step)
                .filter(|step| *step < MAX_STEPS)
                .ok_or_else(|| unexpected("a step beyond the last"))?,
            rest: Rest {
                // If every member was begun with, the next page shows it.
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
    fn a_message_survives_its_payload() {
        let message = message(" \"hi\"\n\u{1F600} ");
        assert_eq!(
            serde_json::from_slice::<ShardMessage>(&message.to_payload()).unwrap(),
            message
        );
    }

    #[test]
    fn the_largest_message_stays_below_lambda_s_limit() {
        for text in ["\u{1}", "\"", "\u{1F600}", "x"] {
            let longest = text.repeat(MAX_MESSAGE_BYTES / text.len());
            let bytes = message(&longest).to_payload().len();
            assert!(bytes < 256 * 1024, "{bytes} bytes of {text:?}");
        }
    }

    #[test]
    fn invalid_payloads_are_refused_without_being_quoted() {
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
    fn a_message_from_broadcast_is_for_all_members() {
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
