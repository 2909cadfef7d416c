//! `chatctl chat`

mod frame;
mod history;
mod identity;
mod lines;
mod proof;
mod random;
mod screen;
mod stdio;
mod talk;
mod view;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use chat_protocol::Field;

use self::frame::Framing;
use self::identity::Identity;
use self::proof::SuppliedToken;
use super::connected::{Deployed, deployed};
use super::{Context, Run, StackArgs, TargetArgs};
use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chatctl_deploy::config::Settings;
use chatctl_deploy::config::names::{PersonName, RouteKey};
use chatctl_deploy::engine::client::Address;
use chatctl_deploy::stack::connect::{RequiredIdentity, chat_command};

/// Chat in this terminal, as one person
///
/// At a terminal, received messages appear above the line that is being typed; `/quit` or Ctrl-D ends the chat, and a
/// lost connection is opened again. Where the chat keeps messages, the last ones are shown first, `/history` shows earlier
/// ones, and what was missed while the connection was lost follows. In a pipe, each line of the input that is not empty is sent, and each received
/// message is one line of stdout, with `\n` for the line breaks in it; after the end of the input the command stays until
/// nothing has been received for a while (`--wait`). Messages that are sent at once may arrive in another order.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::chat_help())]
pub(super) struct ChatArgs {
    /// Your name [default: from the config, else Tom]
    #[arg(long = "as", value_name = "NAME")]
    name: Option<PersonName>,
    /// Your friend's name [default: from the config, else Jerry]
    #[arg(long, value_name = "NAME")]
    to: Option<PersonName>,
    /// The room to enter [default: everybody]
    #[arg(long, value_name = "NAME")]
    room: Option<PersonName>,
    /// The route that takes your messages [default: $default, else the first in the config]
    #[arg(long, value_name = "KEY")]
    route: Option<RouteKey>,
    /// The address to connect to, instead of the stack's endpoint
    #[arg(long, value_name = "URL", value_parser = socket_url, conflicts_with_all = ["local", "region", "profile"])]
    url: Option<String>,
    /// A file whose first line is your token, read again when it expires; `-` is the first line of stdin [default: from
    /// CHATCTL_TOKEN, else made with your private key]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// In a pipe: how long to wait for further messages after the end of the input
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    wait: Duration,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    stack: StackArgs,
}

fn socket_url(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("ws://")
        .or_else(|| text.strip_prefix("wss://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') => Ok(text.to_owned()),
        _ if text.starts_with("https://") => {
            Err("it must begin with wss://, which is https:// for WebSockets".into())
        }
        _ if text.starts_with("http://") => {
            Err("it must begin with ws://, which is http:// for WebSockets".into())
        }
        _ => Err("it must be ws:// or wss:// and a host".into()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it must be a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

impl Run for ChatArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let settings = self.stack.settings(None, Some(&self.target.aws))?;
        let framing = Framing::for_route(&settings, self.route.as_ref())?;
        let chat = match &self.url {
            Some(url) => Deployed {
                url: url.clone(),
                required: RequiredIdentity::from_settings(&settings),
                mode: settings.auth.mode(),
                origins: Vec::new(),
            },
            None => deployed(terminal, &settings, self.target.local).await?,
        };
        let given = proof::given(&self, chat.mode)?;
        let mode = chat.mode;
        let (mut address, me, shown) = address(&self, &settings, chat, given.as_ref());
        let source = match given {
            Some(given) => {
                address.token = Some(given.token);
                given.source
            }
            None => proof::made(&settings, mode, me, &mut address)?,
        };
        proof::check_way(&address)?;
        let friend = address.handshake.get(Field::To).map(ToOwned::to_owned);
        let identity = Identity::new(address, source);
        let at_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        if at_terminal && !dumb && terminal.output == Output::Text {
            let kept = framing.kept(friend.as_deref(), true);
            screen::chat(identity, &framing, kept, &shown).await
        } else {
            let kept = framing.kept(friend.as_deref(), false);
            stdio::chat(identity, &framing, kept, self.wait, terminal).await
        }
    }
}

/// Recommends this command beside those with wscat; `more` are flags that say which stack is meant.
pub(super) fn hint(
    terminal: Terminal,
    settings: &Settings,
    required: RequiredIdentity,
    more: &str,
) {
    let command = chat_command(settings, required, more);
    // With an address it is too long for one line of a terminal.
    let gap = if more.is_empty() { ' ' } else { '\n' };
    terminal.hint(&format!("\nOr without wscat:{gap}`chatctl {command}`"));
}

/// Where to connect, and the name to show: what the flags say, and of the rest what the chat requires. A token that was `given`
/// says who its holder is, so the name of the config does not count beside it.
fn address(
    args: &ChatArgs,
    settings: &Settings,
    chat: Deployed,
    given: Option<&SuppliedToken>,
) -> (Address, Option<PersonName>, String) {
    let Deployed { url, required, .. } = chat;
    let said = args.name.clone().or_else(|| match required {
        RequiredIdentity::Friends | RequiredIdentity::Name if given.is_none() => {
            Some(settings.from.clone())
        }
        _ => None,
    });
    let proven = given.and_then(|given| given.name(settings));
    let me = said.clone().or(proven);
    let friend = args.to.clone().or_else(|| match required {
        // The second person talks to the first one.
        RequiredIdentity::Friends if me.as_ref() == Some(&settings.to) => {
            Some(settings.from.clone())
        }
        RequiredIdentity::Friends => Some(settings.to.clone()),
        RequiredIdentity::Name | RequiredIdentity::Nothing => None,
    });
    let shown = me.as_ref().map_or("you".to_owned(), ToString::to_string);
    let handshake = settings
        .handshake()
        .with_some(Field::From, said)
        .with_some(Field::To, friend)
        .with_some(Field::Room, args.room.clone());
    let address = Address {
        url,
        handshake,
        token: None,
    };
    (address, me, shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatctl_deploy::config::Overrides;
    use clap::Parser;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        args: ChatArgs,
    }

    fn settings(config: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chatctl.toml"), config).unwrap();
        Settings::load(folder.path(), Overrides::default()).unwrap()
    }

    fn headers(config: &str, words: &[&str]) -> String {
        let settings = settings(config);
        let args = Words::parse_from([&["chat"], words].concat()).args;
        let chat = Deployed {
            url: "ws://x".into(),
            required: RequiredIdentity::from_settings(&settings),
            mode: settings.auth.mode(),
            origins: Vec::new(),
        };
        let (address, ..) = address(&args, &settings, chat, None);
        let headers = address
            .handshake
            .headers()
            .map(|(name, value)| format!("{name}={value}"));
        headers.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_second_person_talks_to_the_first_one() {
        assert_eq!(headers("", &[]), "msgfrom=Tom msgto=Jerry");
        assert_eq!(headers("", &["--as", "Jerry"]), "msgfrom=Jerry msgto=Tom");
        assert_eq!(
            headers("", &["--as", "Ann", "--to", "Bob", "--room", "tea"]),
            "msgfrom=Ann msgto=Bob msgroom=tea"
        );
    }

    #[test]
    fn a_room_needs_no_friend() {
        let config = "[[routes]]\nkey = \"say\"\nreceivers = \"room\"\n";
        assert_eq!(headers(config, &[]), "msgfrom=Tom");
    }

    #[test]
    fn the_hint_names_the_people_that_the_chat_requires() {
        let reported = |config: &str| {
            let settings = settings(config);
            chat_command(&settings, RequiredIdentity::from_settings(&settings), "")
        };
        assert_eq!(reported(""), "chat --as Tom --to Jerry");
        let room = "[[routes]]\nkey = \"say\"\nreceivers = \"room\"\n";
        assert_eq!(reported(room), "chat --as Tom");
        let backend = |key: &str| format!("[[routes]]\nkey = \"{key}\"\nhttp = \"http://x/\"\n");
        let backends = ["$connect", "$disconnect", "say"].map(backend).concat();
        assert_eq!(reported(&backends), "chat");
        let quoted = "from = \"Ann Lee\"\nto = \"O'Neil\"\n";
        assert_eq!(reported(quoted), r"chat --as 'Ann Lee' --to 'O'\''Neil'");
    }

    #[test]
    fn an_address_is_checked_at_the_flag() {
        assert!(socket_url("ws://127.0.0.1:1/v1").is_ok() && socket_url("wss://x").is_ok());
        for wrong in ["http://x", "ws://", "ws:///v1", "x"] {
            assert!(socket_url(wrong).is_err(), "{wrong}");
        }
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(seconds("-1").is_err() && seconds("soon").is_err());
    }
}
