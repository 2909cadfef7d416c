//! What AWS charges, what it is charged for, and which setting lowers that.

use super::load::Load;
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

    /// What lowers `meter`, most of which this is the cause of.
    pub(super) fn lowered_by(self, meter: Meter, load: &Load, settings: &Settings) -> String {
        let is_room = load.room_size.is_some();
        let limits = &settings.limits;
        let words = match (self, meter) {
            (_, Meter::GbSeconds) if !is_arm(settings) && self != Self::Announcements => {
                "`architecture = \"arm64\"` under `[aws]`, by a fifth"
            }
            (_, Meter::LogsKept) => "fewer `retention-days` under `[logs]`",
            (Self::Connections, Meter::Minutes) if settings.has_own_functions() => {
                "clients that disconnect while they are not used; `connections-per-name` under `[limits]` bounds the \
                 connections of a name"
            }
            (Self::Connections, Meter::Minutes) => {
                "clients that disconnect while they are not used; `throttle` under `[stage]` bounds how many connect in a second"
            }
            (Self::Connections, Meter::Logs) => "`log-level = \"warn\"` under `[handlers]`",
            (Self::Connections, Meter::Reads) if limits.room_size.is_some() => {
                "leaving `room-size` under `[limits]` out: the room is counted with each handshake"
            }
            (Self::Connections, Meter::Reads) if limits.connections_per_name.is_some() => {
                "leaving `connections-per-name` under `[limits]` out: the name's are counted with each handshake"
            }
            (Self::Connections, Meter::Writes)
                if chat_protocol::cost::items(settings.index()) > 1 =>
            {
                match settings.limits.connections_per_name {
                    Some(_)
                        if !settings
                            .receivers()
                            .any(chat_protocol::Receivers::needs_names) =>
                    {
                        "leaving `connections-per-name` under `[limits]` out: a connection is recorded twice with it"
                    }
                    _ => "routes with one kind of `receivers`: a connection is recorded for each",
                }
            }
            (Self::Connections, _) => {
                "clients that connect less often: they stay connected while they send something within 8 minutes. With \
                 `http` on `$connect` and `$disconnect`, a backend of yours records connections instead"
            }
            (Self::Messages, Meter::Logs) => "`log-level = \"warn\"` under `[handlers]`",
            (Self::Messages, Meter::Messages | Meter::Traffic | Meter::Reads) if is_room => {
                "smaller rooms (`room-size` under `[limits]` bounds them): a message goes out to every member"
            }
            (Self::Messages, Meter::Traffic) => {
                "shorter texts (`max-text-bytes` of the route bounds them)"
            }
            (Self::Messages, Meter::Messages) if load.steps > 1.0 => {
                "shorter texts (`max-text-bytes` of the route bounds them): each 32 KB are charged as a message"
            }
            (Self::Messages, Meter::GbSeconds) if is_room => {
                "smaller rooms (`room-size` under `[limits]`), or less `memory` under `[handlers]`, which is slower"
            }
            (Self::Messages, _) if !load.counts_messages => {
                "fewer messages (`throttle` under `[stage]` bounds how many a route takes in a second)"
            }
            (Self::Messages, _) => {
                "fewer messages (`messages-per-second` under `[limits]` bounds them, for a write each)"
            }
            (Self::Counts, _) => {
                "leaving `messages-per-second` under `[limits]` out: each message is a write with it"
            }
            (Self::Kept, Meter::Stored) => "a shorter `history` of the route",
            (Self::Kept, _) => {
                "leaving `history` of the route out, or shorter texts (`max-text-bytes`): a message is a write for each KB with it"
            }
            (Self::Reviews, _) => "leaving `review` of the route out",
            (Self::Pages, Meter::Reads | Meter::Traffic) => {
                "shorter texts (`max-text-bytes` of the route bounds them), or no route with `answers = \"history\"`"
            }
            (Self::Pages, _) => {
                "no route with `answers = \"history\"`: a client asks with each connection"
            }
            (Self::Lists, Meter::Reads | Meter::Traffic) => {
                "smaller rooms (`room-size` under `[limits]` bounds them), or no route with `answers = \"who\"`"
            }
            (Self::Lists, _) => {
                "no route with `answers = \"who\"`: a client asks with each connection"
            }
            (Self::Announcements, Meter::Messages | Meter::Traffic | Meter::Reads) => {
                "leaving `announce` out, or smaller rooms (`room-size` under `[limits]` bounds them)"
            }
            (Self::Announcements, _) => {
                "leaving `announce` out: its function waits for 3 seconds or 6"
            }
            (Self::Deletions, _) => "no route with `answers = \"delete\"`",
            (Self::Accesses, _) => "`access = false` under `[logs]`",
            (Self::Watching, Meter::Dashboards) => "`dashboard = false` under `[alarms]`",
            (Self::Watching, _) => "fewer alarms: a threshold under `[alarms]` can be `false`",
            (Self::Key, _) => "leaving `kms-key` under `[aws]` out: a key that AWS owns is free",
            (Self::Secrets, _) => "`ssm` instead of `secretsmanager`: standard parameters are free",
        };
        words.to_owned()
    }
}

pub(super) fn is_arm(settings: &Settings) -> bool {
    settings.aws.architecture == Some(Architecture::Arm64)
}
