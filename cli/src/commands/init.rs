//! `chatctl init`

use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use super::{Context, Run};
use crate::error::CommandError;
use crate::terminal::Output;
use chatctl_deploy::config::FILE_NAME;

/// The file that `init` writes; a test reads it back, with and without its comments.
const COMMENTED: &str = include_str!("../../../templates/chatctl.toml");

/// Write a commented chatctl.toml
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::AT_ONCE)]
pub(super) struct InitArgs {
    /// Print it instead of writing it
    #[arg(long)]
    print: bool,
    /// Replace a file that is already there
    #[arg(long)]
    force: bool,
}

impl Run for InitArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let is_json = terminal.output == Output::Json;
        if self.print {
            match is_json {
                true => terminal.result_json(&json!({"type": "result", "text": COMMENTED})),
                false => terminal.result(COMMENTED.trim_end()),
            }
            return Ok(());
        }
        match write(Path::new("."), self.force) {
            Ok(()) if is_json => {
                terminal.result_json(&json!({"type": "result", "file": FILE_NAME}));
                Ok(())
            }
            Ok(()) => {
                terminal.say(&format!("wrote {FILE_NAME}; every key in it is optional"));
                terminal.hint("next: `chatctl deploy --local`");
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(CommandError::usage(
                format!("{FILE_NAME} is already there"),
                "`--force` replaces it, `--print` shows what would be written",
            )),
            Err(error) if error.kind() == ErrorKind::InvalidInput => Err(CommandError::usage(
                format!("{FILE_NAME} is a link or a folder, which `--force` does not replace"),
                "remove it first, or see with `--print` what would be written",
            )),
            Err(error) => Err(CommandError::usage(
                format!("could not write {FILE_NAME}: {error}"),
                "choose a folder that you may write to, on a disk with room",
            )),
        }
    }
}

/// Writes the whole file into `folder`, or nothing; replaces one that is there only `by_force`, and then no link.
fn write(folder: &Path, by_force: bool) -> std::io::Result<()> {
    let path = folder.join(FILE_NAME);
    // Readable by all users, as far as the umask allows: it is source code.
    let mut file = tempfile::Builder::new()
        .prefix(".chatctl.toml.")
        .permissions(PermissionsExt::from_mode(0o666))
        .tempfile_in(folder)?;
    file.write_all(COMMENTED.as_bytes())?;
    if !by_force {
        return file.persist_noclobber(path).map(drop).map_err(Into::into);
    }
    match path.symlink_metadata() {
        Ok(found) if !found.is_file() => Err(ErrorKind::InvalidInput.into()),
        _ => file.persist(path).map(drop).map_err(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatctl_deploy::config::{Overrides, Settings};

    fn settings(text: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        Settings {
            folder: "".into(),
            ..Settings::load(folder.path(), Overrides::default()).unwrap()
        }
    }

    #[test]
    fn a_file_is_replaced_by_force_only_and_what_a_link_leads_to_never() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        let refused = |by_force| write(folder.path(), by_force).unwrap_err().kind();
        write(folder.path(), false).unwrap();
        std::fs::write(&path, "mine").unwrap();
        assert_eq!(refused(false), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
        write(folder.path(), true).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), COMMENTED);
        for target in ["canary", "none"] {
            std::fs::write(folder.path().join("canary"), "canary").unwrap();
            std::fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(target, &path).unwrap();
            assert_eq!(refused(false), ErrorKind::AlreadyExists);
            assert_eq!(refused(true), ErrorKind::InvalidInput);
        }
        let mut left: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .flatten()
            .collect();
        left.sort_by_key(std::fs::DirEntry::file_name);
        let left: Vec<_> = left.iter().map(std::fs::DirEntry::file_name).collect();
        assert_eq!(left, ["canary", FILE_NAME]);
        assert_eq!(
            std::fs::read(folder.path().join("canary")).unwrap(),
            b"canary"
        );
    }

    #[test]
    fn the_file_says_nothing_but_the_defaults() {
        assert_eq!(settings(COMMENTED), settings(""));
    }

    #[test]
    fn every_key_that_it_comments_out_can_be_put_into_force_where_it_stands() {
        let changed = settings(&COMMENTED.replace("\n#: ", "\n"));
        assert_eq!(changed.local_port, Some(8080));
        assert_eq!(changed.routes.len(), 4);
        assert!(changed.handlers.path.is_some() && changed.aws.architecture.is_some());
    }
}
