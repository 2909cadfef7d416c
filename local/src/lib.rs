#![doc = include_str!("../README.md")]
//!
//! # What it is held to
//!
//! The gateway, the Lambda Runtime API, Lambda's Invoke API, the DynamoDB endpoint and the @connections API answer as
//! AWS documents them, so whatever works against a [`LocalStack`] here meets the same contracts there.
//!
//! Everything listens on loopback addresses only. What differs from AWS, by intention:
//!
//! - WebSockets are plain `ws://`; events still say `https` and port 443.
//! - Signatures are not verified. A key that a function was given leads to that function's role; any other key is
//!   the operator's, who may do everything. An unsigned request to the @connections or the Invoke API is refused.
//! - IAM here finds what a role lacks. It is no wall against a function that wants to get around it: any program of the
//!   same machine can sign with another key.
//! - Programs of other users of the machine are refused where the system tells whose a connection is: see [`peers`].
//! - Web pages are refused wherever AWS would ask for a signature; WebSockets are open to them, as on AWS.
//! - Requests wait for a free process where AWS would throttle them for want of concurrency.
//! - Processes are not frozen between two events.
//! - A process that catches SIGTERM has two seconds; when the program that runs the stack is killed itself, function
//!   processes see their Runtime API close, and most end by that. [`StackNotice::ProcessStarted`] says which those are, for
//!   a program that ends the others.

mod beside;
mod budget;
mod clock;
mod connections_api;
mod dynamodb;
mod front;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod http;
pub mod iam;
mod ids;
mod integrations;
mod lambda;
mod local_stack;
mod moments;
mod observer;
mod options;
mod schema;
mod stack;
mod status;
mod template;
mod transition;
#[doc(hidden)]
pub mod unstable;
mod websocket;

pub use clock::{Clock, Hand};
pub use dynamodb::TablesError;
pub use http::page::Page;
pub use http::peers;
pub use lambda::{CodeError, end_stragglers};
pub use local_stack::{FunctionCodeError, LocalStack, StartError, UpdateError};
pub use observer::{LogLine, LogSource, Observer, StackEvent, StackNotice};
pub use options::{Limits, Options, StackRequest, TableStorage};
pub use stack::{LogicalId, Resource, Throttle};
pub use status::{FunctionStatus, Status, TableStatus};
pub use template::{Problem, TemplateError};
pub use transition::ChangeSummary;
