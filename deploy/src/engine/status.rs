//! What a stack status means for somebody who waits, or who wants to deploy.

/// A stack status, sorted by what it means for somebody who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackStatus {
    /// Not settled: anything that is not listed below, also what a newer CloudFormation may invent.
    InProgress(String),
    /// `REVIEW_IN_PROGRESS`: a name that a first change set has taken, with nothing behind it.
    Shell,
    /// `CREATE_COMPLETE`, `UPDATE_COMPLETE`.
    Complete(String),
    /// Settled on something else than what was asked for.
    RolledBack(String),
    /// Settled where somebody must look: `…_FAILED`.
    Failed(String),
    /// `DELETE_COMPLETE`.
    Deleted,
}

/// What a status is to somebody who wants to deploy
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html>, "Stack status codes").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StackState {
    /// There is nothing: create.
    Free,
    /// There is a stack: update.
    Built,
    /// Something is going on: follow it first.
    Busy,
    /// A name with nothing useful behind it, which CloudFormation will not update: delete it first.
    Leftover,
    /// It can neither be updated nor deleted without somebody's decision.
    Stuck,
}

impl StackStatus {
    /// Sorts CloudFormation's word.
    pub fn parse(status: &str) -> Self {
        let text = status.to_owned();
        match status {
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => Self::Complete(text),
            "ROLLBACK_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_ROLLBACK_COMPLETE" => {
                Self::RolledBack(text)
            }
            "CREATE_FAILED"
            | "DELETE_FAILED"
            | "ROLLBACK_FAILED"
            | "UPDATE_FAILED"
            | "UPDATE_ROLLBACK_FAILED"
            | "IMPORT_ROLLBACK_FAILED" => Self::Failed(text),
            "DELETE_COMPLETE" => Self::Deleted,
            "REVIEW_IN_PROGRESS" => Self::Shell,
            _ => Self::InProgress(text),
        }
    }

    /// CloudFormation's own word.
    pub fn word(&self) -> &str {
        match self {
            Self::InProgress(word)
            | Self::Complete(word)
            | Self::RolledBack(word)
            | Self::Failed(word) => word,
            Self::Shell => "REVIEW_IN_PROGRESS",
            Self::Deleted => "DELETE_COMPLETE",
        }
    }

    /// Whether an operation that was started has come to its end.
    ///
    /// A shell has not: its change set is about to be executed.
    pub fn is_settled(&self) -> bool {
        !matches!(self, Self::InProgress(_) | Self::Shell)
    }

    /// What it is to somebody who wants to deploy.
    pub(super) fn ground(&self) -> StackState {
        match self {
            Self::Deleted => StackState::Free,
            Self::Shell => StackState::Leftover,
            Self::InProgress(_) => StackState::Busy,
            Self::Complete(_) => StackState::Built,
            Self::RolledBack(word) if word == "ROLLBACK_COMPLETE" => StackState::Leftover,
            Self::RolledBack(_) => StackState::Built,
            // Nothing that was ever served is behind the first two.
            Self::Failed(word) => match word.as_str() {
                "CREATE_FAILED" | "ROLLBACK_FAILED" => StackState::Leftover,
                "UPDATE_FAILED" => StackState::Built,
                _ => StackState::Stuck,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_ground() {
        for (word, ground) in [
            ("CREATE_COMPLETE", StackState::Built),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", StackState::Busy),
            ("UPDATE_ROLLBACK_COMPLETE", StackState::Built),
            ("UPDATE_FAILED", StackState::Built),
            ("ROLLBACK_COMPLETE", StackState::Leftover),
            ("ROLLBACK_FAILED", StackState::Leftover),
            ("CREATE_FAILED", StackState::Leftover),
            ("REVIEW_IN_PROGRESS", StackState::Leftover),
            ("UPDATE_ROLLBACK_FAILED", StackState::Stuck),
            ("DELETE_FAILED", StackState::Stuck),
            ("DELETE_COMPLETE", StackState::Free),
            ("FROM_THE_FUTURE", StackState::Busy),
        ] {
            let status = StackStatus::parse(word);
            assert_eq!((status.ground(), status.word()), (ground, word));
        }
    }

    #[test]
    fn a_shell_is_no_end_of_an_operation() {
        assert!(!StackStatus::parse("REVIEW_IN_PROGRESS").is_settled());
        assert!(!StackStatus::parse("FROM_THE_FUTURE").is_settled());
        assert!(StackStatus::parse("ROLLBACK_FAILED").is_settled());
    }
}
