//! New code into deployed functions, past the stack: seconds instead of a stack update.

use std::time::Instant;

use super::event::{DeployEvent, Reporter, Step};
use super::refusal::{Refusal, TargetError};
use super::target::{Asset, Functions, Inventory, Stacks};
use crate::config::names::StackName;

/// Puts `asset` into every function of `stack`, all at the same time. [`verify`](super::verify()) tells when they run it.
///
/// The stack's own record then says something else than what runs, until the next full deployment.
///
/// # Errors
/// The first function's refusal; the others may run the new code already.
pub(crate) async fn hotswap(
    stacks: &(impl Stacks + Inventory),
    functions: &impl Functions,
    stack: &StackName,
    asset: &Asset,
    reporter: &mut impl Reporter,
) -> Result<(), TargetError> {
    let started = Instant::now();
    reporter.report(&DeployEvent::Started(Step::Deploy));
    let resources = stacks.resources(stack).await?;
    let names: Vec<_> = resources
        .iter()
        .filter(|resource| resource.resource_type == "AWS::Lambda::Function")
        .map(|resource| resource.physical_id.as_str())
        .collect();
    if names.is_empty() {
        let message = format!("stack `{stack}` has no functions to change");
        return Err(
            TargetError::new(Refusal::Failed, message).with_hint("deploy without `--hotswap`")
        );
    }
    let swaps = names.iter().map(|name| functions.replace_code(name, asset));
    for outcome in futures_util::future::join_all(swaps).await {
        outcome?;
    }
    reporter.report(&DeployEvent::Finished {
        step: Step::Deploy,
        detail: format!("new code in {} functions, past the stack", names.len()),
        took: started.elapsed(),
    });
    Ok(())
}
