//! The HTTP half of a WebSocket: reading the request head as it was typed, and the answers to it.
//!
//! Header names keep their case and order here, because API Gateway hands them to functions that way.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A request head, and the bytes that were read with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) method: String,
    /// As on the request line, undecoded and without the query.
    pub(crate) path: String,
    /// As on the request line, undecoded; `None` without a question mark.
    pub(crate) query: Option<String>,
    /// In the client's case and order, repetitions included.
    pub(crate) headers: Vec<(String, String)>,
    /// Everything read from the socket: the head and what followed it.
    pub(crate) bytes: Vec<u8>,
    /// Where in `bytes` the head ends.
    pub(crate) length: usize,
}

/// Why there is no request head.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HeadError {
    #[error("the client closed before its request head was complete")]
    Closed,
    #[error("the request head did not arrive in time")]
    TimedOut,
    #[error("the request head is too large")]
    TooLarge,
    #[error("the request head is not HTTP")]
    Malformed,
}

/// Reads a request head of at most `limit` bytes within `timeout`.
pub(crate) async fn read_head(
    socket: &mut (impl AsyncRead + Unpin),
    limit: usize,
    timeout: Duration,
) -> Result<Head, HeadError> {
    let mut bytes = Vec::with_capacity(2048);
    let reading = async {
        loop {
            let read = socket
                .read_buf(&mut bytes)
                .await
                .map_err(|_| HeadError::Closed)?;
            if read == 0 {
                return Err(HeadError::Closed);
            }
            if let Some(head) = parse(&bytes)? {
                return if head.length > limit {
                    Err(HeadError::TooLarge)
                } else {
                    Ok(head)
                };
            }
            if bytes.len() > limit {
                return Err(HeadError::TooLarge);
            }
        }
    };
    let head = tokio::time::timeout(timeout, reading)
        .await
        .map_err(|_| HeadError::TimedOut)?;
    head.map(|head| Head { bytes, ..head })
}

fn parse(bytes: &[u8]) -> Result<Option<Head>, HeadError> {
    let mut space = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut space);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooLarge),
        Err(_) => return Err(HeadError::Malformed),
    };
    let target = request.path.unwrap_or("/");
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    Ok(Some(Head {
        method: request.method.unwrap_or("GET").to_owned(),
        path: path.to_owned(),
        query,
        headers: request
            .headers
            .iter()
            .map(|header| {
                (
                    header.name.to_owned(),
                    String::from_utf8_lossy(header.value).into_owned(),
                )
            })
            .collect(),
        bytes: Vec::new(),
        length,
    }))
}

impl Head {
    /// The last value of a header, whatever its case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .rev()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether the client asks for a WebSocket.
    pub(crate) fn is_upgrade(&self) -> bool {
        self.method == "GET"
            && self.has_token("upgrade", "websocket")
            && self.has_token("connection", "upgrade")
    }

    /// The stage that the path names: `/{stage}` or `/{stage}/`. `None` for every other path.
    pub(crate) fn stage(&self) -> Option<String> {
        let path = self.path.strip_prefix('/')?;
        let stage = path.strip_suffix('/').unwrap_or(path);
        let stage = percent_decode_str(stage).decode_utf8().ok()?;
        (!stage.is_empty() && !stage.contains('/')).then(|| stage.into_owned())
    }

    /// Query parameters, decoded, in their order.
    pub(crate) fn query_pairs(&self) -> Vec<(String, String)> {
        let decode = |text: &str| {
            percent_decode_str(&text.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        };
        self.query
            .iter()
            .flat_map(|query| query.split('&'))
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode(name), decode(value))
            })
            .collect()
    }

    /// The answer to `Sec-WebSocket-Key`, or what is wrong with the handshake.
    pub(crate) fn accept_key(&self) -> Result<String, Refusal> {
        if self.header("sec-websocket-version") != Some("13") {
            return Err(Refusal {
                headers: vec![("Sec-WebSocket-Version".to_owned(), "13".to_owned())],
                ..Refusal::gateway(
                    426,
                    "BadRequestException",
                    "Sec-WebSocket-Version must be 13",
                )
            });
        }
        let key = self.header("sec-websocket-key").unwrap_or_default();
        match STANDARD.decode(key) {
            Ok(bytes) if bytes.len() == 16 => Ok(derive_accept_key(key.as_bytes())),
            _ => Err(Refusal::gateway(
                400,
                "BadRequestException",
                "Sec-WebSocket-Key must be 16 bytes of base64",
            )),
        }
    }

    fn has_token(&self, name: &str, token: &str) -> bool {
        self.headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .flat_map(|(_, value)| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(token))
    }
}

/// An HTTP answer instead of a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Refusal {
    /// What the gateway itself has to say, as API Gateway words its own answers.
    pub(crate) fn gateway(status: u16, error_type: &str, message: &str) -> Self {
        Self {
            status,
            headers: vec![("x-amzn-ErrorType".to_owned(), error_type.to_owned())],
            body: serde_json::json!({ "message": message }).to_string(),
        }
    }

    /// The status that a function chose; its body is not passed on.
    pub(crate) fn of_function(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// What AWS says to an unknown path or stage.
    pub(crate) fn forbidden() -> Self {
        Self::gateway(403, "ForbiddenException", "Forbidden")
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        use std::fmt::Write as _;
        let reason = hyper::StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason());
        let mut text = format!(
            "HTTP/1.1 {} {}\r\n",
            self.status,
            reason.unwrap_or("Unknown")
        );
        let length = self.body.len();
        let _infallible = write!(
            text,
            "Content-Type: application/json\r\nContent-Length: {length}\r\n"
        );
        for (name, value) in &self.headers {
            let _infallible = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("Connection: close\r\n\r\n");
        text.push_str(&self.body);
        text.into_bytes()
    }
}

/// The 101 that opens a WebSocket. No extension is ever negotiated.
pub(crate) fn switching_protocols(accept_key: &str, subprotocol: Option<&str>) -> Vec<u8> {
    let mut text = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept_key}\r\n"
    );
    // A value that would break the head apart never came from a decent function.
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

    fn head(text: &str) -> Head {
        parse(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn header_case_order_and_repetition_are_kept() {
        let head =
            head("GET /v1?a=1 HTTP/1.1\r\nHost: h\r\nmsgFrom: Tom\r\nX-A: 1\r\nX-A: 2\r\n\r\n");
        let names: Vec<&str> = head.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Host", "msgFrom", "X-A", "X-A"]);
        assert_eq!(head.header("x-a"), Some("2"));
        assert_eq!(head.query.as_deref(), Some("a=1"));
    }

    #[test]
    fn only_a_single_segment_names_a_stage() {
        let stage = |path: &str| head(&format!("GET {path} HTTP/1.1\r\n\r\n")).stage();
        assert_eq!(stage("/v1").as_deref(), Some("v1"));
        assert_eq!(stage("/v1/").as_deref(), Some("v1"));
        assert_eq!(stage("/v1?x=/y").as_deref(), Some("v1"));
        assert_eq!(stage("/"), None);
        assert_eq!(stage("/v1/more"), None);
        assert_eq!(stage("/v1//"), None);
    }

    #[test]
    fn query_values_are_decoded_in_order() {
        let pairs = head("GET /v1?a=x%20y&b=1&a=%26&c HTTP/1.1\r\n\r\n").query_pairs();
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(pairs, [("a", "x y"), ("b", "1"), ("a", "&"), ("c", "")]);
    }

    #[test]
    fn an_upgrade_needs_both_headers_in_any_case() {
        let both =
            "GET /v1 HTTP/1.1\r\nCONNECTION: keep-alive, UPGRADE\r\nupgrade: WebSocket\r\n\r\n";
        assert!(head(both).is_upgrade());
        assert!(!head("GET /v1 HTTP/1.1\r\nUpgrade: websocket\r\n\r\n").is_upgrade());
        assert!(
            !head("POST /v1 HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
                .is_upgrade()
        );
    }

    #[tokio::test]
    async fn a_head_beyond_the_limit_is_refused() {
        let long = format!("GET /v1 HTTP/1.1\r\nX: {}", "x".repeat(2000));
        let error = read_head(&mut long.as_bytes(), 1000, Duration::from_secs(5))
            .await
            .unwrap_err();
        assert!(matches!(error, HeadError::TooLarge), "{error}");
    }

    #[test]
    fn a_function_cannot_break_the_head_apart() {
        let answer = switching_protocols("key", Some("a\r\nX-Evil: 1"));
        assert!(!String::from_utf8(answer).unwrap().contains("Evil"));
    }
}
