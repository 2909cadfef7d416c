//! The chat's Lambda handlers and their parts.
//!
//! An event passes through these modules from top to bottom: [`event`] parses API Gateway's JSON, [`session`] is the
//! identity of a connection, [`envelope`] makes the post, [`handlers`] decide, and [`store`], [`delivery`], [`dispatch`] and [`review`] are the traits that they
//! use. So are [`history`], the messages that are kept, and [`tokens`], which authorizers check tokens with; [`issuer`] has an issuer's keys. The traits [`items`] and [`secrets`] are for users' handlers, as is the crate `chat-sdk`.
//! [`memory`] implements the traits for tests, [`aws`] for production. [`serve`] runs one handler behind the Lambda
//! Runtime API ([`runtime`]), selected by the [`environment`].

pub mod aws;
pub mod delivery;
pub mod dispatch;
pub mod envelope;
pub mod environment;
pub mod event;
pub mod fan_out;
pub mod handlers;
pub mod history;
pub mod invocation;
pub mod issuer;
pub mod items;
pub mod limits;
pub mod log;
mod members;
pub mod memory;
pub mod presence;
pub mod protocol;
pub mod review;
pub mod room;
pub mod routes;
pub mod runtime;
pub mod secrets;
pub mod serve;
pub mod session;
pub mod shard;
pub mod store;
mod texts;
pub mod tokens;

use std::process::ExitCode;

/// Runs the handler that the environment selects, until its process is ended: all functions of the chat in one binary.
/// The Handler property selects one.
#[must_use]
pub fn run() -> ExitCode {
    serve::until_it_stops(async |environment, log| serve::serve(environment, log).await)
}
