//! A line that is edited at the terminal, and what appears above it.

use std::io::Write;

use anstyle::Style;
use rustyline_async::{Readline, ReadlineError, SharedWriter};

use super::gate::{Drawing, Shown, Stdout, Text, draws};
use super::printable::printable;

/// Opens an editor whose line begins with `prompt`.
///
/// # Errors
/// The terminal cannot be used.
pub(crate) fn line_editor(prompt: &str) -> Result<(Readline, Above), ReadlineError> {
    let (input, writer) = Readline::new(printable(prompt))?;
    let coloured = Stdout.is_coloured();
    let above = Above { writer, coloured };
    draws(Some(Box::new(above.clone())));
    Ok((input, above))
}

/// The lines above an editor's line, as long as it is edited.
#[derive(Clone)]
pub(crate) struct Above {
    writer: SharedWriter,
    coloured: bool,
}

impl Above {
    /// Shows `text` as one line.
    pub(crate) fn line(&mut self, style: Style, text: &str) {
        let shown = Text::default().styled(style, printable(text)).shown();
        // Whole lines only: the editor draws its own line again after each.
        let line = format!("{}\n", shown.for_writer(self.coloured));
        drop(self.writer.write_all(line.as_bytes()));
    }
}

/// What is printed on stderr meanwhile appears above the line, too.
impl Drawing for Above {
    fn print(&self, text: &Shown, _print: &mut dyn FnMut()) {
        let mut writer = self.writer.clone();
        drop(writer.write_all(text.for_writer(self.coloured).as_bytes()));
    }

    fn hide(&self, _is_hidden: bool) {
        // Nothing is asked while a line is edited.
    }
}

/// Ends the editing: what is printed from now on goes to stderr itself.
pub(crate) fn end_editing() {
    draws(None);
}
