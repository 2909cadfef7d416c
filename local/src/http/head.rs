//! A request's head as it was sent.
//!
//! Header names keep their case and order, because API Gateway passes them to functions unchanged.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// A request head, and the bytes that were read with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) method: String,
    /// As on the request line: undecoded, without the query.
    pub(crate) path: String,
    /// As on the request line, undecoded; `None` without a question mark.
    pub(crate) query: Option<String>,
    /// In the client's case and order, with repetitions.
    pub(crate) headers: Vec<(String, String)>,
    /// All bytes read from the socket: the head and what followed it.
    pub(crate) bytes: Vec<u8>,
    /// The length of the head in `bytes`.
    pub(crate) length: usize,
}

/// Why no request head could be read.
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
    let head = tokio::time::timeout(timeout, read(socket, &mut bytes, limit))
        .await
        .map_err(|_| HeadError::TimedOut)?;
    head.map(|head| Head { bytes, ..head })
}

/// Reads into `bytes` until they begin with a head of at most `limit` bytes, or cannot.
pub(crate) async fn read(
    socket: &mut (impl AsyncRead + Unpin),
    bytes: &mut Vec<u8>,
    limit: usize,
) -> Result<Head, HeadError> {
    loop {
        let read = socket
            .read_buf(bytes)
            .await
            .map_err(|_| HeadError::Closed)?;
        if read == 0 {
            return Err(HeadError::Closed);
        }
        match parse(bytes)? {
            Some(head) if head.length <= limit => return Ok(head),
            None if bytes.len() <= limit => {}
            _ => return Err(HeadError::TooLarge),
        }
    }
}

/// `None` if the head is not complete.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Head>, HeadError> {
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

    /// Whether the client requests a WebSocket.
    pub(crate) fn is_upgrade(&self) -> bool {
        self.method == "GET"
            && self.has_token("upgrade", "websocket")
            && self.has_token("connection", "upgrade")
    }

    /// The stage in the path: `/{stage}` or `/{stage}/`. `None` for every other path.
    pub(crate) fn stage(&self) -> Option<String> {
        let path = self.path.strip_prefix('/')?;
        let stage = path.strip_suffix('/').unwrap_or(path);
        let stage = percent_decode_str(stage).decode_utf8().ok()?;
        (!stage.is_empty() && !stage.contains('/')).then(|| stage.into_owned())
    }

    /// Decoded query parameters, in their order.
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

    fn has_token(&self, name: &str, token: &str) -> bool {
        self.headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .flat_map(|(_, value)| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(token))
    }
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
    fn a_head_ends_with_an_empty_line() {
        for (bytes, is_whole) in [
            ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", true),
            ("GET / HTTP/1.1\nHost: h\n\nbody", true),
            ("GET / HTTP/1.1\r\nHost: h\r\n", false),
            ("", false),
        ] {
            let is_read = parse(bytes.as_bytes()).unwrap().is_some();
            assert_eq!(is_read, is_whole, "{bytes:?}");
        }
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
}
