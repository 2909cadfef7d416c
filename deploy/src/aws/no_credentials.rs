//! That there are no credentials, as an error that passes through the SDK: [`super::credentials`] makes it, and
//! [`super::error`] finds it again.

use std::error::Error;

use super::words::on_one_line;
use crate::engine::{ErrorKind, TargetError, causes};

/// Why there are no credentials.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{why}")]
pub(super) struct NoCredentials {
    pub(super) kind: ErrorKind,
    pub(super) why: String,
    pub(super) hint: String,
}

impl NoCredentials {
    /// The one that the SDK's `error` carries, if it does.
    pub(super) fn found_in<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        causes(error).find_map(|cause| cause.downcast_ref::<Self>())
    }

    /// As the error of what was attempted.
    pub(super) fn told(&self, attempt: impl std::fmt::Display) -> TargetError {
        TargetError {
            source: Some(on_one_line(&self.why).into()),
            ..TargetError::new(self.kind, format!("could not {attempt}"))
        }
        .with_hint(&self.hint)
    }
}
