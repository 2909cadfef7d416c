//! `chatctl web`

use std::process::Stdio;

use serde_json::json;

use super::connected::{ConnectedChat, Deployed};
use super::tokens::{ON_THE_WAY, Prover};
use super::{ConnectArgs, Context, Run};
use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chatctl_deploy::config::Settings;
use chatctl_deploy::config::names::PersonName;
use chatctl_deploy::keys::{NewToken, Signer};
use chatctl_deploy::local;
use chatctl_deploy::local::page::Renewal;
use chatctl_deploy::programs::command;
use chatctl_deploy::stack::connect::RequiredIdentity;
use chatctl_deploy::stack::page::{PageProof, beside, links, lists, page_settings};

/// Show a chat page for the stack, on this machine, until Ctrl-C
///
/// Prints the page's links, one for each of the two people. A stack on this machine (`--local`) has its page already:
/// its links are printed, and that is all. Where names are proven by tokens of your private key, the page gets them, and
/// new ones, from this command: then it is served here for both, and each link is good for its own person.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::session_help())]
pub(super) struct WebArgs {
    /// The page's port on 127.0.0.1; 0 takes any free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Open both links in the browser
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    connect: ConnectArgs,
}

impl Run for WebArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let ConnectedChat {
            settings,
            chat,
            prover,
        } = self.connect.reach(context).await?;
        let Deployed {
            url,
            required,
            mode,
            origins,
        } = chat;
        let renewal = match prover {
            Prover::Here(signer) => Some(renewal(signer)),
            Prover::Claimed | Prover::Elsewhere | Prover::Issuer { .. } | Prover::Custom => None,
        };
        let show = |base: &str| {
            let fragments = |grant: fn(&Renewal, &PersonName) -> String| {
                [&settings.from, &settings.to].map(|name| {
                    let renewal = renewal.as_ref()?;
                    Some(format!("key={}", grant(renewal, name)))
                })
            };
            let printed = links(base, &settings, required, &fragments(Renewal::grant));
            if terminal.output == Output::Json {
                terminal.result_json(&json!({ "type": "ready", "page": base, "links": printed }));
            } else {
                printed.iter().for_each(|link| terminal.result(link));
            }
            if self.open {
                // Other users see the arguments of the program that opens it.
                let once = fragments(Renewal::grant_once);
                for link in links(base, &settings, required, &once) {
                    open(&link, terminal);
                }
            }
        };
        if self.connect.target.local && renewal.is_none() {
            let base = beside(&url);
            show(&base);
            if let Err(origin) = lists(&origins, &base) {
                terminal.warn(&not_listed(&origin));
            }
            return Ok(());
        }
        let proof = PageProof {
            mode,
            renewal: renewal.as_ref().map(|_| local::page::PATH),
            origins: origins.clone(),
            ..PageProof::from_settings(&settings)
        };
        let filled_in = page_settings(&settings, required, proof, Some(&url));
        let served = local::page::listen(&filled_in, self.port).await?;
        let base = format!("http://127.0.0.1:{}/", served.port);
        show(&base);
        if let Err(origin) = lists(&origins, &base) {
            terminal.warn(&not_listed(&origin));
            terminal.hint(&format!(
                "`--port {}` keeps the page's origin the same",
                served.port
            ));
        }
        terminal.hint("Ctrl-C ends the page, not the stack");
        let serving = async {
            match renewal {
                Some(renewal) => served.forever_with(renewal).await,
                None => served.forever().await,
            }
        };
        tokio::select! {
            () = serving => {}
            () = chatctl_deploy::interrupt::requested() => {}
        }
        Ok(())
    }
}

/// Makes tokens for the page, for as long as it is open.
fn renewal(signer: Signer) -> Renewal {
    Renewal::new(move |name| {
        let minted = signer.mint(&NewToken {
            name,
            to: None,
            room: None,
            can: None,
            lifetime: ON_THE_WAY,
        })?;
        Ok(minted.token)
    })
}

/// What is said of a page at `origin` whose connections the chat refuses.
fn not_listed(origin: &str) -> String {
    format!(
        "the chat refuses connections of this page, as `origins` under `[auth]` does not list it: add \"{origin}\" there, and \
         deploy again"
    )
}

/// What is said of the page below connect commands.
#[derive(Debug)]
pub(super) struct PageHint<'a> {
    /// Its address, if it is served already.
    page: Option<&'a str>,
    /// Whether it asks for a token, and whether one can be made here.
    asks: Option<bool>,
    fragments: &'a [Option<String>; 2],
    /// The pages that may connect; none stands for all.
    origins: &'a [String],
}

impl<'a> PageHint<'a> {
    pub(super) fn new(
        page: Option<&'a str>,
        prover: &Prover,
        fragments: &'a [Option<String>; 2],
        origins: &'a [String],
    ) -> Self {
        let is_carried = fragments.iter().all(Option::is_some);
        let asks = match prover {
            Prover::Claimed | Prover::Custom => None,
            _ if is_carried => None,
            Prover::Here(_) => Some(true),
            Prover::Elsewhere | Prover::Issuer { .. } => Some(false),
        };
        Self {
            page,
            asks,
            fragments,
            origins,
        }
    }
}

/// Tells of the page where connect commands were printed.
pub(super) fn hint(
    terminal: Terminal,
    settings: &Settings,
    required: RequiredIdentity,
    hint: &PageHint<'_>,
) {
    let Some(page) = hint.page else {
        return terminal.hint("Or in a browser: `chatctl web`");
    };
    if let Err(origin) = lists(hint.origins, page) {
        return terminal.hint(&format!("No link to the page: {}", not_listed(&origin)));
    }
    let links = links(page, settings, required, hint.fragments);
    let windows = match links.len() {
        1 => "in browser windows",
        _ => "in two browser windows",
    };
    let asks = match hint.asks {
        None => "",
        Some(true) => ", which ask for a token (`chatctl web` opens them with one)",
        Some(false) => ", which ask for a token",
    };
    terminal.hint(&format!("Or {windows}{asks}:\n{}", links.join("\n")));
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
