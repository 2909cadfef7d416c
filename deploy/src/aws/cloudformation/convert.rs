//! Converts the elements of CloudFormation's answers to our types. Unknown values of a newer CloudFormation are passed on
//! unchanged, and elements that nothing here names are skipped.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_types::date_time::{DateTime, Format};

use crate::aws::call::Element;
use crate::engine::cloud::{CloudEvent, Finding, StackRecord};
use crate::engine::{DeployMode, Resource, StackStatus};
use crate::stack::progress::StackEvent;

/// What takes the place of a status that is missing, although CloudFormation always sends one. It counts as under way.
const NO_STATUS: &str = "no value was set";

/// The description of a stack.
pub(super) fn record(stack: &Element) -> Result<StackRecord, BoxError> {
    let pairs = |list, key, value| {
        let members = stack.members(list);
        members.filter_map(move |member| Some((member.owned(key)?, text(member, value))))
    };
    let tags = stack.members("Tags");
    let topics = stack.members("NotificationARNs");
    let updated_at = time(stack, "LastUpdatedTime")?;
    let made_at = time(stack, "CreationTime")?;
    let mode = stack
        .child("DeploymentConfig")
        .and_then(|config| config.text("Mode"));
    Ok(StackRecord {
        id: text(stack, "StackId"),
        name: text(stack, "StackName"),
        status: StackStatus::parse(stack.text("StackStatus").unwrap_or(NO_STATUS)),
        reason: filled(stack, "StackStatusReason"),
        outputs: pairs("Outputs", "OutputKey", "OutputValue").collect(),
        parameters: pairs("Parameters", "ParameterKey", "ParameterValue").collect(),
        role: filled(stack, "RoleARN"),
        topics: topics.map(|topic| topic.content().to_owned()).collect(),
        tags: tags
            .map(|tag| (text(tag, "Key"), text(tag, "Value")))
            .collect(),
        protected: is_true(stack, "EnableTerminationProtection")?,
        changed_at: Some(updated_at.or(made_at).unwrap_or_default()),
        mode: match mode {
            Some("EXPRESS") => DeployMode::Express,
            _ => DeployMode::Standard,
        },
    })
}

/// A resource of a stack; `None` for one that does not exist.
pub(super) fn resource(summary: &Element) -> Option<Resource> {
    if matches!(
        summary.text("ResourceStatus"),
        Some("DELETE_COMPLETE" | "DELETE_SKIPPED")
    ) {
        return None;
    }
    Some(Resource {
        logical_id: text(summary, "LogicalResourceId"),
        // Some are listed before they exist.
        physical_id: filled(summary, "PhysicalResourceId")?,
        resource_type: text(summary, "ResourceType"),
    })
}

/// An event of a stack.
pub(super) fn event(event: &Element) -> Result<CloudEvent, BoxError> {
    Ok(CloudEvent {
        token: filled(event, "ClientRequestToken"),
        event: StackEvent {
            id: text(event, "EventId"),
            at: time(event, "Timestamp")?.unwrap_or_default(),
            logical_id: text(event, "LogicalResourceId"),
            resource_type: text(event, "ResourceType"),
            status: text(event, "ResourceStatus"),
            reason: filled(event, "ResourceStatusReason"),
        },
    })
}

/// The finding in an event; `None` for mere progress.
///
/// Each kind of event has its reason in another field
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_OperationEvent.html>).
pub(super) fn finding(event: &Element) -> Option<Finding> {
    let (reasons, mode) = match event.text("EventType")? {
        "VALIDATION_ERROR" => {
            if event.text("ValidationStatus") == Some("SKIPPED") {
                return None;
            }
            let reasons = ["ValidationStatusReason", "ValidationName"];
            (reasons, event.text("ValidationFailureMode"))
        }
        "HOOK_INVOCATION_ERROR" => (
            ["HookStatusReason", "HookType"],
            event.text("HookFailureMode"),
        ),
        "PROVISIONING_ERROR" => (["ResourceStatusReason"; 2], None),
        _ => return None,
    };
    let reason = reasons.iter().find_map(|name| event.text(name));
    Some(Finding {
        logical_id: text(event, "LogicalResourceId"),
        resource_type: text(event, "ResourceType"),
        path: filled(event, "ValidationPath"),
        reason: reason.unwrap_or("no reason given").to_owned(),
        is_warning: mode == Some("WARN"),
    })
}

/// The text of the element with this name; empty if there is none.
pub(super) fn text(parent: &Element, name: &str) -> String {
    parent.owned(name).unwrap_or_default()
}

/// The text of the element with this name, if it has any.
pub(super) fn filled(parent: &Element, name: &str) -> Option<String> {
    parent.owned(name).filter(|text| !text.is_empty())
}

/// A time in seconds since the Unix epoch.
fn time(parent: &Element, name: &str) -> Result<Option<f64>, BoxError> {
    let text = parent.text(name);
    let time = text.map(|text| DateTime::from_str(text, Format::DateTimeWithOffset));
    Ok(time.transpose()?.map(|time| time.as_secs_f64()))
}

/// Whether the element with this name says so. What is missing does not.
fn is_true(parent: &Element, name: &str) -> Result<bool, BoxError> {
    match parent.text(name) {
        Some("true") => Ok(true),
        Some("false") | None => Ok(false),
        Some(_) => Err(format!("{name} is neither `true` nor `false`").into()),
    }
}
