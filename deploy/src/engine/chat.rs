//! One person's connection to a chat: opened, kept, opened again.

use std::time::Duration;

use chat_protocol::{Handshake, auth};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};

use super::network::{DialError, ProxyFailure, Socket, dial};
use super::{TargetError, Token};

/// How long a handshake may take. An authorizer has 29 seconds.
const HANDSHAKE: Duration = Duration::from_secs(40);

/// How long a gateway may take nothing of what is sent.
const TAKING: Duration = Duration::from_secs(20);

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// Where somebody sits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    pub url: String,
    pub handshake: Handshake,
    /// What proves the name, where the chat asks for a proof.
    pub token: Option<Token>,
}

/// Why a connection did not come to be.
#[derive(Debug, thiserror::Error)]
pub enum SeatError {
    /// The gateway has understood, and does not want this client.
    #[error("{url} refuses the connection: {status}{words}")]
    Refused {
        url: String,
        status: u16,
        words: String,
    },
    #[error("{url} does not accept connections")]
    Unreachable {
        url: String,
        source: Box<tungstenite::Error>,
    },
    #[error("{url} did not answer the handshake within {HANDSHAKE:?}")]
    Silent { url: String },
    #[error("{url} cannot be reached")]
    Proxy { url: String, source: ProxyFailure },
    /// The environment asks for what cannot be done.
    #[error(transparent)]
    Setup(TargetError),
}

impl SeatError {
    /// Whether trying again can help.
    pub fn may_pass(&self) -> bool {
        match self {
            // Too many requests, or the gateway's own trouble.
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            Self::Unreachable { .. } | Self::Silent { .. } => true,
            Self::Proxy { source, .. } => !source.wants_login,
            Self::Setup(_) => false,
        }
    }

    /// Whether TLS was offered to a server that speaks without.
    pub fn is_without_tls(&self) -> bool {
        match self {
            Self::Unreachable { url, source } => {
                url.starts_with("wss://") && source.to_string().contains("InvalidContentType")
            }
            _ => false,
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Line(Socket);

/// What comes over it.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    Text(String),
    /// It is over; why, in words.
    Closed(String),
}

/// Opens a connection, by TLS where the URL says `wss`, and through the proxy that the environment names.
///
/// # Errors
/// [`SeatError`]
pub async fn sit(seat: &Seat) -> Result<Line, SeatError> {
    let url = || seat.url.clone();
    let unreachable = |source| SeatError::Unreachable {
        url: url(),
        source: Box::new(source),
    };
    let mut request = seat
        .url
        .as_str()
        .into_client_request()
        .map_err(unreachable)?;
    for (name, value) in seat.handshake.headers() {
        let value = value
            .parse()
            .expect("a name's characters are all allowed in a header");
        request.headers_mut().insert(name, value);
    }
    if let Some(token) = &seat.token {
        request.headers_mut().insert(auth::HEADER, token.header());
    }
    let opened = tokio::time::timeout(HANDSHAKE, dial(request))
        .await
        .map_err(|_elapsed| SeatError::Silent { url: url() })?;
    match opened {
        Ok(socket) => Ok(Line(socket)),
        Err(DialError::Setup(error)) => Err(SeatError::Setup(error)),
        Err(DialError::Proxy(source)) => Err(SeatError::Proxy { url: url(), source }),
        Err(DialError::Socket(tungstenite::Error::Http(response))) => {
            let body = response.body().as_deref().unwrap_or_default();
            let body = String::from_utf8_lossy(body);
            let words = match body.trim() {
                "" => String::new(),
                body => format!(" {}", excerpt(body)),
            };
            Err(SeatError::Refused {
                url: url(),
                status: response.status().as_u16(),
                words,
            })
        }
        Err(DialError::Socket(source)) => Err(unreachable(source)),
    }
}

impl Line {
    /// Sends one text frame.
    ///
    /// # Errors
    /// The connection is over, in words. Whether the text has left is not known then.
    pub async fn say(&mut self, text: &str) -> Result<(), String> {
        let sending = self.0.send(Message::text(text));
        match tokio::time::timeout(TAKING, sending).await {
            Ok(sent) => sent.map_err(|error| why_over(&error)),
            Err(_elapsed) => Err(format!("by this side: nothing was taken for {TAKING:?}")),
        }
    }

    /// The next text, or the end.
    pub async fn hear(&mut self) -> Incoming {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Incoming::Text(text.to_string()),
                Some(Ok(Message::Binary(bytes))) => {
                    return Incoming::Text(String::from_utf8_lossy(&bytes).into_owned());
                }
                Some(Ok(Message::Close(frame))) => {
                    let words = frame.map_or_else(
                        || "without a reason".to_owned(),
                        |frame| closed(frame.code, &frame.reason),
                    );
                    // The answer to it is sent on the way; how it fares changes nothing.
                    drop(tokio::time::timeout(GOODBYE, self.0.flush()).await);
                    return Incoming::Closed(words);
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Incoming::Closed(why_over(&error)),
                None => return Incoming::Closed(String::new()),
            }
        }
    }

    /// Says goodbye and waits for the other side's, not for long.
    pub async fn leave(mut self) {
        let goodbye = async {
            if self.0.close(None).await.is_ok() {
                while let Some(Ok(_)) = self.0.next().await {}
            }
        };
        // Who does not answer is left alone.
        drop(tokio::time::timeout(GOODBYE, goodbye).await);
    }
}

/// The beginning of what a server said, without anything that a terminal would obey.
fn excerpt(body: &str) -> String {
    let harmless = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    body.chars().take(200).map(harmless).collect()
}

fn why_over(error: &tungstenite::Error) -> String {
    match error {
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            "without a goodbye: the other side is gone, or the network".into()
        }
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => String::new(),
        other => format!("by an error: {other}"),
    }
}

/// A close code in words (RFC 6455, section 7.4.1; API Gateway uses 1001 for its time limits).
fn closed(code: CloseCode, reason: &str) -> String {
    let word = match u16::from(code) {
        1000 => "done",
        1001 => "the gateway goes away, or a time limit is over: 10 minutes idle, 2 hours in all",
        1002 => "protocol error",
        1003 => "it does not take such data",
        1007 => "text that is not UTF-8",
        1008 => "against the gateway's policy",
        1009 => "a message was too big",
        1010 => "an extension is missing",
        1011 => "internal error",
        1012 => "it restarts",
        1013 => "try again later",
        _ => "for a reason of its own",
    };
    let reason = match reason {
        "" => String::new(),
        reason => format!(" \"{reason}\""),
    };
    format!("with {}{reason} ({word})", u16::from(code))
}

/// How long to wait before attempt number `attempt`, counted from 0: up to half a second at first, doubling, at most
/// half a minute. `random` in 0..1 spreads the clients of a gateway that has just come back.
pub fn pause(attempt: u32, random: f64) -> Duration {
    let most = Duration::from_millis(500) * 2u32.pow(attempt.min(10));
    let most = most.min(Duration::from_secs(30));
    most.mul_f64(0.25 + 0.75 * random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute_and_are_never_nothing() {
        assert_eq!(pause(0, 1.0), Duration::from_millis(500));
        assert_eq!(pause(3, 1.0), Duration::from_secs(4));
        assert_eq!(pause(99, 1.0), Duration::from_secs(30));
        assert_eq!(pause(0, 0.0), Duration::from_millis(125));
    }

    #[test]
    fn a_close_is_told_with_its_code_and_its_reason() {
        assert_eq!(
            closed(CloseCode::Away, "Going away"),
            "with 1001 \"Going away\" (the gateway goes away, or a time limit is over: 10 minutes idle, 2 hours in all)"
        );
        assert_eq!(closed(CloseCode::Normal, ""), "with 1000 (done)");
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let refused = |status| SeatError::Refused {
            url: "u".into(),
            status,
            words: String::new(),
        };
        assert_eq!(
            [401, 403, 410, 429, 500, 503].map(|status| refused(status).may_pass()),
            [false, false, false, true, true, true]
        );
    }

    #[test]
    fn what_a_server_says_is_quoted_without_what_a_terminal_obeys() {
        assert_eq!(
            excerpt("no\u{1b}]0;x\u{7}\r\n"),
            "no\u{fffd}]0;x\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(excerpt(&"ü".repeat(300)).chars().count(), 200);
    }

    #[tokio::test]
    async fn nobody_there_is_worth_another_attempt() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/v1", listener.local_addr().unwrap());
        drop(listener);
        let seat = Seat {
            url,
            handshake: Handshake::default().with(chat_protocol::Field::From, "Tom"),
            token: None,
        };
        assert!(sit(&seat).await.unwrap_err().may_pass());
    }

    #[tokio::test]
    async fn tls_that_is_offered_to_a_server_without_is_told_from_other_trouble() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("wss://{}/v1", listener.local_addr().unwrap());
        let answering = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
            tokio::io::AsyncWriteExt::write_all(&mut stream, answer)
                .await
                .unwrap();
            stream
        };
        let seat = Seat {
            url,
            handshake: Handshake::default(),
            token: None,
        };
        let (outcome, _stream) = tokio::join!(sit(&seat), answering);
        assert!(outcome.unwrap_err().is_without_tls());
    }
}
