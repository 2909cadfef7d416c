//! A client of a deployed chat. `chatctl chat` and the probe connect by it.

use std::fmt;
use std::time::Duration;

use chat_protocol::{Handshake, auth};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};

use super::limits;
use super::network::{DialError, ProxyFailure, Socket, dial};
use super::requests::{Request, place};
use super::{TargetError, Token};

/// How long the closing handshake may take.
const CLOSING: Duration = Duration::from_secs(2);

/// Where a chat is, and what a client says about itself there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The endpoint: `wss://` or `ws://`, stage included.
    pub url: String,
    /// The names that it sends.
    pub handshake: Handshake,
    /// What proves the name, where the chat asks for a proof.
    pub token: Option<Token>,
}

/// Why a connection did not open.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "the messages say what its variants and their fields are"
)]
pub enum ConnectError {
    /// The gateway has understood the handshake and does not accept this client.
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
    #[error("{url} did not answer the handshake within {} s", limits::HANDSHAKE.in_seconds())]
    Silent { url: String },
    #[error("{url} cannot be reached")]
    Proxy { url: String, source: ProxyFailure },
    /// The environment asks for what cannot be done.
    #[error(transparent)]
    Setup(TargetError),
}

impl ConnectError {
    /// Whether another attempt may succeed.
    pub fn may_pass(&self) -> bool {
        match self {
            // Too many requests, or an error of the gateway itself.
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            Self::Unreachable { .. } | Self::Silent { .. } => true,
            Self::Proxy { source, .. } => !source.is_login_required,
            Self::Setup(_) => false,
        }
    }

    /// Whether TLS was offered to a server that does not speak it.
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
pub struct Connection(Socket);

/// The end of a connection, in words that follow "closed"; empty where there is nothing to say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Closed(String);

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Address {
    /// Makes one attempt to connect, which may take as long as the other side likes: by TLS where the URL says `wss`,
    /// and through the proxy that the environment names.
    pub(super) async fn dial(&self) -> Result<Connection, DialError> {
        let mut request = self.url.as_str().into_client_request()?;
        for (name, value) in self.handshake.headers() {
            let value = value
                .parse()
                .expect("a name's characters are all allowed in a header");
            request.headers_mut().insert(name, value);
        }
        if let Some(token) = &self.token {
            request.headers_mut().insert(auth::HEADER, token.header());
        }
        let reported = Request::begin("GET", "websocket", place(request.uri()));
        let opened = dial(request).await;
        reported.ended(match &opened {
            Ok(_) => "101".to_owned(),
            Err(DialError::Socket(tungstenite::Error::Http(response))) => {
                response.status().as_u16().to_string()
            }
            Err(DialError::Socket(error)) => format!("failed ({error})"),
            Err(DialError::Proxy(failure)) => format!("failed ({failure})"),
            Err(DialError::Setup(_)) => "not sent".to_owned(),
        });
        Ok(Connection(opened?))
    }
}

/// Opens a connection to `address`.
///
/// # Errors
/// [`ConnectError`]
pub async fn connect(address: &Address) -> Result<Connection, ConnectError> {
    let url = || address.url.clone();
    let opened = tokio::time::timeout(limits::HANDSHAKE.time(), address.dial())
        .await
        .map_err(|_elapsed| ConnectError::Silent { url: url() })?;
    opened.map_err(|error| match error {
        DialError::Setup(error) => ConnectError::Setup(error),
        DialError::Proxy(source) => ConnectError::Proxy { url: url(), source },
        DialError::Socket(tungstenite::Error::Http(response)) => {
            let body = response.body().as_deref().unwrap_or_default();
            let body = String::from_utf8_lossy(body);
            let words = match body.trim() {
                "" => String::new(),
                body => format!(" {}", excerpt(body)),
            };
            ConnectError::Refused {
                url: url(),
                status: response.status().as_u16(),
                words,
            }
        }
        DialError::Socket(source) => ConnectError::Unreachable {
            url: url(),
            source: Box::new(source),
        },
    })
}

impl Connection {
    /// Sends one text frame.
    ///
    /// # Errors
    /// The connection is closed. Whether the text was sent is not known then.
    pub async fn send(&mut self, text: &str) -> Result<(), Closed> {
        let sending = self.0.send(Message::text(text));
        match tokio::time::timeout(limits::SENDING.time(), sending).await {
            Ok(sent) => sent.map_err(|error| Closed(why_closed(&error))),
            Err(_elapsed) => Err(Closed(format!(
                "by this side: nothing was accepted for {} s",
                limits::SENDING.in_seconds()
            ))),
        }
    }

    /// The next text.
    ///
    /// # Errors
    /// The connection is closed.
    pub async fn recv(&mut self) -> Result<String, Closed> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Message::Binary(bytes))) => {
                    return Ok(String::from_utf8_lossy(&bytes).into_owned());
                }
                Some(Ok(Message::Close(frame))) => {
                    let words = frame.map_or_else(
                        || "without a reason".to_owned(),
                        |frame| closed(frame.code, &frame.reason),
                    );
                    // The library answers the close frame; whether the answer arrives changes nothing.
                    drop(tokio::time::timeout(CLOSING, self.0.flush()).await);
                    return Err(Closed(words));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Closed(why_closed(&error))),
                None => return Err(Closed(String::new())),
            }
        }
    }

    /// Closes the connection and waits a moment for the other side to close it, too.
    pub async fn close(mut self) {
        let closing = async {
            if self.0.close(None).await.is_ok() {
                while let Some(Ok(_)) = self.0.next().await {}
            }
        };
        drop(tokio::time::timeout(CLOSING, closing).await);
    }

    /// Closes the connection without waiting for the other side.
    pub(super) async fn hang_up(mut self) {
        drop(tokio::time::timeout(CLOSING, self.0.close(None)).await);
    }
}

/// The beginning of what a server said, without anything that a terminal would obey.
fn excerpt(body: &str) -> String {
    let harmless = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    body.chars().take(200).map(harmless).collect()
}

fn why_closed(error: &tungstenite::Error) -> String {
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
    fn a_close_is_reported_with_its_code_and_its_reason() {
        assert_eq!(
            closed(CloseCode::Away, "Going away"),
            "with 1001 \"Going away\" (the gateway goes away, or a time limit is over: 10 minutes idle, 2 hours in all)"
        );
        assert_eq!(closed(CloseCode::Normal, ""), "with 1000 (done)");
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let refused = |status| ConnectError::Refused {
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
    async fn an_address_where_nothing_listens_is_worth_another_attempt() {
        let closed = testing::ports::Closed::new();
        let url = format!("ws://{}/v1", closed.address);
        let address = Address {
            url,
            handshake: Handshake::default().with(chat_protocol::Field::From, "Tom"),
            token: None,
        };
        assert!(connect(&address).await.unwrap_err().may_pass());
    }

    #[tokio::test]
    async fn tls_that_is_offered_to_a_server_without_is_distinguished_from_other_trouble() {
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
        let address = Address {
            url,
            handshake: Handshake::default(),
            token: None,
        };
        let (outcome, _stream) = tokio::join!(connect(&address), answering);
        assert!(outcome.unwrap_err().is_without_tls());
    }
}
