//! The HTTP half of a WebSocket: the responses to an upgrade request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::http::error::HttpError;
use crate::http::head::Head;

/// The response to `Sec-WebSocket-Key`, or the error of the handshake.
pub(crate) fn accept_key(head: &Head) -> Result<String, HttpError> {
    if head.header("sec-websocket-version") != Some("13") {
        return Err(HttpError {
            headers: vec![("Sec-WebSocket-Version".to_owned(), "13".to_owned())],
            ..HttpError::gateway(
                426,
                "BadRequestException",
                "Sec-WebSocket-Version must be 13",
            )
        });
    }
    let key = head.header("sec-websocket-key").unwrap_or_default();
    match STANDARD.decode(key) {
        Ok(bytes) if bytes.len() == 16 => Ok(derive_accept_key(key.as_bytes())),
        _ => Err(HttpError::gateway(
            400,
            "BadRequestException",
            "Sec-WebSocket-Key must be 16 bytes of base64",
        )),
    }
}

/// The 101 that opens a WebSocket. No extension is ever negotiated.
pub(crate) fn switching_protocols(accept_key: &str, subprotocol: Option<&str>) -> Vec<u8> {
    let mut text = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept_key}\r\n"
    );
    // A value with line breaks would split the head, and no correct function returns one.
    if let Some(subprotocol) =
        subprotocol.filter(|value| value.bytes().all(|byte| (0x20..0x7f).contains(&byte)))
    {
        text.push_str("Sec-WebSocket-Protocol: ");
        text.push_str(subprotocol);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_cannot_split_the_head() {
        let answer = switching_protocols("key", Some("a\r\nX-Evil: 1"));
        assert!(!String::from_utf8(answer).unwrap().contains("Evil"));
    }
}
