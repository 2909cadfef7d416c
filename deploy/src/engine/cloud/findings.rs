//! What the validation before a deployment has found, for a reader. It is a service of its own beside the change
//! set's state, with a permission of its own, so that doing without it must be possible
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html>).

use super::records::{ChangeSetIds, Finding};
use super::{CloudFormation, CloudStacks, TargetError};
use crate::engine::target_error::ErrorKind;
use crate::stack::cause::{Cause, cause};
use crate::stack::progress::{STACK_TYPE, StackEvent};

/// More findings than these are only counted.
const MAX_SHOWN: usize = 5;

impl<C: CloudFormation> CloudStacks<C> {
    /// What may go wrong although the change set can be executed, such as a quota that it would exceed.
    ///
    /// Nothing when CloudFormation does not say: a warning is no reason to stop, and neither is its absence.
    pub(super) async fn warnings(&self, ids: &ChangeSetIds) -> Vec<String> {
        let findings = self.cloud.findings(ids).await.unwrap_or_default();
        let warnings = findings.into_iter().filter(|finding| finding.is_warning);
        warnings.map(|finding| line(&finding)).collect()
    }
}

/// The error of a change set that CloudFormation refuses for `reason`: what was found, else the reason alone.
pub(super) fn refused(
    stack: &str,
    reason: &str,
    findings: Result<Vec<Finding>, TargetError>,
) -> TargetError {
    let message = format!("CloudFormation refuses the change of stack `{stack}`");
    let alone = || TargetError::new(ErrorKind::Failed, format!("{message}: {reason}"));
    let findings = match findings {
        Ok(findings) => findings,
        Err(error) if error.kind == ErrorKind::Denied => {
            return alone().with_hint(
                "with the permission cloudformation:DescribeEvents this error would name the resource and the reason",
            );
        }
        Err(_) => return alone(),
    };
    let causes: Vec<Cause> = findings
        .iter()
        .filter(|finding| !finding.is_warning)
        .filter_map(|finding| cause(&[as_event(finding)]))
        .collect();
    if causes.is_empty() {
        return alone();
    }
    let mut text = format!("{message} before anything was begun");
    for cause in causes.iter().take(MAX_SHOWN) {
        text.push_str(&format!("\n  {cause}"));
    }
    if causes.len() > MAX_SHOWN {
        text.push_str(&format!("\n  and {} more", causes.len() - MAX_SHOWN));
    }
    let error = TargetError::new(ErrorKind::Failed, text);
    match causes.into_iter().find_map(|cause| cause.remedy) {
        Some(remedy) => error.with_hint(remedy),
        None => error,
    }
}

fn as_event(finding: &Finding) -> StackEvent {
    let place = match &finding.path {
        Some(path) => format!(" (at {path})"),
        None => String::new(),
    };
    StackEvent {
        id: String::new(),
        at: 0.0,
        logical_id: finding.logical_id.clone(),
        resource_type: if finding.logical_id.is_empty() {
            STACK_TYPE.to_owned()
        } else {
            finding.resource_type.clone()
        },
        status: "VALIDATION_FAILED".to_owned(),
        reason: Some(format!("{}{place}", finding.reason)),
    }
}

fn line(finding: &Finding) -> String {
    match finding.logical_id.as_str() {
        "" => finding.reason.clone(),
        id => format!("{id} ({}): {}", finding.resource_type, finding.reason),
    }
}
