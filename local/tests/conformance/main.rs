//! The numbered checklist of API Gateway's and Lambda's behaviour, one test per number, over real sockets.

mod answers;
mod authorisation;
mod connect_event;
mod connections_api;
mod disconnect_event;
mod frames;
mod handshake;
mod message_event;
mod puppets;
mod routing;
mod runtime_api;
mod setup;
mod world;
