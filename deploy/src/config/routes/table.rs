//! One `[[routes]]` table, as the file has it.

use chat_protocol::history::{MAX_SECONDS, MIN_SECONDS};
use chat_protocol::limit::MAX_MESSAGE_BYTES;
use chat_protocol::review::Fallback;
use chat_protocol::{Answers, Receivers};
use serde::Deserialize;
use toml::Spanned;

use super::timeout::ReviewTimeout;
use crate::config::function::with_settings;
use crate::config::names::{FieldName, RouteKey};
use crate::config::permission::Grant;
#[cfg(test)]
use crate::config::schema::{self, describe, shape};
#[cfg(test)]
use crate::config::secret;
use crate::config::secret::SecretHeader;
use crate::config::url::BackendUrl;

with_settings! {
    /// One `[[routes]]` table.
    #[derive(Debug, Deserialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema), schemars(extend("allOf" = schema::rules_of_routes())))]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    pub(in crate::config) struct RouteTable {
        /// The `action` of the frames that take this route; `$default` takes the rest. With `http` also `$connect` and
        /// `$disconnect`, both or neither.
        #[cfg_attr(test, schemars(with = "shape::RouteKey"))]
        pub(super) key: Spanned<RouteKey>,
        /// The people who receive the text.
        #[cfg_attr(test, schemars(with = "Option<shape::Receivers>", extend("description" = describe::receivers())))]
        pub(super) receivers: Option<Spanned<Receivers>>,
        /// Instead of receivers: the URL of a backend of yours, which gets a POST for each frame.
        #[cfg_attr(test, schemars(with = "Option<shape::BackendUrl>"))]
        pub(super) http: Option<Spanned<BackendUrl>>,
        /// For `http`: a header with a secret value, which proves to the backend where a request comes from.
        #[cfg_attr(test, schemars(with = "Option<secret::Table>"))]
        pub(super) secret_header: Option<Spanned<SecretHeader>>,
        /// Instead of receivers: the folder of a crate of yours, whose one binary is a Lambda bootstrap.
        #[cfg_attr(test, schemars(with = "Option<shape::HandlerFolder>"))]
        pub(super) handler: Option<Spanned<HandlerFolder>>,
        /// Instead of receivers: what the route answers itself. `who` says who is in the sender's room; `kick` ends a person's
        /// connections, for moderators. `history` reads messages that routes with `history` keep, and `delete` deletes one.
        #[cfg_attr(test, schemars(with = "Option<shape::Answers>"))]
        pub(super) answers: Option<Spanned<Answers>>,
        /// For `answers = "who"`: whether everybody in a room gets a frame when a person comes or leaves.
        #[cfg_attr(test, schemars(with = "Option<bool>", extend("default" = false)))]
        pub(super) announce: Option<Spanned<bool>>,
        /// For receivers and `http`: the JSON member that carries the text. Without it, the whole frame is the text.
        #[cfg_attr(test, schemars(with = "Option<shape::FieldName>"))]
        pub(super) text: Option<Spanned<FieldName>>,
        /// For receivers of some kinds: whether the sender receives the text, too.
        #[cfg_attr(test, schemars(with = "Option<bool>", extend("default" = false, "description" = describe::include_sender())))]
        pub(super) include_sender: Option<Spanned<bool>>,
        /// For receivers: the longest text, in bytes; a longer one is answered with an error frame.
        #[cfg_attr(test, schemars(with = "Option<shape::TextBytes>", extend("description" = describe::max_text_bytes())))]
        pub(super) max_text_bytes: Option<Spanned<TextBytes>>,
        /// For receivers: whether the text arrives in a JSON object with its sender, its time and an id, and senders may ask
        /// for a receipt.
        #[cfg_attr(test, schemars(with = "Option<bool>", extend("default" = false)))]
        pub(super) envelope: Option<Spanned<bool>>,
        /// For receivers with `envelope`: the folder of a crate of yours, whose function allows, changes or refuses each message
        /// before it is delivered. Routes with the same folder share it.
        #[cfg_attr(test, schemars(with = "Option<shape::HandlerFolder>"))]
        pub(super) review: Option<Spanned<HandlerFolder>>,
        /// For `review`: what happens to a message that could not be reviewed. `refuse` tells its sender, `allow` delivers it.
        #[cfg_attr(test, schemars(with = "Option<shape::ReviewFallback>"))]
        pub(super) review_fallback: Option<Spanned<Fallback>>,
        /// For `review`: for how long the function's answer is waited for, from `100ms` to `10s`.
        #[cfg_attr(test, schemars(with = "Option<shape::ReviewTimeout>"))]
        pub(super) review_timeout: Option<Spanned<ReviewTimeout>>,
        /// For `review`: what the function may do beside writing its log. It has what all of its routes list.
        #[cfg_attr(test, schemars(with = "Option<Vec<Grant>>"))]
        pub(super) review_permissions: Option<Spanned<Vec<Grant>>>,
        /// For receivers with `envelope`: for how long messages are kept, such as `7d` or `12h`; 1 hour to 365 days. Routes with
        /// `answers = "history"` read them.
        #[cfg_attr(test, schemars(with = "Option<shape::KeptFor>"))]
        pub(super) history: Option<Spanned<KeptFor>>,
        /// For `handler`: whether what the function returns in `body` goes to the sender.
        #[cfg_attr(test, schemars(with = "Option<bool>", extend("default" = false)))]
        pub(super) reply: Option<Spanned<bool>>,
        /// For `handler`: what the function may do beside writing its log.
        #[cfg_attr(test, schemars(with = "Option<Vec<Grant>>"))]
        pub(super) permissions: Option<Spanned<Vec<Grant>>>,
    }
    settings given("handler", "", timeout = 29):
        binary environment secrets memory log_level reserved_concurrency vpc;
    settings given_to_review("review", "review-"):
        review_binary review_environment review_secrets review_memory review_log_level review_reserved_concurrency review_vpc;
}

/// The size of a message in bytes.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct TextBytes(pub(super) usize);

impl TryFrom<i64> for TextBytes {
    type Error = String;
    fn try_from(number: i64) -> Result<Self, String> {
        match usize::try_from(number) {
            Ok(bytes) if (1..=MAX_MESSAGE_BYTES).contains(&bytes) => Ok(Self(bytes)),
            _ => Err(format!(
                "{number} is not a message size: 1 to {MAX_MESSAGE_BYTES} bytes, API Gateway's maximum"
            )),
        }
    }
}

/// For how long messages are kept, in seconds.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct KeptFor(pub(super) u32);

impl TryFrom<String> for KeptFor {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let seconds = seconds(&text).filter(|it| (MIN_SECONDS..=MAX_SECONDS).contains(it));
        seconds.map(Self).ok_or_else(|| {
            format!(
                "{text:?} is no time for which messages are kept: 1 hour to 365 days, such as \"12h\" or \"7d\""
            )
        })
    }
}

/// A whole number of hours or days.
fn seconds(text: &str) -> Option<u32> {
    let (number, seconds) = match (text.strip_suffix('h'), text.strip_suffix('d')) {
        (Some(hours), _) => (hours, 60 * 60),
        (None, Some(days)) => (days, 24 * 60 * 60),
        (None, None) => return None,
    };
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    let number: u32 = number.parse().ok().filter(|_| is_plain)?;
    number.checked_mul(seconds)
}

/// The folder of a handler's crate.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::config) struct HandlerFolder(pub(in crate::config) String);

impl TryFrom<String> for HandlerFolder {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() {
            return Err(
                "the folder of the handler's crate is empty: write `.` for this one".into(),
            );
        }
        Ok(Self(text))
    }
}
