//! The WebSocket gateway: opens connections, invokes the functions, keeps the connections.

mod authorizer;
pub(crate) mod connections;
pub(crate) mod deployed;
mod frames;
#[cfg(any(test, fuzzing))]
mod fuzzing;
mod gateway;
mod handshake;
mod messages;
mod metered;
mod proxy_response;
mod responses;
mod routing;
mod throttle;
mod traffic;
mod upgrade;

pub(crate) use self::{gateway::Gateway, upgrade::connect};
#[cfg(any(test, fuzzing))]
pub(crate) use {fuzzing::read_frames, handshake::accept_key};
