//! The agreement between the command and the chat's functions. Each name, limit and rule is defined here and nowhere
//! else.
//!
//! | module | agreement | between |
//! |---|---|---|
//! | [`handshake`] | the names that a client sends | clients, the authorizer |
//! | [`auth`] | the tokens that prove a name | config, clients, functions |
//! | [`answers`] | what routes answer themselves | config, functions, clients |
//! | [`envelope`] | messages that carry their sender | functions, clients |
//! | [`presence`] | who has come into a room, and left it | functions, clients |
//! | [`history`] | messages that are kept | config, functions, clients |
//! | [`name`] | valid names | config, clients, functions |
//! | [`handler`] | the functions | template, the handlers' binary |
//! | [`receivers`] | the meaning of a route's `receivers` | config, template, functions, web client |
//! | [`review`] | what a review function is asked, and answers | config, functions, users' functions |
//! | [`rule`] | the parsing of a route's frames | config, functions |
//! | [`secret`] | where a function's secret is kept | config, functions |
//! | [`variable`] | the functions' environment variables | template, functions |
//! | [`table`] | the keys of the table's items | functions, command |
//! | [`cost`] | what an event asks of the table | functions, command |
//! | [`limit`] | the sizes of frames and messages, the bounds of `[limits]` | config, clients, functions |
//!
//! Pure data: no I/O, no clock, no dependency other than serde. The local stack does not depend on this crate. It runs
//! any WebSocket stack, and all its information about a chat comes from the template, as on AWS.

// The command and the functions depend on this crate, so this is the first that a build of theirs for another system says. The
// crates without a chat (`local`, `mapping`, `yaml`, `identity`, `sources`) do not, and are not checked by themselves.
#[cfg(not(unix))]
compile_error!("chatctl runs on Linux and macOS. On Windows, use it inside WSL.");

pub mod answers;
pub mod auth;
pub mod cost;
pub mod envelope;
pub mod handler;
pub mod handshake;
pub mod history;
pub mod limit;
pub mod name;
pub mod presence;
pub mod receivers;
pub mod review;
pub mod rule;
pub mod secret;
pub mod table;
pub mod variable;

pub use answers::Answers;
pub use auth::Mode;
pub use handler::Handler;
pub use handshake::{Field, Handshake};
pub use receivers::{Index, Names, Receivers};
pub use rule::Rule;

/// The notice to a sender whose friend cannot be reached. Clients may compare it: it is part of the interface.
pub const FRIEND_NOT_REACHABLE: &str =
    "Your friend is not reachable. Connect from the other terminal and then try again";
