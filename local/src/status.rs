//! The status of a running stack.

use std::time::SystemTime;

use crate::stack::{LogicalId, Resource};

/// The status of a local stack at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// When it started.
    pub started_at: SystemTime,
    /// The number of open connections.
    pub connections: usize,
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
