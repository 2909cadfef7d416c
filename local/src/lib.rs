//! One machine's AWS for WebSocket stacks: takes a CloudFormation template and runs it.
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

mod browser;
mod budget;
mod clock;
mod credentials;
mod functions;
mod gateway;
mod http;
pub mod iam;
mod jsonpath;
mod local_stack;
mod management;
mod mapping;
mod observer;
mod options;
mod page;
pub mod peers;
mod regexes;
mod schema;
mod sockets;
pub mod stack;
mod status;
mod tables;
pub mod template;
mod transition;

pub use clock::{Clock, Hand};
pub use functions::{CodeError, end_stragglers};
pub use local_stack::{FunctionCodeError, LocalStack, StartError, UpdateError};
pub use observer::{LogLine, LogSource, Observer, StackEvent, StackNotice};
pub use options::{Limits, Options, StackRequest, TableStorage};
pub use page::Page;
pub use status::{FunctionStatus, Status, TableStatus};
pub use tables::TablesError;
pub use transition::ChangeSummary;
