//! Chat scripts as tests: one text file, played over any implementation.
//!
//! A script reads like the conversation it describes:
//!
//! ```text
//! Tom connects to Jerry
//! Jerry connects to Tom
//! Tom: hi
//! Jerry receives hi
//! Jerry disconnects
//! Tom: are you there?
//! Tom receives the notice
//! ```
//!
//! The grammar is in [`script`], what an implementation must offer in
//! [`World`], and how the two meet in [`play()`]. The same files run over
//! in-memory fakes and over real sockets, so nothing in here names AWS.

pub mod script;

mod changes;
mod deployed;
mod expected;
mod play;
mod quoted;
mod stack;
mod world;

pub use deployed::{Deployed, OverSockets};
pub use play::{Failure, NOTICE, play};
pub use script::{Party, Script, ScriptError};
pub use stack::{Answers, REVIEW_FOLDER, Receivers, Route, STACKS, Stack, review};
pub use world::{Fault, Handshake, Welcome, World};

use std::path::Path;

/// Every script in this package's `scripts` folder, in the order of their file names.
///
/// The folder is read when this is called: a new file needs no registration.
///
/// # Errors
/// [`ScriptError::Unreadable`] for the folder or a file, and whatever [`Script::parse`] says of one.
pub fn scripts() -> Result<Vec<Script>, ScriptError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let unreadable = |path: &Path| {
        let path = path.display().to_string();
        move |source| ScriptError::Unreadable { path, source }
    };

    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(unreadable(&folder))? {
        let path = entry.map_err(unreadable(&folder))?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            files.push(path);
        }
    }
    files.sort();
    files
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).map_err(unreadable(path))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            Script::parse(&name, &text)
        })
        .collect()
}
