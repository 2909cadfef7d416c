//! `chatctl init`

use std::io::{ErrorKind, Write};

use crate::config::FILE_NAME;
use crate::error::CommandError;
use crate::terminal::{Output, Terminal};

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

pub(super) fn run(args: InitArgs) -> Result<(), CommandError> {
    let terminal = Terminal {
        output: Output::Text,
    };
    if args.print {
        terminal.result(COMMENTED.trim_end());
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    if args.force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    match options
        .open(FILE_NAME)
        .and_then(|mut file| file.write_all(COMMENTED.as_bytes()))
    {
        Ok(()) => {
            terminal.say(&format!("wrote {FILE_NAME}; every key in it is optional"));
            terminal.hint("next: `chatctl deploy --local`");
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(CommandError::usage(
            format!("{FILE_NAME} is already there"),
            "`--force` replaces it, `--print` shows what would be written",
        )),
        Err(error) => Err(CommandError::usage(
            format!("could not write {FILE_NAME}: {error}"),
            "choose a folder that you may write to",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, Settings};

    fn settings(text: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        Settings {
            folder: "".into(),
            ..Settings::load(folder.path(), Overrides::default()).unwrap()
        }
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
