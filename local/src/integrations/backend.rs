//! A backend's answer.

/// What a backend said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// What becomes of it: the status decides about a handshake, the body is for the sender of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Backend {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(super) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The answer of a proxy integration, unchanged.
    pub(super) fn passed_on(self) -> Backend {
        Backend {
            status: self.status,
            body: text(self.body),
            headers: self.headers,
        }
    }
}

/// A client gets texts only; what is none is shown as one.
pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
