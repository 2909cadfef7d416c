//! What a teardown has done outside of the engine: the command shows and asks. When each comes is decided by
//! [`super::teardown_cloud`] and [`super::teardown_here`].

use super::account::Holdings;
use crate::engine::cloud::StackRecord;
use crate::engine::deploy::LeftBehind;
use crate::engine::event::Reporter;
use crate::engine::target::{Data, Resource};
use crate::engine::target_error::TargetError;

/// The parts of a teardown on this machine that the command has.
pub trait TeardownSteps {
    /// Shows what goes and what stays.
    fn show(&self, contents: &LocalContents);

    /// Asks whether to tear the stack down, where that is to be asked.
    ///
    /// # Errors
    /// There is no terminal to ask at, or the user interrupts.
    async fn agree(&self) -> Result<bool, TargetError>;
}

/// The parts of a teardown in an account that the command has.
pub trait CloudTeardownSteps {
    /// The account that the stack is in.
    type Account: Holdings;

    /// Finds the account; touches nothing.
    ///
    /// # Errors
    /// There is no Region, or there are no credentials that AWS takes.
    async fn connect(&self) -> Result<Self::Account, TargetError>;

    /// Shows the stack that goes, with its resources.
    fn show_stack(&self, record: &StackRecord, resources: &[Resource]);

    /// Shows that `table` goes, or stays, with the approximate number of its items; `None` is a table that is gone.
    fn show_table(&self, table: &str, items: Result<Option<u64>, TargetError>);

    /// Asks whether to tear the stack down, where that is to be asked.
    ///
    /// # Errors
    /// There is no terminal to ask at, or the user interrupts.
    async fn agree(&self, account: &Self::Account) -> Result<bool, TargetError>;

    /// Shows what the user must not overlook.
    fn warn(&self, text: &str);

    /// A new reporter for the time in which AWS is only asked.
    fn progress(&self) -> impl Reporter;

    /// A new reporter of the deletion.
    fn reporter(&self) -> impl Reporter;
}

/// What a stack that runs has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// How many functions it has.
    pub functions: usize,
    /// How many connections are open.
    pub connections: usize,
}

/// What goes and what stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalContents {
    /// A process that goes, although the stack's folder is gone already.
    pub left_behind: Option<LeftBehind>,
    /// The stack that goes.
    pub stack: StackHere,
    /// What becomes of table data; `None` if there is none.
    pub data: Option<Data>,
}

/// A local stack as a teardown finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackHere {
    /// It runs.
    Running(Activity),
    /// It does not run, and has files.
    Stopped,
    /// It has no files.
    Gone,
}
