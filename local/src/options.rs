//! What a caller decides about a local stack: the template, the code, the port, the limits.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use crate::clock::Clock;
use crate::stack::{Identity, LogicalId, Throttle};

/// One method for each field, named after it, that gives the value another one.
macro_rules! with {
    ($($with:ident: $field:ident, $type:ty;)*) => {$(
        #[doc = concat!("The same with another value of [`", stringify!($field), "`](Self::", stringify!($field), ").")]
        #[must_use]
        pub fn $with(mut self, $field: $type) -> Self {
            self.$field = $field;
            self
        }
    )*};
}

/// What to run: a template, its parameters and the code of its functions.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackRequest {
    /// The stack's name; an update keeps it.
    pub stack_name: String,
    /// CloudFormation, as YAML or JSON.
    pub template: String,
    /// Values for the template's parameters.
    pub parameters: BTreeMap<String, String>,
    /// Values for dynamic references, by what stands between `{{resolve:` and `}}`; a reference without one stays as it is.
    pub references: BTreeMap<String, String>,
    /// By the function's logical id: a folder with an executable `bootstrap`, a zip file holding one, or the
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

/// Where and how a local stack runs. Stays the same through its life; an update cannot change it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The gateway's port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// What physical ids are derived from: the same seed gives the same API id and table names again.
    pub seed: String,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`, twelve digits.
    pub account_id: String,
    /// Where table data is kept.
    pub tables: TableStorage,
    /// Time and size limits, by default those of AWS.
    pub limits: Limits,
    /// What the time limits are measured by; real time by default.
    pub clock: Clock,
    /// Where zip files are unpacked; a private temporary folder, removed at the end, when absent.
    pub scratch: Option<PathBuf>,
    /// How many processes a function without `ReservedConcurrentExecutions` may have at once.
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

/// Where table data is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableStorage {
    /// Gone when the stack stops.
    Memory,
    /// In this SQLite file, made when absent. It survives the death of the process; the last writes before a
    /// power failure may be lost.
    File(PathBuf),
}

/// The limits of the gateway and of the functions.
///
/// Of API Gateway's quotas those that are not here hold elsewhere: a URL's length (the handshake), an integration's
/// timeout, a template's and an authorizer's length (the template reader). How many routes, integrations, stages and
/// authorizers an API may have is told only, as AWS raises that. How often APIs may be changed has no meaning here.
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
    /// How many connections there may be at once, by default [`Limits::connections_of_this_process`]. AWS has no such limit.
    pub connections: usize,
    /// How many sockets the gateway's port may have open at once, connections among them, by default
    /// [`Limits::sockets_of_this_process`]. Beyond it the one that has waited longest for a request is closed. AWS has no
    /// such limit.
    pub sockets: usize,
    /// How many bytes may wait inside the stack, all connections together: messages for functions, messages for clients,
    /// bodies of requests and answers. When nothing more fits, reading stops. AWS has no such limit.
    pub queued_bytes: usize,
    /// A connection without messages in either direction is closed after this: ten minutes.
    pub idle_timeout: Duration,
    /// A connection is closed after this, however busy: two hours.
    pub connection_duration: Duration,
    /// How long an authorizer may take: 29 seconds.
    pub authorizer_timeout: Duration,
    /// How long a client may take to send its request head: five seconds.
    pub head_timeout: Duration,
    /// How long a connection without a WebSocket is kept that has no request: one minute. AWS gives no number.
    pub keep_alive_timeout: Duration,
    /// How long a client may take none of what is sent to it, and how long it may take for the frames of one message while
    /// there is little room; then its connection ends. AWS gives no number.
    pub slow_client_timeout: Duration,
    /// Pings and pongs of one connection; more end it. AWS gives no number.
    pub control_frames: Throttle,
    /// The largest request head in bytes: 10 KB.
    pub head_bytes: usize,
    /// The largest frame in bytes: 32 KB.
    pub frame_bytes: usize,
    /// The largest message in bytes, either way: 128 KB.
    pub message_bytes: usize,
    /// How many messages may wait for a client that reads slowly. AWS gives no number.
    pub client_queue: usize,
    /// How many bytes may wait for a client that reads slowly. AWS gives no number.
    pub client_queue_bytes: usize,
    /// How many messages of one connection may be with functions at once; the next one waits in the socket.
    pub concurrent_messages: usize,
    /// How many asynchronous invocations of a function may wait or run, those between two tries included. AWS gives no
    /// number.
    pub waiting_events: usize,
    /// How many bytes those may have together; they are part of [`Limits::queued_bytes`]. AWS gives no number.
    pub waiting_event_bytes: usize,
    /// How long a function's process may take until it first asks for an event: ten seconds.
    pub init_timeout: Duration,
    /// A process without events is ended after this.
    pub process_idle: Duration,
    /// How long a process has between SIGTERM and SIGKILL: two seconds.
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

    /// As many as files that this process may have open at the moment, as each connection is one, less a quarter of them
    /// or 192, whichever is more, but no more than half.
    ///
    /// Those are for functions, their requests and the tables: without them the connections that there are would hear
    /// nothing more. Whoever wants many raises the process's limit first (`RLIMIT_NOFILE`).
    #[must_use]
    pub fn connections_of_this_process() -> usize {
        files_of_this_process().map_or(usize::MAX, of_files)
    }

    /// The connections, and a quarter of the files that they leave: those are for handshakes and for requests without a
    /// WebSocket.
    #[must_use]
    pub fn sockets_of_this_process() -> usize {
        files_of_this_process().map_or(usize::MAX, |files| {
            of_files(files) + beside_connections(files)
        })
    }
}

/// How many sockets each listener but the gateway's may have.
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
