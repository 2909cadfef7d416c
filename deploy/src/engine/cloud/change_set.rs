//! From a request for a change set to what it came to.

use super::findings::refused;
use super::records::{ChangeSetIds, ChangeSetState, NewChangeSet};
use super::{CloudFormation, CloudStacks, OpenChangeSet, TargetError};
use crate::engine::limits;
use crate::engine::target::{Change, DeployMode};
use crate::engine::target_error::ErrorKind;

/// How often a change set is asked for its state. With the longest pause this is a quarter of an hour.
const MAX_QUESTIONS: u32 = 180;

/// How often is looked whether a stack that existed only for a change set has gone.
const MAX_LOOKS: u32 = 12;

/// What a change set's state means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    NotYet,
    Ready,
    /// The stack is already so. Only the reason says it: an empty list of changes may be a change of outputs.
    NoChanges,
    /// Something else happened to the stack meanwhile.
    Overtaken,
    Refused(String),
}

/// Judges a state; what a newer CloudFormation may invent counts as "not yet"
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html>).
pub(super) fn verdict(state: &ChangeSetState) -> Verdict {
    let reason = state.reason.as_deref().unwrap_or("no reason given");
    let says_no_change = ["didn't contain changes", "No updates are to be performed"];
    match (state.status.as_str(), state.execution.as_str()) {
        ("FAILED", "UNAVAILABLE") if says_no_change.iter().any(|text| reason.contains(text)) => {
            Verdict::NoChanges
        }
        ("FAILED" | "DELETE_FAILED", _) => Verdict::Refused(reason.to_owned()),
        ("DELETE_PENDING" | "DELETE_IN_PROGRESS" | "DELETE_COMPLETE", _) => Verdict::Overtaken,
        ("CREATE_COMPLETE", "AVAILABLE") => Verdict::Ready,
        (_, "OBSOLETE" | "EXECUTE_IN_PROGRESS" | "EXECUTE_COMPLETE" | "EXECUTE_FAILED") => {
            Verdict::Overtaken
        }
        _ => Verdict::NotYet,
    }
}

impl<C: CloudFormation> CloudStacks<C> {
    /// Has CloudFormation compute `request` and waits for the result; `None` when the stack is already so.
    ///
    /// Unless the answer is a change set, nothing of the attempt is left behind.
    pub(super) async fn computed(
        &self,
        request: &NewChangeSet,
    ) -> Result<Option<(ChangeSetIds, ChangeSetState)>, TargetError> {
        let is_first = request.change == Change::Create;
        // By its name, until its id is known: the answer may be interrupted, and the change set be there all the same.
        *self.open.borrow_mut() = Some(OpenChangeSet {
            ids: ChangeSetIds {
                change_set: request.name.clone(),
                stack: request.stack.clone(),
            },
            is_first,
        });
        let ids = match self.cloud.create_change_set(request).await {
            Ok(ids) => ids,
            Err(error) => {
                // It may be there all the same.
                if error.leaves_open() {
                    self.abandon_quietly().await;
                }
                *self.open.borrow_mut() = None;
                return Err(error);
            }
        };
        *self.open.borrow_mut() = Some(OpenChangeSet {
            ids: ids.clone(),
            is_first,
        });
        let state = match self.waited_for(&ids).await {
            Ok(state) => state,
            Err(error) => {
                self.abandon_quietly().await;
                return Err(error);
            }
        };
        let stack = &request.stack;
        let error = match verdict(&state) {
            Verdict::Ready => return Ok(Some((ids, state))),
            Verdict::NoChanges => {
                self.abandon_quietly().await;
                return Ok(None);
            }
            Verdict::Overtaken => TargetError::new(
                ErrorKind::Failed,
                format!("another deployment of stack `{stack}` got in between"),
            )
            .with_hint("deploy again: what the other one has changed is then taken into account"),
            // Before the change set is deleted, and its findings with it.
            Verdict::Refused(reason) => refused(stack, &reason, self.cloud.findings(&ids).await),
            Verdict::NotYet => TargetError::new(
                ErrorKind::Unreachable,
                format!("CloudFormation did not finish computing the change of stack `{stack}`"),
            )
            .with_hint("deploy again"),
        };
        self.abandon_quietly().await;
        Err(error)
    }

    /// Takes the open change set back where another error is to be reported. One that stays is never executed, and the
    /// next deployment removes the stack that exists only for it.
    pub(super) async fn abandon_quietly(&self) {
        drop(tokio::time::timeout(limits::CALL.time(), self.take_back()).await);
    }

    async fn waited_for(&self, ids: &ChangeSetIds) -> Result<ChangeSetState, TargetError> {
        let mut quiet = 0;
        loop {
            let state = self.cloud.change_set(ids).await?;
            if verdict(&state) != Verdict::NotYet || quiet == MAX_QUESTIONS {
                return Ok(state);
            }
            quiet += 1;
            self.cloud.pause(quiet).await;
        }
    }

    /// Deletes the open change set, and the stack when it exists only for it.
    pub(super) async fn take_back(&self) -> Result<(), TargetError> {
        let Some(open) = self.open.borrow_mut().take() else {
            return Ok(());
        };
        self.cloud.delete_change_set(&open.ids).await?;
        if !open.is_first {
            return Ok(());
        }
        for quiet in 0..MAX_LOOKS {
            // Another tool may have deployed into it meanwhile: only an empty stack is ours to delete.
            match self.cloud.stack(&open.ids.stack).await? {
                Some(record) if record.status.is_in_review() => {
                    if quiet == 0 {
                        self.cloud
                            .delete_stack(&record.id, &super::token(), &[], DeployMode::Standard)
                            .await?;
                    }
                }
                _ => return Ok(()),
            }
            self.cloud.pause(quiet).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: &str, execution: &str, reason: Option<&str>) -> Verdict {
        verdict(&ChangeSetState {
            status: status.into(),
            execution: execution.into(),
            reason: reason.map(str::to_owned),
            changes: Vec::new(),
        })
    }

    #[test]
    fn an_empty_list_of_changes_is_still_a_change_set() {
        assert_eq!(judged("CREATE_COMPLETE", "AVAILABLE", None), Verdict::Ready);
    }

    #[test]
    fn no_change_is_reported_by_status_and_reason_together() {
        let reason = "The submitted information didn't contain changes. Submit different information to create a change set.";
        assert_eq!(
            judged("FAILED", "UNAVAILABLE", Some(reason)),
            Verdict::NoChanges
        );
        let reason = "No updates are to be performed.";
        assert_eq!(
            judged("FAILED", "UNAVAILABLE", Some(reason)),
            Verdict::NoChanges
        );
        assert_eq!(
            judged("FAILED", "UNAVAILABLE", Some("Template error")),
            Verdict::Refused("Template error".into())
        );
    }

    #[test]
    fn pending_running_and_unknown_states_are_waited_out() {
        for status in ["CREATE_PENDING", "CREATE_IN_PROGRESS", "FROM_THE_FUTURE"] {
            assert_eq!(judged(status, "UNAVAILABLE", None), Verdict::NotYet);
        }
        assert_eq!(
            judged("CREATE_COMPLETE", "UNAVAILABLE", None),
            Verdict::NotYet
        );
    }

    #[test]
    fn a_change_set_that_was_overtaken_is_never_executed() {
        assert_eq!(
            judged("CREATE_COMPLETE", "OBSOLETE", None),
            Verdict::Overtaken
        );
        assert_eq!(
            judged("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", None),
            Verdict::Overtaken
        );
    }
}
