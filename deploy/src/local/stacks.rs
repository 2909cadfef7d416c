//! The engine's [`Stacks`] over the process that runs a local stack.

use std::time::Duration;

use super::records::{Request, Running};
use super::unresponsive::unresponsive_hint;
use super::{LocalTarget, control};
use crate::config::names::StackName;
use crate::engine::limits::{self, Limit};
use crate::engine::{
    Change, ChangeSet, Data, Deployment, Description, Operation, Phase, Prepared, StackStatus,
    Stacks, TargetError,
};
use crate::stack::Outputs;
use crate::stack::change::ChangeSummary;
use crate::stack::progress::{STACK_TYPE, StackEvent};

impl Stacks for LocalTarget {
    async fn describe(&self, stack: &StackName) -> Result<Option<Description>, TargetError> {
        let folder = self.folder(stack)?;
        // The content of a damaged request is unknown, but a teardown must still find its stack.
        let Ok(request) = folder.request() else {
            return Ok(Some(Description {
                status: StackStatus::CreateFailed,
                reason: None,
                outputs: Outputs::new(),
            }));
        };
        let Some(request) = request else {
            let kept = Description {
                status: StackStatus::DeleteComplete,
                reason: None,
                outputs: Outputs::new(),
            };
            return Ok(folder.has_data()?.then_some(kept));
        };
        let last = folder
            .events(&request.token)?
            .into_iter()
            .rfind(|event| event.resource_type == STACK_TYPE);
        let (status, reason) = match last {
            Some(event) => (StackStatus::parse(&event.status), event.reason),
            None => (StackStatus::CreateInProgress, None),
        };
        if !status.is_settled() {
            self.check_started(&folder)?;
        }
        let outputs = self
            .running(stack)?
            .map(|running| running.outputs)
            .unwrap_or_default();
        Ok(Some(Description {
            status,
            reason,
            outputs,
        }))
    }

    async fn prepare(&self, deployment: Deployment) -> Result<Prepared, TargetError> {
        let folder = self.folder(&deployment.stack)?;
        let running = self.running_soon(&deployment.stack).await?;
        let old = folder.request()?;
        let new = self.request(&deployment, &folder);
        let moves = |running: &Running| self.port.is_some_and(|port| port != running.port);
        let before = |function: &String| old.as_ref()?.code.get(function);
        let new_code = new
            .code
            .iter()
            .filter(|(function, folder)| before(function) != Some(folder))
            .map(|(function, _)| function.clone())
            .collect();
        let change = match (&old, &running) {
            (Some(old), Some(running)) if !moves(running) => {
                let written = new.without_secrets().digest();
                if running.applied == new.digest() && old.digest() == written {
                    return Ok(Prepared::NoChanges(running.outputs.clone()));
                }
                Change::Update
            }
            (Some(_), Some(running)) => {
                self.check_port(running)?;
                Change::Move
            }
            // A process that failed to start may have left nothing to start with.
            (Some(_), None) if folder.has_data()? => Change::Restart,
            (_, None) | (None, _) => Change::Create,
        };
        let before = old
            .and_then(|old| old.template())
            .filter(|_| change == Change::Update);
        let summary = ChangeSummary::between(before.as_ref(), &deployment.template, &new_code);
        Ok(Prepared::ChangeSet(Box::new(ChangeSet {
            id: new.token,
            change,
            summary,
            deployment,
        })))
    }

    async fn begin(&self, change_set: &ChangeSet) -> Result<Operation, TargetError> {
        let stack = &change_set.deployment.stack;
        let folder = self.folder(stack)?;
        let request = Request {
            token: change_set.id.clone(),
            ..self.request(&change_set.deployment, &folder)
        };
        match (change_set.change, self.running_soon(stack).await?) {
            (Change::Update, Some(running)) => {
                folder.write_request(&request)?;
                control::update(&running, &request.references, &self.response_timeout)
                    .await
                    .map_err(|error| error.with_hint(unresponsive_hint(&folder, &running)))?;
            }
            _ => {
                // Held until the process has started, so that a process of another command that has not begun yet finds
                // this request and not the previous one.
                let held = self.stopped(stack).await?;
                folder.forget_running()?;
                let request = Request {
                    port: self.port,
                    ..request
                };
                folder.write_request(&request)?;
                self.spawn(&folder, stack, &request.references)?;
                drop(held);
            }
        }
        Ok(Operation {
            stack: stack.clone(),
            stack_id: None,
            token: Some(change_set.id.clone()),
        })
    }

    async fn delete(
        &self,
        stack: &StackName,
        data: Data,
        _spare: &[String],
    ) -> Result<Operation, TargetError> {
        self.stop(stack).await?;
        let folder = self.folder(stack)?;
        *self.left.borrow_mut() = match data {
            Data::Remove => folder.remove()?,
            Data::Keep => folder.remove_all_but_data()?,
        };
        Ok(Operation {
            stack: stack.clone(),
            stack_id: None,
            token: None,
        })
    }

    async fn events(&self, operation: &Operation) -> Result<Vec<StackEvent>, TargetError> {
        match &operation.token {
            Some(token) => self.folder(&operation.stack)?.events(token),
            None => Ok(Vec::new()),
        }
    }

    async fn phase(&self, _operation: &Operation) -> Result<Phase, TargetError> {
        // The request is in a file, with the operation's own token.
        Ok(Phase::Begun)
    }

    fn is_first_without_events(&self) -> bool {
        true
    }

    async fn pause(&self, quiet: u32) {
        // A stack usually starts within some 20 ms.
        let milliseconds = if quiet < 20 { 2 } else { 10 };
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }

    fn longest(&self) -> Limit {
        limits::STARTING
    }

    async fn interrupt(&self, operation: &Operation) -> TargetError {
        // An update is a single step inside the running process: it happens or it does not. A process that is still
        // starting is ended, and stops everything that it has started.
        let Some(child) = self.started.borrow_mut().take() else {
            let left =
                "what was begun may still take effect; `chatctl status --local` tells what runs";
            return TargetError::interrupted().with_hint(left);
        };
        if self.ended(child).await {
            self.place(&operation.stack).forget_request();
        }
        TargetError::interrupted().with_hint("the start was taken back: the stack does not run")
    }
}
