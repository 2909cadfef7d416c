//! Everything that is printed. stdout is for results, stderr for talk; with `--output json` stdout carries JSON only.

mod bars;
mod invoked;
mod json;
mod lines;
mod logs;
mod wrap;

use std::io::{BufRead, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

use crate::engine::{DeployEvent, Reporter};
use crate::error::CommandError;
use crate::stack::logs::LogEntry;
use invoked::as_invoked;
pub(crate) use logs::{LogColumns, printable};

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
#[derive(Debug, Clone, Copy)]
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

    /// `text` in the role's style; the stream strips it where colours are not wanted.
    pub(crate) fn paint(self, text: &str) -> String {
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}

/// The ways to show progress.
#[derive(Debug)]
pub(crate) enum AnyReporter {
    Bars(bars::Bars),
    Lines(lines::Lines<anstream::AutoStream<std::io::Stderr>>),
    Json(json::JsonLines<std::io::Stdout>),
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
            Output::Json => AnyReporter::Json(json::JsonLines::new(std::io::stdout())),
            Output::Text if std::io::stderr().is_terminal() && !dumb => {
                AnyReporter::Bars(bars::Bars::new())
            }
            Output::Text => AnyReporter::Lines(lines::Lines::new(anstream::stderr())),
        }
    }

    /// A reporter for a command whose result is all that stdout may carry: silent for scripts.
    pub(crate) fn progress(self) -> AnyReporter {
        match self.output {
            Output::Json => AnyReporter::Silent,
            Output::Text => self.reporter(),
        }
    }

    /// Prints a result, as it is.
    pub(crate) fn result(self, text: &str) {
        // A reader that has gone (`| head -1`) has what it wanted.
        drop(writeln!(anstream::stdout(), "{text}"));
    }

    /// Prints a result that is prose; on a terminal its lines are made to fit.
    pub(crate) fn result_text(self, text: &str) {
        self.result(&wrap::wrap(text, wrap::width(std::io::stdout())));
    }

    /// Prints a result as JSON, on one line.
    pub(crate) fn result_json(self, value: &impl serde::Serialize) {
        self.result(&serde_json::to_string(value).expect("our results have a JSON form"));
    }

    /// Talks to the user; silent for scripts.
    pub(crate) fn say(self, text: &str) {
        if self.output == Output::Text {
            drop(writeln!(anstream::stderr(), "{}", fitting(text)));
        }
    }

    /// Talks to the user in two columns, as the steps of a deployment do; silent for scripts.
    pub(crate) fn step(self, word: &str, text: &str) {
        self.say(&format!(
            "{} {text}",
            Role::Step.paint(&format!("{word:>9}"))
        ));
    }

    /// A reporter for what happens again and again, and is told in other ways.
    pub(crate) fn quiet(self) -> AnyReporter {
        AnyReporter::Silent
    }

    /// Tells what the user must not overlook; silent for scripts, which find it in the result.
    pub(crate) fn warn(self, text: &str) {
        self.say(&Role::Failure.paint(text));
    }

    /// Tells what can be done next; silent for scripts.
    pub(crate) fn hint(self, text: &str) {
        self.say(&Role::Hint.paint(&as_invoked(text)));
    }

    /// Shows a function's log line beside what a command does: on stderr, for scripts on stdout.
    pub(crate) fn log(self, columns: LogColumns, entry: &LogEntry) {
        match self.output {
            Output::Json => self.result_json(&logs::json_line(entry)),
            Output::Text => {
                let width = width_of(&std::io::stderr());
                drop(writeln!(
                    anstream::stderr(),
                    "{}",
                    columns.line(entry, width)
                ));
            }
        }
    }

    /// Prints a function's log line as a result.
    ///
    /// # Errors
    /// The reader has gone.
    pub(crate) fn log_result(self, columns: LogColumns, entry: &LogEntry) -> std::io::Result<()> {
        let line = match self.output {
            Output::Json => logs::json_line(entry).to_string(),
            Output::Text => columns.line(entry, width_of(&std::io::stdout())),
        };
        writeln!(anstream::stdout(), "{line}")
    }

    /// Explains a failure.
    pub(crate) fn failure(self, error: &CommandError) {
        if error.is_answer() {
            return;
        }
        if self.output == Output::Json {
            self.result_json(&serde_json::json!({
                "type": "error", "exitCode": error.exit,
                // A compiler's words may be coloured.
                "message": anstream::adapter::strip_str(&error.story()).to_string(),
                "hint": error.hint().map(as_invoked),
            }));
            return;
        }
        drop(writeln!(
            anstream::stderr(),
            "{}: {}",
            Role::Failure.paint("error"),
            fitting_behind(&error.story(), "error: ".len())
        ));
        if let Some(hint) = error.hint() {
            drop(writeln!(
                anstream::stderr(),
                "{}: {}",
                Role::Hint.paint("hint"),
                fitting_behind(&as_invoked(&plain(hint)), "hint: ".len())
            ));
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
        drop(write!(anstream::stderr(), "{} ", fitting(question)));
        drop(std::io::stderr().flush());
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
            () = crate::interrupt::requested() => {
                drop(writeln!(anstream::stderr()));
                Err(crate::interrupt::interrupted().into())
            }
        }
    }
}

/// `text` in its lines, without anything that a terminal obeys: a hint may quote what a function wrote.
fn plain(text: &str) -> String {
    text.split('\n')
        .map(printable)
        .collect::<Vec<_>>()
        .join("\n")
}

/// `text` as it fits the terminal behind stderr.
fn fitting(text: &str) -> String {
    wrap::wrap(text, wrap::width(std::io::stderr()))
}

/// The same behind `indent` columns that are taken on its first line.
fn fitting_behind(text: &str, indent: usize) -> String {
    wrap::wrap_behind(text, indent, wrap::width(std::io::stderr()))
}

/// The width of the terminal behind `stream`; `None` when there is none.
fn width_of(stream: &(impl IsTerminal + std::os::fd::AsFd)) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// Bytes as a person reads them.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_hint_that_quotes_a_function_moves_no_cursor() {
        let hint = "its functions wrote last:\n  Direct: \u{1b}[2Jgone\r";
        assert_eq!(
            super::plain(hint),
            "its functions wrote last:\n  Direct: ␛[2Jgone␍"
        );
    }
}
