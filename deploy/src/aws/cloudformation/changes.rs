//! Converts change sets to ours.

use super::convert::{filled, text};
use crate::aws::call::Element;
use crate::engine::cloud::ChangeSetState;
use crate::stack::change::{Action, ResourceChange, ValueChange};

/// The state of a change set, with the changes of one page.
pub(super) fn state(page: &Element) -> ChangeSetState {
    ChangeSetState {
        status: text(page, "Status"),
        execution: text(page, "ExecutionStatus"),
        reason: filled(page, "StatusReason"),
        changes: page.members("Changes").filter_map(change).collect(),
    }
}

/// The change of a resource; `None` for a change of something else.
fn change(change: &Element) -> Option<ResourceChange> {
    let change = change.child("ResourceChange")?;
    let targets = || {
        change
            .members("Details")
            .filter_map(|detail| detail.child("Target"))
    };
    let named = targets().filter_map(|target| target.text("Name").or(target.text("Attribute")));
    let mut properties: Vec<String> = named.map(str::to_owned).collect();
    properties.sort();
    properties.dedup();
    Some(ResourceChange {
        action: action(change),
        logical_id: text(change, "LogicalResourceId"),
        resource_type: text(change, "ResourceType"),
        properties,
        values: targets().filter_map(value).collect(),
        overlay: None,
        retained: matches!(
            change.text("PolicyAction"),
            Some("Retain" | "ReplaceAndRetain" | "ReplaceAndSnapshot" | "Snapshot")
        ),
    })
}

/// An unknown action is shown as a modification that may replace, the cautious interpretation.
fn action(change: &Element) -> Action {
    match (change.text("Action"), change.text("Replacement")) {
        (Some("Add" | "Import"), _) => Action::Add,
        (Some("Remove"), _) => Action::Remove,
        (Some("Modify"), Some("True")) => Action::Replace,
        (Some("Modify"), Some("False") | None) | (Some("SyncWithActual"), _) => Action::Modify,
        _ => Action::MayReplace,
    }
}

/// A path is listed once for each cause of its change.
fn value(target: &Element) -> Option<ValueChange> {
    let (before, after) = (target.owned("BeforeValue"), target.owned("AfterValue"));
    let is_value = before.is_some() || after.is_some();
    Some(ValueChange {
        path: target.owned("Path")?,
        before,
        after,
    })
    .filter(|_| is_value)
}
