//! How one shard of a large room is handed over to a function of its own.

use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::event::UnexpectedEvent;
use crate::session::{ConnectionId, Room};
use crate::shard::Shard;

/// The way to the function that serves one shard: an asynchronous `Invoke`.
pub trait Dispatch {
    /// Hands `message` over. That it is delivered is not promised, only that somebody else sees to it.
    ///
    /// # Errors
    /// [`DispatchError`]
    fn dispatch(
        &self,
        message: &ShardMessage,
    ) -> impl Future<Output = Result<(), DispatchError>> + Send;
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
}

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
        };
        serde_json::to_vec(&payload).expect("texts and a number always become JSON")
    }
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
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ShardMessage;
    use crate::routes::MAXIMUM_MESSAGE_BYTES;
    use crate::session::{ConnectionId, Room};
    use crate::shard::Shard;

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
            let longest = text.repeat(MAXIMUM_MESSAGE_BYTES / text.len());
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
        ] {
            let error = serde_json::from_str::<ShardMessage>(payload)
                .unwrap_err()
                .to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    fn message(text: &str) -> ShardMessage {
        ShardMessage {
            room: Room::parse(&"x".repeat(64)).unwrap(),
            shard: Shard::numbered(3).unwrap(),
            text: text.to_owned(),
            except: ConnectionId::new("BFaT_fALIAMCKug="),
        }
    }
}
