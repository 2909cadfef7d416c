//! `chatctl init`

use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use super::{Context, Run};
use crate::error::CommandError;
use crate::terminal::Output;
use chatctl_deploy::config::FILE_NAME;
use chatctl_deploy::reading::text_now;

/// The file that `init` writes; a test reads it back, with and without its comments.
const COMMENTED: &str = include_str!("../../templates/chatctl.toml");

/// What its first line leads editors to; made from the types that read the config.
const SCHEMA: &str = include_str!("../../templates/chatctl.schema.json");

/// Beside the config, so that the two are of one version and no network is needed.
const SCHEMA_NAME: &str = "chatctl.schema.json";

/// How a schema of any version of chatctl begins.
const SCHEMA_BEGINS: &str = "{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n  \"title\": \"chatctl.toml\",";

/// The most bytes of a schema.
const MAX_SCHEMA: u64 = 4 << 20;

/// Write a commented chatctl.toml, and beside it the schema that editors check it with
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::AT_ONCE)]
pub(super) struct InitArgs {
    /// Print the config instead of writing it
    #[arg(long)]
    print: bool,
    /// Print the JSON Schema of chatctl.toml, and write nothing
    #[arg(long, conflicts_with_all = ["print", "force"])]
    schema: bool,
    /// Replace a config that is already there
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
        if self.schema {
            match is_json {
                true => terminal.result_json(&json!({"type": "result", "text": SCHEMA})),
                false => terminal.result(SCHEMA.trim_end()),
            }
            return Ok(());
        }
        match write(Path::new("."), self.force) {
            Ok(()) => {
                if let Err(error) = write_schema(Path::new(".")) {
                    terminal.warn(&format!(
                        "could not write {SCHEMA_NAME}, with which editors check the config: {error}; `chatctl init \
                         --schema` prints it"
                    ));
                }
                if is_json {
                    terminal.result_json(&json!({"type": "result", "file": FILE_NAME}));
                    return Ok(());
                }
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

/// Writes the whole config into `folder`, or nothing; replaces one that is there only `by_force`, and then no link.
fn write(folder: &Path, by_force: bool) -> std::io::Result<()> {
    replace(folder, FILE_NAME, COMMENTED, by_force)
}

/// Writes the schema into `folder`; replaces a schema of another version, and nothing else.
fn write_schema(folder: &Path) -> std::io::Result<()> {
    let there = text_now(&folder.join(SCHEMA_NAME), MAX_SCHEMA);
    let is_ours = there.is_ok_and(|text| text.starts_with(SCHEMA_BEGINS));
    replace(folder, SCHEMA_NAME, SCHEMA, is_ours)
}

fn replace(folder: &Path, name: &str, text: &str, by_force: bool) -> std::io::Result<()> {
    let path = folder.join(name);
    // Readable by all users, as far as the umask allows: it is source code.
    let mut file = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .permissions(PermissionsExt::from_mode(0o666))
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
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
        std::fs::write(folder.path().join("extra.yaml"), "").unwrap();
        Settings {
            folder: "".into(),
            config_file: None,
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
    fn a_schema_is_replaced_where_chatctl_has_written_it_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SCHEMA_NAME);
        let read = || std::fs::read_to_string(&path).unwrap();
        write_schema(folder.path()).unwrap();
        assert!(read().starts_with(SCHEMA_BEGINS));
        std::fs::write(&path, format!("{SCHEMA_BEGINS} of last year")).unwrap();
        write_schema(folder.path()).unwrap();
        assert_eq!(read(), SCHEMA);
        std::fs::write(&path, "{}").unwrap();
        write_schema(folder.path()).unwrap_err();
        assert_eq!(read(), "{}");
        std::fs::remove_file(&path).unwrap();
        std::fs::write(folder.path().join("other"), SCHEMA).unwrap();
        std::os::unix::fs::symlink("other", &path).unwrap();
        write_schema(folder.path()).unwrap_err();
        assert!(path.is_symlink());
    }

    #[test]
    fn the_first_line_leads_editors_to_the_schema_beside_the_config() {
        let first = COMMENTED.lines().next().unwrap();
        assert_eq!(first, format!("#:schema ./{SCHEMA_NAME}"));
    }

    #[test]
    fn the_file_says_nothing_but_the_defaults() {
        assert_eq!(settings(COMMENTED), settings(""));
    }

    #[test]
    fn every_key_that_it_comments_out_can_be_put_into_force_where_it_stands() {
        let changed = settings(&COMMENTED.replace("\n#: ", "\n"));
        assert_eq!(changed.local_port, Some(8080));
        assert_eq!(changed.routes.len(), 6);
        assert!(changed.handlers.path.is_some() && changed.aws.architecture.is_some());
    }
}
