//! `chatctl status`

mod aws;
mod watch;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::{Context, Run, StackArgs, TargetArgs};
use crate::error::CommandError;
use crate::terminal::Output;
use chatctl_deploy::config::Settings;
use chatctl_deploy::config::names::StackName;
use chatctl_deploy::engine::{LeftBehind, Machine};
use chatctl_deploy::local::{LocalStatus, LocalTarget, Warnings, template_here};
use chatctl_deploy::stack::page::beside;
use chatctl_deploy::stack::size::megabytes;

/// Show the stack's state, endpoint and functions, and what differs from the config
///
/// For a stack on this machine (`--local`) also the open connections, how long it has been running, its memory, and its
/// warnings. `--watch` shows connections, messages, errors and the times of the functions, again and again.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::status_help())]
pub(super) struct StatusArgs {
    /// Show what the stack does, until Ctrl-C; on AWS by CloudWatch's metrics, which cost a little and come late
    #[arg(long, short)]
    watch: bool,
    /// Seconds between two looks of `--watch` [default: 2, on AWS 60; there no less than 60]
    #[arg(long, value_name = "SECONDS", requires = "watch", value_parser = clap::value_parser!(u64).range(1..=3_600))]
    interval: Option<u64>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    stack: StackArgs,
}

impl Run for StatusArgs {
    const ENDS_ANYWHERE: bool = true;

    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let settings = self.stack.settings(None, Some(&self.target.aws))?;
        if self.watch {
            return watch::run(terminal, &settings, self.target.local, self.interval).await;
        }
        if !self.target.local {
            return aws::run(terminal, &settings).await;
        }
        let target = LocalTarget::new(&settings.folder, None);
        let Some(status) = target.status(&settings.stack).await? else {
            return Err(not_running(&target, &settings.stack)?);
        };
        let differences = differences(&target, &settings)?;
        if terminal.output == Output::Json {
            terminal.result_json(&Local {
                status,
                differences,
            });
        } else {
            let logs = target.state_folder(&settings.stack).join("logs");
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs());
            terminal.result_line(&text(&settings.stack, &status, now));
            terminal.result_line(&format!("logs         {}", logs.display()));
            let log = target.stack_log(&settings.stack);
            for line in warned(&status.warnings, &log, now) {
                terminal.result_line(&line);
            }
            for difference in differences {
                terminal.result_line(&format!("differs      {difference}"));
            }
        }
        Ok(())
    }
}

/// What `--output json` prints of a stack on this machine.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Local {
    #[serde(flatten)]
    status: LocalStatus,
    /// What would change with the next deployment, as for a stack on AWS.
    differences: Vec<String>,
}

/// Whether the config asks for what was deployed. Handlers that were built anew are not looked at.
fn differences(target: &LocalTarget, settings: &Settings) -> Result<Vec<String>, CommandError> {
    let deployed = target.running_template(&settings.stack)?;
    let same = deployed.is_none_or(|deployed| deployed == template_here(settings).template);
    let other = "the config describes another template; `chatctl deploy --local` applies it";
    Ok((!same).then(|| other.to_owned()).into_iter().collect())
}

/// The error of a command that needs a running stack.
pub(super) fn not_running(
    target: &LocalTarget,
    stack: &StackName,
) -> Result<CommandError, CommandError> {
    if let Some(LeftBehind { pid, endpoint }) = target.left_behind(stack)? {
        return Ok(CommandError::usage(
            format!(
                "the folder of local stack `{stack}` is gone, but its process {pid} still serves {endpoint}"
            ),
            "it ends by itself within seconds; `chatctl deploy --local` starts a new one",
        ));
    }
    let message = if target.is_stopped(stack)? {
        format!("local stack `{stack}` was deployed but does not run")
    } else {
        format!("there is no local stack `{stack}`")
    };
    Ok(CommandError::usage(
        message,
        "`chatctl deploy --local` starts it",
    ))
}

fn text(stack: &StackName, status: &LocalStatus, now: u64) -> String {
    let LocalStatus {
        endpoint,
        pid,
        started_at,
        connections,
        functions,
        memory_bytes,
        tables_endpoint: _,
        traffic: _,
        warnings: _,
    } = status;
    let mut lines = vec![
        format!("stack        {stack} (local, process {pid})"),
        format!("endpoint     {endpoint}"),
        format!("page         {}", beside(endpoint)),
        format!("running for  {}", duration(now.saturating_sub(*started_at))),
        format!("connections  {connections}"),
    ];
    if let Some(bytes) = memory_bytes {
        lines.push(format!(
            "memory       {}, all processes together",
            megabytes(*bytes)
        ));
    }
    for (index, (id, function)) in functions.iter().enumerate() {
        let head = if index == 0 { "functions" } else { "" };
        lines.push(format!(
            "{head:<12} {id}: processes {}, invocations {}, errors {}",
            function.processes, function.invocations, function.errors
        ));
    }
    lines.join("\n")
}

/// The lines about warnings, none where there was none; the first thousand are in `log`.
fn warned(warnings: &Warnings, log: &Path, now: u64) -> Vec<String> {
    let Warnings { count, last } = warnings;
    if last.is_empty() {
        return Vec::new();
    }
    let shown = match usize::try_from(*count) {
        Ok(count) if count == last.len() => String::new(),
        _ => format!(", the last {}", last.len()),
    };
    let head = format!(
        "warnings     {count} since the start{shown} ({}):",
        log.display()
    );
    let ago = |at: u64| duration(now.saturating_sub(at));
    let lines = last
        .iter()
        .map(|it| format!("{:<12} {} ago: {}", "", ago(it.at), it.message));
    std::iter::once(head).chain(lines).collect()
}

/// `1 h 2 min`
pub(super) fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatctl_deploy::local::{FunctionStatus, LocalTraffic};
    use expect_test::expect;

    #[test]
    fn the_text_tells_everything_on_lines_of_their_own() {
        let function = FunctionStatus {
            processes: 1,
            invocations: 7,
            errors: 0,
            in_flight: 0,
            ..FunctionStatus::default()
        };
        let status = LocalStatus {
            endpoint: "ws://127.0.0.1:4711/v1".into(),
            pid: 12,
            started_at: 1_000,
            connections: 2,
            functions: [
                ("ConnectFunction".into(), function.clone()),
                ("DirectFunction".into(), function),
            ]
            .into(),
            tables_endpoint: "http://127.0.0.1:4712".into(),
            traffic: LocalTraffic::default(),
            memory_bytes: Some(31_400_000),
            warnings: Warnings::default(),
        };
        expect![[r#"
            stack        chat (local, process 12)
            endpoint     ws://127.0.0.1:4711/v1
            page         http://127.0.0.1:4711/
            running for  1 h 2 min
            connections  2
            memory       31.4 MB, all processes together
            functions    ConnectFunction: processes 1, invocations 7, errors 0
                         DirectFunction: processes 1, invocations 7, errors 0"#]]
        .assert_eq(&text(&"chat".parse().unwrap(), &status, 4_720));
    }
    #[test]
    fn warnings_are_counted_and_the_last_ones_shown() {
        let lines = |said: &[u64]| {
            let mut warnings = Warnings::default();
            for at in said {
                warnings.add(*at, &format!("said at {at}"));
            }
            warned(&warnings, Path::new("/p/stack.log"), 4_000).join("\n")
        };
        assert_eq!(lines(&[]), "");
        expect![[r#"
            warnings     1 since the start (/p/stack.log):
                         50 s ago: said at 3950"#]]
        .assert_eq(&lines(&[3_950]));
        expect![[r#"
            warnings     4 since the start, the last 3 (/p/stack.log):
                         16 min ago: said at 3000
                         1 min ago: said at 3940
                         1 s ago: said at 3999"#]]
        .assert_eq(&lines(&[1, 3_000, 3_940, 3_999]));
    }
}
