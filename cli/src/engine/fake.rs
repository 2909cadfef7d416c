//! A target made of a script: `LOGICAL_ID STATUS [REASON]` lines, `- poll -` between what one poll and the next see.

use std::cell::Cell;

use super::event::{DeployEvent, Reporter};
use super::target::*;
use crate::config::names::StackName;
use crate::stack::Template;
use crate::stack::change::ChangeSummary;
use crate::stack::progress::{STACK_TYPE, StackEvent};

/// Plays its script one poll at a time. An empty script means that there is nothing to change.
#[derive(Debug)]
pub(super) struct FakeStacks {
    polls: Option<Vec<Vec<StackEvent>>>,
    at: Cell<usize>,
}

impl FakeStacks {
    pub(super) fn absent() -> Self {
        Self {
            polls: None,
            at: Cell::new(0),
        }
    }

    pub(super) fn scripted(script: &str) -> Self {
        let polls = script
            .split("- poll -")
            .map(|poll| poll.lines().filter(|line| !line.trim().is_empty()));
        let mut id = 0;
        let mut event = |line: &str| {
            id += 1;
            let mut words = line.splitn(3, ' ');
            let logical_id = words.next().unwrap().to_owned();
            StackEvent {
                id: id.to_string(),
                at: 0.0,
                resource_type: if logical_id == "chat" {
                    STACK_TYPE.into()
                } else {
                    "AWS::X::Y".into()
                },
                logical_id,
                status: words.next().unwrap().into(),
                reason: words.next().map(str::to_owned),
            }
        };
        let polls = polls.map(|lines| lines.map(&mut event).collect()).collect();
        Self {
            polls: Some(polls),
            at: Cell::new(0),
        }
    }

    fn so_far(&self) -> Vec<StackEvent> {
        self.polls
            .iter()
            .flatten()
            .take(self.at.get() + 1)
            .flatten()
            .cloned()
            .collect()
    }
}

pub(super) fn deployment() -> Deployment {
    Deployment {
        stack: "chat".parse().unwrap(),
        template: Template::new(
            serde_json::json!({"Resources": {"Table": {"Type": "AWS::DynamoDB::Table"}}}),
        ),
        parameters: Default::default(),
        asset: Asset {
            bucket: "b".into(),
            key: "k".into(),
            already_there: false,
        },
    }
}

impl Stacks for FakeStacks {
    async fn describe(&self, _stack: &StackName) -> Result<Option<Description>, TargetError> {
        if self.polls.is_none() {
            return Ok(None);
        }
        let last = self
            .so_far()
            .into_iter()
            .rfind(|event| event.resource_type == STACK_TYPE);
        let status =
            StackStatus::parse(&last.map_or("CREATE_IN_PROGRESS".into(), |event| event.status));
        let outputs = [("Url".to_owned(), "ws://fake/v1".to_owned())].into();
        Ok(Some(Description { status, outputs }))
    }

    async fn prepare(&self, deployment: Deployment) -> Result<Prepared, TargetError> {
        if self.so_far().is_empty() {
            return Ok(Prepared::NoChanges(Default::default()));
        }
        let summary = ChangeSummary::between(None, &deployment.template, false);
        Ok(Prepared::ChangeSet(Box::new(ChangeSet {
            id: "1".into(),
            change: Change::Create,
            summary,
            deployment,
        })))
    }

    async fn begin(&self, change_set: &ChangeSet) -> Result<Operation, TargetError> {
        Ok(Operation {
            stack: change_set.deployment.stack.clone(),
            token: "1".into(),
        })
    }

    async fn delete(&self, stack: &StackName, _data: Data) -> Result<Operation, TargetError> {
        Ok(Operation {
            stack: stack.clone(),
            token: "1".into(),
        })
    }

    async fn events(&self, _operation: &Operation) -> Result<Vec<StackEvent>, TargetError> {
        Ok(self.so_far())
    }

    async fn pause(&self) {
        self.at.set(self.at.get() + 1);
    }

    async fn interrupt(&self, _operation: &Operation) {}
}

/// Writes down what was reported, a line an event.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    pub(super) lines: String,
}

impl Reporter for Transcript {
    fn report(&mut self, event: &DeployEvent) {
        let line = match event {
            DeployEvent::Started(step) => format!("started {step:?}"),
            DeployEvent::Finished { step, detail, .. } => format!("finished {step:?}: {detail}"),
            DeployEvent::Stack(event) => format!("{} {}", event.logical_id, event.status),
            DeployEvent::Compiling { .. } | DeployEvent::Expecting(_) => return,
        };
        self.lines.push_str(&line);
        self.lines.push('\n');
    }
}
