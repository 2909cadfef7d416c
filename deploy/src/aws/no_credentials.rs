//! That there are no credentials, as an error that passes through the SDK: [`super::credentials`] makes it, and
//! [`super::error`] finds it again.

use std::error::Error;

use super::words::on_one_line;
use crate::engine::{ErrorKind, TargetError, causes};

/// Why there are no credentials, in a form that passes through the SDK.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{why}")]
pub(super) struct NoCredentials {
    pub(super) kind: ErrorKind,
    pub(super) why: String,
    pub(super) hint: String,
}

impl NoCredentials {
    /// Our error inside the SDK's, if there is one.
    pub(super) fn found_in<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        causes(error).find_map(|cause| cause.downcast_ref::<Self>())
    }

    /// Converts it to the error of `attempt`.
    pub(super) fn reported(&self, attempt: impl std::fmt::Display) -> TargetError {
        TargetError {
            source: Some(on_one_line(&self.why).into()),
            ..TargetError::new(self.kind, format!("could not {attempt}"))
        }
        .with_hint(&self.hint)
    }
}
