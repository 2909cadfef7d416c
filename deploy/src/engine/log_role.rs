//! The role with which API Gateway writes logs: a setting of the account in a Region, for all of its APIs there. No stack of
//! a chat has it, because the setting would go with the first of them.

use std::collections::BTreeMap;

use super::again::execute_with_second_try;
use super::event::Reporter;
use super::execute::DeployError;
use super::prepare::prepare;
use super::target::{ChangeSets, Deployment, Prepared};
use super::target_error::{ErrorKind, TargetError};
use crate::stack::Template;

/// The stack that has the role. What it has made stays when it is deleted.
pub const STACK: &str = "chatctl-api-gateway-logs";

/// The account's settings of API Gateway in a Region.
pub trait GatewayAccount {
    /// The role with which API Gateway writes logs, if one is set.
    async fn log_role(&self) -> Result<Option<String>, TargetError>;
}

/// Makes the role, as `template` has it, in a stack of its own.
///
/// # Errors
/// CloudFormation refuses; or the stack is there already, and its setting was taken back past it.
pub async fn make_log_role(
    stacks: &impl ChangeSets,
    template: Template,
    reporter: &mut impl Reporter,
) -> Result<(), DeployError> {
    let stack = STACK.parse().expect("it is a stack's name");
    let deployment = Deployment::new(stack, template, BTreeMap::new());
    // On the heap, for the reason that `limits::within` has.
    let prepared = Box::pin(prepare(stacks, deployment, reporter)).await;
    let taken_back = "what was being prepared has been taken back, nothing was changed";
    match prepared.map_err(|error| error.leaving(taken_back))? {
        Prepared::ChangeSet(change_set) => {
            Box::pin(execute_with_second_try(stacks, *change_set, reporter)).await?;
            Ok(())
        }
        Prepared::NoChanges(_) => {
            let message = format!(
                "API Gateway has no role for logs, although stack `{STACK}` has set one: the setting was changed past it"
            );
            let hint = format!(
                "delete that stack (`aws cloudformation delete-stack --stack-name {STACK}`; its role stays), then deploy again"
            );
            Err(TargetError::new(ErrorKind::Usage, message)
                .with_hint(hint)
                .into())
        }
    }
}
