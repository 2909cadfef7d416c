//! API Gateway's and Lambda's behaviour, one test per numbered statement, over real sockets; also tables, updates,
//! start and end of a stack.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails at the first unexpected value"
)]

mod answers;
mod authorisation;
mod backend;
mod bounds;
mod browser;
mod checklist;
mod clocks;
mod connect_event;
mod connections_api;
mod disconnect_event;
mod event_retries;
mod frames;
mod handshake;
mod integrations_failing;
mod integrations_http;
mod integrations_mock;
mod invocations;
mod life;
mod message_event;
mod ports;
mod processes;
mod puppets;
mod routing;
mod runtime_api;
mod setup;
mod strangers;
mod synchronous;
mod table_changes;
mod table_names;
mod table_restarts;
mod tables;
mod tables_described;
mod throttling;
mod updates;
mod world;
