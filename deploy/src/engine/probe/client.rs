//! One of the probe's clients.

use std::time::{Duration, Instant};

use chat_protocol::{Field, Handshake, auth};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{Pass, ProbeError};
use crate::engine::Token;
use crate::engine::network::{DialError, Socket, dial};

/// For how long a closed connection is waited for.
const GOODBYE: Duration = Duration::from_secs(1);

/// What one of the probe's clients says about itself.
pub(super) struct Client {
    handshake: Handshake,
    token: Option<Token>,
}

impl Client {
    /// A client that proves nothing.
    pub(super) fn new(said: &Handshake, nonce: &str, own: &str, friend: &str) -> Self {
        let name = |person| format!("probe-{nonce}-{person}");
        let handshake = said
            .clone()
            .with(Field::From, name(own))
            .with(Field::To, name(friend))
            .with(Field::Room, format!("probe-{nonce}"));
        let token = None;
        Self { handshake, token }
    }

    /// The same client with what proves its name.
    pub(super) fn proving(mut self, pass: Pass<'_>) -> Result<Self, ProbeError> {
        if let Pass::Tokens(mint) = pass {
            let name = self.handshake.get(Field::From).unwrap_or_default();
            self.token = Some(mint(name).map_err(ProbeError::Setup)?);
        }
        Ok(self)
    }
}

/// Connects, again and again until `deadline`: a stage that was just deployed may still answer 403.
///
/// An error that `is_final` ends the waiting. A gateway that takes the connection and says nothing is waited for until
/// the deadline.
pub(super) async fn connect(
    url: &str,
    client: &Client,
    deadline: Instant,
    is_final: impl Fn(&tungstenite::Error) -> bool,
) -> Result<Socket, ProbeError> {
    let mut pause = Duration::from_millis(50);
    let began = Instant::now();
    loop {
        let attempt = attempt(url, client);
        let error = match tokio::time::timeout_at(deadline.into(), attempt).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => error,
            Err(_elapsed) => {
                return Err(ProbeError::NoAnswer {
                    url: url.to_owned(),
                    waited: began.elapsed(),
                });
            }
        };
        let is_late = Instant::now() + pause >= deadline;
        let url = || url.to_owned();
        match error {
            DialError::Setup(error) => return Err(ProbeError::Setup(error)),
            DialError::Proxy(source) if is_late || source.wants_login => {
                return Err(ProbeError::Proxy { url: url(), source });
            }
            DialError::Socket(source) if is_late || is_final(&source) => {
                let source = Box::new(source);
                return Err(ProbeError::Connect { url: url(), source });
            }
            DialError::Proxy(_) | DialError::Socket(_) => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

/// Says goodbye, and does not wait long for the answer: what counts is known already.
pub(super) async fn leave(socket: &mut Socket) {
    drop(tokio::time::timeout(GOODBYE, socket.close(None)).await);
}

pub(super) async fn attempt(url: &str, client: &Client) -> Result<Socket, DialError> {
    let mut request = url.into_client_request()?;
    for (name, value) in client.handshake.headers() {
        let value = value.parse().expect("a probe's name is a header value");
        request.headers_mut().insert(name, value);
    }
    if let Some(token) = &client.token {
        request.headers_mut().insert(auth::HEADER, token.header());
    }
    dial(request).await
}
