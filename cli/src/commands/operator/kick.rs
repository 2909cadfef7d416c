//! `chatctl kick`

use std::time::Duration;

use serde::Serialize;

use super::super::tokens::time;
use super::super::waits::asking;
use super::super::{Context, Run, StackArgs, TargetArgs, leaving, or_interrupted};
use super::{Chat, connections_in_words, moment, now, open};
use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chatctl_deploy::config::names::PersonName;
use chatctl_deploy::engine::operator::{ConnectionFilter, Kicked, ban, find, kick, unban};
use chatctl_deploy::engine::{ErrorKind, TargetError};

/// Close all connections of a name, or one connection, and keep the name out if wanted
///
/// Clients may connect again at once, unless `--ban` keeps their name out. A ban is worth what proves names: without `[auth]`
/// a client can connect under another name.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::question_help())]
pub(in crate::commands) struct KickArgs {
    /// A name, or the id of a connection, which contains `=`
    #[arg(value_name = "NAME|ID", allow_hyphen_values = true, value_parser = name_or_id)]
    who: String,
    /// Keep the name out for this time: a number with s, m, h or d, 365d at most
    #[arg(long, value_name = "TIME", value_parser = ban_time)]
    ban: Option<Duration>,
    /// Let the name in again, and close nothing
    #[arg(long, conflicts_with = "ban")]
    unban: bool,
    /// Answer the question with yes
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    stack: StackArgs,
}

/// The longest ban. A longer one is for the issuer of tokens.
const MAX_BAN: Duration = Duration::from_secs(365 * 24 * 3600);

/// An id of API Gateway may begin with a hyphen, and ends with `=`. What else begins with one is a mistyped option.
fn name_or_id(text: &str) -> Result<String, String> {
    match text.starts_with("--") || (text.starts_with('-') && !text.ends_with('=')) {
        true => Err("neither an option of this command nor a name or id".into()),
        false => Ok(text.to_owned()),
    }
}

fn ban_time(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("a ban lasts for some time; `--unban` ends one".into()),
        time if time <= MAX_BAN => Ok(time),
        _ => Err("365d at most".into()),
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct KickResult {
    name: Option<String>,
    /// The ids of the connections that were closed.
    closed: Vec<String>,
    /// How many were on record but had ended.
    ended: usize,
    banned_until: Option<String>,
}

impl Run for KickArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let settings = self.stack.settings(None, Some(&self.target.aws))?;
        let filter = filter(&self.who)?;
        let opening = open(terminal, &settings, self.target.local);
        let chat = or_interrupted(asking(terminal, opening)).await?;
        let is_name_needed = self.ban.is_some() || self.unban;
        let filter = match is_name_needed {
            true => or_interrupted(asking(terminal, named(&chat, filter))).await?,
            false => filter,
        };
        let name = match &filter {
            ConnectionFilter::Person(name) => Some(name.clone()),
            _ => None,
        };
        if let (true, Some(name)) = (self.unban, &name) {
            let lifting = unban(&chat.table, name);
            or_interrupted(asking(terminal, lifting)).await?;
            reported(terminal, &Kicked::default(), Some(name), None);
            return Ok(());
        }
        let looking = on_record(&chat, &filter);
        let count = or_interrupted(asking(terminal, looking)).await?;
        if count == 0 && self.ban.is_none() && name.is_some() {
            return Err(none_open(&self.who));
        }
        let question = question(&self.who, &filter, count, self.ban);
        if !terminal.confirm(&question, self.yes).await? {
            let hint = "`chatctl connections` shows who is connected";
            return Err(TargetError::declined(hint).into());
        }
        let until = self.ban.map(|time| now() + time.as_secs());
        let kicking = async {
            if let (Some(until), Some(name)) = (until, &name) {
                ban(&chat.table, name, until).await?;
            }
            let target = (&chat.table, &chat.gateway);
            kick(target, chat.records.index, &filter, until.is_some(), now).await
        };
        let left = match until {
            Some(_) => "the ban may stand, and some connections may be closed; `--unban` lifts it",
            None => "some connections may be closed already",
        };
        let kicked = or_interrupted(asking(terminal, kicking))
            .await
            .map_err(leaving(left))?;
        if kicked.closed.is_empty() && until.is_none() {
            return Err(none_open(&self.who));
        }
        reported(terminal, &kicked, name.as_ref(), until);
        Ok(())
    }
}

/// Whom `who` means: ids of API Gateway end with `=`, which no name contains.
fn filter(who: &str) -> Result<ConnectionFilter, CommandError> {
    if who.contains('=') {
        return Ok(ConnectionFilter::Connection(who.to_owned()));
    }
    who.parse().map(ConnectionFilter::Person).map_err(|error| {
        let hint = "name a person, or the id of a connection as `chatctl connections` shows it";
        CommandError::usage(format!("could not kick {who:?}: {error}"), hint)
    })
}

/// The name that `filter` selects, for a ban.
async fn named(chat: &Chat, filter: ConnectionFilter) -> Result<ConnectionFilter, CommandError> {
    let ConnectionFilter::Connection(connection) = &filter else {
        return Ok(filter);
    };
    let (found, _) = find(&chat.table, chat.records.index, &filter, now(), 1).await?;
    let name = found
        .into_iter()
        .next()
        .and_then(|found| found.name)
        .and_then(|name| name.parse::<PersonName>().ok());
    name.map(ConnectionFilter::Person).ok_or_else(|| {
        CommandError::usage(
            format!("connection {connection} has no name on record, and only names are banned"),
            "`chatctl kick` without `--ban` closes it",
        )
    })
}

async fn on_record(chat: &Chat, filter: &ConnectionFilter) -> Result<usize, TargetError> {
    if let ConnectionFilter::Connection(_) = filter {
        return Ok(1);
    }
    let (found, _) = find(&chat.table, chat.records.index, filter, now(), usize::MAX).await?;
    Ok(found.len())
}

fn none_open(who: &str) -> CommandError {
    let message = format!("closed nothing: `{who}` has no open connection");
    TargetError::new(ErrorKind::Failed, message)
        .with_hint(
            "`chatctl connections` shows who is connected; names are compared letter by letter",
        )
        .into()
}

fn question(who: &str, filter: &ConnectionFilter, count: usize, ban: Option<Duration>) -> String {
    let what = match filter {
        ConnectionFilter::Person(name) => format!("{} of `{name}`", connections_in_words(count)),
        _ => format!("connection {who}"),
    };
    match ban {
        None => format!("Close {what}?"),
        Some(time) => {
            let time = super::super::status::duration(time.as_secs());
            format!("Close {what} and keep the name out for {time}?")
        }
    }
}

fn reported(terminal: Terminal, kicked: &Kicked, name: Option<&PersonName>, until: Option<u64>) {
    let until = until.and_then(moment);
    if terminal.output == Output::Json {
        terminal.result_json(&KickResult {
            name: name.map(ToString::to_string),
            closed: kicked.closed.iter().cloned().collect(),
            ended: kicked.ended.len(),
            banned_until: until,
        });
        return;
    }
    let closed = connections_in_words(kicked.closed.len());
    let of = name.map_or_else(String::new, |name| format!(" of `{name}`"));
    let line = match (until, name) {
        (Some(until), _) => format!("closed {closed}{of}; the name is banned until {until}"),
        (None, Some(name)) if kicked.closed.is_empty() => {
            format!("`{name}` is not banned any more")
        }
        (None, _) => format!("closed {closed}{of}"),
    };
    terminal.result_line(&line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_distinguished_from_a_name() {
        let id = ConnectionFilter::Connection("BFaT_fALIAMCKug=".into());
        assert_eq!(filter("BFaT_fALIAMCKug=").unwrap(), id);
        let name = ConnectionFilter::Person("Ann Lee".parse().unwrap());
        assert_eq!(filter("Ann Lee").unwrap(), name);
        assert_eq!(filter("Ann#Lee").unwrap_err().exit, 2);
    }

    #[derive(Debug, clap::Parser)]
    struct Parsed {
        #[command(flatten)]
        args: KickArgs,
    }

    #[test]
    fn an_id_may_begin_with_a_hyphen_and_a_mistyped_option_is_refused() {
        use clap::Parser as _;
        for id in [
            "-nZ_fALIAMCKug=",
            "-yesALIAMCKug=",
            "-aT_fALIAMCKug=",
            "_FaT_fALIAMCKug=",
        ] {
            for words in [vec!["kick", id, "--yes"], vec!["kick", "--local", "-y", id]] {
                let args = Parsed::try_parse_from(&words).unwrap().args;
                assert_eq!((args.who.as_str(), args.yes), (id, true), "{words:?}");
            }
        }
        for words in [
            ["kick", "--yes-yes"],
            ["kick", "-x"],
            ["kick", "--ban=1h"],
            ["kick", "--unbann="],
        ] {
            assert!(Parsed::try_parse_from(words).is_err(), "{words:?}");
        }
        let mistyped = ["kick", "Tom", "--yes-yes"];
        let error = Parsed::try_parse_from(mistyped).unwrap_err().to_string();
        assert!(error.contains("--yes-yes"), "{error}");
    }

    #[test]
    fn a_ban_has_a_unit_and_an_end() {
        assert_eq!(ban_time("1h"), Ok(Duration::from_secs(3_600)));
        assert_eq!(ban_time("365d"), Ok(MAX_BAN));
        for text in [
            "0s",
            "366d",
            "1",
            "",
            "h",
            "-1h",
            "1.5h",
            "99999999999999999999d",
        ] {
            assert!(ban_time(text).is_err(), "{text}");
        }
    }
}
