//! CloudFormation's quotas of the template, which are looked at before anything is begun.

use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::preflight::Check;
use chatctl_deploy::engine::{ErrorKind, TargetError};
use chatctl_deploy::stack::few::few_between;
use chatctl_deploy::stack::quota::excesses;
use chatctl_deploy::stack::render::render_for_aws;

/// Checks that CloudFormation would take the template of `settings`.
///
/// # Errors
/// It has too much of something.
pub(super) fn check(settings: &Settings) -> Result<(), TargetError> {
    let excesses = excesses(&render_for_aws(settings));
    if excesses.is_empty() {
        return Ok(());
    }
    let reported: Vec<_> = excesses.iter().map(ToString::to_string).collect();
    let message = format!(
        "stack `{}` is too large for CloudFormation: {}",
        settings.stack,
        few_between(&reported, "; ")
    );
    let hint =
        "use fewer routes in one stack, and put resources of an overlay into a stack of their own";
    Err(TargetError::new(ErrorKind::Usage, message).with_hint(hint))
}

/// The same as a check of a deployment, if there is anything to say.
pub(super) fn preflight(settings: &Settings) -> Option<Check> {
    let error = check(settings).err()?;
    Some(Check::new("template", Err(error)))
}
