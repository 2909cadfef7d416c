//! `chatctl connections`

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::super::status::duration;
use super::super::waits::{asking, looking};
use super::super::{Context, Run, StackArgs, TargetArgs};
use super::{Chat, connections_in_words, moment, now, open};
use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chatctl_deploy::config::names::PersonName;
use chatctl_deploy::engine::TargetError;
use chatctl_deploy::engine::operator::{
    Activity, ConnectionFilter, RecordedConnection, activity, find,
};

/// Show who is connected: since when, last active, in which room, with how many devices
///
/// A name is found by one query of the table where routes lead to a friend, a room by four. Everything else reads the whole
/// table. A connection that has ended without an event is on record for up to two hours; it is counted, and not shown.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::connections_help())]
pub(in crate::commands) struct ConnectionsArgs {
    /// Only the connections of this name
    #[arg(long, value_name = "NAME", conflicts_with = "room")]
    name: Option<PersonName>,
    /// Only the connections in this room
    #[arg(long, value_name = "NAME")]
    room: Option<PersonName>,
    /// Look again every few seconds, until Ctrl-C
    #[arg(long, short)]
    watch: bool,
    /// The most connections that are shown
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Leave out what API Gateway is asked for each connection: when it was last active, and from where
    #[arg(long)]
    no_activity: bool,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    stack: StackArgs,
}

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// The same on AWS, where each look is charged.
const PAUSE_ON_AWS: Duration = Duration::from_secs(5);

/// A connection.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: String,
    name: Option<String>,
    friend: Option<String>,
    room: Option<String>,
    /// How many of the connections that are shown have its name.
    devices: usize,
    connected_at: Option<String>,
    last_active_at: Option<String>,
    source_ip: Option<String>,
    #[serde(skip)]
    seconds: (u64, Option<u64>),
}

/// What one look finds.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct ConnectionList {
    connections: Vec<Row>,
    /// How many are on record but have ended.
    ended: usize,
    /// Whether these are all.
    complete: bool,
}

impl Run for ConnectionsArgs {
    const ENDS_ANYWHERE: bool = true;

    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let settings = self.stack.settings(None, Some(&self.target.aws))?;
        let chat = asking(terminal, open(terminal, &settings, self.target.local)).await?;
        if !self.watch {
            let look = asking(terminal, self.look(&chat)).await?;
            match terminal.output {
                Output::Json => terminal.result_json(&look),
                Output::Text => {
                    for line in lines(&look, now()) {
                        terminal.result_line(&line);
                    }
                }
            }
            return Ok(());
        }
        let pause = match self.target.local {
            true => PAUSE,
            false => PAUSE_ON_AWS,
        };
        self.watch(terminal, &chat, pause).await
    }
}

impl ConnectionsArgs {
    async fn look(&self, chat: &Chat) -> Result<ConnectionList, TargetError> {
        let filter = match (&self.name, &self.room) {
            (Some(name), _) => ConnectionFilter::Person(name.clone()),
            (None, Some(room)) => ConnectionFilter::Room(room.clone()),
            (None, None) => ConnectionFilter::Everybody,
        };
        let most = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let index = chat.records.index;
        let (found, complete) = find(&chat.table, index, &filter, now(), most).await?;
        let active = match self.no_activity {
            true => vec![Some(Activity::default()); found.len()],
            false => {
                let asked = activity(&chat.gateway, &found).await;
                asked.map_err(|error| {
                    let more = "without it, `--no-activity` shows what the table has";
                    let hint = match &error.hint {
                        Some(hint) => format!("{hint}; {more}"),
                        None => more.to_owned(),
                    };
                    error.with_hint(hint)
                })?
            }
        };
        Ok(look_of(found, active, complete))
    }

    async fn watch(
        &self,
        terminal: Terminal,
        chat: &Chat,
        pause: Duration,
    ) -> Result<(), CommandError> {
        let mut screen = terminal.screen();
        loop {
            let look = looking(terminal, self.look(chat)).await?;
            let shown = match terminal.output {
                Output::Json => terminal.received_json(&look),
                Output::Text => screen.show(&lines(&look, now())),
            };
            // A reader that has gone has what it wanted.
            if shown.is_err() {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
        }
    }
}

/// `found`, of which API Gateway has said `active`; `None` of one that has ended.
fn look_of(
    found: Vec<RecordedConnection>,
    active: Vec<Option<Activity>>,
    complete: bool,
) -> ConnectionList {
    let on_record = found.len();
    let open = found
        .into_iter()
        .zip(active)
        .filter_map(|(found, active)| Some((found, active?)));
    let open: Vec<_> = open.collect();
    let mut devices: BTreeMap<String, usize> = BTreeMap::new();
    for name in open.iter().filter_map(|(found, _)| found.name.clone()) {
        *devices.entry(name).or_default() += 1;
    }
    let rows = open.into_iter().map(|(found, active)| {
        let last = active.last_active_at.and_then(|at| u64::try_from(at).ok());
        Row {
            devices: found
                .name
                .as_ref()
                .map_or(1, |name| devices.get(name).copied().unwrap_or(1)),
            connected_at: moment(found.connected_at),
            last_active_at: last.and_then(moment),
            source_ip: active.source_ip,
            seconds: (found.connected_at, last),
            id: found.connection,
            name: found.name,
            friend: found.friend,
            room: found.room,
        }
    });
    let connections: Vec<_> = rows.collect();
    ConnectionList {
        ended: on_record - connections.len(),
        complete,
        connections,
    }
}

/// A table for people, and a line that counts.
fn lines(look: &ConnectionList, now: u64) -> Vec<String> {
    let ago = |at: u64| format!("{} ago", duration(now.saturating_sub(at)));
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    let head = [
        "NAME",
        "ROOM",
        "FRIEND",
        "DEVICES",
        "CONNECTED",
        "LAST ACTIVE",
        "FROM",
        "CONNECTION",
    ];
    let rows = look.connections.iter().map(|row| {
        let (connected, active) = row.seconds;
        [
            said(&row.name),
            said(&row.room),
            said(&row.friend),
            row.devices.to_string(),
            ago(connected),
            active.map_or_else(|| "–".to_owned(), ago),
            said(&row.source_ip),
            row.id.clone(),
        ]
    });
    let table: Vec<_> = std::iter::once(head.map(str::to_owned))
        .chain(rows)
        .collect();
    // A column that says nothing of any connection is left out.
    let has_words = |column: usize| table.iter().skip(1).any(|row| row[column] != "–");
    let columns: Vec<_> = (0..head.len())
        .filter(|column| has_words(*column))
        .collect();
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max();
    let mut lines = Vec::new();
    if !look.connections.is_empty() {
        for row in &table {
            let cells = columns.iter().map(|column| {
                let width = width(*column).unwrap_or_default();
                format!("{:<width$}", row[*column])
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            lines.push(line.trim_end().to_owned());
        }
    }
    lines.push(count(look));
    lines
}

fn count(look: &ConnectionList) -> String {
    let mut count = match look.connections.len() {
        0 => "no open connection".to_owned(),
        some => connections_in_words(some),
    };
    let names = look
        .connections
        .iter()
        .filter_map(|row| row.name.as_ref())
        .collect::<std::collections::BTreeSet<_>>()
        .len();
    if names > 0 {
        count += &format!(", {names} {}", if names == 1 { "name" } else { "names" });
    }
    if look.ended > 0 {
        count += &format!("; {} more on record, which have ended", look.ended);
    }
    if !look.complete {
        count += "; there are more: use `--name`, `--room` or a larger `--limit`";
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const NOW: u64 = 1_767_225_600;

    fn found(
        connection: &str,
        name: Option<&str>,
        room: Option<&str>,
        since: u64,
    ) -> RecordedConnection {
        RecordedConnection {
            connection: connection.into(),
            name: name.map(str::to_owned),
            room: room.map(str::to_owned),
            friend: None,
            connected_at: NOW - since,
        }
    }

    fn active(ago: u64) -> Option<Activity> {
        Some(Activity {
            last_active_at: i64::try_from(NOW - ago).ok(),
            source_ip: Some("192.0.2.7".into()),
        })
    }

    #[test]
    fn open_connections_are_shown_with_their_devices_and_ended_ones_are_counted() {
        let all = vec![
            found("a=", Some("Ann Lee"), Some("hall"), 7_000),
            found("b=", None, Some("hall"), 61),
            found("c=", Some("Ann Lee"), Some("attic"), 5),
            found("d=", Some("Bob"), Some("attic"), 5),
        ];
        let look = look_of(all, vec![active(60), active(1), active(0), None], false);
        let text = lines(&look, NOW).join("\n");
        expect![[r#"
            NAME     ROOM   DEVICES  CONNECTED       LAST ACTIVE  FROM       CONNECTION
            Ann Lee  hall   2        1 h 56 min ago  1 min ago    192.0.2.7  a=
            –        hall   1        1 min ago       1 s ago      192.0.2.7  b=
            Ann Lee  attic  2        5 s ago         0 s ago      192.0.2.7  c=
            3 connections, 1 name; 1 more on record, which have ended; there are more: use `--name`, `--room` or a larger `--limit`"#]]
        .assert_eq(&text);
        let json = serde_json::to_value(&look).unwrap();
        assert_eq!(
            json["connections"][0]["connectedAt"],
            "2025-12-31T22:03:20Z"
        );
        assert_eq!(json["connections"][1]["name"], serde_json::Value::Null);
        assert_eq!(
            (&json["ended"], &json["complete"]),
            (&1.into(), &false.into())
        );
    }

    #[test]
    fn a_chat_without_connections_says_so_in_one_line() {
        let look = look_of(Vec::new(), Vec::new(), true);
        assert_eq!(lines(&look, NOW), ["no open connection"]);
    }
}
