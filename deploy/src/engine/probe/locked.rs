//! What a chat whose names must be proven does with a client that proves nothing.

use std::time::{Duration, Instant};

use chat_protocol::Handshake;
use hyper::StatusCode;
use tokio_tungstenite::tungstenite;

use super::ProbeError;
use super::client::{address, connect};
use crate::engine::random_hex;

/// Proves of a chat whose tokens come from elsewhere what can be proven without one: that its gateway answers, and that its
/// authorizer refuses a client without a token.
///
/// # Errors
/// [`ProbeError::Open`] where it lets such a client in; else as for [`probe`](super::probe).
pub(super) async fn probe_locked(
    url: &str,
    said: &Handshake,
    timeout: Duration,
) -> Result<String, ProbeError> {
    let status = refuses_strangers(url, said, &random_hex::<6>(), Instant::now() + timeout).await?;
    let reported = match status {
        StatusCode::UNAUTHORIZED => "a client without a token is refused (401)".to_owned(),
        status => format!(
            "a client without a token is refused ({}), as it would be by a stage that is not there",
            status.as_u16()
        ),
    };
    Ok(format!(
        "{reported}; messages were not tried, as no token can be made here"
    ))
}

/// Connects to a chat whose authorizer is the user's with names alone; the answer is a line for the reader where it refuses
/// them, and `None` where it lets them in.
///
/// # Errors
/// The authorizer fails, or nothing answers.
pub(super) async fn probe_custom(
    url: &str,
    said: &Handshake,
    is_settled: bool,
    timeout: Duration,
) -> Result<Option<String>, ProbeError> {
    let stranger = address(url, said, &random_hex::<6>(), "c", "d");
    let is_final = |error: &tungstenite::Error| match refusal(error) {
        Some(StatusCode::FORBIDDEN) => is_settled,
        status => status.is_some(),
    };
    let status = match connect(&stranger, Instant::now() + timeout, is_final).await {
        Ok(connection) => {
            connection.hang_up().await;
            return Ok(None);
        }
        Err(ProbeError::Connect { url, source }) => match refusal(&source) {
            Some(status) => status,
            None => return Err(ProbeError::Connect { url, source }),
        },
        Err(error) => return Err(error),
    };
    Ok(Some(format!(
        "your authorizer refuses clients that only claim a name ({}), as these two did, so no message was tried: connect with what \
         it asks for, and send one",
        status.as_u16()
    )))
}

/// Connects without a token; the answer is the status of the refusal.
///
/// A stage that was just deployed may answer 403 as well, so only 401 ends the waiting.
pub(super) async fn refuses_strangers(
    url: &str,
    said: &Handshake,
    nonce: &str,
    deadline: Instant,
) -> Result<StatusCode, ProbeError> {
    let stranger = address(url, said, nonce, "c", "d");
    let is_final = |error: &tungstenite::Error| refusal(error) == Some(StatusCode::UNAUTHORIZED);
    match connect(&stranger, deadline, is_final).await {
        Ok(connection) => {
            connection.hang_up().await;
            Err(ProbeError::Open {
                url: url.to_owned(),
            })
        }
        Err(ProbeError::Connect { url, source }) => {
            refusal(&source).ok_or(ProbeError::Connect { url, source })
        }
        Err(error) => Err(error),
    }
}

/// The status of an answer with which an authorizer refuses.
fn refusal(error: &tungstenite::Error) -> Option<StatusCode> {
    let tungstenite::Error::Http(answer) = error else {
        return None;
    };
    let status = answer.status();
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN).then_some(status)
}
