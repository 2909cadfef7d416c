//! What authorizers ask of the keys that tokens are signed with.

use chat_identity::{Claims, InvalidToken, Verifier};

use crate::invocation::Invocation;

/// Checks tokens.
pub trait Tokens {
    /// Checks `token` at the time of `invocation`.
    ///
    /// # Errors
    /// [`TokenError`]
    fn verify(
        &self,
        token: &str,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Claims, TokenError>>;
}

/// Why a token proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It is not accepted.
    #[error(transparent)]
    Refused(#[from] InvalidToken),
    /// There are no keys to check it with.
    #[error("tokens cannot be checked")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Keys that do not change as long as the function runs.
impl Tokens for Verifier {
    async fn verify(&self, token: &str, invocation: &Invocation) -> Result<Claims, TokenError> {
        Ok(Self::verify(self, token, invocation.now)?)
    }
}
