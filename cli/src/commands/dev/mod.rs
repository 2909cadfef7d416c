//! `chatctl dev`

mod assemble;
mod clock;
mod reported;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use self::assemble::{Assembled, CodeCache, assemble};
use self::clock::{clock_hint, clock_speed};
use self::reported::{ready, served, tell, unchanged};
use super::plan::{self, StackLocation};
use super::{Context, Run, StackArgs, or_interrupted};
use crate::error::{CommandError, exit};
use crate::terminal::{LogColumns, Terminal};
use crate::watch::{ChangeBatch, Watch};
use chatctl_deploy::config::Settings;
use chatctl_deploy::local::LocalTarget;
use chatctl_deploy::local::foreground::{self, Foreground};
use chatctl_deploy::stack::connect::RequiredIdentity;
use chatctl_deploy::stack::page::{PageProof, page_settings};

/// Run a stack in the foreground and keep it up to date with its sources, until Ctrl-C
///
/// Without `--template` it runs this project's stack: the handlers are built, and built again whenever one of their
/// sources or chatctl.toml is saved. Connections stay open meanwhile. An error in a build or in the config is shown, and
/// the version before keeps serving. The endpoint and the connect commands are printed on stdout, the functions' logs
/// on stderr. Tables are kept in memory, so a stack of `deploy --local` is neither needed nor touched.
///
/// With `--template` it runs any template of API Gateway WebSocket, Lambda, DynamoDB, IAM and log group resources.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::DEV_HELP)]
pub(super) struct DevArgs {
    /// A CloudFormation template to run instead of this project's stack
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// A value for a template's parameter; can be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    parameter: Vec<(String, String)>,
    /// A function's code: a folder with an executable `bootstrap`, or a zip file; can be repeated
    #[arg(long, value_name = "LOGICAL_ID=PATH", value_parser = pair)]
    code: Vec<(String, String)>,
    /// The port on 127.0.0.1; 0 takes any free one [default: from the config, else 0]
    #[arg(long)]
    port: Option<u16>,
    /// Let AWS's time limits on connections pass N times faster; with 60, an idle connection is closed after ten seconds
    ///
    /// Also faster: the end of a connection after two hours, the pauses before an asynchronous invocation is retried, and
    /// throttling. Not faster: timeouts of functions, and the expiry of items in a table.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clock_speed)]
    clock_speed: NonZeroU32,
    /// Built handlers for this project's own stack
    #[arg(long, value_name = "PATH", conflicts_with = "template")]
    handlers: Option<PathBuf>,
    /// The cargo profile to build the handlers with [default: `dev-profile` in the config, else dev]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["template", "handlers"])]
    cargo_profile: Option<String>,
    /// Build once, and leave the stack as it is when files change
    #[arg(long)]
    no_watch: bool,
    #[command(flatten)]
    stack: StackArgs,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it needs a name, `=` and a value".into()),
    }
}

impl Run for DevArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        if self.template.is_none() {
            let settings = self.stack.settings(None, None)?;
            plan::tell(
                terminal,
                &settings,
                self.handlers.as_deref(),
                &StackLocation::Foreground,
            )?;
            if let Some(notice) = settings.without_effect_here() {
                terminal.warn(&notice);
            }
        }
        let kept = CodeCache::new()?;
        let began = SystemTime::now();
        let assembled = {
            let mut reporter = terminal.progress();
            or_interrupted(assemble(&self, &kept, &mut reporter)).await?
        };
        let port = port(&self, assembled.settings.as_ref())?;
        // Before it starts, so that a save during the start is noticed; those during the build show by their time.
        let watch = (!self.no_watch).then(|| watch(&assembled, began, terminal));
        let columns = Arc::new(Mutex::new(columns(&assembled)));
        let starting = foreground::start(
            assembled.request.clone(),
            port,
            self.clock_speed,
            kept.unpacked(),
            tell(terminal, &columns),
        );
        let running = or_interrupted(starting).await?;
        show_page(&running, assembled.settings.as_ref());
        reported::idle(terminal, assembled.idle.as_deref());
        ready(terminal, &running.endpoint(), assembled.settings.as_ref());
        if let Some(hint) = clock_hint(self.clock_speed) {
            terminal.hint(&hint);
        }
        match watch {
            Some(watch) => {
                let session = Session {
                    args: &self,
                    terminal,
                    kept: &kept,
                    running: &running,
                    columns: &columns,
                    assembled,
                };
                tokio::select! {
                    () = session.follow(watch) => {}
                    () = chatctl_deploy::interrupt::requested() => {}
                }
            }
            None => chatctl_deploy::interrupt::requested().await,
        }
        running.stop().await;
        Ok(())
    }
}

/// A running stack and what it was made of last.
struct Session<'a> {
    args: &'a DevArgs,
    terminal: Terminal,
    kept: &'a CodeCache,
    running: &'a Foreground,
    columns: &'a Mutex<LogColumns>,
    assembled: Assembled,
}

impl Session<'_> {
    /// Brings the stack up to date with every burst of changes. Never ends.
    ///
    /// A file that is saved while a build runs leads to one more build afterwards.
    async fn follow(mut self, mut watch: Watch) {
        loop {
            let batch = watch.next().await;
            reported::changed(self.terminal, &batch);
            match self.renew(&batch, &mut watch).await {
                Ok(()) => {}
                Err(error) if error.exit == exit::INTERRUPTED => std::future::pending().await,
                Err(error) => {
                    self.terminal.failure(&error);
                    self.terminal.hint("the version before goes on serving");
                }
            }
        }
    }

    async fn renew(&mut self, batch: &ChangeBatch, watch: &mut Watch) -> Result<(), CommandError> {
        let started = SystemTime::now();
        let mut quiet = self.terminal.quiet();
        let next = assemble(self.args, self.kept, &mut quiet).await?;
        let built = started.elapsed().unwrap_or_default();
        if let Err(error) = watch.look_at(next.paths.clone(), started) {
            self.terminal
                .warn(&format!("some sources cannot be watched, so that their changes are noticed some seconds late: {error}"));
        }
        if next.is_same(&self.assembled) {
            unchanged(self.terminal);
            return Ok(());
        }
        *self.columns.lock().expect("no holder of this lock panics") = columns(&next);
        self.running.update(next.request.clone()).await?;
        show_page(self.running, next.settings.as_ref());
        self.kept.drop_others(&next.request);
        served(self.terminal, batch.since, built);
        if next.idle != self.assembled.idle {
            reported::idle(self.terminal, next.idle.as_deref());
        }
        let endpoint = self.running.endpoint();
        if reported::commands(&endpoint, next.settings.as_ref())
            != reported::commands(&endpoint, self.assembled.settings.as_ref())
        {
            ready(self.terminal, &endpoint, next.settings.as_ref());
        }
        self.assembled = next;
        Ok(())
    }
}

/// A template of the user's has no page: it need not be a chat.
fn show_page(running: &Foreground, settings: Option<&Settings>) {
    if let Some(settings) = settings {
        running.show_page(&page_settings(
            settings,
            RequiredIdentity::from_settings(settings),
            PageProof::from_settings(settings),
            None,
        ));
    }
}

fn columns(assembled: &Assembled) -> LogColumns {
    LogColumns::new(assembled.request.code.keys().map(String::as_str))
}

/// Watches what the stack is made of, as it was when it `began` to be put together.
fn watch(assembled: &Assembled, began: SystemTime, terminal: Terminal) -> Watch {
    let mut watch = Watch::new();
    if let Err(error) = watch.look_at(assembled.paths.clone(), began) {
        terminal.warn(&format!("changes are noticed some seconds late: {error}"));
        terminal.hint("on Linux, a higher `sysctl fs.inotify.max_user_watches` helps");
    }
    watch
}

/// The port to listen on, which must not be the one that the same stack has already in the background.
fn port(args: &DevArgs, settings: Option<&Settings>) -> Result<u16, CommandError> {
    let wanted = args
        .port
        .or(settings.and_then(|settings| settings.local_port))
        .unwrap_or(0);
    let Some(settings) = settings.filter(|_| wanted > 0) else {
        return Ok(wanted);
    };
    let target = LocalTarget::new(&settings.folder, None);
    // Not asked for: it may not respond.
    if !matches!(target.port(&settings.stack), Ok(Some(taken)) if taken == wanted) {
        return Ok(wanted);
    }
    Err(CommandError::usage(
        format!(
            "local stack `{}` runs in the background already, on port {wanted}",
            settings.stack
        ),
        "`chatctl dev --port 0` runs beside it with tables of its own; \
         `chatctl teardown --local --keep-data` ends it and keeps its data",
    ))
}
