//! Updates the code of deployed functions directly, bypassing CloudFormation: seconds instead of a stack update.

use std::collections::BTreeMap;

use super::event::{Reporter, Step};
use super::target::{Asset, Functions, Inventory};
use super::target_error::{ErrorKind, TargetError};
use crate::config::names::StackName;

/// Puts `code`, by the functions' logical ids, into every function of `stack` that does not run it yet, all at the same
/// time. [`verify`](super::verify::verify) reports when they run it.
///
/// The stack's own record then says something else than what runs, until the next full deployment.
///
/// # Errors
/// The first function's refusal, with how many others have the new code already.
pub(super) async fn hotswap(
    stacks: &impl Inventory,
    functions: &impl Functions,
    stack: &StackName,
    code: &BTreeMap<String, Asset>,
    reporter: &mut impl Reporter,
) -> Result<(), TargetError> {
    let swapping = async |_: &mut _| swap(stacks, functions, stack, code).await;
    Step::Deploy.run(reporter, swapping).await
}

/// Swaps the code, and says in how many functions.
async fn swap(
    stacks: &impl Inventory,
    functions: &impl Functions,
    stack: &StackName,
    code: &BTreeMap<String, Asset>,
) -> Result<((), String), TargetError> {
    let resources = stacks.resources(stack).await?;
    let all: Vec<_> = resources
        .iter()
        .filter(|resource| resource.resource_type == "AWS::Lambda::Function")
        .filter_map(|resource| {
            Some((
                resource.physical_id.as_str(),
                code.get(&resource.logical_id)?,
            ))
        })
        .collect();
    if all.is_empty() {
        let message = format!("stack `{stack}` has no functions to change");
        return Err(
            TargetError::new(ErrorKind::Failed, message).with_hint("deploy without `--hotswap`")
        );
    }
    let swaps = all.iter().map(|(name, asset)| async move {
        if functions
            .code(name)
            .await?
            .digest
            .eq_ignore_ascii_case(&asset.key)
        {
            return Ok(0);
        }
        match functions.replace_code(name, asset).await {
            Ok(()) => Ok(1),
            // It may have it all the same.
            Err(error) if error.leaves_open() => match functions.code(name).await {
                Ok(code) if code.digest.eq_ignore_ascii_case(&asset.key) => Ok(1),
                Ok(_) => Err(error),
                Err(_) => Err(error
                    .after(|| format!("whether function {name} has the new code is not known"))),
            },
            Err(error) => Err(error),
        }
    });
    let (mut changed, mut refused) = (0, None);
    for outcome in futures_util::future::join_all(swaps).await {
        match outcome {
            Ok(count) => changed += count,
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    if let Some(error) = refused {
        return Err(half_done(error, changed, all.len()));
    }
    Ok((
        (),
        format!(
            "new code in {changed} of {} functions, bypassing CloudFormation",
            all.len()
        ),
    ))
}

/// The refusal, and what it leaves where others were not refused.
fn half_done(error: TargetError, changed: usize, all: usize) -> TargetError {
    if changed == 0 {
        return error;
    }
    let next = "the same command again puts it into the rest";
    TargetError {
        message: format!(
            "{}; {changed} of {all} functions have the new code already",
            error.message
        ),
        hint: Some(match error.hint {
            Some(hint) => format!("{hint}; then {next}"),
            None => next.to_owned(),
        }),
        ..error
    }
}
