//! `chatctl web`

use std::process::Stdio;

use serde_json::json;

use super::connected::{Deployed, deployed};
use super::{Context, PeopleArgs, Run, StackArgs, TargetArgs};
use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chatctl_deploy::config::Settings;
use chatctl_deploy::local;
use chatctl_deploy::programs::command;
use chatctl_deploy::stack::connect::RequiredIdentity;
use chatctl_deploy::stack::page::{beside, links, page_settings};

/// Show a chat page for the stack, on this machine, until Ctrl-C
///
/// Prints the page's links, one for each of the two people. A stack on this machine (`--local`) has its page already:
/// its links are printed, and that is all.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::of_session())]
pub(super) struct WebArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    people: PeopleArgs,
    /// The page's port on 127.0.0.1; 0 takes any free one
    #[arg(long, default_value_t = 0, conflicts_with = "local")]
    port: u16,
    /// Open both links in the browser
    #[arg(long)]
    open: bool,
}

impl Run for WebArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let settings = self
            .stack
            .settings(Some(&self.people), Some(&self.target.aws))?;
        let Deployed { url, introduction } =
            deployed(terminal, &settings, self.target.local).await?;
        let show = |base: &str| {
            let links = links(base, &settings, introduction);
            if terminal.output == Output::Json {
                terminal.result_json(&json!({ "type": "ready", "page": base, "links": links }));
            } else {
                links.iter().for_each(|link| terminal.result(link));
            }
            if self.open {
                for link in &links {
                    open(link, terminal);
                }
            }
        };
        if self.target.local {
            show(&beside(&url));
            return Ok(());
        }
        let filled_in = page_settings(&settings, introduction, Some(&url));
        let served = local::page::listen(&filled_in, self.port).await?;
        show(&format!("http://127.0.0.1:{}/", served.port));
        terminal.hint("Ctrl-C ends the page, not the stack");
        tokio::select! {
            () = served.forever() => {}
            () = chatctl_deploy::interrupt::requested() => {}
        }
        Ok(())
    }
}

/// Tells of the page where connect commands were printed; `page` is where it is, if it is served already.
pub(super) fn hint(
    terminal: Terminal,
    settings: &Settings,
    introduction: RequiredIdentity,
    page: Option<&str>,
) {
    let Some(page) = page else {
        return terminal.hint("Or in a browser: `chatctl web`");
    };
    let links = links(page, settings, introduction);
    let windows = match links.len() {
        1 => "in browser windows",
        _ => "in two browser windows",
    };
    terminal.hint(&format!("Or {windows}:\n{}", links.join("\n")));
}

/// Asks the desktop to open `link`; where there is none, the printed link is what remains.
fn open(link: &str, terminal: Terminal) {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let started = command(opener)
        .arg(link)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = started {
        terminal.warn(&format!(
            "could not open a browser ({opener}: {error}); open {link} yourself"
        ));
    }
}
