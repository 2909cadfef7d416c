//! The progress of a stack: a fold over its stack events. It can go down again, in a rollback.

use std::collections::BTreeMap;

/// A stack event about one resource, in CloudFormation's terms.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackEvent {
    /// Unique; the same event may be read more than once.
    pub id: String,
    /// Seconds since the Unix epoch.
    pub at: f64,
    /// The resource's name in the template.
    pub logical_id: String,
    /// Such as `AWS::DynamoDB::Table`.
    pub resource_type: String,
    /// For example `CREATE_IN_PROGRESS`. Unknown statuses are passed on unchanged.
    pub status: String,
    /// CloudFormation's reason, mostly of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The resource type of a stack's events about itself.
pub const STACK_TYPE: &str = "AWS::CloudFormation::Stack";

/// The state of every resource that had an event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// The number of resources that the operation will touch, as far as is known in advance.
    expected: usize,
    resources: BTreeMap<String, Row>,
    order: usize,
    /// Everything new is in place; deletions now are of resources that were replaced.
    is_cleaning_up: bool,
}

/// The latest state of one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The resource's name in the template.
    pub logical_id: String,
    /// Such as `AWS::DynamoDB::Table`.
    pub resource_type: String,
    /// How far it is.
    pub state: State,
    /// The time of its first event, in seconds since the Unix epoch.
    pub since: f64,
    /// The reason of its failure.
    pub reason: Option<String>,
    order: usize,
}

/// The meaning of a status for the user who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its operation has not ended.
    Running,
    /// Its operation has ended well.
    Done,
    /// Its operation has failed.
    Failed,
    /// Deleted, by an update's clean-up or by a rollback.
    Gone,
}

impl State {
    fn from_status(status: &str) -> Self {
        match status {
            "DELETE_COMPLETE" => Self::Gone,
            _ if status.ends_with("_FAILED") => Self::Failed,
            _ if status.ends_with("_COMPLETE") || status == "DELETE_SKIPPED" => Self::Done,
            _ => Self::Running,
        }
    }
}

impl Progress {
    /// Starts with `expected` resources, none of which has had an event.
    pub fn new(expected: usize) -> Self {
        Self {
            expected,
            ..Self::default()
        }
    }

    /// Applies one event. The stack's events about itself change no resource.
    pub fn apply(&mut self, event: &StackEvent) {
        if event.resource_type == STACK_TYPE {
            self.is_cleaning_up = event.status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS";
            return;
        }
        self.order += 1;
        let order = self.order;
        let row = self
            .resources
            .entry(event.logical_id.clone())
            .or_insert_with(|| Row {
                logical_id: event.logical_id.clone(),
                resource_type: event.resource_type.clone(),
                state: State::Running,
                since: event.at,
                reason: None,
                order,
            });
        let state = State::from_status(&event.status);
        row.state = match (self.is_cleaning_up, row.state) {
            // A replaced resource and its old one share the logical id.
            (true, State::Done) => State::Done,
            (true, _) if state == State::Gone => State::Done,
            _ => state,
        };
        if row.state == State::Failed {
            row.reason.clone_from(&event.reason);
        }
    }

    /// Resources that are in place.
    pub fn done(&self) -> usize {
        self.resources
            .values()
            .filter(|row| row.state == State::Done)
            .count()
    }

    /// The number of all resources: the expected ones, or more if more had events.
    pub fn total(&self) -> usize {
        self.expected.max(self.resources.len())
    }

    /// The rows in `state`, in the order of their first events.
    pub fn rows(&self, state: State) -> Vec<&Row> {
        let mut rows: Vec<_> = self
            .resources
            .values()
            .filter(|row| row.state == state)
            .collect();
        rows.sort_by_key(|row| row.order);
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(events: &str, expected: Expect) {
        let mut progress = Progress::new(2);
        let lines = events.lines().enumerate().map(|(index, line)| {
            let (logical_id, status) = line.split_once(' ').unwrap();
            let resource_type = if logical_id == "chat" {
                STACK_TYPE
            } else {
                "AWS::X::Y"
            };
            progress.apply(&StackEvent {
                id: index.to_string(),
                at: 0.0,
                logical_id: logical_id.into(),
                resource_type: resource_type.into(),
                status: status.into(),
                reason: None,
            });
            format!(
                "{}/{} {}\n",
                progress.done(),
                progress.total(),
                progress.rows(State::Failed).len()
            )
        });
        expected.assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn a_rollback_takes_a_completed_resource_back() {
        check(
            "Table CREATE_COMPLETE\nApi CREATE_FAILED\nTable DELETE_IN_PROGRESS\nTable DELETE_COMPLETE",
            expect![[r#"
                1/2 0
                1/2 1
                0/2 1
                0/2 1
            "#]],
        );
    }

    #[test]
    fn the_stacks_own_events_are_not_resources_and_unexpected_ones_raise_the_total() {
        check(
            "chat CREATE_IN_PROGRESS\nA CREATE_COMPLETE\nB CREATE_COMPLETE\nC CREATE_COMPLETE\nchat CREATE_COMPLETE",
            expect![[r#"
                0/2 0
                1/2 0
                2/2 0
                3/3 0
                3/3 0
            "#]],
        );
    }

    #[test]
    fn the_clean_up_of_an_update_takes_nothing_back_and_its_deletions_count_as_done() {
        check(
            "Kept UPDATE_COMPLETE\nchat UPDATE_COMPLETE_CLEANUP_IN_PROGRESS\nKept DELETE_IN_PROGRESS\nKept DELETE_COMPLETE\nOld DELETE_IN_PROGRESS\nOld DELETE_COMPLETE\nchat UPDATE_COMPLETE",
            expect![[r#"
                1/2 0
                1/2 0
                1/2 0
                1/2 0
                1/2 0
                2/2 0
                2/2 0
            "#]],
        );
    }

    #[test]
    fn a_status_from_a_newer_cloudformation_counts_as_running() {
        check(
            "A SOMETHING_NEW",
            expect![[r#"
                0/2 0
            "#]],
        );
    }
}
