//! What AWS charges, and what it is charged for.

use super::prices::{Price, Prices};
use crate::config::{Architecture, Settings};

/// What is charged, in the order of the bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meter {
    /// From and to clients, in steps of 32 KB.
    Messages,
    Minutes,
    Calls,
    GbSeconds,
    Writes,
    Reads,
    Stored,
    Logs,
    LogsKept,
    Traffic,
    Alarms,
    Dashboards,
    Keys,
    KeyRequests,
    Secrets,
    SecretReads,
}

impl Meter {
    pub(super) const ALL: [Self; 16] = [
        Self::Messages,
        Self::Minutes,
        Self::Calls,
        Self::GbSeconds,
        Self::Writes,
        Self::Reads,
        Self::Stored,
        Self::Logs,
        Self::LogsKept,
        Self::Traffic,
        Self::Alarms,
        Self::Dashboards,
        Self::Keys,
        Self::KeyRequests,
        Self::Secrets,
        Self::SecretReads,
    ];

    /// The service, and what of it is charged.
    pub(super) const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Messages => ("API Gateway", "messages"),
            Self::Minutes => ("API Gateway", "connection minutes"),
            Self::Calls => ("Lambda", "calls"),
            Self::GbSeconds => ("Lambda", "GB seconds"),
            Self::Writes => ("table", "write units"),
            Self::Reads => ("table", "read units"),
            Self::Stored => ("table", "GB stored"),
            Self::Logs => ("logs", "GB written"),
            Self::LogsKept => ("logs", "GB kept"),
            Self::Traffic => ("traffic", "GB to clients"),
            Self::Alarms => ("CloudWatch", "alarms"),
            Self::Dashboards => ("CloudWatch", "dashboards"),
            Self::Keys => ("KMS", "keys"),
            Self::KeyRequests => ("KMS", "requests"),
            Self::Secrets => ("Secrets Manager", "secrets"),
            Self::SecretReads => ("Secrets Manager", "reads"),
        }
    }

    pub(super) const fn price(self, prices: &Prices, is_arm: bool) -> &Price {
        match self {
            Self::Messages => &prices.messages,
            Self::Minutes => &prices.minutes,
            Self::Calls => &prices.calls,
            Self::GbSeconds if is_arm => &prices.gb_seconds_arm,
            Self::GbSeconds => &prices.gb_seconds,
            Self::Writes => &prices.writes,
            Self::Reads => &prices.reads,
            Self::Stored => &prices.storage,
            Self::Logs => &prices.logs,
            Self::LogsKept => &prices.logs_kept,
            Self::Traffic => &prices.traffic,
            Self::Alarms => &prices.alarms,
            Self::Dashboards => &prices.dashboards,
            Self::Keys => &prices.keys,
            Self::KeyRequests => &prices.key_requests,
            Self::Secrets => &prices.secrets,
            Self::SecretReads => &prices.secret_reads,
        }
    }
}

/// What something is charged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// Connections, and their beginning and end.
    Connections,
    /// Messages that arrive and are passed on.
    Messages,
    /// The count of messages, for a limit.
    Counts,
    /// Messages that are kept.
    Kept,
    /// Reviews of messages.
    Reviews,
    /// Requests for history.
    Pages,
    /// Requests for who is in a room.
    Lists,
    /// Who comes and who leaves.
    Announcements,
    Deletions,
    /// What the stage logs.
    Accesses,
    /// Alarms and dashboards.
    Watching,
    /// A key of the user's.
    Key,
    /// Secrets of backends and functions.
    Secrets,
}

impl Cause {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Connections => "connections that begin and end",
            Self::Messages => "messages that are passed on",
            Self::Counts => "the count of messages",
            Self::Kept => "messages that are kept",
            Self::Reviews => "reviews",
            Self::Pages => "requests for history",
            Self::Lists => "requests for who is in a room",
            Self::Announcements => "announcements of who comes and leaves",
            Self::Deletions => "deletions",
            Self::Accesses => "access logs",
            Self::Watching => "alarms",
            Self::Key => "encryption",
            Self::Secrets => "secrets",
        }
    }
}

pub(super) fn is_arm(settings: &Settings) -> bool {
    settings.aws.architecture == Some(Architecture::Arm64)
}
