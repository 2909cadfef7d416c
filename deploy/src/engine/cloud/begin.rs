//! Starting what cannot be taken back, when the answer gets lost: whether it was started is then looked for.

use super::records::ChangeSetIds;
use super::{CloudFormation, CloudStacks, StackStatus, StartedOperation, TargetError, token};
use crate::engine::target::{DeployMode, Operation, Phase};
use crate::engine::target_error::ErrorKind;

/// How often is looked: what was started a moment ago may not show yet.
const LOOKS: u32 = 3;

/// Whether something was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Yes,
    No,
    NotKnown,
}

impl<C: CloudFormation> CloudStacks<C> {
    /// Executes the change set; the answer is the token that its events carry.
    ///
    /// # Errors
    /// It was not started, and is taken back then; or it is not known whether it was. The error says which.
    pub(super) async fn execute(&self, ids: &ChangeSetIds) -> Result<String, TargetError> {
        let token = token();
        *self.begun.borrow_mut() = Some(StartedOperation::Execution(ids.clone()));
        let Err(error) = self.cloud.execute_change_set(ids, &token).await else {
            *self.open.borrow_mut() = None;
            return Ok(token);
        };
        let start = match error.kind {
            ErrorKind::Denied | ErrorKind::Usage | ErrorKind::Interrupted => Start::No,
            // Busy or overtaken may also be said of what an earlier attempt of the same request has started.
            ErrorKind::Failed | ErrorKind::Unreachable | ErrorKind::Unexpected => {
                self.look_for_start(ids, &token).await
            }
        };
        match start {
            Start::Yes => {
                *self.open.borrow_mut() = None;
                Ok(token)
            }
            Start::No => {
                self.abandon_quietly().await;
                Err(error.after(|| "nothing was changed".to_owned()))
            }
            Start::NotKnown => {
                *self.open.borrow_mut() = None;
                let (stack, error) = (&ids.stack, error);
                let name = name_in(stack);
                Err(error.after(|| {
                    format!(
                        "whether the change of stack `{name}` was started is not known; `chatctl status` tells, and \
                         the same command again follows it if it was"
                    )
                }))
            }
        }
    }

    async fn look_for_start(&self, ids: &ChangeSetIds, token: &str) -> Start {
        let mut start = Start::NotKnown;
        for look in 1..=LOOKS {
            let events = self.cloud.recent_events(&ids.stack).await;
            let is_ours = |events: &Vec<super::CloudEvent>| {
                let mut events = events.iter();
                events.any(|event| event.token.as_deref() == Some(token))
            };
            if events.as_ref().is_ok_and(is_ours) {
                return Start::Yes;
            }
            start = match self.execution(ids).await {
                Ok(Some(Phase::NotBegun)) => Start::No,
                Ok(Some(Phase::Begun | Phase::Over)) => return Start::Yes,
                // It goes with the execution, of whichever change set that was.
                Ok(None) if events.is_ok() => Start::No,
                Ok(None) | Err(_) => Start::NotKnown,
            };
            if look < LOOKS {
                self.cloud.pause(look).await;
            }
        }
        start
    }

    /// How far the change set's execution is; `None` when the change set is gone.
    async fn execution(&self, ids: &ChangeSetIds) -> Result<Option<Phase>, TargetError> {
        match self.cloud.change_set(ids).await {
            Ok(state) => Ok(Some(match state.execution.as_str() {
                "EXECUTE_COMPLETE" | "EXECUTE_FAILED" => Phase::Over,
                word if word.starts_with("EXECUTE") => Phase::Begun,
                _ => Phase::NotBegun,
            })),
            Err(error) if error.kind == ErrorKind::Failed => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How far is what was begun last, which is `operation`.
    pub(super) async fn own_phase(&self, operation: &Operation) -> Result<Phase, TargetError> {
        let begun = self.begun.borrow().clone();
        match begun {
            None => Ok(Phase::Begun),
            // A change set that is gone has gone with its execution.
            Some(StartedOperation::Execution(ids)) => {
                Ok(self.execution(&ids).await?.unwrap_or(Phase::Begun))
            }
            Some(StartedOperation::Deletion(before)) => {
                let record = self.cloud.stack(operation.stack.as_ref()).await?;
                Ok(match record.is_none_or(|record| record.status != before) {
                    true => Phase::Over,
                    false => Phase::NotBegun,
                })
            }
        }
    }

    /// Deletes the stack.
    ///
    /// # Errors
    /// As for [`CloudStacks::execute`].
    pub(super) async fn delete_stack(
        &self,
        stack_id: &str,
        token: &str,
        retained: &[String],
        mode: DeployMode,
    ) -> Result<(), TargetError> {
        let deleting = self.cloud.delete_stack(stack_id, token, retained, mode);
        let Err(error) = deleting.await else {
            return Ok(());
        };
        if !error.leaves_open() {
            return Err(error.after(|| "nothing was deleted".to_owned()));
        }
        let mut is_known = false;
        for look in 1..=LOOKS {
            match self.cloud.stack(stack_id).await {
                Ok(None) => return Ok(()),
                Ok(Some(record)) if is_going(&record.status) => return Ok(()),
                Ok(Some(_)) => is_known = true,
                Err(_) => is_known = false,
            }
            if look < LOOKS {
                self.cloud.pause(look).await;
            }
        }
        let name = name_in(stack_id);
        Err(error.after(|| match is_known {
            true => "nothing was deleted".to_owned(),
            false => format!(
                "whether the deletion of stack `{name}` was started is not known; the same command again finds out \
                 and goes on"
            ),
        }))
    }
}

/// Whether its deletion has begun.
fn is_going(status: &StackStatus) -> bool {
    match status {
        StackStatus::DeleteComplete | StackStatus::DeleteInProgress => true,
        StackStatus::Other(word) => word.starts_with("DELETE_"),
        _ => false,
    }
}

/// The name in a stack's id, `arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/UUID`.
fn name_in(id: &str) -> &str {
    id.split('/').nth(1).unwrap_or(id)
}
