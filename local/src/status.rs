//! The status of a running stack.

use std::time::{Duration, SystemTime};

use crate::stack::{LogicalId, Resource};

/// The status of a local stack at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// When it started.
    pub started_at: SystemTime,
    /// The number of open connections.
    pub connections: usize,
    /// What has passed the gateway.
    pub traffic: Traffic,
    /// The number of open sockets on the gateway's port, connections included.
    pub sockets: usize,
    /// The number of bytes that wait for functions and for clients, for all connections together.
    pub queued_bytes: usize,
    /// Its functions.
    pub functions: Vec<FunctionStatus>,
    /// Its tables.
    pub tables: Vec<TableStatus>,
    /// The tables' address, which serves DynamoDB's API.
    pub tables_endpoint: String,
    /// Its resources, as in the template.
    pub resources: Vec<Resource>,
}

/// What has passed the gateway since the stack started. Updates of the stack keep the counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Handshakes that have reached the integration of `$connect`.
    pub handshakes: u64,
    /// Messages from clients, refused ones included.
    pub received: u64,
    /// Messages to clients.
    pub sent: u64,
    /// Handshakes and messages that the gateway has refused itself, with 4XX.
    pub client_errors: u64,
    /// Those of them that were beyond a limit.
    pub throttled: u64,
    /// Responses of integrations with 4XX or 5XX.
    pub integration_errors: u64,
    /// Integrations that failed before they responded.
    pub execution_errors: u64,
}

/// The status of a function at one moment. Counters start with the stack and with every change of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionStatus {
    /// Its name in the template.
    pub logical_id: LogicalId,
    /// Its physical name.
    pub name: String,
    /// The number of live processes, starting ones included.
    pub processes: usize,
    /// The number of invocations that have begun.
    pub invocations: u64,
    /// The number of invocations that ended with a function error.
    pub errors: u64,
    /// The number of invocations that were refused because none may run.
    pub throttles: u64,
    /// How long ended invocations have taken: the longest of a range, and the number of those in it. The ranges are in
    /// order, and each is at most a sixteenth as wide as its values are large.
    pub durations: Vec<(Duration, u64)>,
    /// The number of invocations that wait or run.
    pub in_flight: usize,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableStatus {
    /// Its name in the template.
    pub logical_id: LogicalId,
    /// Its physical name.
    pub name: String,
}
