//! Secrets of a user's function: read where they are kept, by the references in the function's environment.
//!
//! No value is in an error, a log or debug output.

use std::future::Future;

pub use chat_protocol::secret::Reference;

/// Where secrets are kept.
pub trait Secrets {
    /// Reads the text that `reference` names: the whole secret, of which a JSON key is still a part.
    ///
    /// # Errors
    /// [`SecretError`]
    fn text(
        &self,
        reference: &Reference,
    ) -> impl Future<Output = Result<String, SecretError>> + Send;
}

/// Why a secret could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// AWS refused, in these words. The role lacks a permission for the secret or for the key that encrypts it.
    #[error("the function may not read `{reference}`: {words}")]
    Forbidden {
        /// The secret.
        reference: String,
        /// AWS's message.
        words: String,
    },
    /// There is no such secret.
    #[error("there is no `{reference}`: {words}")]
    Missing {
        /// The secret.
        reference: String,
        /// AWS's message.
        words: String,
    },
    /// There is no usable answer.
    #[error("`{reference}` could not be read: {words}")]
    Unread {
        /// The secret.
        reference: String,
        /// The reason.
        words: String,
    },
    /// The secret is not JSON, or has not this key with a text.
    #[error("`{reference}` is not JSON with a text under this key")]
    NoSuchKey {
        /// The secret with the key.
        reference: String,
    },
}

/// Reads the value that `reference` names in `secrets`.
///
/// # Errors
/// [`SecretError`]
pub async fn value(
    secrets: &(impl Secrets + Sync),
    reference: &Reference,
) -> Result<String, SecretError> {
    let text = secrets.text(reference).await?;
    let Reference::Secret {
        json_key: Some(key),
        ..
    } = reference
    else {
        return Ok(text);
    };
    let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let member = json.get(key).and_then(serde_json::Value::as_str);
    member
        .map(str::to_owned)
        .ok_or_else(|| SecretError::NoSuchKey {
            reference: reference.to_string(),
        })
}
