//! One `[[routes]]` table, as the file has it.

use chat_protocol::Receivers;
use chat_protocol::limit::MAX_MESSAGE_BYTES;
use serde::Deserialize;
use toml::Spanned;

use crate::config::names::{MemberName, RouteKey};
use crate::config::permission::Grant;
use crate::config::secret::SecretHeader;
use crate::config::url::BackendUrl;

/// One `[[routes]]` table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::config) struct RouteTable {
    pub(super) key: Spanned<RouteKey>,
    pub(super) receivers: Option<Spanned<Receivers>>,
    pub(super) http: Option<Spanned<BackendUrl>>,
    pub(super) secret_header: Option<Spanned<SecretHeader>>,
    pub(super) handler: Option<Spanned<HandlerFolder>>,
    pub(super) text: Option<Spanned<MemberName>>,
    pub(super) include_sender: Option<Spanned<bool>>,
    pub(super) max_text_bytes: Option<Spanned<TextBytes>>,
    pub(super) reply: Option<Spanned<bool>>,
    pub(super) permissions: Option<Spanned<Vec<Grant>>>,
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

/// The folder of a handler's crate.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct HandlerFolder(pub(super) String);

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
