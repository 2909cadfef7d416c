//! What an archive holds. It can be unpacked over a prefix such as ~/.local.

use std::path::Path;
use std::process::Command;

use super::Programs;
use super::archive::Archive;
use super::notices;
use crate::release::SYSTEM;
use crate::run::{StepError, at, root};
use crate::sbom;

/// The version of the workspace.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where the command looks for built handlers beside itself.
const HANDLERS: &str = "share/chatctl/handlers";

/// Where shells look for completions below a prefix.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "share/bash-completion/completions/chatctl"),
    ("fish", "share/fish/vendor_completions.d/chatctl.fish"),
    ("zsh", "share/zsh/site-functions/_chatctl"),
];

const DOCUMENTS: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// The archive of `programs` for this machine's system.
pub(super) fn collect(programs: &Programs) -> Result<Archive, StepError> {
    let mut archive = Archive::new(format!("chatctl-{VERSION}-{SYSTEM}"));
    archive.add_program("bin/chatctl", read(&programs.command)?);
    archive.add(format!("{HANDLERS}/version"), format!("{VERSION}\n"));
    for (place, path) in &programs.handlers {
        archive.add_program(format!("{HANDLERS}/{place}/chat"), read(path)?);
    }
    for (shell, path) in COMPLETIONS {
        let script = output(&programs.command, &["completions".as_ref(), shell.as_ref()])?;
        archive.add(path, script);
    }
    for (name, page) in man_pages(&programs.command)? {
        archive.add(format!("share/man/man1/{name}"), page);
    }
    for name in DOCUMENTS {
        archive.add(document(name), read(&root().join(name))?);
    }
    archive.add(document("THIRD-PARTY-LICENSES.txt"), notices::text(SYSTEM)?);
    for described in sbom::documents(SYSTEM)? {
        archive.add(document(&described.name), described.text);
    }
    Ok(archive)
}

fn document(name: &str) -> String {
    format!("share/doc/chatctl/{name}")
}

fn man_pages(command: &Path) -> Result<Vec<(String, Vec<u8>)>, StepError> {
    let folder = tempfile::tempdir().map_err(|error| at(Path::new("a temporary folder"), error))?;
    output(command, &["man-pages".as_ref(), folder.path()])?;
    let entries = std::fs::read_dir(folder.path()).map_err(|error| at(folder.path(), error))?;
    let pages = entries.flatten().map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        Ok((name, read(&entry.path())?))
    });
    pages.collect()
}

/// What `command` prints.
fn output(command: &Path, words: &[&Path]) -> Result<Vec<u8>, StepError> {
    let output = Command::new(command).args(words).output();
    let output = output.map_err(|error| at(command, error))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(StepError::Other(format!(
            "{} failed: {}",
            command.display(),
            String::from_utf8_lossy(&output.stderr)
        ))),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, StepError> {
    std::fs::read(path).map_err(|error| at(path, error))
}
