//! Runs functions: a pool of processes for each, driven through the Lambda Runtime API.

mod asynchronous;
mod callee;
mod code;
mod durations;
mod environment;
mod event_queue;
mod fair_queue;
mod function;
mod functions;
pub(crate) mod invoke_api;
mod job;
mod lanes;
mod open_files;
mod output;
mod pool;
mod process;
mod runnable;
mod runtime_api;
mod stragglers;

pub use self::code::CodeError;
#[cfg(any(test, fuzzing))]
pub(crate) use self::code::unpack;
pub(crate) use self::code::{Code, Scratch};
pub(crate) use self::functions::Functions;
#[cfg(test)]
pub(crate) use self::job::Failure;
pub(crate) use self::job::Outcome;
pub(crate) use self::runnable::{FunctionEnvironment, Runnable};
pub use self::stragglers::end_stragglers;
