//! A line that is edited at the terminal, and what appears above it.

use std::io::Write;

use anstyle::Style;
use rustyline_async::{Readline, ReadlineError, SharedWriter};

use super::gate::{Stdout, Text};
use super::printable::printable;

/// Opens an editor whose line begins with `prompt`.
///
/// # Errors
/// The terminal cannot be used.
pub(crate) fn line_editor(prompt: &str) -> Result<(Readline, Above), ReadlineError> {
    let (input, writer) = Readline::new(printable(prompt))?;
    let coloured = Stdout.is_coloured();
    Ok((input, Above { writer, coloured }))
}

/// The lines above an editor's line.
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
