//! A backend's response.

/// The response of a backend.
#[derive(Debug)]
pub(super) struct BackendResponse {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// The response for the client: a handshake uses the status, a message's sender receives the body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Backend {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl BackendResponse {
    pub(super) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The response of a proxy integration, unchanged.
    pub(super) fn passed_on(self) -> Backend {
        Backend {
            status: self.status,
            body: text(self.body),
            headers: self.headers,
        }
    }
}

/// Clients only receive text; invalid UTF-8 is replaced.
pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
