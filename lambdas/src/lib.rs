//! The chat's Lambda handlers, and everything they are made of.
//!
//! A frame travels through these modules from top to bottom: [`event`] reads what
//! API Gateway says, [`session`] tells who it is about, [`handlers`] decide,
//! [`store`], [`delivery`] and [`dispatch`] are what they may ask for. Those are traits, and so is
//! [`tokens`], by which authorizers check who somebody is ([`issuer`] has keys of others), and
//! [`items`], for what handlers of the stack's owner keep; the crate `chat-sdk` is for them.
//! [`memory`] implements the traits for tests, [`aws`] for real. [`serve`] puts one
//! handler behind the Lambda Runtime API ([`runtime`]), as the [`environment`] says.

pub mod aws;
pub mod delivery;
pub mod dispatch;
pub mod environment;
pub mod event;
pub mod fan_out;
pub mod handlers;
pub mod issuer;
pub mod items;
pub mod log;
pub mod memory;
pub mod protocol;
pub mod room;
pub mod routes;
pub mod runtime;
pub mod serve;
pub mod session;
pub mod shard;
pub mod store;
pub mod tokens;
