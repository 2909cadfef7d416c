//! `chatctl logs`

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::aws::not_deployed;
use super::waits::{MAX_UNANSWERED, asked};
use super::{Context, Run, StackArgs, TargetArgs, status};
use crate::error::CommandError;
use crate::terminal::{LogColumns, Terminal};
use chatctl_deploy::aws::AwsTarget;
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::logs::{LogReader, LogUpdate};
use chatctl_deploy::engine::{ErrorKind, silence};
use chatctl_deploy::local::LocalTarget;
use chatctl_deploy::stack::few::few;
use chatctl_deploy::stack::logs::{LogEntry, names, short};

/// Show the functions' logs
///
/// Lines of all functions, the oldest first; times are UTC. A terminal shows lines up to its width, except warnings; a
/// pipe and `--output json` get them whole. For a stack on AWS, CloudWatch Logs is read with your own credentials; lines
/// can take some seconds to appear there.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::logs_help())]
pub(super) struct LogsArgs {
    /// Keep showing new lines, until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// Only this function, such as `direct`; can be repeated
    #[arg(long, value_name = "NAME")]
    function: Vec<String>,
    /// How far to look back: a number with s, m, h or d
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    since: Duration,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    stack: StackArgs,
}

/// Between two looks at files on this machine.
const LOCAL_PAUSE: Duration = Duration::from_millis(100);

fn duration(text: &str) -> Result<Duration, String> {
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => return Err("it must end with s, m, h or d, as in 10m".into()),
    };
    let number: u64 = text[..text.len() - 1]
        .parse()
        .map_err(|_| "it must be a whole number and s, m, h or d, as in 10m")?;
    // Longer than CloudWatch can keep anything is as good as for ever.
    Ok(Duration::from_secs(
        number.saturating_mul(unit).min(100 * 365 * 86_400),
    ))
}

impl Run for LogsArgs {
    const ENDS_ANYWHERE: bool = true;

    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let settings = self.stack.settings(None, Some(&self.target.aws))?;
        let now = SystemTime::now();
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let since = since.saturating_sub(self.since).as_millis();
        let since = i64::try_from(since).unwrap_or(0);
        if self.target.local {
            local(&self, context.terminal, &settings, since).await
        } else {
            let reporter = RefCell::new(context.terminal.progress());
            silence::reporting(&reporter, aws(&self, context.terminal, &settings, since)).await
        }
    }
}

async fn local(
    args: &LogsArgs,
    terminal: Terminal,
    settings: &Settings,
    since: i64,
) -> Result<(), CommandError> {
    let target = LocalTarget::new(&settings.folder, None);
    let mut logs = target.logs(&settings.stack);
    // Its process is not asked: its logs are also of interest where it does not respond.
    let runs = target.is_running(&settings.stack)?;
    // The logs of a stopped stack remain.
    if !runs && !target.is_stopped(&settings.stack)? && logs.functions().is_empty() {
        return Err(status::not_running(&target, &settings.stack)?);
    }
    let mut functions = target.functions(&settings.stack)?;
    functions.extend(logs.functions());
    check(&args.function, &functions)?;
    let show = Show::new(args, terminal, &functions);
    let mut news = logs.so_far();
    news.retain(|entry| entry.at >= since);
    loop {
        if !show.all(news) || !args.follow {
            return Ok(());
        }
        tokio::time::sleep(LOCAL_PAUSE).await;
        news = logs.news();
    }
}

async fn aws(
    args: &LogsArgs,
    terminal: Terminal,
    settings: &Settings,
    since: i64,
) -> Result<(), CommandError> {
    let finding = async {
        let target = AwsTarget::connect(&settings.aws).await?;
        if target.stacks.record(&settings.stack).await?.is_none() {
            return Err(not_deployed(settings, &target.region));
        }
        let reader = LogReader::for_stack(&target.stacks, &settings.stack, since).await?;
        Ok((target, reader))
    };
    let (target, mut reader) = asked(finding).await?;
    check(&args.function, &reader.functions())?;
    if !args.function.is_empty() {
        reader.keep(&args.function);
    }
    let show = Show::new(args, terminal, &reader.functions());
    let (mut quiet, mut failures) = (0, 0);
    loop {
        let LogUpdate {
            entries: news,
            missing,
        } = reader.news(&target.logs).await;
        let missing = match missing {
            Some(error)
                if args.follow
                    && error.kind == ErrorKind::Unreachable
                    && failures < MAX_UNANSWERED =>
            {
                failures += 1;
                None
            }
            Some(error) => Some(error.after(|| "what could be read is shown".to_owned())),
            None => {
                failures = 0;
                None
            }
        };
        quiet = if news.is_empty() { quiet + 1 } else { 0 };
        let has_reader = show.all(news);
        if let Some(error) = missing {
            return Err(error.into());
        }
        if !has_reader || !args.follow {
            return Ok(());
        }
        tokio::time::sleep(reader.pause(quiet)).await;
    }
}

/// Refuses a name that no function has.
fn check(asked: &[String], functions: &[String]) -> Result<(), CommandError> {
    let unknown = asked
        .iter()
        .find(|asked| !functions.iter().any(|function| names(asked, function)));
    let Some(unknown) = unknown else {
        return Ok(());
    };
    let mut known: Vec<_> = functions.iter().map(|function| short(function)).collect();
    known.sort_unstable();
    known.dedup();
    let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    Err(CommandError::usage(
        format!("the stack has no function `{unknown}`"),
        format!("its functions are {}", few(&known)),
    ))
}

/// Shows the lines of the functions that were asked for.
struct Show<'a> {
    terminal: Terminal,
    columns: LogColumns,
    asked: &'a [String],
}

impl<'a> Show<'a> {
    fn new(args: &'a LogsArgs, terminal: Terminal, functions: &[String]) -> Self {
        let asked = |function: &&String| {
            args.function.is_empty() || args.function.iter().any(|asked| names(asked, function))
        };
        let shown = functions.iter().filter(asked);
        Self {
            terminal,
            columns: LogColumns::new(shown.map(String::as_str)),
            asked: &args.function,
        }
    }

    /// `false` once the reader has gone (`| head -1`).
    fn all(&self, entries: Vec<LogEntry>) -> bool {
        let asked = |entry: &LogEntry| {
            self.asked.is_empty() || self.asked.iter().any(|name| names(name, &entry.function))
        };
        let mut shown = entries.iter().filter(|entry| asked(entry));
        shown.all(|entry| self.terminal.log_result(self.columns, entry).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7_200)));
        assert_eq!(duration("1d"), Ok(Duration::from_secs(86_400)));
        assert!(duration("99999999999999999999d").is_err());
        assert!(duration("9999999999999999d").is_ok());
        for wrong in ["", "10", "m", "-1m", "1.5h", "10é"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_unknown_function_is_refused_with_the_known_ones() {
        let functions = ["DirectFunction".to_owned(), "ConnectFunction".to_owned()];
        assert!(check(&["direct".into()], &functions).is_ok());
        let refused = check(&["dirct".into()], &functions).unwrap_err();
        assert_eq!(
            (refused.exit, refused.hint()),
            (2, Some("its functions are `Connect`, `Direct`"))
        );
    }
}
