//! `cargo xtask dist`: what a release holds for this machine's system, in one archive.

mod archive;
mod check;
mod contents;
mod notices;

use std::path::PathBuf;
use std::time::Instant;

use self::contents::VERSION;
use crate::cross::{self, GLIBC, Processor};
use crate::run::{StepError, at, target};
use crate::{release, say};

/// The largest command that is distributed, in bytes.
const MAX_COMMAND: u64 = 20_000_000;

pub(crate) const USAGE: &str = "\
usage: cargo xtask dist [--out FOLDER] [--tag vVERSION]
       cargo xtask dist --check ARCHIVE

  --out FOLDER           where the archive and its sum are written (target/dist)
  --tag TAG              fail unless this is the tag of the version that is built
  --command FILE         a built command to pack, instead of building one
  --handlers PLACE=FILE  built handlers to pack, with --command: x86_64, arm64, and local on macOS; may be repeated
  --fast                 compress little
  --check ARCHIVE        unpack an archive into an empty folder, and deploy a chat on this machine with it, without Rust
";

/// Programs to pack.
#[derive(Debug)]
struct Programs {
    command: PathBuf,
    /// By the folder that the command looks for them in.
    handlers: Vec<(String, PathBuf)>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    out: Option<PathBuf>,
    tag: Option<String>,
    command: Option<PathBuf>,
    handlers: Vec<(String, PathBuf)>,
    is_fast: bool,
    check: Option<PathBuf>,
}

/// Makes the archive, or checks one.
///
/// # Errors
/// A build fails, or what was built is not fit for others.
pub(crate) fn run(arguments: &[String]) -> Result<(), StepError> {
    let options = Options::parse(arguments)?;
    if let Some(archive) = &options.check {
        return check::check(archive);
    }
    if let Some(tag) = options
        .tag
        .as_ref()
        .filter(|tag| **tag != format!("v{VERSION}"))
    {
        let message = format!("the tag is {tag}, but Cargo.toml has the version {VERSION}");
        return Err(StepError::Other(message));
    }
    let programs = match options.command {
        Some(command) => Programs {
            command,
            handlers: options.handlers,
        },
        None => Programs::build()?,
    };
    let out = options.out.unwrap_or_else(|| target().join("dist"));
    let compression = if options.is_fast { 1 } else { 9 };
    let path = contents::collect(&programs)?.write(&out, compression)?;
    let size = path.metadata().map_err(|error| at(&path, error))?.len();
    say(&format!("{}: {}", path.display(), megabytes(size)));
    Ok(())
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, StepError> {
        let mut options = Self::default();
        let mut words = arguments.iter();
        let wrong = |what: String| StepError::Other(format!("{what}\n\n{USAGE}"));
        while let Some(word) = words.next() {
            if word == "--fast" {
                options.is_fast = true;
                continue;
            }
            let value = words.next();
            let value = value.ok_or_else(|| wrong(format!("{word} needs a value")))?;
            match word.as_str() {
                "--out" => options.out = Some(value.into()),
                "--tag" => options.tag = Some(value.clone()),
                "--command" => options.command = Some(value.into()),
                "--check" => options.check = Some(value.into()),
                "--handlers" => match value.split_once('=') {
                    Some((place @ ("x86_64" | "arm64" | "local"), path)) => {
                        options.handlers.push((place.to_owned(), path.into()));
                    }
                    _ => return Err(wrong(format!("--handlers {value}: PLACE=FILE is wanted"))),
                },
                _ => return Err(wrong(format!("{word} is no option"))),
            }
        }
        if options.command.is_some() == options.handlers.is_empty() {
            return Err(wrong("--command and --handlers go together".into()));
        }
        Ok(options)
    }
}

impl Programs {
    fn build() -> Result<Self, StepError> {
        let began = Instant::now();
        let mut handlers = Vec::new();
        for processor in Processor::ALL {
            let path = release::handlers(processor)?;
            fit(&path, u64::MAX)?;
            handlers.push((processor.word().to_owned(), path));
        }
        if !cfg!(target_os = "linux") {
            handlers.push(("local".to_owned(), release::local_handlers()?));
        }
        let command = release::command()?;
        fit(&command, MAX_COMMAND)?;
        say(&format!("built in {:.0} s", began.elapsed().as_secs_f64()));
        Ok(Self { command, handlers })
    }
}

/// Checks the size of the program at `path`, and on which systems it runs.
fn fit(path: &std::path::Path, max: u64) -> Result<(), StepError> {
    let bytes = std::fs::read(path).map_err(|error| at(path, error))?;
    let size = bytes.len() as u64;
    say(&format!("{}: {}", path.display(), megabytes(size)));
    let unfit = |why: String| StepError::Other(format!("{}: {why}", path.display()));
    if size > max {
        return Err(unfit(format!("it may have at most {}", megabytes(max))));
    }
    let newest = cross::newest_glibc(&bytes).unwrap_or(0);
    match format!("2.{newest}") {
        needed if GLIBC[2..].parse().is_ok_and(|has: u32| newest > has) => Err(unfit(format!(
            "it needs glibc {needed}, but the oldest system that it is for has {GLIBC}"
        ))),
        _ => Ok(()),
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Options, String> {
        let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words).map_err(|error| error.to_string())
    }

    #[test]
    fn programs_are_given_all_together_or_built_all_together() {
        let given = parsed("--command c --handlers arm64=a --handlers x86_64=x --fast").unwrap();
        assert_eq!(given.handlers[0], ("arm64".to_owned(), "a".into()));
        assert!(given.is_fast);
        assert_eq!(parsed("").unwrap(), Options::default());
        for wrong in [
            "--command c",
            "--handlers x86_64=x",
            "--handlers riscv=x --command c",
            "--out",
            "--what x",
        ] {
            assert!(parsed(wrong).unwrap_err().contains("usage:"), "{wrong}");
        }
    }

    #[test]
    fn a_tag_of_another_version_is_refused_before_anything_is_built() {
        let words = ["--tag", "v99.0.0"].map(str::to_owned);
        let error = run(&words).unwrap_err().to_string();
        assert!(
            error.contains("v99.0.0") && error.contains(VERSION),
            "{error}"
        );
    }

    #[test]
    fn a_program_that_is_too_large_or_for_newer_systems_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        std::fs::write(&path, "GLIBC_2.34").unwrap();
        fit(&path, 10).unwrap();
        assert!(fit(&path, 9).unwrap_err().to_string().contains("at most"));
        std::fs::write(&path, "GLIBC_2.39").unwrap();
        let error = fit(&path, 10).unwrap_err().to_string();
        assert!(error.contains("glibc 2.39"), "{error}");
    }
}
