//! Refusals of a change of a stack, which CloudFormation gives one code.

use crate::engine::{ErrorKind, TargetError};

/// Distinguishes refusals that a concurrent change of the stack causes, which the error codes do not.
pub(super) fn being_changed(error: TargetError) -> TargetError {
    let source = error
        .source
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let hint = if source.contains("_IN_PROGRESS state") {
        "another deployment has just begun to change it; deploy again to follow that first"
    } else if source.contains("cannot be created again with the changeSet")
        || source.contains("DELETE_COMPLETE state")
    {
        "another deployment came first; deploy again to include its changes"
    } else if source.contains("is invalid or cannot be assumed") {
        "CloudFormation acts with the role that `role-arn` under `[aws]` names, or with that of an earlier deployment of this \
         stack: have an administrator make it, and allow cloudformation.amazonaws.com to assume it"
    } else {
        return error;
    };
    TargetError {
        kind: ErrorKind::Failed,
        ..error.with_hint(hint)
    }
}
