//! What a running chat does: connections, messages, errors, and how long its functions take.

use std::collections::BTreeMap;
use std::time::Duration;

/// What a chat has done in a `period`.
///
/// Numbers that the target does not have are `None`: AWS has no number of open connections among its metrics, and counts
/// messages in both directions together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vitals {
    /// How long it was.
    pub period: Duration,
    /// When it ended, in seconds since the Unix epoch.
    pub until: u64,
    /// The number of connections that were open at its end.
    pub connections: Option<usize>,
    /// Handshakes that have reached the integration of `$connect`.
    pub handshakes: u64,
    /// Messages from and to clients.
    pub messages: u64,
    /// Those from clients.
    pub received: Option<u64>,
    /// Those to clients.
    pub sent: Option<u64>,
    /// What the gateway has refused itself, with 4XX.
    pub client_errors: u64,
    /// What of that was beyond a limit.
    pub throttled: Option<u64>,
    /// Responses of integrations with 4XX or 5XX.
    pub integration_errors: u64,
    /// Integrations that failed before they responded.
    pub execution_errors: u64,
    /// Reads and writes that the table has refused because there were too many.
    pub table_throttles: Option<u64>,
    /// The functions, by logical id.
    pub functions: BTreeMap<String, FunctionVitals>,
}

/// What a function has done in a period.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FunctionVitals {
    /// Its invocations.
    pub invocations: u64,
    /// Those that ended with a function error.
    pub errors: u64,
    /// Invocations that were refused because too many ran.
    pub throttles: u64,
    /// Half of its invocations took no longer.
    pub p50: Option<Duration>,
    /// 99 % of its invocations took no longer.
    pub p99: Option<Duration>,
}

impl Vitals {
    /// Every error that the gateway counts.
    pub fn gateway_errors(&self) -> u64 {
        self.client_errors + self.integration_errors + self.execution_errors
    }

    /// Everything that was refused because there was too much of it: by the gateway, for functions, by the table.
    pub fn all_throttles(&self) -> u64 {
        let functions = self.functions.values().map(|function| function.throttles);
        let functions: u64 = functions.sum();
        functions + self.throttled.unwrap_or(0) + self.table_throttles.unwrap_or(0)
    }

    /// Its function whose 99th percentile is the highest.
    pub fn slowest(&self) -> Option<(&str, &FunctionVitals)> {
        let timed = self.functions.iter().filter(|(_, it)| it.p99.is_some());
        timed
            .max_by_key(|(_, function)| function.p99)
            .map(|(id, function)| (id.as_str(), function))
    }
}

/// The resources of a stack whose metrics are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// The API's id.
    pub api: String,
    /// Its stage.
    pub stage: String,
    /// The names of the functions, by logical id.
    pub functions: BTreeMap<String, String>,
    /// The names of the tables.
    pub tables: Vec<String>,
}
