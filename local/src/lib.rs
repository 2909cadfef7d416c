#![doc = include_str!("../README.md")]
//!
//! # What it is held to
//!
//! The gateway, the Lambda Runtime API, Lambda's Invoke API, the DynamoDB endpoint, the @connections API, and what
//! functions call of Systems Manager and Secrets Manager follow AWS's documentation, so code that works against a
//! [`LocalStack`] meets the same contracts on AWS.
//!
//! All listeners use loopback addresses only. Intentional differences from AWS:
//!
//! - WebSockets are plain `ws://`; events still contain `https` and port 443.
//! - Signatures are not verified. A function's key leads to that function's role; any other key is the operator's, who
//!   may do everything but read secrets. Unsigned requests to these APIs are refused.
//! - IAM finds missing permissions. It does not isolate a malicious function: any program of the same machine can sign
//!   with another key.
//! - Programs of other users of the machine are refused if the system reveals a connection's owner: see [`peers`].
//! - Web pages are refused where AWS would require a signature; WebSockets accept them, as on AWS.
//! - Requests wait for a free process where AWS would throttle them for lack of concurrency.
//! - Processes are not frozen between two events.
//! - A process that catches SIGTERM has two seconds. When the program that runs the stack is killed, function processes
//!   lose their Runtime API, and most end because of that. [`StackNotice::ProcessStarted`] lists them for a program
//!   that ends the others.

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
mod secrets_api;
mod stack;
mod status;
mod template;
mod transition;
#[doc(hidden)]
pub mod unstable;
mod websocket;
mod worker_threads;

pub use clock::{Clock, ManualClock};
pub use dynamodb::TablesError;
pub use http::page::{OtherRequests, Page, PageRequest, PageResponse};
pub use http::peers;
pub use lambda::{CodeError, end_stragglers};
pub use local_stack::{FunctionCodeError, LocalStack, ResourceError, StartError, UpdateError};
pub use observer::{LogLine, LogSource, Observer, StackEvent, StackNotice};
pub use options::{Limits, Options, StackRequest, TableStorage};
pub use stack::{LogicalId, Resource, Throttle};
pub use status::{FunctionStatus, Status, TableStatus, Traffic};
pub use template::{Problem, TemplateError, supported_types};
pub use transition::ChangeSummary;

/// A future of this crate.
///
/// The body of an `async fn` is compiled in the crate that awaits it, with that crate's optimisation. A public future
/// is boxed behind a plain function, so that what a running stack spends its time in is compiled here.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
