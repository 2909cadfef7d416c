//! `chatctl status --watch`: what a stack does, look after look.

mod screen;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use self::screen::{Head, Since, json, line, lines};
use crate::commands::aws::not_deployed;
use crate::commands::waits::{MAX_UNANSWERED, asking, looking};
use crate::error::CommandError;
use crate::terminal::{Output, Screen, Terminal};
use chatctl_deploy::aws::{AwsTarget, metrics};
use chatctl_deploy::config::Settings;
use chatctl_deploy::config::names::StackName;
use chatctl_deploy::engine::vitals::{Vitals, Watched};
use chatctl_deploy::engine::{ErrorKind, Inventory, Resource, TargetError};
use chatctl_deploy::local::vitals::vitals;
use chatctl_deploy::local::{LocalStatus, LocalTarget};
use chatctl_deploy::stack::cost::prices;

/// Between two looks at a stack on this machine.
const INTERVAL: Duration = Duration::from_secs(2);

/// The most before the first one.
const FIRST: Duration = Duration::from_secs(1);

/// Shows what the stack of `settings` does every `interval` seconds, until Ctrl-C or until the stack is gone.
pub(super) async fn run(
    terminal: Terminal,
    settings: &Settings,
    is_local: bool,
    interval: Option<u64>,
) -> Result<(), CommandError> {
    let pause = interval.map(Duration::from_secs);
    if is_local {
        return local(terminal, settings, pause.unwrap_or(INTERVAL)).await;
    }
    if let Some(seconds) = interval.filter(|seconds| *seconds < metrics::MINUTE) {
        return Err(CommandError::usage(
            format!(
                "`--interval {seconds}` is too short: CloudWatch has one value a minute, and each look is charged"
            ),
            "name 60 seconds or more, or leave `--interval` out",
        ));
    }
    let pause = pause.unwrap_or(Duration::from_secs(metrics::MINUTE));
    aws(terminal, settings, pause).await
}

/// Prints looks: on a screen, as a line each, or as JSON.
#[derive(Debug)]
struct Show {
    terminal: Terminal,
    screen: Screen,
    is_live: bool,
}

impl Show {
    fn new(terminal: Terminal) -> Self {
        Self {
            terminal,
            screen: terminal.screen(),
            is_live: Screen::is_live(),
        }
    }

    /// `false` once the reader has gone (`| head -1`).
    fn look(&mut self, head: &Head<'_>, seen: Option<&Vitals>, since: &Since) -> bool {
        let shown = match self.terminal.output {
            Output::Json => self.terminal.received_json(&json(seen)),
            Output::Text if self.is_live => self.screen.show(&lines(head, seen, since)),
            Output::Text => self.terminal.received(&line(seen)),
        };
        shown.is_ok()
    }
}

async fn local(
    terminal: Terminal,
    settings: &Settings,
    pause: Duration,
) -> Result<(), CommandError> {
    let stack = &settings.stack;
    let target = LocalTarget::new(&settings.folder, None);
    let Some(mut before) = target.status(stack).await? else {
        return Err(super::not_running(&target, stack)?);
    };
    let (mut began, mut since) = (Instant::now(), Since::new(now()));
    let mut show = Show::new(terminal);
    let mut wait = pause.min(FIRST);
    loop {
        tokio::time::sleep(wait).await;
        wait = pause;
        let Some(after) = look(&target, stack).await? else {
            return Err(gone(stack, "`chatctl deploy --local` starts it"));
        };
        let (period, until) = (began.elapsed(), now());
        began = Instant::now();
        let seen = vitals(&before, &after, period, until);
        since.add(&seen);
        let head = Head::Local {
            stack: stack.as_ref(),
            pid: after.pid,
            running: until.saturating_sub(after.started_at),
            pause,
        };
        if !show.look(&head, Some(&seen), &since) {
            return Ok(());
        }
        before = after;
    }
}

/// The status of a stack on this machine; `None` once it does not run. A process that is just ending may not answer.
async fn look(target: &LocalTarget, stack: &StackName) -> Result<Option<LocalStatus>, TargetError> {
    match target.status(stack).await {
        Err(_) => {
            tokio::time::sleep(FIRST).await;
            target.status(stack).await
        }
        answered => answered,
    }
}

/// The error of a stack that has gone while it was watched.
fn gone(stack: &StackName, hint: &str) -> CommandError {
    let message = format!("stack `{stack}` is gone: it ended while it was watched");
    TargetError::new(ErrorKind::Failed, message)
        .with_hint(hint)
        .into()
}

async fn aws(terminal: Terminal, settings: &Settings, pause: Duration) -> Result<(), CommandError> {
    let (target, watched) = asking(terminal, find(settings)).await?;
    let stack = &settings.stack;
    let asked = metrics::asked(&watched);
    let head = Head::Aws {
        stack: stack.as_ref(),
        region: &target.region,
        pause,
        asked,
        price: asked as f64 * prices::METRIC_REQUESTED,
    };
    let mut show = Show::new(terminal);
    let mut failures = 0;
    loop {
        let look = async {
            if target.stacks.record(stack).await?.is_none() {
                return Ok(None);
            }
            target.metrics.latest(&watched, now()).await.map(Some)
        };
        // What AWS does not answer is asked for again.
        let look = async { Ok::<_, TargetError>(look.await) };
        match looking(terminal, look).await? {
            Ok(None) => return Err(gone(stack, "`chatctl deploy` deploys it")),
            Ok(Some(seen)) => {
                failures = 0;
                let since = Since::new(seen.as_ref().map_or(0, |it| it.until - metrics::MINUTE));
                if !show.look(&head, seen.as_ref(), &since) {
                    return Ok(());
                }
            }
            Err(error) if error.kind == ErrorKind::Unreachable && failures < MAX_UNANSWERED => {
                failures += 1;
            }
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(pause).await;
    }
}

/// What is asked for of the stack of `settings`.
async fn find(settings: &Settings) -> Result<(AwsTarget, Watched), CommandError> {
    let target = AwsTarget::connect(&settings.aws).await?;
    if target.stacks.record(&settings.stack).await?.is_none() {
        return Err(not_deployed(settings, &target.region));
    }
    let mut watched = Watched {
        stage: settings.stage.to_string(),
        ..Watched::default()
    };
    for resource in target.stacks.resources(&settings.stack).await? {
        match resource.resource_type.as_str() {
            "AWS::ApiGatewayV2::Api" => watched.api = resource.physical_id,
            "AWS::DynamoDB::Table" => watched.tables.push(resource.physical_id),
            "AWS::Lambda::Function" => {
                let Resource {
                    logical_id,
                    physical_id,
                    ..
                } = resource;
                watched.functions.insert(logical_id, physical_id);
            }
            _ => {}
        }
    }
    Ok((target, watched))
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
