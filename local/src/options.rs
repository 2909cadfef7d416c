//! Options of a local stack: the template, the code, the port, the limits.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use crate::clock::Clock;
use crate::stack::{Identity, LogicalId, Throttle};

/// A method for each field that changes its value.
macro_rules! with {
    ($($with:ident: $field:ident, $type:ty;)*) => {$(
        #[doc = concat!("Changes [`", stringify!($field), "`](Self::", stringify!($field), ").")]
        #[must_use]
        pub fn $with(mut self, $field: $type) -> Self {
            self.$field = $field;
            self
        }
    )*};
}

/// A stack to run: a template, its parameters and the code of its functions.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackRequest {
    /// The stack's name, which an update cannot change.
    pub stack_name: String,
    /// CloudFormation, as YAML or JSON.
    pub template: String,
    /// Values for the template's parameters.
    pub parameters: BTreeMap<String, String>,
    /// Values for dynamic references, by the text between `{{resolve:` and `}}`. A reference without a value stays
    /// unchanged. Functions whose roles allow it read the same values of `ssm` and `secretsmanager` through the APIs of
    /// these services.
    pub references: BTreeMap<String, String>,
    /// By the function's logical id: a folder with an executable `bootstrap`, a zip file that contains one, or the
    /// executable itself. Every function of the template needs an entry.
    pub code: BTreeMap<LogicalId, PathBuf>,
}

impl StackRequest {
    /// A stack of this name and template, without parameters and code.
    pub fn new(stack_name: impl Into<String>, template: impl Into<String>) -> Self {
        Self {
            stack_name: stack_name.into(),
            template: template.into(),
            ..Self::default()
        }
    }

    with! {
        with_parameters: parameters, BTreeMap<String, String>;
        with_references: references, BTreeMap<String, String>;
        with_code: code, BTreeMap<LogicalId, PathBuf>;
    }
}

/// Without the values of dynamic references, which are secrets.
impl std::fmt::Debug for StackRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            stack_name,
            template,
            parameters,
            references,
            code,
        } = self;
        formatter
            .debug_struct("StackRequest")
            .field("stack_name", stack_name)
            .field("template", template)
            .field("parameters", parameters)
            .field("references", &references.keys())
            .field("code", code)
            .finish()
    }
}

/// Where and how a local stack runs. An update cannot change it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The gateway's port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// The seed of physical ids: the same seed gives the same API id and table names again.
    pub seed: String,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`, twelve digits.
    pub account_id: String,
    /// Where table data is kept.
    pub tables: TableStorage,
    /// Time and size limits, by default those of AWS.
    pub limits: Limits,
    /// The clock for time limits; real time by default.
    pub clock: Clock,
    /// The folder for unpacked zip files; by default a private temporary folder, removed at the end.
    pub scratch: Option<PathBuf>,
    /// The most processes of a function without `ReservedConcurrentExecutions`.
    pub max_processes_per_function: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            seed: "local".to_owned(),
            region: "us-east-1".to_owned(),
            account_id: "000000000000".to_owned(),
            tables: TableStorage::Memory,
            limits: Limits::default(),
            clock: Clock::real(),
            scratch: None,
            max_processes_per_function: 10,
        }
    }
}

impl Options {
    with! {
        with_port: port, u16;
        with_seed: seed, String;
        with_region: region, String;
        with_account_id: account_id, String;
        with_tables: tables, TableStorage;
        with_limits: limits, Limits;
        with_clock: clock, Clock;
        with_scratch: scratch, Option<PathBuf>;
        with_max_processes_per_function: max_processes_per_function, usize;
    }

    pub(crate) fn identity(&self, stack_name: &str) -> Identity {
        Identity {
            stack_name: stack_name.to_owned(),
            region: self.region.clone(),
            account_id: self.account_id.clone(),
            seed: self.seed.clone(),
        }
    }
}

/// The storage of table data.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableStorage {
    /// Lost when the stack stops.
    Memory,
    /// In this SQLite file, which is created if missing. It survives the death of the process; the last writes before a
    /// power failure may be lost.
    File(PathBuf),
}

/// The limits of the gateway and of the functions.
///
/// API Gateway's other quotas are checked elsewhere: a URL's length (in the handshake), an integration's timeout, a
/// template's and an authorizer's length (in the template reader). Too many routes, integrations, stages or authorizers
/// only cause a warning, because AWS can raise these quotas. Limits on how often APIs may be changed do not apply here.
///
/// Defaults are those of
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>
/// and <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html> where AWS has such a limit.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Requests of all kinds: handshakes, messages, calls of the @connections API. 10,000 a second, 5,000 at once.
    pub requests: Throttle,
    /// New connections: 500 a second. AWS gives no number for those at once.
    pub new_connections: Throttle,
    /// The most connections at once, by default [`Limits::connections_of_this_process`]. AWS has no such limit.
    pub connections: usize,
    /// The most open sockets on the gateway's port, connections included, by default
    /// [`Limits::sockets_of_this_process`]. Beyond it, the socket that has waited longest for a request is closed. AWS
    /// has no such limit.
    pub sockets: usize,
    /// The most bytes that may wait inside the stack, for all connections together: messages to functions and to
    /// clients, bodies of requests and responses, except for the responses of functions (6 MB each) and
    /// requests to tables (16 MB each). When there is no more room, reading stops. AWS has no such limit.
    pub queued_bytes: usize,
    /// The time after which a connection without messages in either direction is closed: ten minutes.
    pub idle_timeout: Duration,
    /// The time after which any connection is closed: two hours.
    pub connection_duration: Duration,
    /// The timeout of an authorizer: 29 seconds.
    pub authorizer_timeout: Duration,
    /// The time that a client has for its request head: five seconds.
    pub head_timeout: Duration,
    /// The time after which a connection without a WebSocket and without requests is closed: one minute. AWS gives no
    /// number.
    pub keep_alive_timeout: Duration,
    /// The time that a client may read nothing, and the time that it may take for the frames of one message while there
    /// is little room. Then its connection ends. AWS gives no number.
    pub slow_client_timeout: Duration,
    /// The limit of pings and pongs of one connection. Exceeding it ends the connection. AWS gives no number.
    pub control_frames: Throttle,
    /// The refusals (429) of one connection's messages that come at once. After them, the rest of what the client has
    /// sent waits, so that they come at this rate. AWS gives no number.
    pub refusals: Throttle,
    /// The largest request head in bytes: 10 KB.
    pub head_bytes: usize,
    /// The largest frame in bytes: 32 KB.
    pub frame_bytes: usize,
    /// The largest message in bytes, in either direction: 128 KB.
    pub message_bytes: usize,
    /// The most messages that wait for a slow client. AWS gives no number.
    pub client_queue: usize,
    /// The most bytes that wait for a slow client. AWS gives no number.
    pub client_queue_bytes: usize,
    /// The most messages of one connection that functions process at once; the next one waits in the socket.
    pub concurrent_messages: usize,
    /// The most asynchronous invocations of a function that wait or run, those between two attempts included. AWS gives
    /// no number.
    pub waiting_events: usize,
    /// The most bytes of those invocations together, as part of [`Limits::queued_bytes`]. AWS gives no number.
    pub waiting_event_bytes: usize,
    /// The time that a function's process has until its first request for an event: ten seconds.
    pub init_timeout: Duration,
    /// The time after which an idle process is ended.
    pub process_idle: Duration,
    /// The time between SIGTERM and SIGKILL for a process: two seconds.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: Throttle::ACCOUNT,
            new_connections: Throttle {
                rate: 500.0,
                burst: 500,
            },
            connections: Self::connections_of_this_process(),
            sockets: Self::sockets_of_this_process(),
            queued_bytes: 64 * 1024 * 1024,
            idle_timeout: Duration::from_secs(600),
            connection_duration: Duration::from_secs(7200),
            authorizer_timeout: Duration::from_secs(29),
            head_timeout: Duration::from_secs(5),
            keep_alive_timeout: Duration::from_secs(60),
            slow_client_timeout: Duration::from_secs(30),
            control_frames: Throttle {
                rate: 100.0,
                burst: 1_000,
            },
            refusals: Throttle {
                rate: 100.0,
                burst: 1_000,
            },
            head_bytes: 10 * 1024,
            frame_bytes: 32 * 1024,
            message_bytes: 128 * 1024,
            client_queue: 256,
            client_queue_bytes: 1024 * 1024,
            concurrent_messages: 64,
            waiting_events: 10_000,
            waiting_event_bytes: 6 * 1024 * 1024,
            init_timeout: Duration::from_secs(10),
            process_idle: Duration::from_secs(300),
            shutdown_grace: Duration::from_secs(2),
        }
    }
}

impl Limits {
    with! {
        with_requests: requests, Throttle;
        with_new_connections: new_connections, Throttle;
        with_connections: connections, usize;
        with_sockets: sockets, usize;
        with_queued_bytes: queued_bytes, usize;
        with_idle_timeout: idle_timeout, Duration;
        with_connection_duration: connection_duration, Duration;
        with_authorizer_timeout: authorizer_timeout, Duration;
        with_head_timeout: head_timeout, Duration;
        with_keep_alive_timeout: keep_alive_timeout, Duration;
        with_slow_client_timeout: slow_client_timeout, Duration;
        with_control_frames: control_frames, Throttle;
        with_refusals: refusals, Throttle;
        with_head_bytes: head_bytes, usize;
        with_frame_bytes: frame_bytes, usize;
        with_message_bytes: message_bytes, usize;
        with_client_queue: client_queue, usize;
        with_client_queue_bytes: client_queue_bytes, usize;
        with_concurrent_messages: concurrent_messages, usize;
        with_waiting_events: waiting_events, usize;
        with_waiting_event_bytes: waiting_event_bytes, usize;
        with_init_timeout: init_timeout, Duration;
        with_process_idle: process_idle, Duration;
        with_shutdown_grace: shutdown_grace, Duration;
    }

    /// The number of files that this process may have open, because each connection is one, minus a quarter of them or
    /// 192, whichever is more, but at most half.
    ///
    /// The remaining files are for functions, their requests and the tables: without them, existing connections would
    /// get no more messages. For many connections, raise the process's limit first (`RLIMIT_NOFILE`).
    #[must_use]
    pub fn connections_of_this_process() -> usize {
        files_of_this_process().map_or(usize::MAX, of_files)
    }

    /// The connections, and a quarter of the remaining files, for handshakes and for requests without a WebSocket.
    #[must_use]
    pub fn sockets_of_this_process() -> usize {
        files_of_this_process().map_or(usize::MAX, |files| {
            of_files(files) + beside_connections(files)
        })
    }
}

/// The most sockets of each listener except the gateway's.
pub(crate) fn sockets_of_a_listener() -> usize {
    files_of_this_process().map_or(usize::MAX, beside_connections)
}

fn files_of_this_process() -> Option<usize> {
    let files = getrlimit(Resource::Nofile).current;
    files.and_then(|files| usize::try_from(files).ok())
}

fn beside_connections(files: usize) -> usize {
    (files - of_files(files)) / 4
}

fn of_files(files: usize) -> usize {
    files - (files / 4).max(192).min(files / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_a_quarter_of_the_files_or_192_but_no_more_than_half() {
        for (files, connections) in [
            (0, 0),
            (100, 50),
            (512, 320),
            (1_024, 768),
            (20_000, 15_000),
        ] {
            assert_eq!(of_files(files), connections, "{files}");
        }
        assert_eq!([100, 1_024].map(beside_connections), [12, 64]);
        assert!(Limits::connections_of_this_process() > 0);
    }
}
