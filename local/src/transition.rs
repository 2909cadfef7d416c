//! The difference between two stacks, and its stack events. Pure except for the observer.

use std::collections::BTreeMap;
use std::error::Error;

use crate::observer::{Observer, StackEvent};
use crate::stack::{LogicalId, Resource, Stack};

/// What an update changed, by logical id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangeSummary {
    /// Resources that are new.
    pub added: Vec<LogicalId>,
    /// Resources with other properties, and functions with other code.
    pub changed: Vec<LogicalId>,
    /// The changed resources that were replaced: they have another physical id, or are tables with other keys, local
    /// indexes or attribute types. The items of such a table are lost.
    pub replaced: Vec<LogicalId>,
    /// Resources that are gone.
    pub removed: Vec<LogicalId>,
}

impl ChangeSummary {
    /// Whether the update changed nothing.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    /// Compares two stacks. Without `before`, everything is new. `new_code` names the functions whose code differs.
    /// `is_remade` says of a resource that both have whether it loses its state although its physical id stays.
    pub(crate) fn between(
        before: Option<&Stack>,
        after: &Stack,
        new_code: &[LogicalId],
        is_remade: fn(&Stack, &Stack, &LogicalId) -> bool,
    ) -> Self {
        let Some(before) = before else {
            let added = after.resources.iter();
            return Self {
                added: added.map(|resource| resource.logical_id.clone()).collect(),
                ..Self::default()
            };
        };
        let known: BTreeMap<&str, &Resource> = by_id(before);
        let wanted: BTreeMap<&str, &Resource> = by_id(after);
        let mut summary = Self::default();
        for resource in &after.resources {
            let id = &resource.logical_id;
            match known.get(id.as_str()) {
                None => summary.added.push(id.clone()),
                Some(old)
                    if old.physical_id != resource.physical_id || is_remade(before, after, id) =>
                {
                    summary.changed.push(id.clone());
                    summary.replaced.push(id.clone());
                }
                Some(old) if old.digest != resource.digest || new_code.contains(id) => {
                    summary.changed.push(id.clone())
                }
                Some(_) => {}
            }
        }
        let gone = before
            .resources
            .iter()
            .rev()
            .filter(|resource| !wanted.contains_key(resource.logical_id.as_str()));
        summary.removed = gone.map(|resource| resource.logical_id.clone()).collect();
        summary
    }
}

fn by_id(stack: &Stack) -> BTreeMap<&str, &Resource> {
    stack
        .resources
        .iter()
        .map(|resource| (resource.logical_id.as_str(), resource))
        .collect()
}

/// Reports stack events in CloudFormation's terms.
#[derive(Debug)]
pub(crate) struct Reporter<'a> {
    observer: &'a Observer,
    stack_name: &'a str,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(observer: &'a Observer, stack_name: &'a str) -> Self {
        Self {
            observer,
            stack_name,
        }
    }

    pub(crate) fn stack(&self, status: &str, reason: Option<String>) {
        self.observer.event(StackEvent {
            logical_id: self.stack_name.to_owned(),
            resource_type: "AWS::CloudFormation::Stack".to_owned(),
            physical_id: self.stack_name.to_owned(),
            status: status.to_owned(),
            reason,
        });
    }

    pub(crate) fn resource(&self, resource: &Resource, status: &str, reason: Option<String>) {
        self.observer.event(StackEvent {
            logical_id: resource.logical_id.clone(),
            resource_type: resource.resource_type.clone(),
            physical_id: resource.physical_id.clone(),
            status: status.to_owned(),
            reason,
        });
    }

    /// Reports `{verb}_IN_PROGRESS` and `{verb}_COMPLETE` of a resource.
    pub(crate) fn done(&self, resource: &Resource, verb: &str, reason: Option<String>) {
        self.resource(resource, &format!("{verb}_IN_PROGRESS"), reason);
        self.resource(resource, &format!("{verb}_COMPLETE"), None);
    }

    /// Reports `{verb}_IN_PROGRESS` and `{verb}_FAILED` of a resource of `stack`.
    pub(crate) fn failed(&self, stack: &Stack, id: &LogicalId, verb: &str, error: &dyn Error) {
        let mut resources = stack.resources.iter();
        if let Some(resource) = resources.find(|resource| resource.logical_id == *id) {
            self.resource(resource, &format!("{verb}_IN_PROGRESS"), None);
            let reason = Some(error.to_string());
            self.resource(resource, &format!("{verb}_FAILED"), reason);
        }
    }
}
