//! `chatctl send`

use serde::Serialize;

use super::super::waits::asking;
use super::super::{Context, Run, StackArgs, TargetArgs, leaving, or_interrupted};
use super::{connections_in_words, milliseconds, now, open};
use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chatctl_deploy::config::names::PersonName;
use chatctl_deploy::engine::operator::{ConnectionFilter, Sent, find, message, send};
use chatctl_deploy::engine::preflight::chain;
use chatctl_deploy::engine::{ErrorKind, TargetError};

/// Send a message of the operator's to all devices of a name, or to a room
///
/// Where routes have `envelope = true`, its sender is `#operator`, which no user's name can be; else receivers get the text
/// and nothing else. Fails if no connection has accepted it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = crate::commands::waits::asking_help(),
    override_usage = "chatctl send [OPTIONS] <NAME> <TEXT>\n       chatctl send [OPTIONS] --room <ROOM> <TEXT>"
)]
pub(in crate::commands) struct SendArgs {
    /// Whose devices get the message; with `--room` this is the message itself
    #[arg(value_name = "NAME")]
    first: String,
    /// The message; required without `--room`
    #[arg(value_name = "TEXT")]
    second: Option<String>,
    /// The room whose members get the message
    #[arg(long, value_name = "ROOM")]
    room: Option<PersonName>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    stack: StackArgs,
}

#[derive(Debug, Serialize)]
struct SendResult {
    accepted: usize,
    ended: usize,
    failed: usize,
}

impl Run for SendArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let settings = self.stack.settings(None, Some(&self.target.aws))?;
        let (filter, text) = receivers(self.room, self.first, self.second)?;
        let local = self.target.local;
        let sending = async {
            let chat = open(terminal, &settings, local).await?;
            let post = message(&chat.records, &filter, &text, milliseconds())?;
            let index = chat.records.index;
            let (found, _) = find(&chat.table, index, &filter, now(), usize::MAX).await?;
            Ok::<_, CommandError>(send(&chat.gateway, &found, &post).await?)
        };
        let sending = or_interrupted(asking(terminal, sending));
        let left = "some connections may have accepted it already";
        let sent = sending.await.map_err(leaving(left))?;
        reported(terminal, &filter, sent)
    }
}

/// Whom a message is for, and its text.
fn receivers(
    room: Option<PersonName>,
    first: String,
    second: Option<String>,
) -> Result<(ConnectionFilter, String), CommandError> {
    match (room, second) {
        (Some(room), None) => Ok((ConnectionFilter::Room(room), first)),
        (Some(_), Some(_)) => Err(CommandError::usage(
            "a message is for a name or for a room, and not for both",
            "leave NAME or `--room` out; put a text of several words in quotes",
        )),
        (None, Some(text)) => match first.parse() {
            Ok(name) => Ok((ConnectionFilter::Person(name), text)),
            Err(error) => {
                let error = format!("could not send to {first:?}: {error}");
                Err(CommandError::usage(error, "`--room ROOM` names a room"))
            }
        },
        (None, None) => Err(CommandError::usage(
            "the message has no receiver or no text",
            "`chatctl send NAME TEXT` sends to a name, `chatctl send --room ROOM TEXT` to a room",
        )),
    }
}

fn reported(terminal: Terminal, filter: &ConnectionFilter, sent: Sent) -> Result<(), CommandError> {
    let Sent {
        accepted,
        ended,
        failed,
        failure,
    } = sent;
    let to = match filter {
        ConnectionFilter::Room(room) => format!("room `{room}`"),
        ConnectionFilter::Person(name) => format!("`{name}`"),
        ConnectionFilter::Everybody | ConnectionFilter::Connection(_) => "the chat".to_owned(),
    };
    if accepted == 0 {
        if let Some(failure) = failure {
            return Err(failure.into());
        }
        let message = format!("no connection accepted the message: {to} has none that is open");
        return Err(TargetError::new(ErrorKind::Failed, message)
            .with_hint(
                "`chatctl connections` shows who is connected; names are compared letter by letter",
            )
            .into());
    }
    if let Some(failure) = failure {
        let count = connections_in_words(failed);
        terminal.warn(&format!(
            "{count} of {to} did not get it: {}",
            chain(&failure)
        ));
    }
    match terminal.output {
        Output::Json => terminal.result_json(&SendResult {
            accepted,
            ended,
            failed,
        }),
        Output::Text => {
            let accepted = connections_in_words(accepted);
            let ended = match ended {
                0 => String::new(),
                ended => format!("; {ended} more on record, which have ended"),
            };
            terminal.result_line(&format!("{accepted} of {to} accepted the message{ended}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_for_a_name_or_for_a_room() {
        let hall: PersonName = "hall".parse().unwrap();
        let of = |room: Option<&PersonName>, first: &str, second: Option<&str>| {
            receivers(room.cloned(), first.into(), second.map(str::to_owned))
                .map_err(|error| error.exit)
        };
        let ann = ConnectionFilter::Person("Ann".parse().unwrap());
        assert_eq!(of(None, "Ann", Some("hi")).unwrap(), (ann, "hi".into()));
        let room = ConnectionFilter::Room(hall.clone());
        assert_eq!(of(Some(&hall), "hi", None).unwrap(), (room, "hi".into()));
        for (room, first, second) in [
            (None, "hi", None),
            (Some(&hall), "Ann", Some("hi")),
            (None, "A#nn", Some("hi")),
        ] {
            assert_eq!(
                of(room, first, second).unwrap_err(),
                2,
                "{first} {second:?}"
            );
        }
    }
}
