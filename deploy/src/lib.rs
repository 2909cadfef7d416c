//! Deploys a serverless WebSocket chat, on AWS or on one machine: the library behind the command.
//!
//! It has no flags and no terminal: progress is reported to a [`engine::Reporter`], and failures are errors with a
//! hint. The layers, each of which names only those before it:
//!
//! 1. [`config`]: `chatctl.toml`, checked.
//! 2. [`stack`]: the model of a deployed chat as pure functions: template, changes, outputs, causes of failures.
//! 3. [`packaging`]: the handlers' executables, built and zipped.
//! 4. [`engine`]: the sequence of a deployment, over traits.
//! 5. [`aws`] and [`local`]: the two targets behind those traits; [`keys`]: the keys that tokens are signed with.

#![expect(
    async_fn_in_trait,
    reason = "futures of these traits stay on the thread that made them"
)]

pub mod aws;
pub mod config;
pub mod directory;
pub mod engine;
pub mod exit;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod guard;
pub mod interrupt;
pub mod keys;
pub mod local;
pub mod packaging;
pub mod programs;
pub mod reading;
mod scale;
pub mod scratch;
pub mod stack;
