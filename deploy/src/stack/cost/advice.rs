//! Which setting lowers a part of the bill.

use super::load::Load;
use super::meter::{Cause, Meter, is_arm};
use crate::config::Settings;

/// What lowers `meter`, most of which is charged for `cause`.
pub(super) fn lowered_by(cause: Cause, meter: Meter, load: &Load, settings: &Settings) -> String {
    let is_room = load.room_size.is_some();
    let limits = &settings.limits;
    let words = match (cause, meter) {
        (_, Meter::GbSeconds) if !is_arm(settings) && cause != Cause::Announcements => {
            "`architecture = \"arm64\"` under `[aws]`, by a fifth"
        }
        (_, Meter::LogsKept) => "fewer `retention-days` under `[logs]`",
        (Cause::Connections, Meter::Minutes) if settings.has_own_functions() => {
            "clients that disconnect while they are not used; `connections-per-name` under `[limits]` bounds the \
             connections of a name"
        }
        (Cause::Connections, Meter::Minutes) => {
            "clients that disconnect while they are not used; `throttle` under `[stage]` bounds how many connect in a second"
        }
        (Cause::Connections, Meter::Logs) => "`log-level = \"warn\"` under `[handlers]`",
        (Cause::Connections, Meter::Reads) if limits.room_size.is_some() => {
            "leaving `room-size` under `[limits]` out: the room is counted with each handshake"
        }
        (Cause::Connections, Meter::Reads) if limits.connections_per_name.is_some() => {
            "leaving `connections-per-name` under `[limits]` out: the name's are counted with each handshake"
        }
        (Cause::Connections, Meter::Writes) if chat_protocol::cost::items(settings.index()) > 1 => {
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
        (Cause::Connections, _) => {
            "clients that connect less often: they stay connected while they send something within 8 minutes. With \
             `http` on `$connect` and `$disconnect`, a backend of yours records connections instead"
        }
        (Cause::Messages, Meter::Logs) => "`log-level = \"warn\"` under `[handlers]`",
        (Cause::Messages, Meter::Messages | Meter::Traffic | Meter::Reads) if is_room => {
            "smaller rooms (`room-size` under `[limits]` bounds them): a message goes out to every member"
        }
        (Cause::Messages, Meter::Traffic) => {
            "shorter texts (`max-text-bytes` of the route bounds them)"
        }
        (Cause::Messages, Meter::Messages) if load.steps > 1.0 => {
            "shorter texts (`max-text-bytes` of the route bounds them): each 32 KB are charged as a message"
        }
        (Cause::Messages, Meter::GbSeconds) if is_room => {
            "smaller rooms (`room-size` under `[limits]`), or less `memory` under `[handlers]`, which is slower"
        }
        (Cause::Messages, _) if !load.counts_messages => {
            "fewer messages (`throttle` under `[stage]` bounds how many a route takes in a second)"
        }
        (Cause::Messages, _) => {
            "fewer messages (`messages-per-second` under `[limits]` bounds them, for a write each)"
        }
        (Cause::Counts, _) => {
            "leaving `messages-per-second` under `[limits]` out: each message is a write with it"
        }
        (Cause::Kept, Meter::Stored) => "a shorter `history` of the route",
        (Cause::Kept, _) => {
            "leaving `history` of the route out, or shorter texts (`max-text-bytes`): a message is a write for each KB with it"
        }
        (Cause::Reviews, _) => "leaving `review` of the route out",
        (Cause::Pages, Meter::Reads | Meter::Traffic) => {
            "shorter texts (`max-text-bytes` of the route bounds them), or no route with `answers = \"history\"`"
        }
        (Cause::Pages, _) => {
            "no route with `answers = \"history\"`: a client asks with each connection"
        }
        (Cause::Lists, Meter::Reads | Meter::Traffic) => {
            "smaller rooms (`room-size` under `[limits]` bounds them), or no route with `answers = \"who\"`"
        }
        (Cause::Lists, _) => {
            "no route with `answers = \"who\"`: a client asks with each connection"
        }
        (Cause::Announcements, Meter::Messages | Meter::Traffic | Meter::Reads) => {
            "leaving `announce` out, or smaller rooms (`room-size` under `[limits]` bounds them)"
        }
        (Cause::Announcements, _) => {
            "leaving `announce` out: its function waits for 3 seconds or 6"
        }
        (Cause::Deletions, _) => "no route with `answers = \"delete\"`",
        (Cause::Accesses, _) => "`access = false` under `[logs]`",
        (Cause::Watching, Meter::Dashboards) => "`dashboard = false` under `[alarms]`",
        (Cause::Watching, _) => "fewer alarms: a threshold under `[alarms]` can be `false`",
        (Cause::Key, _) => "leaving `kms-key` under `[aws]` out: a key that AWS owns is free",
        (Cause::Secrets, _) => "`ssm` instead of `secretsmanager`: standard parameters are free",
    };
    words.to_owned()
}
