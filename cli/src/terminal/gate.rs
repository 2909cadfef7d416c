//! The gate: all that is printed passes here, and nothing else in the command writes to stdout or stderr.
//!
//! Text is made printable first and painted afterwards. So every escape sequence that reaches a terminal is one of
//! ours, whatever a config, a template, a path, a profile, AWS, a log or a chat contains.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstyle::Style;
use serde::Serialize;

use super::printable::{bounded, escaped, printable_lines, printable_result};
use super::{compiler, wrap};

/// Text on its way to the gate: pieces, each in a style of ours. What the pieces contain need not be harmless.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text(Vec<(Style, String)>);

impl Text {
    /// Adds `text` without a style.
    pub(crate) fn plain(self, text: impl Into<String>) -> Self {
        self.styled(Style::new(), text)
    }

    /// Adds `text` in `style`.
    pub(crate) fn styled(mut self, style: Style, text: impl Into<String>) -> Self {
        self.0.push((style, text.into()));
        self
    }

    /// Adds all of `other`.
    pub(crate) fn and(mut self, other: impl Into<Self>) -> Self {
        self.0.extend(other.into().0);
        self
    }

    /// A compiler's words, with the colours and weights that they ask for. Everything else that a terminal would obey
    /// is shown.
    pub(super) fn from_compiler(words: &str) -> Self {
        Self(compiler::pieces(words))
    }

    /// Its text, for tests.
    #[cfg(test)]
    pub(crate) fn without_style(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The text as it is printed.
    pub(super) fn shown(&self) -> Shown {
        let pieces = self.0.iter().map(|(style, text)| {
            let text = printable_lines(text);
            match *style == Style::new() || text.is_empty() {
                true => text,
                false => format!("{style}{text}{style:#}"),
            }
        });
        Shown(pieces.collect())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::default().plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::default().plain(text)
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

/// What may be printed. Only this file makes it.
#[derive(Debug, Clone)]
pub(crate) struct Shown(String);

impl Shown {
    /// `value` as JSON on one line. Its strings have no character that a terminal obeys: each is escaped, which leaves
    /// the value as it is.
    pub(super) fn json(value: &impl Serialize) -> Self {
        let json = serde_json::to_string(value).expect("our results have a JSON form");
        Self(escaped(&json))
    }

    /// What clap has to tell, painted by it; `plain` is the same without its paint.
    ///
    /// It quotes arguments. Where one of them contains what a terminal obeys, the paint is left out: nothing separates the
    /// one from the other any more. An argument of megabytes is cut.
    pub(super) fn from_clap(painted: String, plain: &str) -> Self {
        let printable = bounded(&printable_lines(plain));
        Self(if printable == plain {
            painted
        } else {
            printable
        })
    }

    /// The same, wrapped to `width`; see [`wrap::wrap`].
    pub(super) fn wrapped(self, width: Option<usize>) -> Self {
        Self(wrap::wrap(&self.0, width))
    }

    /// The same, wrapped behind `indent` columns; see [`wrap::wrap_behind`].
    pub(super) fn wrapped_behind(self, indent: usize, width: Option<usize>) -> Self {
        Self(wrap::wrap_behind(&self.0, indent, width))
    }

    /// The same with every further line stepped in, so that no line of what is quoted can pass for one of chatctl's
    /// own, such as a hint; see [`wrap::stepped_in`].
    pub(super) fn stepped_in(self, columns: usize) -> Self {
        Self(wrap::stepped_in(&self.0, columns))
    }

    /// The same, where the lines belong together: all of them are stepped in by two columns.
    pub(super) fn stepped_in_together(self) -> Self {
        Self(self.0.replace('\n', "\n  "))
    }

    /// This, then `other`.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.0.push_str(&other.0);
        self
    }

    /// The same without colours.
    pub(super) fn without_colours(&self) -> String {
        anstream::adapter::strip_str(&self.0).to_string()
    }

    /// The same for the writer of a library, such as a progress bar or a line editor, which does not leave out colours
    /// by itself.
    pub(super) fn for_writer(&self, coloured: bool) -> String {
        match coloured {
            true => self.0.clone(),
            false => self.without_colours(),
        }
    }
}

/// A place that lines are printed to.
pub(crate) trait Sink {
    /// Prints `line` and ends it.
    ///
    /// # Errors
    /// The reader has gone.
    fn line(&mut self, line: &Shown) -> io::Result<()>;
}

/// stdout, for results.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stdout;

/// stderr, for everything else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stderr;

impl Sink for Stdout {
    fn line(&mut self, line: &Shown) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        writeln!(out, "{}", line.0).and_then(|()| out.flush())
    }
}

impl Stdout {
    /// Prints a result that a program may read: into a file or pipe byte for byte, on a terminal printable.
    ///
    /// # Errors
    /// The reader has gone.
    pub(super) fn result(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let written = match out.is_terminal() {
            true => writeln!(out, "{}", printable_result(text)),
            false => writeln!(out, "{text}"),
        };
        written.and_then(|()| out.flush())
    }

    /// Prints `text`, whose lines have their ends.
    pub(super) fn print(self, text: &Shown) {
        drop(write!(anstream::stdout(), "{}", text.0));
    }

    /// Prints `text`, whose lines have their ends, in place of the last `lines` lines.
    pub(super) fn redraw(self, lines: usize, text: &Shown) -> io::Result<()> {
        let (mut out, text) = (io::stdout().lock(), text.without_colours());
        let back = "\u{1b}[F".repeat(lines);
        write!(out, "{back}\u{1b}[J{text}").and_then(|()| out.flush())
    }

    /// The columns that prose on it has.
    pub(super) fn width(self) -> Option<usize> {
        wrap::width(io::stdout())
    }

    /// The columns of the terminal that it is, whatever their number.
    pub(super) fn columns(self) -> Option<usize> {
        self.size().map(|(columns, _)| columns)
    }

    /// The columns and rows of the terminal that it is.
    pub(super) fn size(self) -> Option<(usize, usize)> {
        size(&io::stdout())
    }

    /// Whether colours are wanted there.
    pub(super) fn is_coloured(self) -> bool {
        anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
    }
}

impl Sink for Stderr {
    fn line(&mut self, line: &Shown) -> io::Result<()> {
        let line = Shown(format!("{}\n", line.0));
        aside(&line, || write!(anstream::stderr(), "{}", line.0))
    }
}

/// What draws on the terminal by itself, such as bars: it makes room for what is printed on stderr.
pub(super) trait Drawing: Send {
    /// Takes the drawing off the terminal, prints `text` by calling `print` or in a way of its own, and draws again.
    fn print(&self, text: &Shown, print: &mut dyn FnMut());

    /// Draws no more, or again.
    fn hide(&self, is_hidden: bool);
}

static DRAWING: Mutex<Option<Box<dyn Drawing>>> = Mutex::new(None);

fn drawing() -> MutexGuard<'static, Option<Box<dyn Drawing>>> {
    DRAWING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on `drawing` makes room for what is printed on stderr; `None` when nothing is drawn any more.
pub(super) fn draws(drawing_now: Option<Box<dyn Drawing>>) {
    *drawing() = drawing_now;
}

/// Prints `text` on stderr by `print`, beside what is drawn there.
fn aside(text: &Shown, print: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    match &*drawing() {
        None => print(),
        Some(drawing) => {
            let (mut print, mut printed) = (Some(print), Ok(()));
            drawing.print(text, &mut || {
                if let Some(print) = print.take() {
                    printed = print();
                }
            });
            printed
        }
    }
}

/// Hides what is drawn on stderr until the answer is dropped.
pub(super) fn hide_drawing() -> impl Drop {
    struct Hidden;
    impl Drop for Hidden {
        fn drop(&mut self) {
            if let Some(drawing) = &*drawing() {
                drawing.hide(false);
            }
        }
    }
    if let Some(drawing) = &*drawing() {
        drawing.hide(true);
    }
    Hidden
}

impl Stderr {
    /// Prints `text`, whose lines have their ends or are to be gone on with.
    pub(super) fn print(self, text: &Shown) {
        drop(aside(text, || {
            let mut err = anstream::stderr().lock();
            write!(err, "{}", text.0).and_then(|()| err.flush())
        }));
    }

    /// The columns that prose on it has.
    pub(super) fn width(self) -> Option<usize> {
        wrap::width(io::stderr())
    }

    /// The columns of the terminal that it is, whatever their number.
    pub(super) fn columns(self) -> Option<usize> {
        size(&io::stderr()).map(|(columns, _)| columns)
    }

    /// Whether colours are wanted there.
    pub(super) fn is_coloured(self) -> bool {
        anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
    }

    /// Whether it is a terminal.
    pub(super) fn is_terminal(self) -> bool {
        io::stderr().is_terminal()
    }
}

/// The columns and rows of the terminal behind `stream`; `None` when there is none.
fn size(stream: &(impl IsTerminal + std::os::fd::AsFd)) -> Option<(usize, usize)> {
    let is_terminal = stream.is_terminal();
    let size = is_terminal.then(|| rustix::termios::tcgetwinsize(stream));
    let size = size?.ok()?;
    (size.ws_col > 0).then_some((size.ws_col.into(), size.ws_row.into()))
}

/// Prints panics through the gate, because their messages may quote what others wrote.
pub(crate) fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::capture();
        let mut text = format!("chatctl failed for a reason that is a fault of its own: {panic}");
        if backtrace.status() == std::backtrace::BacktraceStatus::Captured {
            text.push_str(&format!("\n{backtrace}"));
        }
        // A reader that has gone is no reason for a second panic.
        drop(Stderr.line(&Text::from(text).shown()));
    }));
}

#[cfg(test)]
impl Sink for String {
    fn line(&mut self, line: &Shown) -> io::Result<()> {
        self.push_str(&line.without_colours());
        self.push('\n');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anstyle::AnsiColor;
    use proptest::prelude::*;

    #[test]
    fn text_is_made_printable_first_and_painted_afterwards() {
        let red = AnsiColor::Red.on_default();
        let text = Text::from("a\u{1b}[2J\n").styled(red, "b\u{7}\u{9b}1A");
        assert_eq!(text.shown().0, "a␛[2J\n\u{1b}[31mb␇�1A\u{1b}[0m");
    }

    #[test]
    fn json_keeps_its_value_and_has_nothing_that_a_terminal_obeys() {
        let value = serde_json::json!({ "text": "\u{1b}\u{7f}\u{9b}é\u{202e}\u{e0041}\n\"" });
        let shown = Shown::json(&value).0;
        assert_eq!(
            shown,
            r#"{"text":"\u001b\u007f\u009bé\u202e\udb40\udc41\n\""}"#
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            value
        );
    }

    #[test]
    fn clap_paints_unless_an_argument_paints_too() {
        let painted = "\u{1b}[1merror:\u{1b}[0m no x".to_owned();
        let shown = Shown::from_clap(painted.clone(), "error: no x").0;
        assert_eq!(shown, painted);
        let quoted = "error: no \u{1b}[2Jx";
        let shown = Shown::from_clap(format!("\u{1b}[1m{quoted}"), quoted).0;
        assert_eq!(shown, "error: no ␛[2Jx");
    }

    proptest! {
        #[test]
        fn every_control_character_that_comes_out_is_paint_of_ours(
            texts in prop::collection::vec(any::<String>(), 0..4), width in prop::option::of(20usize..90),
        ) {
            let style = AnsiColor::Cyan.on_default().bold();
            let text = texts.iter().fold(Text::default(), |text, more| text.styled(style, more));
            let shown = text.shown().wrapped(width).0;
            let paint = [style.render().to_string(), style.render_reset().to_string()];
            let rest = paint.iter().fold(shown, |rest, paint| rest.replace(paint, ""));
            prop_assert!(!rest.chars().any(|c| c.is_control() && c != '\n'), "{rest:?}");
        }

        #[test]
        fn a_compiler_paints_and_does_nothing_else(words in ".*(\u{1b}\\[[0-9;]{0,6}[A-Za-z].*){0,4}") {
            let shown = Text::from_compiler(&words).shown().without_colours();
            prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
        }

        #[test]
        fn json_means_the_same_after_the_gate(text in any::<String>()) {
            let shown = Shown::json(&text).0;
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }
    }
}
