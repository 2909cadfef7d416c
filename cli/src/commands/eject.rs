//! `chatctl eject`

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use serde_json::json;

use super::aws::build;
use super::{AwsArgs, Context, HandlersArgs, Run, StackArgs, or_interrupted};
use crate::error::CommandError;
use crate::terminal::Output;
use chat_sources::FILES;
use chatctl_deploy::stack::eject::{CODE, Ejected, HANDLERS};
use chatctl_deploy::stack::render::{parameter, render_for_account};

/// Write the stack as a plain CloudFormation template, its code and a script that deploys them without chatctl
///
/// A stack that chatctl has deployed goes on with them: the template has the same logical ids.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::EJECT_HELP)]
pub(super) struct EjectArgs {
    /// The folder to write to, which is made; one that is there must be empty
    #[arg(long, value_name = "DIR", default_value = "ejected")]
    out: PathBuf,
    #[command(flatten)]
    handlers: HandlersArgs,
    #[command(flatten)]
    aws: AwsArgs,
    #[command(flatten)]
    stack: StackArgs,
}

impl Run for EjectArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let (settings, region) = self.stack.settings_in_region(&self.aws).await?;
        // A build takes minutes, so what the folder has is looked at first.
        let folder = plain(&self.out);
        empty(&folder)?;
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
        let template = render_for_account(&settings, &region);
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
        let mut written = Written::default();
        for (path, bytes, mode) in &files {
            let path = folder.join(path);
            let done = written.write(&path, bytes, *mode);
            done.map_err(|error| unwritten(&path, &error))?;
        }
        written.keep();
        let out = folder.display();
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

/// `out` without what makes the same folder look like another one, such as a slash at its end.
fn plain(out: &Path) -> PathBuf {
    let parts = out.components().filter(|part| *part != Component::CurDir);
    let plain: PathBuf = parts.collect();
    match plain.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => plain,
    }
}

/// Refuses a folder with anything in it, so that nothing of the user's is overwritten or mixed in.
///
/// A link on the way from the working folder is refused as well: a foreign clone can have one, and the files would be
/// written where it leads. What is not a folder is found before a build of minutes, too.
fn empty(out: &Path) -> Result<(), CommandError> {
    let is_from_here = out.is_relative();
    let way = out.ancestors().filter(|part| !part.as_os_str().is_empty());
    let mut found = way.filter_map(|part| Some((part, part.symlink_metadata().ok()?)));
    if let Some((link, _)) = found
        .clone()
        .find(|(part, found)| found.is_symlink() && (is_from_here || *part == out))
    {
        return Err(CommandError::usage(
            format!(
                "{} is a link, and nothing is written where it leads",
                link.display()
            ),
            "name another folder with `--out`, or remove the link",
        ));
    }
    if let Some((file, _)) = found.find(|(part, _)| !part.is_dir()) {
        return Err(CommandError::usage(
            format!("{} is not a folder", file.display()),
            "name another folder with `--out`",
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

/// Files and folders that were written, which are removed again unless all of them were.
#[derive(Default)]
struct Written {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Written {
    fn write(&mut self, path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
        let mut missing: Vec<&Path> = path.ancestors().skip(1).collect();
        missing.retain(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        for folder in missing.into_iter().rev() {
            std::fs::DirBuilder::new().mode(0o777).create(folder)?;
            self.folders.push(folder.to_owned());
        }
        let mut file = std::fs::OpenOptions::new();
        let mut file = file.write(true).create_new(true).mode(mode).open(path)?;
        self.files.push(path.to_owned());
        file.write_all(bytes)
    }

    fn keep(mut self) {
        self.files.clear();
        self.folders.clear();
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        for file in &self.files {
            drop(std::fs::remove_file(file));
        }
        // A folder in which there is something else stays.
        for folder in self.folders.iter().rev() {
            drop(std::fs::remove_dir(folder));
        }
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::usage(
        format!("could not write {}: {error}", path.display()),
        "choose with `--out` a folder that you may write to, on a disk with room; nothing was left of what was written",
    )
}
