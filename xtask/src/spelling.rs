//! Misspelt words, in prose and in names.

use std::process::Command;

use crate::peers;
use crate::run::{StepError, finish, root};

/// Names each misspelt word with its place.
pub(crate) fn check() -> Result<(), StepError> {
    let mut command = Command::new(peers::set_up_for_spelling()?);
    command.args(["--format", "brief"]).current_dir(root());
    let cure = "remove target/peers/typos, then try again";
    finish(
        command,
        cure,
        "the spell check (correct the word, or name it in typos.toml)",
    )
}
