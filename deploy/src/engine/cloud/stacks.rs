//! The engine's questions, answered through [`CloudFormation`].

use std::time::Instant;

use super::records::{NewChangeSet, ParameterValue};
use super::{
    CloudFormation, CloudStacks, StackRecord, StackState, StartedOperation, TargetError, token,
};
use crate::config::names::StackName;
use crate::engine::execute::no_answer;
use crate::engine::limits::{self, Limit};
use crate::engine::target::{
    Change, ChangeSet, ChangeSets, Data, DeployMode, Deployment, Description, Operation, Phase,
    Prepared, Readiness, Stacks,
};
use crate::engine::target_error::ErrorKind;
use crate::stack::change::ChangeSummary;
use crate::stack::permissions::gained;
use crate::stack::progress::StackEvent;
use crate::stack::retain::{TABLE_TYPE, with_tables_retained};

impl<C: CloudFormation> Stacks for CloudStacks<C> {
    async fn describe(&self, stack: &StackName) -> Result<Option<Description>, TargetError> {
        let record = self.cloud.stack(stack.as_ref()).await?;
        Ok(record.map(|record| Description {
            status: record.status,
            // Those of a beginning say nothing.
            reason: record.reason.filter(|reason| reason != "User Initiated"),
            outputs: record.outputs,
        }))
    }

    async fn prepare(&self, deployment: Deployment) -> Result<Prepared, TargetError> {
        let stack = deployment.stack.as_ref();
        let record = self
            .cloud
            .stack(stack)
            .await?
            .filter(|record| record.status.state() == StackState::Built);
        let before = match &record {
            Some(_) => Some(self.own_template(&deployment.stack).await?),
            None => None,
        };
        let values = deployment.parameters.iter();
        let request = NewChangeSet {
            name: token(),
            stack: stack.to_owned(),
            change: if record.is_some() {
                Change::Update
            } else {
                Change::Create
            },
            template: deployment.template.clone(),
            parameters: values
                .map(|(name, value)| (name.clone(), ParameterValue::This(value.clone())))
                .collect(),
            tags: deployment.tags.clone(),
            mode: record
                .as_ref()
                .map_or(deployment.mode, |record| record.next_mode(deployment.mode)),
        };
        let Some((ids, state)) = self.computed(&request).await? else {
            return Ok(Prepared::NoChanges(
                record.map(|record| record.outputs).unwrap_or_default(),
            ));
        };
        let summary = ChangeSummary {
            changes: state.changes,
            permissions: gained(before.as_ref(), &deployment.template),
            warnings: self.warnings(&ids).await,
        };
        Ok(Prepared::ChangeSet(Box::new(ChangeSet {
            id: ids.change_set,
            change: request.change,
            summary,
            deployment,
        })))
    }

    async fn begin(&self, change_set: &ChangeSet) -> Result<Operation, TargetError> {
        let open = self.open.borrow().clone();
        let Some(open) = open.filter(|open| open.ids.change_set == change_set.id) else {
            let message = "the change set was prepared by another command";
            return Err(TargetError::new(ErrorKind::Unexpected, message));
        };
        let token = self.execute(&open.ids).await?;
        Ok(Operation {
            stack: change_set.deployment.stack.clone(),
            stack_id: Some(open.ids.stack),
            token: Some(token),
        })
    }

    async fn delete(
        &self,
        stack: &StackName,
        data: Data,
        retained: &[String],
    ) -> Result<Operation, TargetError> {
        let token = token();
        let operation = |stack_id: String| Operation {
            stack: stack.clone(),
            stack_id: Some(stack_id),
            token: Some(token.clone()),
        };
        let Some(record) = self.cloud.stack(stack.as_ref()).await? else {
            return Ok(operation(stack.as_ref().to_owned()));
        };
        if let Some(error) = record.protection() {
            return Err(error);
        }
        let mut retained = retained.to_vec();
        if data == Data::Keep && record.is_half_deleted() {
            retained.extend(self.tables(&record.id).await?);
            retained.sort();
            retained.dedup();
        }
        let mode = record.next_mode(DeployMode::Standard);
        *self.begun.borrow_mut() = Some(StartedOperation::Deletion(record.status.clone()));
        self.delete_stack(&record.id, &token, &retained, mode)
            .await?;
        Ok(operation(record.id))
    }

    async fn events(&self, operation: &Operation) -> Result<Vec<StackEvent>, TargetError> {
        let name = operation.stack.as_ref();
        let stack = operation.stack_id.as_deref().unwrap_or(name);
        let events = self.cloud.recent_events(stack).await?;
        let first = match &operation.token {
            // Another tool's operation is whatever runs now.
            None => 0,
            Some(token) => events
                .iter()
                .position(|event| event.token.as_ref() == Some(token))
                .unwrap_or(events.len()),
        };
        Ok(events
            .into_iter()
            .skip(first)
            .map(|event| event.event)
            .collect())
    }

    async fn phase(&self, operation: &Operation) -> Result<Phase, TargetError> {
        match operation.token {
            // Another tool's operation was under way when it was found.
            None => Ok(Phase::Over),
            Some(_) => self.own_phase(operation).await,
        }
    }

    fn is_first_without_events(&self) -> bool {
        !self.is_without_events.replace(true)
    }

    async fn pause(&self, quiet: u32) {
        self.cloud.pause(quiet).await;
    }

    fn longest(&self) -> Limit {
        limits::FOLLOWING
    }

    fn now(&self) -> Instant {
        self.cloud.now()
    }

    async fn interrupt(&self, operation: &Operation) -> TargetError {
        let message = format!(
            "interrupted; AWS goes on with stack `{}` by itself",
            operation.stack
        );
        TargetError::new(ErrorKind::Interrupted, message).with_hint(
            "`chatctl status` tells how far it is; the same command again follows it and goes on",
        )
    }
}

impl<C: CloudFormation> ChangeSets for CloudStacks<C> {
    async fn readiness(&self, stack: &StackName) -> Result<Readiness, TargetError> {
        let Some(record) = self.cloud.stack(stack.as_ref()).await? else {
            return Ok(Readiness::Ready);
        };
        Ok(match record.status.state() {
            StackState::Free | StackState::Built => Readiness::Ready,
            StackState::Leftover => {
                self.own_remains(stack, &record.status).await?;
                Readiness::Leftover(record.status)
            }
            StackState::Busy => Readiness::Busy(Operation {
                stack: stack.clone(),
                stack_id: Some(record.id),
                token: None,
            }),
            StackState::Stuck => {
                Readiness::Stuck(record.stuck().expect("its state says that it is stuck"))
            }
        })
    }

    async fn abandon(&self) {
        self.abandon_quietly().await;
    }

    async fn discard(&self, change_set: &ChangeSet) -> Result<(), TargetError> {
        limits::within(limits::ASKING, self.take_back(), |minutes| {
            no_answer(
                "take back the change",
                &change_set.deployment.stack,
                minutes,
            )
        })
        .await
    }

    async fn retain_tables(&self, stack: &StackName) -> Result<Option<Operation>, TargetError> {
        let Some(record) = self.record(stack).await? else {
            return Ok(None);
        };
        let deployed = self.own_template(stack).await?;
        let Some(template) = with_tables_retained(&deployed) else {
            return Ok(None);
        };
        if record.status.state() != StackState::Built {
            return self.tables_of_what_is_left(&record).await;
        }
        let request = NewChangeSet {
            name: token(),
            stack: stack.as_ref().to_owned(),
            change: Change::Update,
            template,
            mode: record.next_mode(DeployMode::Standard),
            parameters: record
                .parameters
                .into_keys()
                .map(|name| (name, ParameterValue::Previous))
                .collect(),
            tags: Default::default(),
        };
        let Some((ids, _)) = self.computed(&request).await? else {
            return Ok(None);
        };
        let token = self.execute(&ids).await?;
        Ok(Some(Operation {
            stack: stack.clone(),
            stack_id: Some(ids.stack),
            token: Some(token),
        }))
    }
}

impl<C: CloudFormation> CloudStacks<C> {
    /// The tables of a stack that there are, by logical id.
    async fn tables(&self, stack: &str) -> Result<Vec<String>, TargetError> {
        let resources = self.cloud.resources(stack).await?.into_iter();
        let tables = resources.filter(|resource| resource.resource_type == TABLE_TYPE);
        Ok(tables.map(|table| table.logical_id).collect())
    }

    /// What keeps the tables of a stack that cannot be updated any more: nothing is to be done where there are none,
    /// and for a half-deleted stack the deletion itself names the tables to keep.
    async fn tables_of_what_is_left(
        &self,
        record: &StackRecord,
    ) -> Result<Option<Operation>, TargetError> {
        if record.is_half_deleted() || self.tables(&record.id).await?.is_empty() {
            return Ok(None);
        }
        let (name, word) = (&record.name, record.status.word());
        let message = format!("stack `{name}` is {word}: in that state its table cannot be kept");
        Err(TargetError::new(ErrorKind::Failed, message)
            .with_hint("nothing was deleted; without `--keep-data` the table goes, too"))
    }
}
