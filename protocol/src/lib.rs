//! What the command and the chat's functions must agree on. Each name, limit and rule is written here and nowhere else.
//!
//! | module | agreement | between |
//! |---|---|---|
//! | [`handshake`] | how a client says who it is | clients, the authorizer |
//! | [`auth`] | how a client proves who it is | config, clients, functions |
//! | [`name`] | which texts are names | config, clients, functions |
//! | [`handler`] | which functions there are | template, the handlers' binary |
//! | [`receivers`] | what a route's `receivers` mean | config, template, functions, web client |
//! | [`rule`] | how a route reads its frames | config, functions |
//! | [`variable`] | what a function reads from its environment | template, functions |
//! | [`limit`] | how large a frame and a message may be | config, clients, functions |
//!
//! Pure data: no I/O, no clock, no other dependency than serde. The local stack does not depend on this crate. It runs
//! any WebSocket stack, and everything it learns about a chat comes from the template, as on AWS.

pub mod auth;
pub mod handler;
pub mod handshake;
pub mod limit;
pub mod name;
pub mod receivers;
pub mod rule;
pub mod variable;

pub use auth::Mode;
pub use handler::Handler;
pub use handshake::{Field, Handshake};
pub use receivers::{Index, Names, Receivers};
pub use rule::Rule;

/// What a sender receives when the friend cannot be reached. Clients may compare it: it is part of the interface.
pub const FRIEND_NOT_REACHABLE: &str =
    "Your friend is not reachable. Connect from the other terminal and then try again";
