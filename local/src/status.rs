//! What a running stack looks like at one moment.

use std::time::SystemTime;

use crate::stack::{LogicalId, Resource};

/// A local stack at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// When it started.
    pub started_at: SystemTime,
    /// How many connections are open now.
    pub connections: usize,
    /// How many sockets the gateway's port has open, connections among them.
    pub sockets: usize,
    /// How many bytes wait for functions and for clients, all connections together.
    pub queued_bytes: usize,
    /// Its functions.
    pub functions: Vec<FunctionStatus>,
    /// Its tables.
    pub tables: Vec<TableStatus>,
    /// Where the tables answer DynamoDB's API.
    pub tables_endpoint: String,
    /// Its resources, as in the template.
    pub resources: Vec<Resource>,
}

/// A function at one moment. Counters start with the stack and with every change of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionStatus {
    /// Its name in the template.
    pub logical_id: LogicalId,
    /// Its physical name.
    pub name: String,
    /// Processes alive, starting ones included.
    pub processes: usize,
    /// Invocations begun.
    pub invocations: u64,
    /// Invocations that ended in a function error.
    pub errors: u64,
    /// Invocations that wait or run.
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
