//! The AWS path, end to end: the built `chatctl`, the real handlers and real WebSocket clients against MiniStack, an
//! emulator of AWS that we have no part in, with its IAM switched on.
//!
//! Between chatctl and the emulator sits [`between::Between`], which can change what passes: that is how a template
//! gets a resource that fails, or an answer is one that only AWS gives.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod between;
mod chat;
mod choices;
mod cloud;
mod company;
mod conversations;
mod deployments;
mod dist;
mod failures;
mod interruptions;
mod kept;
mod logs;
mod matrix;
mod operator;
mod overlay;
mod permissions;
mod phases;
mod picture;
mod pictures;
mod policy;
mod presence;
mod reviews;
mod routes;
mod screens;
mod service_models;
mod settings;
mod single_permissions;
mod terminal;
mod user_permissions;
mod vitals;
mod volume;
mod web;

use testing::{policies, pty};
