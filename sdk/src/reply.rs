//! The return value of a handler.

use serde_json::Value;

/// The return value of a handler: a text for the sender, or nothing.
///
/// API Gateway only sends it for a route with `reply = true` in `chatctl.toml`. On any other route it is lost, which
/// the function logs.
///
/// ```
/// use chat_sdk::{Reply, json};
///
/// assert_eq!(Reply::from("hello").text(), Some("hello"));
/// assert_eq!(Reply::from(json!({ "rolled": 4 })).text(), Some(r#"{"rolled":4}"#));
/// assert_eq!(Reply::from(()).text(), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply(Option<String>);

impl Reply {
    /// The text, if there is one.
    ///
    /// ```
    /// # use chat_sdk::Reply;
    /// assert_eq!(Reply::from("hello".to_owned()).text(), Some("hello"));
    /// ```
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub(crate) fn into_text(self) -> Option<String> {
        self.0
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self(Some(text))
    }
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

/// The value as JSON.
impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        Self(Some(value.to_string()))
    }
}

/// No reply.
impl From<()> for Reply {
    fn from((): ()) -> Self {
        Self(None)
    }
}
