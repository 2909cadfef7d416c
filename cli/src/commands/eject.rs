//! `chatctl eject`

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::aws::{build, template};
use super::{AwsArgs, Context, HandlersArgs, Run, StackArgs, or_interrupted};
use crate::error::CommandError;
use crate::terminal::Output;
use chat_sources::FILES;
use chatctl_deploy::aws::named_region;
use chatctl_deploy::config::ConfigError;
use chatctl_deploy::stack::eject::{CODE, Ejected, HANDLERS};
use chatctl_deploy::stack::render::parameter;

/// Write the stack as a plain CloudFormation template, its code and a script that deploys them without chatctl
///
/// A stack that chatctl has deployed goes on with them: the template has the same logical ids.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::AT_ONCE)]
pub(super) struct EjectArgs {
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    aws: AwsArgs,
    #[command(flatten)]
    handlers: HandlersArgs,
    /// The folder to write to, which is made; one that is there must be empty
    #[arg(long, value_name = "DIR", default_value = "ejected")]
    out: PathBuf,
}

impl Run for EjectArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let settings = self.stack.settings(None, Some(&self.aws))?;
        settings.check_keys()?;
        let region = named_region(&settings.aws).await.unwrap_or_default();
        if !region.is_empty() {
            let checked = settings.aws.rules.check_region(&region);
            checked.map_err(ConfigError::Invalid)?;
        }
        // A build takes minutes, so what the folder has is looked at first.
        empty(&self.out)?;
        let built = {
            let mut reporter = terminal.progress();
            or_interrupted(build(
                &settings,
                self.handlers.source(),
                None,
                &mut reporter,
            ))
            .await?
        };
        let template = template(&settings, &region);
        let ejected = Ejected {
            settings: &settings,
            template: &template,
            region: &region,
            code: built
                .iter()
                .map(|(name, artifact)| (name.clone(), artifact.architecture))
                .collect(),
        };
        let mut files: Vec<(PathBuf, Vec<u8>, u32)> = Vec::new();
        for file in ejected.files() {
            let mode = if file.is_program { 0o777 } else { 0o666 };
            files.push((file.name.into(), file.text.into_bytes(), mode));
        }
        if built.contains_key(parameter::CODE_KEY) {
            let sources = FILES.iter();
            files.extend(sources.map(|(path, text)| {
                (
                    Path::new(HANDLERS).join(path),
                    text.as_bytes().to_vec(),
                    0o666,
                )
            }));
        }
        for (name, artifact) in built {
            let path = Path::new(CODE).join(format!("{name}.zip"));
            files.push((path, artifact.zip, 0o666));
        }
        for (path, bytes, mode) in &files {
            let path = self.out.join(path);
            write(&path, bytes, *mode).map_err(|error| unwritten(&path, &error))?;
        }
        let out = self.out.display();
        if terminal.output == Output::Json {
            let names: Vec<_> = files
                .iter()
                .map(|(path, ..)| path.display().to_string())
                .collect();
            terminal.result_json(&json!({
                "type": "result", "stack": settings.stack, "folder": out.to_string(), "files": names,
            }));
            return Ok(());
        }
        terminal.say(&format!("wrote {} files to {out}", files.len()));
        terminal.hint(&format!("next: read {out}/README.md"));
        Ok(())
    }
}

/// Refuses a folder with anything in it, so that nothing of the user's is overwritten or mixed in.
///
/// A link is refused as well: a foreign clone can have one, and the files would be written where it leads.
fn empty(out: &Path) -> Result<(), CommandError> {
    if out.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
        return Err(CommandError::usage(
            format!(
                "{} is a link, and nothing is written where it leads",
                out.display()
            ),
            "name another folder with `--out`, or remove the link",
        ));
    }
    let mut entries = match std::fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unwritten(out, &error)),
    };
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(CommandError::usage(
            format!(
                "{} is not empty, and nothing in it is overwritten",
                out.display()
            ),
            "name another folder with `--out`, or empty this one",
        )),
    }
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o777)
            .create(folder)?;
    }
    let mut file = std::fs::OpenOptions::new();
    let mut file = file.write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)
}

fn unwritten(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::usage(
        format!("could not write {}: {error}", path.display()),
        "choose with `--out` a folder that you may write to, on a disk with room; remove what was written of it",
    )
}
