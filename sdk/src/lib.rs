//! For your own handlers: the function behind a route of `chatctl.toml` with `handler = "folder"`, the authorizer, and the
//! review of messages.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use chat_sdk::{Chat, Error, Message, Reply, run};
//!
//! fn main() -> ExitCode {
//!     run(greet)
//! }
//!
//! async fn greet(chat: &Chat, message: &Message) -> Result<Reply, Error> {
//!     let name = message.sender().unwrap_or("a guest");
//!     chat.post_to_others(message, &format!("{name} says hello")).await?;
//!     Ok("greeted".into())
//! }
//! ```
//!
//! A handler's return value goes to the sender if its route has `reply = true`. Everything else needs a permission of
//! the route. Without it, the error names the line that `chatctl.toml` lacks:
//!
//! | to call | the route needs |
//! |---|---|
//! | [`Chat::post_to_sender`] | `permissions = [{ actions = ["execute-api:ManageConnections"], resources = ["connections"] }]` |
//! | [`Chat::post_to_person`], [`Chat::post_to_room`], [`Chat::post_to_others`] | the same, and in the list `{ actions = ["dynamodb:Query", "dynamodb:DeleteItem"], resources = ["table"] }` |
//! | [`Table::read`] | `permissions = [{ actions = ["dynamodb:GetItem"], resources = ["table"] }]` |
//! | [`Table::write`] | the same with `dynamodb:PutItem` |
//! | [`Table::remove`] | the same with `dynamodb:DeleteItem` |
//! | [`Table::count`] | the same with `dynamodb:UpdateItem` |
//! | [`Chat::secret`] | no permission, but `secrets = { NAME = { ssm = "/name" } }`: the permission to read it follows from that |
//!
//! The crate that `handler` under `[auth]` names decides who may connect, and as whom: see [`run_authorizer()`]. The crate that
//! `review` of a route names sees each message before it is delivered: see [`run_review()`]; its permissions are the route's
//! `review-permissions`.
//!
//! In tests a handler needs no permissions: see [`fake::FakeChat`].
//!
//! [`run()`] is the same loop as in the chat's own functions. The process does not grow with the number of messages.

mod chat;
mod decision;
mod error;
pub mod fake;
mod handshake;
mod message;
mod reply;
mod review;
mod run;
mod secret;
mod services;
mod table;
#[cfg(test)]
mod tests;
mod verdict;

pub use chat::{Chat, Posts};
pub use decision::{Decision, allow, deny};
pub use error::{ChatError, DeliveryError, InvalidName, SecretError, StoreError};
pub use handshake::Handshake;
pub use message::Message;
pub use reply::Reply;
pub use review::Review;
pub use run::{run, run_authorizer, run_review};
pub use secret::Secret;
pub use table::Table;
pub use verdict::Verdict;

pub use serde_json::{self, Value, json};

/// Any error. If a handler returns one, it is logged, and the sender gets API Gateway's `Internal server error`.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
