//! The account's role for logs of API Gateway: made only when the user agrees to exactly that.

use crate::terminal::Terminal;
use chatctl_deploy::engine::log_role::STACK;
use chatctl_deploy::engine::{ErrorKind, TargetError};

/// Asks whether the account gets the role in `region`, unless `is_agreed` beforehand. `--yes` is no answer: the setting is the
/// account's, and stays.
///
/// # Errors
/// The user declines, or there is no terminal to ask at.
pub(super) async fn agree(
    terminal: Terminal,
    region: &str,
    is_agreed: bool,
) -> Result<(), TargetError> {
    let question = format!(
        "API Gateway has no role with which it could write logs in {region}, which `access` under `[logs]` needs. The role is a \
         setting of the account, for all of its APIs in {region}, and stays when this stack goes. Make it, in the stack \
         `{STACK}`?"
    );
    let way_out = "`--log-role` agrees to it beforehand (`--yes` does not); an administrator can set a role as well; without \
                   `access` under `[logs]` none is needed";
    let agreed = terminal
        .confirm(&question, is_agreed)
        .await
        .map_err(|error| match error.kind {
            ErrorKind::Usage => error.with_hint(way_out),
            _ => error,
        })?;
    match agreed {
        true => Ok(()),
        false => Err(TargetError::declined(way_out)),
    }
}
