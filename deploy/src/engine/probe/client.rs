//! The probe's clients.

use std::time::{Duration, Instant};

use chat_protocol::{Field, Handshake};
use tokio_tungstenite::tungstenite;

use super::{ProbeCredential, ProbeError};
use crate::engine::client::{Address, Connection};
use crate::engine::network::DialError;

/// The address of the client `own`, whose friend is `friend`. Its names and its room are its probe's alone.
pub(super) fn address(
    url: &str,
    said: &Handshake,
    nonce: &str,
    own: &str,
    friend: &str,
) -> Address {
    let name = |person| format!("probe-{nonce}-{person}");
    Address {
        url: url.to_owned(),
        handshake: said
            .clone()
            .with(Field::From, name(own))
            .with(Field::To, name(friend))
            .with(Field::Room, format!("probe-{nonce}")),
        token: None,
    }
}

/// `address` with what proves its name.
pub(super) fn proven(
    mut address: Address,
    credential: ProbeCredential<'_>,
) -> Result<Address, ProbeError> {
    if let ProbeCredential::Tokens(mint) = credential {
        let name = address.handshake.get(Field::From).unwrap_or_default();
        address.token = Some(mint(name).map_err(ProbeError::Setup)?);
    }
    Ok(address)
}

/// Connects, again and again until `deadline`: a stage that was just deployed may still answer 403.
///
/// An error that `is_final` ends the waiting. A gateway that accepts the connection and does not answer the handshake is
/// waited for until the deadline.
pub(super) async fn connect(
    address: &Address,
    deadline: Instant,
    is_final: impl Fn(&tungstenite::Error) -> bool,
) -> Result<Connection, ProbeError> {
    let mut pause = Duration::from_millis(50);
    let began = Instant::now();
    loop {
        let attempt = tokio::time::timeout_at(deadline.into(), address.dial());
        let error = match attempt.await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => error,
            Err(_elapsed) => {
                return Err(ProbeError::NoAnswer {
                    url: address.url.clone(),
                    waited: began.elapsed(),
                });
            }
        };
        let is_late = Instant::now() + pause >= deadline;
        let url = || address.url.clone();
        match error {
            DialError::Setup(error) => return Err(ProbeError::Setup(error)),
            DialError::Proxy(source) if is_late || source.is_login_required => {
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
