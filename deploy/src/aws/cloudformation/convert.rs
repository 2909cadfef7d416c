//! Converts between the SDK's types and ours. Unknown values of a newer CloudFormation are passed on unchanged.

use aws_sdk_cloudformation::types::{
    Capability, Change as SdkChange, ChangeAction, ChangeSetStatus, ChangeSetType,
    DeploymentConfigMode, EventType, ExecutionStatus, HookFailureMode, OperationEvent, Parameter,
    PolicyAction, Replacement, ResourceChangeDetail, Stack, StackEvent as SdkEvent,
    StackResourceSummary, ValidationStatus,
};

use crate::engine::cloud::{CloudEvent, Finding, ParameterValue, StackRecord};
use crate::engine::{Change, DeployMode, Resource, StackStatus};
use crate::stack::Template;
use crate::stack::capability::named_by_hand;
use crate::stack::change::{Action, ResourceChange, ValueChange};
use crate::stack::progress::StackEvent;

/// Our templates only have roles without names of their own; an overlay may have others.
pub(super) fn capability(template: &Template) -> Capability {
    match named_by_hand(template).is_empty() {
        true => Capability::CapabilityIam,
        false => Capability::CapabilityNamedIam,
    }
}

pub(super) fn parameter((name, value): (&String, &ParameterValue)) -> Parameter {
    let parameter = Parameter::builder().parameter_key(name);
    match value {
        ParameterValue::This(value) => parameter.parameter_value(value),
        ParameterValue::Previous => parameter.use_previous_value(true),
    }
    .build()
}

pub(super) fn record(stack: Stack) -> StackRecord {
    let status = stack.stack_status.map(|status| status.as_str().to_owned());
    let mode = stack.deployment_config.and_then(|config| config.mode);
    let pairs =
        |key: Option<String>, value: Option<String>| Some((key?, value.unwrap_or_default()));
    StackRecord {
        id: stack.stack_id.unwrap_or_default(),
        name: stack.stack_name.unwrap_or_default(),
        status: StackStatus::parse(&status.unwrap_or_default()),
        reason: stack
            .stack_status_reason
            .filter(|reason| !reason.is_empty()),
        outputs: stack
            .outputs
            .unwrap_or_default()
            .into_iter()
            .filter_map(|output| pairs(output.output_key, output.output_value))
            .collect(),
        parameters: stack
            .parameters
            .unwrap_or_default()
            .into_iter()
            .filter_map(|parameter| pairs(parameter.parameter_key, parameter.parameter_value))
            .collect(),
        role: stack.role_arn.filter(|role| !role.is_empty()),
        topics: stack.notification_arns.unwrap_or_default(),
        tags: stack
            .tags
            .unwrap_or_default()
            .into_iter()
            .filter_map(|tag| pairs(tag.key, tag.value))
            .collect(),
        protected: stack.enable_termination_protection.unwrap_or(false),
        changed_at: stack
            .last_updated_time
            .or(stack.creation_time)
            .map(|time| time.as_secs_f64()),
        pace: if mode == Some(DeploymentConfigMode::Express) {
            DeployMode::Express
        } else {
            DeployMode::Standard
        },
    }
}

pub(super) fn resource(summary: StackResourceSummary) -> Option<Resource> {
    let status = summary.resource_status?.as_str().to_owned();
    if matches!(status.as_str(), "DELETE_COMPLETE" | "DELETE_SKIPPED") {
        return None;
    }
    Some(Resource {
        logical_id: summary.logical_resource_id?,
        // Some are listed before they exist.
        physical_id: summary.physical_resource_id.filter(|id| !id.is_empty())?,
        resource_type: summary.resource_type?,
    })
}

pub(super) fn event(event: SdkEvent) -> CloudEvent {
    CloudEvent {
        token: event.client_request_token.filter(|token| !token.is_empty()),
        event: StackEvent {
            id: event.event_id.unwrap_or_default(),
            at: event.timestamp.map_or(0.0, |time| time.as_secs_f64()),
            logical_id: event.logical_resource_id.unwrap_or_default(),
            resource_type: event.resource_type.unwrap_or_default(),
            status: event
                .resource_status
                .map(|status| status.as_str().to_owned())
                .unwrap_or_default(),
            reason: event
                .resource_status_reason
                .filter(|reason| !reason.is_empty()),
        },
    }
}

/// The finding in an event; `None` for mere progress.
///
/// Each kind of event has its reason in another field
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_OperationEvent.html>).
pub(super) fn finding(event: OperationEvent) -> Option<Finding> {
    let (reason, mode) = match event.event_type? {
        EventType::ValidationError => {
            if event.validation_status == Some(ValidationStatus::Skipped) {
                return None;
            }
            let reason = event.validation_status_reason.or(event.validation_name);
            (reason, event.validation_failure_mode)
        }
        EventType::HookInvocationError => {
            let reason = event.hook_status_reason.or(event.hook_type);
            (reason, event.hook_failure_mode)
        }
        EventType::ProvisioningError => (event.resource_status_reason, None),
        _ => return None,
    };
    Some(Finding {
        logical_id: event.logical_resource_id.unwrap_or_default(),
        resource_type: event.resource_type.unwrap_or_default(),
        path: event.validation_path.filter(|path| !path.is_empty()),
        reason: reason.unwrap_or_else(|| "no reason given".to_owned()),
        is_warning: mode == Some(HookFailureMode::Warn),
    })
}

pub(super) fn change_set_type(change: Change) -> ChangeSetType {
    match change {
        Change::Create => ChangeSetType::Create,
        Change::Update | Change::Restart | Change::Move => ChangeSetType::Update,
    }
}

/// The string behind an enum of the SDK; empty if there is none.
pub(super) fn word<T: Word>(value: Option<&T>) -> String {
    value
        .map(|value| value.word().to_owned())
        .unwrap_or_default()
}

pub(super) trait Word {
    fn word(&self) -> &str;
}

impl Word for ChangeSetStatus {
    fn word(&self) -> &str {
        self.as_str()
    }
}

impl Word for ExecutionStatus {
    fn word(&self) -> &str {
        self.as_str()
    }
}

pub(super) fn change(change: SdkChange) -> Option<ResourceChange> {
    let change = change.resource_change?;
    let details = change.details.unwrap_or_default();
    let mut properties: Vec<String> = details
        .iter()
        .filter_map(|detail| {
            let target = detail.target.as_ref()?;
            let attribute = target
                .attribute
                .as_ref()
                .map(|attribute| attribute.as_str());
            target.name.clone().or(attribute.map(str::to_owned))
        })
        .collect();
    properties.sort();
    properties.dedup();
    Some(ResourceChange {
        action: action(change.action, change.replacement),
        logical_id: change.logical_resource_id.unwrap_or_default(),
        resource_type: change.resource_type.unwrap_or_default(),
        properties,
        values: details.into_iter().filter_map(value).collect(),
        overlay: None,
        retained: matches!(
            change.policy_action,
            Some(
                PolicyAction::Retain
                    | PolicyAction::ReplaceAndRetain
                    | PolicyAction::ReplaceAndSnapshot
                    | PolicyAction::Snapshot
            )
        ),
    })
}

/// An unknown action is shown as a modification that may replace, the cautious interpretation.
fn action(action: Option<ChangeAction>, replacement: Option<Replacement>) -> Action {
    match (action, replacement) {
        (Some(ChangeAction::Add | ChangeAction::Import), _) => Action::Add,
        (Some(ChangeAction::Remove), _) => Action::Remove,
        (Some(ChangeAction::Modify), Some(Replacement::True)) => Action::Replace,
        (Some(ChangeAction::Modify), Some(Replacement::False) | None)
        | (Some(ChangeAction::SyncWithActual), _) => Action::Modify,
        _ => Action::MayReplace,
    }
}

/// A path is listed once for each cause of its change.
fn value(detail: ResourceChangeDetail) -> Option<ValueChange> {
    let target = detail.target?;
    let is_value = target.before_value.is_some() || target.after_value.is_some();
    Some(ValueChange {
        path: target.path?,
        before: target.before_value,
        after: target.after_value,
    })
    .filter(|_| is_value)
}
