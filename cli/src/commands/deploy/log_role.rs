//! The account's role for logs of API Gateway: made only when the user agrees to exactly that.

use super::DeployArgs;
use crate::error::CommandError;
use crate::terminal::Terminal;
use chatctl_deploy::aws::AwsTarget;
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::log_role::{STACK, make_log_role};
use chatctl_deploy::engine::{ErrorKind, Reporter, TargetError};
use chatctl_deploy::stack::render::render_log_role;

/// Asks for the role, and makes it. `--yes` is no answer: the setting is the account's, and stays.
///
/// # Errors
/// The user declines, or there is no terminal to ask at; or CloudFormation refuses.
pub(super) async fn make(
    args: &DeployArgs,
    terminal: Terminal,
    settings: &Settings,
    target: &AwsTarget,
    reporter: &mut impl Reporter,
) -> Result<(), CommandError> {
    let question = format!(
        "API Gateway has no role with which it could write logs in {region}, which `access` under `[logs]` needs. The role is a \
         setting of the account, for all of its APIs in {region}, and stays when this stack goes. Make it, in the stack \
         `{STACK}`?",
        region = target.region
    );
    let way_out = "`--log-role` agrees to it beforehand (`--yes` does not); an administrator can set a role as well; without \
                   `access` under `[logs]` none is needed";
    let agreed = terminal
        .confirm(&question, args.log_role)
        .await
        .map_err(|error| match error.kind {
            ErrorKind::Usage => error.with_hint(way_out),
            _ => error,
        })?;
    if !agreed {
        let error = TargetError::new(ErrorKind::Usage, "declined, nothing was changed");
        return Err(error.with_hint(way_out).into());
    }
    let template = render_log_role(&settings.aws.rules);
    make_log_role(&target.stacks, template, reporter).await?;
    Ok(())
}
