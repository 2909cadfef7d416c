//! Everything that is printed. stdout is for results, stderr for talk; with `--output json` stdout carries JSON only.
//! All of it passes the [`gate`].

mod bars;
mod compiler;
mod editor;
mod gate;
pub(crate) mod invoked;
mod json;
mod lines;
mod logs;
mod printable;
mod wrap;

use std::io::{BufRead, IsTerminal};

use anstyle::{AnsiColor, Style};

use crate::error::CommandError;
use chatctl_deploy::engine::{DeployEvent, Reporter};
use chatctl_deploy::stack::logs::LogEntry;
pub(crate) use editor::{Above, line_editor};
use gate::{Shown, Sink, Stderr, Stdout};
pub(crate) use gate::{Text, tell_panics};
use invoked::as_invoked;
pub(crate) use logs::LogColumns;
pub(crate) use printable::{bounded, escaped};

/// How a command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Text,
    /// For scripts: one JSON value, or one a line while something runs
    Json,
}

/// The user's terminal, or whatever stands in for it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Terminal {
    pub(crate) output: Output,
}

/// What a line is about. Decides its colour, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Step,
    Failure,
    Hint,
}

impl Role {
    pub(crate) fn style(self) -> Style {
        match self {
            Self::Step => AnsiColor::Green.on_default().bold(),
            Self::Failure => AnsiColor::Red.on_default().bold(),
            Self::Hint => AnsiColor::Cyan.on_default(),
        }
    }

    /// `text` in the role's style; the gate leaves colours out where they are not wanted.
    pub(crate) fn paint(self, text: impl Into<String>) -> Text {
        Text::default().styled(self.style(), text)
    }
}

/// The ways to show progress.
#[derive(Debug)]
pub(crate) enum AnyReporter {
    Bars(bars::Bars),
    Lines(lines::Lines<Stderr>),
    Json(json::JsonLines<Stdout>),
    Silent,
}

impl Reporter for AnyReporter {
    fn report(&mut self, event: &DeployEvent) {
        match self {
            Self::Bars(bars) => bars.report(event),
            Self::Lines(lines) => lines.report(event),
            Self::Json(json) => json.report(event),
            Self::Silent => {}
        }
    }
}

impl Terminal {
    /// The reporter that fits: JSON when asked for, bars on a terminal, lines otherwise.
    pub(crate) fn reporter(self) -> AnyReporter {
        let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        match self.output {
            Output::Json => AnyReporter::Json(json::JsonLines::new(Stdout)),
            Output::Text if Stderr.is_terminal() && !dumb => AnyReporter::Bars(bars::Bars::new()),
            Output::Text => AnyReporter::Lines(lines::Lines::new(Stderr)),
        }
    }

    /// A reporter for a command whose result is all that stdout may carry: silent for scripts.
    pub(crate) fn progress(self) -> AnyReporter {
        match self.output {
            Output::Json => AnyReporter::Silent,
            Output::Text => self.reporter(),
        }
    }

    /// Prints a result that a script may read: byte for byte into a file or pipe, printable on a terminal.
    pub(crate) fn result(self, text: &str) {
        // A reader that has gone (`| head -1`) has what it wanted.
        drop(self.received(text));
    }

    /// Prints a text that came in, as [`Terminal::result`] does.
    ///
    /// # Errors
    /// The reader has gone.
    pub(crate) fn received(self, text: &str) -> std::io::Result<()> {
        Stdout.result(text)
    }

    /// Prints a result that is prose: printable anywhere; on a terminal its lines are made to fit.
    pub(crate) fn result_text(self, text: &str) {
        self.result_painted(text.into());
    }

    /// The same for prose with colours.
    pub(crate) fn result_painted(self, text: Text) {
        drop(Stdout.line(&text.shown().wrapped(Stdout.width())));
    }

    /// Prints a line of a result that people read: printable anywhere, and never wrapped.
    pub(crate) fn result_line(self, text: &str) {
        drop(Stdout.line(&Text::from(bounded(text)).shown()));
    }

    /// Prints a result as JSON, on one line.
    pub(crate) fn result_json(self, value: &impl serde::Serialize) {
        drop(self.received_json(value));
    }

    /// The same, for a result whose reader may have gone.
    ///
    /// # Errors
    /// It has.
    pub(crate) fn received_json(self, value: &impl serde::Serialize) -> std::io::Result<()> {
        Stdout.line(&Shown::json(value))
    }

    /// Talks to the user; silent for scripts.
    pub(crate) fn say(self, text: &str) {
        self.say_painted(text.into());
    }

    fn say_painted(self, text: Text) {
        if self.output == Output::Text {
            // A terminal that has gone is no reason to stop.
            drop(Stderr.line(&fitting(text)));
        }
    }

    /// Talks to the user in two columns, as the steps of a deployment do; silent for scripts.
    pub(crate) fn step(self, word: &str, text: &str) {
        let word = Role::Step.paint(format!("{word:>9}"));
        if self.output == Output::Text {
            let text = word.plain(format!(" {}", bounded(text)));
            let text = text.shown().stepped_in(STEP_COLUMNS);
            drop(Stderr.line(&text.wrapped(Stderr.width())));
        }
    }

    /// A reporter for what happens again and again, and is told in other ways.
    pub(crate) fn quiet(self) -> AnyReporter {
        AnyReporter::Silent
    }

    /// Tells what the user must not overlook; silent for scripts, which find it in the result.
    pub(crate) fn warn(self, text: &str) {
        if self.output == Output::Text {
            let text = Role::Failure.paint(bounded(text)).shown().stepped_in(2);
            drop(Stderr.line(&text.wrapped(Stderr.width())));
        }
    }

    /// Tells what can be done next; silent for scripts.
    pub(crate) fn hint(self, text: &str) {
        self.say_painted(Role::Hint.paint(bounded(&as_invoked(text))));
    }

    /// Shows a function's log line beside what a command does: on stderr, for scripts on stdout.
    pub(crate) fn log(self, columns: LogColumns, entry: &LogEntry) {
        match self.output {
            Output::Json => self.result_json(&logs::json_line(entry)),
            Output::Text => drop(Stderr.line(&columns.line(entry, Stderr.columns()).shown())),
        }
    }

    /// Prints a function's log line as a result.
    ///
    /// # Errors
    /// The reader has gone.
    pub(crate) fn log_result(self, columns: LogColumns, entry: &LogEntry) -> std::io::Result<()> {
        match self.output {
            Output::Json => self.received_json(&logs::json_line(entry)),
            Output::Text => Stdout.line(&columns.line(entry, Stdout.columns()).shown()),
        }
    }

    /// Explains a failure.
    pub(crate) fn failure(self, error: &CommandError) {
        if error.is_answer() {
            return;
        }
        let chain = bounded(&error.chain());
        let hint = error.hint().map(|hint| bounded(&as_invoked(hint)));
        if self.output == Output::Json {
            self.result_json(&serde_json::json!({
                "type": "error", "exitCode": error.exit,
                "message": match error.quotes_compiler() {
                    true => compiler::without_colours(&chain),
                    false => chain,
                },
                "hint": hint,
            }));
            return;
        }
        let chain = match error.quotes_compiler() {
            true => Text::of_compiler(&chain).shown().stepped_in_together(),
            false => Text::from(chain).shown().stepped_in(2),
        };
        behind(Role::Failure, "error: ", chain);
        if let Some(hint) = hint {
            let hint = Text::from(hint).shown().stepped_in(2);
            behind(Role::Hint, "hint: ", hint);
        }
    }

    /// Asks a question that `--yes` answers beforehand.
    ///
    /// # Errors
    /// Nobody is there to be asked, or they ask to stop instead.
    pub(crate) async fn confirm(self, question: &str, yes: bool) -> Result<bool, CommandError> {
        if yes {
            return Ok(true);
        }
        let answer = self.answer(&format!("{question} [y/N]")).await?;
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks for `word` itself, for what cannot be taken back; `--yes` answers beforehand.
    ///
    /// # Errors
    /// Nobody is there to be asked, or they ask to stop instead.
    pub(crate) async fn confirm_by_typing(
        self,
        question: &str,
        word: &str,
        yes: bool,
    ) -> Result<bool, CommandError> {
        Ok(yes || self.answer(question).await? == word)
    }

    async fn answer(self, question: &str) -> Result<String, CommandError> {
        if self.output == Output::Json || !std::io::stdin().is_terminal() {
            let message =
                format!("this needs an answer, and there is no terminal to ask: {question}");
            return Err(CommandError::usage(
                message,
                "say `--yes` to agree beforehand",
            ));
        }
        Stderr.print(&fitting(question).and(&Text::from(" ").shown()));
        // A thread of its own: reading from a terminal cannot be given up, and must not keep Ctrl-C from working.
        let (send, receive) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut answer = String::new();
            let read = std::io::stdin().lock().read_line(&mut answer);
            // Nobody waits any more after an interruption.
            drop(send.send(read.map(|_| answer)));
        });
        tokio::select! {
            answer = receive => {
                let answer = answer.ok().and_then(Result::ok).unwrap_or_default();
                Ok(answer.trim().to_owned())
            }
            () = chatctl_deploy::interrupt::requested() => {
                Stderr.print(&Text::from("\n").shown());
                Err(chatctl_deploy::engine::TargetError::interrupted().into())
            }
        }
    }
}

/// Columns of a step's word and the space behind it.
const STEP_COLUMNS: usize = 10;

/// Explains what is wrong with a command line, or prints the help that it asks for: `painted` as clap paints it, `plain`
/// without its paint.
pub(crate) fn tell_usage(painted: String, plain: &str, is_error: bool) {
    let shown = Shown::of_clap(painted, plain);
    match is_error {
        true => Stderr.print(&shown),
        false => Stdout.print(&shown),
    }
}

/// `text` as it fits the terminal behind stderr.
fn fitting(text: impl Into<Text>) -> Shown {
    text.into().shown().wrapped(Stderr.width())
}

/// Prints `text` on stderr behind `label`, and its further lines below it.
fn behind(role: Role, label: &str, text: Shown) {
    let word = label.trim_end_matches(": ");
    let label_shown = role.paint(word).plain(": ").shown();
    let text = text.wrapped_behind(label.len(), Stderr.width());
    drop(Stderr.line(&label_shown.and(&text)));
}

/// Bytes as a person reads them.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
