//! The states of a stack, in CloudFormation's words.

use std::fmt;

macro_rules! statuses {
    ($($name:ident = $word:literal,)+) => {
        /// The status of a stack
        /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html>, "Stack status codes").
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum StackStatus {
            $(#[doc = concat!("`", $word, "`.")] $name,)+
            /// One that a newer CloudFormation has. It counts as under way.
            Other(String),
        }

        impl StackStatus {
            /// The status of this name.
            pub fn parse(word: &str) -> Self {
                match word {
                    $($word => Self::$name,)+
                    other => Self::Other(other.to_owned()),
                }
            }

            /// CloudFormation's own word.
            pub fn word(&self) -> &str {
                match self {
                    $(Self::$name => $word,)+
                    Self::Other(word) => word,
                }
            }
        }
    };
}

statuses! {
    CreateInProgress = "CREATE_IN_PROGRESS",
    CreateComplete = "CREATE_COMPLETE",
    CreateFailed = "CREATE_FAILED",
    RollbackInProgress = "ROLLBACK_IN_PROGRESS",
    RollbackComplete = "ROLLBACK_COMPLETE",
    RollbackFailed = "ROLLBACK_FAILED",
    UpdateInProgress = "UPDATE_IN_PROGRESS",
    UpdateCompleteCleanupInProgress = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    UpdateComplete = "UPDATE_COMPLETE",
    UpdateFailed = "UPDATE_FAILED",
    UpdateRollbackInProgress = "UPDATE_ROLLBACK_IN_PROGRESS",
    UpdateRollbackCompleteCleanupInProgress = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    UpdateRollbackComplete = "UPDATE_ROLLBACK_COMPLETE",
    UpdateRollbackFailed = "UPDATE_ROLLBACK_FAILED",
    DeleteInProgress = "DELETE_IN_PROGRESS",
    DeleteComplete = "DELETE_COMPLETE",
    DeleteFailed = "DELETE_FAILED",
    ReviewInProgress = "REVIEW_IN_PROGRESS",
    ImportInProgress = "IMPORT_IN_PROGRESS",
    ImportComplete = "IMPORT_COMPLETE",
    ImportRollbackInProgress = "IMPORT_ROLLBACK_IN_PROGRESS",
    ImportRollbackComplete = "IMPORT_ROLLBACK_COMPLETE",
    ImportRollbackFailed = "IMPORT_ROLLBACK_FAILED",
}

impl fmt::Display for StackStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a status means for the next deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackState {
    /// There is no stack: create one.
    Free,
    /// There is a stack: update it.
    Built,
    /// An operation is running: follow it first.
    Busy,
    /// A name with nothing useful behind it, which CloudFormation does not update: delete it first.
    Leftover,
    /// It can be neither updated nor deleted until its owner decides.
    Stuck,
}

impl StackStatus {
    /// Whether an operation that was started has come to its end.
    ///
    /// A stack in review has not: its change set is about to be executed.
    pub fn is_settled(&self) -> bool {
        self.is_complete() || self.is_rolled_back() || self.is_failed() || self.is_deleted()
    }

    /// Whether the last operation has done what was asked for, and there is a stack.
    pub(crate) fn is_complete(&self) -> bool {
        matches!(
            self,
            Self::CreateComplete | Self::UpdateComplete | Self::ImportComplete
        )
    }

    /// Whether the last operation was taken back.
    pub fn is_rolled_back(&self) -> bool {
        matches!(
            self,
            Self::RollbackComplete | Self::UpdateRollbackComplete | Self::ImportRollbackComplete
        )
    }

    /// Whether the last operation has stopped where it failed.
    pub fn is_failed(&self) -> bool {
        matches!(
            self,
            Self::CreateFailed
                | Self::RollbackFailed
                | Self::UpdateFailed
                | Self::UpdateRollbackFailed
                | Self::DeleteFailed
                | Self::ImportRollbackFailed
        )
    }

    /// Whether the stack is deleted.
    pub(crate) fn is_deleted(&self) -> bool {
        *self == Self::DeleteComplete
    }

    /// Whether it is a name that a first change set has taken, with nothing behind it.
    pub(crate) fn is_in_review(&self) -> bool {
        *self == Self::ReviewInProgress
    }

    /// Whether an operation begins with it; a rollback or a clean-up belongs to the operation before.
    pub(crate) fn begins_operation(&self) -> bool {
        matches!(
            self,
            Self::CreateInProgress
                | Self::UpdateInProgress
                | Self::DeleteInProgress
                | Self::ImportInProgress
                | Self::ReviewInProgress
        )
    }

    /// What it means for the next deployment.
    pub fn state(&self) -> StackState {
        match self {
            Self::DeleteComplete => StackState::Free,
            // A stack that has never served is behind the last three.
            Self::ReviewInProgress
            | Self::RollbackComplete
            | Self::CreateFailed
            | Self::RollbackFailed => StackState::Leftover,
            Self::UpdateFailed => StackState::Built,
            Self::UpdateRollbackFailed | Self::DeleteFailed | Self::ImportRollbackFailed => {
                StackState::Stuck
            }
            settled if settled.is_settled() => StackState::Built,
            _ => StackState::Busy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_state() {
        for (word, state) in [
            ("CREATE_COMPLETE", StackState::Built),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", StackState::Busy),
            ("UPDATE_ROLLBACK_COMPLETE", StackState::Built),
            ("UPDATE_FAILED", StackState::Built),
            ("ROLLBACK_COMPLETE", StackState::Leftover),
            ("ROLLBACK_FAILED", StackState::Leftover),
            ("CREATE_FAILED", StackState::Leftover),
            ("REVIEW_IN_PROGRESS", StackState::Leftover),
            ("UPDATE_ROLLBACK_FAILED", StackState::Stuck),
            ("IMPORT_ROLLBACK_FAILED", StackState::Stuck),
            ("DELETE_FAILED", StackState::Stuck),
            ("DELETE_COMPLETE", StackState::Free),
            ("FROM_THE_FUTURE", StackState::Busy),
        ] {
            let status = StackStatus::parse(word);
            assert_eq!((status.state(), status.word()), (state, word));
        }
    }

    #[test]
    fn what_is_under_way_or_unknown_is_not_settled() {
        for (word, is_settled) in [
            ("REVIEW_IN_PROGRESS", false),
            ("FROM_THE_FUTURE", false),
            ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", false),
            ("ROLLBACK_FAILED", true),
            ("IMPORT_COMPLETE", true),
            ("DELETE_COMPLETE", true),
        ] {
            assert_eq!(StackStatus::parse(word).is_settled(), is_settled, "{word}");
        }
    }
}
