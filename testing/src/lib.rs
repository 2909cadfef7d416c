//! What the tests of the workspace share. No part of the product depends on it.
//!
//! | module | what it is |
//! |---|---|
//! | [`Client`], [`blocking`] | a WebSocket client, and the same for tests that are no tasks |
//! | [`until`] | waiting for conditions, up to a limit |
//! | [`corpus`] | the inputs of the fuzz targets, replayed |
//! | [`http`] | an HTTP server that answers what a test decides |
//! | [`ports`], [`processes`], [`running`] | ports that are free or closed, which processes exist, and one that a test starts |
//! | [`scripts`] | shell scripts in place of other programs |
//! | [`command`], [`project`] | how the built command is run, and a user's folder in which it runs |
//! | [`issuer`] | issuers of tokens, as programs that answer lines |
//! | [`pty`], [`policies`] | a terminal whose other end a test holds; templates with fewer permissions |
//! | [`conversations`] | chat scripts, played over any implementation |
//! | [`choices`] | every option of a config, to be tried with every example |
//! | [`emulator`] | MiniStack, an emulator of AWS |
//!
//! The first six rows need no feature and share no type with the product, so that the tests of `chatctl-local` may use
//! them: that crate depends on `apigw-mapping` alone, and its tests see AWS's contracts only.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

pub mod blocking;
#[cfg(feature = "choices")]
pub mod choices;
#[cfg(feature = "command")]
pub mod command;
#[cfg(feature = "conversations")]
pub mod conversations;
pub mod corpus;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod http;
#[cfg(feature = "command")]
pub mod issuer;
#[cfg(feature = "command")]
pub mod policies;
pub mod ports;
pub mod processes;
#[cfg(feature = "command")]
pub mod project;
#[cfg(feature = "command")]
pub mod pty;
pub mod running;
pub mod scripts;
pub mod until;

mod client;

pub use client::{Client, upgrade_head};
