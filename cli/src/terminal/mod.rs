//! Everything that is printed. stdout is for results, stderr for everything else; with `--output json` stdout carries JSON only.
//! All of it passes the [`gate`].

mod bars;
mod compiler;
mod editor;
mod gate;
pub(crate) mod invoked;
mod json;
mod lines;
mod live;
mod logs;
mod printable;
mod role;
mod wrap;

use std::io::{BufRead, IsTerminal};

use crate::error::CommandError;
use chatctl_deploy::engine::requests::EndedRequest;
use chatctl_deploy::engine::{DeployEvent, ErrorKind, Reporter, TargetError};
use chatctl_deploy::stack::logs::LogEntry;
pub(crate) use editor::{Above, end_editing, line_editor};
use gate::{Shown, Sink, Stderr, Stdout};
pub(crate) use gate::{Text, tell_panics};
pub(crate) use invoked::Invocation;
pub(crate) use live::Screen;
pub(crate) use logs::LogColumns;
pub(crate) use printable::{bounded, escaped};
pub(crate) use role::Role;

/// How a command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Text,
    /// For scripts: one JSON value, or one a line while something runs
    Json,
}

/// How much a command says besides its results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Volume {
    /// Warnings, errors and questions only
    Quiet,
    #[default]
    Normal,
    /// Requests, too
    Verbose,
}

/// The user's terminal, or whatever stands in for it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Terminal {
    pub(crate) output: Output,
    pub(crate) volume: Volume,
    /// How the command was called, which decides how its hints spell further ones.
    pub(crate) invocation: Option<&'static Invocation>,
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
            Output::Text if self.volume == Volume::Quiet => AnyReporter::Silent,
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

    /// Whether sentences are wanted that may be overlooked.
    fn is_talking(self) -> bool {
        self.output == Output::Text && self.volume != Volume::Quiet
    }

    /// Talks to the user; silent for scripts.
    pub(crate) fn say(self, text: &str) {
        self.say_painted(text.into());
    }

    /// Says what a question is about. A quiet command says it, too, unless the question is answered beforehand.
    pub(crate) fn say_before_asking(self, text: &str, is_answered: bool) {
        match self.volume {
            Volume::Quiet if !is_answered => self.normal().say(text),
            _ => self.say(text),
        }
    }

    fn normal(self) -> Self {
        Self {
            volume: Volume::Normal,
            ..self
        }
    }

    fn say_painted(self, text: Text) {
        if self.is_talking() {
            // A terminal that has gone is no reason to stop.
            drop(Stderr.line(&fitting(text)));
        }
    }

    /// Shows a request that has ended, where that is wanted.
    pub(crate) fn request(self, request: &EndedRequest) {
        if self.volume == Volume::Verbose {
            let line = bounded(&request.to_string());
            let text = Role::Hint.paint(format!("{:>9}", "request"));
            drop(Stderr.line(&text.plain(format!(" {line}")).shown()));
        }
    }

    /// Talks to the user in two columns, as the steps of a deployment do; silent for scripts.
    pub(crate) fn step(self, word: &str, text: &str) {
        if self.is_talking() {
            drop(Stderr.line(&step_line(word, bounded(text))));
        }
    }

    /// The same for a warning, which a quiet command shows, too.
    pub(crate) fn warn_as_step(self, word: &str, text: &str) {
        self.normal().step(word, text);
    }

    /// A reporter for steps that are shown in another way.
    pub(crate) fn quiet(self) -> AnyReporter {
        AnyReporter::Silent
    }

    /// Prints what the user must not overlook; silent for scripts, which find it in the result.
    pub(crate) fn warn(self, text: &str) {
        if self.output == Output::Text {
            let text = Role::Failure.paint(bounded(text)).shown().stepped_in(2);
            drop(Stderr.line(&text.wrapped(Stderr.width())));
        }
    }

    /// The same between the steps of a deployment, below their words; a script gets a notice among its lines.
    pub(crate) fn warn_between_steps(self, text: &str) {
        match self.output {
            Output::Json => {
                self.result_json(&serde_json::json!({"type": "notice", "message": text}));
            }
            Output::Text => self.warn(&format!("{:10}{text}", "")),
        }
    }

    /// `text` with its commands as this user has to type them.
    fn invoked(self, text: &str) -> String {
        match self.invocation {
            Some(invocation) => invocation.spelt(text),
            None => text.to_owned(),
        }
    }

    /// Prints what can be done next; silent for scripts.
    pub(crate) fn hint(self, text: &str) {
        self.say_painted(Role::Hint.paint(bounded(&self.invoked(text))));
    }

    /// Shows a function's log line beside what a command does: on stderr, for scripts on stdout.
    pub(crate) fn log(self, columns: LogColumns, entry: &LogEntry) {
        match self.output {
            Output::Json => self.result_json(&logs::json_line(entry)),
            Output::Text => drop(Stderr.line(&columns.line(entry, Stderr.columns()).shown())),
        }
    }

    /// A screen for what is looked at again and again.
    pub(crate) fn screen(self) -> Screen {
        Screen::default()
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
        let hint = error.hint().map(|hint| bounded(&self.invoked(hint)));
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
            true => Text::from_compiler(&chain).shown().stepped_in_together(),
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
    /// There is no terminal to ask at, or the user interrupts.
    pub(crate) async fn confirm(self, question: &str, yes: bool) -> Result<bool, TargetError> {
        if yes {
            return Ok(true);
        }
        let answer = self.answer(&format!("{question} [y/N]")).await?;
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks for `word` itself, for what cannot be taken back; `--yes` answers beforehand.
    ///
    /// # Errors
    /// There is no terminal to ask at, or the user interrupts.
    pub(crate) async fn confirm_by_typing(
        self,
        question: &str,
        word: &str,
        yes: bool,
    ) -> Result<bool, TargetError> {
        Ok(yes || self.answer(question).await? == word)
    }

    async fn answer(self, question: &str) -> Result<String, TargetError> {
        if self.output == Output::Json || !std::io::stdin().is_terminal() {
            let message =
                format!("this needs an answer, and there is no terminal to ask: {question}");
            return Err(TargetError::new(ErrorKind::Usage, message)
                .with_hint("say `--yes` to agree beforehand"));
        }
        // Bars would be drawn over the question.
        let _hidden = gate::hide_drawing();
        Stderr.print(&fitting(question).and(&Text::from(" ").shown()));
        // A thread of its own: reading from a terminal cannot be given up, and must not keep Ctrl-C from working.
        let (send, receive) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut answer = String::new();
            let read = std::io::stdin().lock().read_line(&mut answer);
            // After an interruption nothing waits for it.
            drop(send.send(read.map(|_| answer)));
        });
        tokio::select! {
            answer = receive => {
                let answer = answer.ok().and_then(Result::ok).unwrap_or_default();
                Ok(answer.trim().to_owned())
            }
            () = chatctl_deploy::interrupt::requested() => {
                Stderr.print(&Text::from("\n").shown());
                Err(TargetError::interrupted())
            }
        }
    }
}

/// Columns of a step's word and the space behind it.
const STEP_COLUMNS: usize = 10;

/// A step's word in a column of its own, for what there is to say behind it.
fn step_word(word: &str) -> Text {
    Role::Step.paint(format!("{word:>9}")).plain(" ")
}

/// A step's word and what there is to say, in two columns that fit the terminal behind stderr.
fn step_line(word: &str, text: impl Into<Text>) -> Shown {
    let text = text
        .into()
        .shown()
        .stepped_in(STEP_COLUMNS)
        .wrapped_behind(STEP_COLUMNS, Stderr.width());
    step_word(word).shown().and(&text)
}

/// Explains what is wrong with a command line, or prints the help that it asks for: `painted` as clap paints it, `plain`
/// without its paint.
pub(crate) fn tell_usage(painted: String, plain: &str, is_error: bool) {
    let shown = Shown::from_clap(painted, plain);
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
