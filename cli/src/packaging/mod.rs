//! Builds the handlers: one crate, one binary, for every function and every target.
//!
//! For this machine that is an executable, built by plain cargo. For AWS it is a zip, built by what is installed, of an
//! executable that was found fit for Lambda before anything is sent.

mod cargo;
mod cargo_lambda;
mod choice;
mod elf;
mod error;
mod find;
#[cfg(test)]
mod sample;
mod sources;
#[cfg(test)]
mod tests;
mod toolchain;
mod zip;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub(crate) use self::choice::TargetCheck;
use self::elf::Fit;
pub(crate) use self::error::PackagingError;
use self::find::find_crate;
pub(crate) use self::sources::sources;
use self::toolchain::{Programs, Toolchain};
use crate::config::{Architecture, Settings};
use crate::engine::preflight::Check;
use crate::engine::{Reporter, TargetError};

/// The handlers' package and binary.
const PACKAGE: &str = "chat-lambdas";
const BINARY: &str = "chat";

/// The most that the code of a function may have, in bytes, unzipped
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const MOST_CODE: u64 = 250 * 1024 * 1024;

/// Handlers that this machine can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Executable {
    pub(crate) path: PathBuf,
    /// SHA-256 of the bytes, hexadecimal.
    pub(crate) digest: String,
    /// In bytes.
    pub(crate) size: u64,
}

/// Handlers as Lambda takes them. The same executable makes the same artifact, whenever and wherever.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Artifact {
    /// A zip with one executable file, `bootstrap`.
    pub(crate) zip: Vec<u8>,
    /// SHA-256 of the zip, hexadecimal.
    pub(crate) digest: String,
    /// The processor it runs on.
    pub(crate) architecture: Architecture,
    /// Of the executable, in bytes.
    pub(crate) size: u64,
    /// Why it is this processor, and what the executable needs: a few words to show.
    pub(crate) note: String,
}

/// Where handlers for AWS come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source<'a> {
    /// An executable, or a folder that holds `bootstrap`.
    Prebuilt(&'a Path),
    /// The crate that the settings lead to.
    Crate(TargetCheck),
}

/// Makes the handlers for this machine: takes `prebuilt` (an executable, or a folder that holds `bootstrap`), else
/// builds the crate.
///
/// # Errors
/// [`PackagingError`]; a compiler's own words are in [`PackagingError::Compile`], unchanged.
pub(crate) async fn executable(
    settings: &Settings,
    prebuilt: Option<&Path>,
    reporter: &mut impl Reporter,
) -> Result<Executable, PackagingError> {
    executable_by(&Programs::of_environment(), settings, prebuilt, reporter).await
}

async fn executable_by(
    programs: &Programs,
    settings: &Settings,
    prebuilt: Option<&Path>,
    reporter: &mut impl Reporter,
) -> Result<Executable, PackagingError> {
    let path = match prebuilt {
        Some(given) => file_in(given),
        None => {
            let (folder, profile) = (find_crate(settings)?, &settings.handlers.profile);
            cargo::build(&programs.cargo, &folder, profile, &[], reporter).await?
        }
    };
    // As big as it likes, unlike what goes to Lambda: an unoptimised build can be huge.
    let bytes = std::fs::read(&path).map_err(|source| PackagingError::Unreadable {
        path: path.clone(),
        source,
    })?;
    Ok(Executable {
        path,
        digest: digest(&bytes),
        size: bytes.len() as u64,
    })
}

/// Makes the handlers for AWS, for the processor that the config names, else for the one that can be built.
///
/// # Errors
/// [`PackagingError`]: what is needed for the build is missing, it fails, or Lambda could not run what came out of it.
pub(crate) async fn artifact(
    settings: &Settings,
    source: Source<'_>,
    reporter: &mut impl Reporter,
) -> Result<Artifact, PackagingError> {
    artifact_by(&Programs::of_environment(), settings, source, reporter).await
}

async fn artifact_by(
    programs: &Programs,
    settings: &Settings,
    source: Source<'_>,
    reporter: &mut impl Reporter,
) -> Result<Artifact, PackagingError> {
    match source {
        Source::Prebuilt(given) => {
            let (bytes, fit) = read_prebuilt(given, settings.aws.architecture)?;
            Ok(Artifact::of(&bytes, fit, "given"))
        }
        Source::Crate(check) => {
            let folder = find_crate(settings)?;
            let toolchain = Toolchain::detect(programs, &folder).await?;
            let choice = choice::choose(&toolchain, settings.aws.architecture, check)?;
            let profile = &settings.handlers.profile;
            let bytes = cargo_lambda::build(programs, choice, &folder, profile, reporter).await?;
            let fit = elf::inspect(&bytes, Some(choice.architecture));
            let fit = fit.map_err(|why| PackagingError::Unfit {
                what: "the handlers that were built".into(),
                why,
            })?;
            Ok(Artifact::of(&bytes, fit, choice.reason))
        }
    }
}

/// Looks at everything that [`artifact`] would need, and builds nothing.
pub(crate) async fn checks(settings: &Settings, source: Source<'_>) -> Vec<Check> {
    let wanted = settings.aws.architecture;
    let check = match source {
        Source::Prebuilt(given) => {
            let found = read_prebuilt(given, wanted)
                .map(|(_, fit)| format!("handlers given, for {}", fit.architecture.word()));
            return vec![Check::new("handlers", found.map_err(TargetError::from))];
        }
        Source::Crate(check) => check,
    };
    let folder = match find_crate(settings) {
        Ok(folder) => folder,
        Err(error) => return vec![Check::new("handlers", Err(error.into()))],
    };
    let findings = match Toolchain::detect(&Programs::of_environment(), &folder).await {
        Ok(toolchain) => choice::findings(&toolchain, wanted, check),
        Err(error) => vec![("cargo", Err(error))],
    };
    let findings = findings.into_iter();
    findings
        .map(|(subject, finding)| Check::new(subject, finding.map_err(TargetError::from)))
        .collect()
}

impl<'a> Source<'a> {
    /// What the flags say: `--handlers PATH`, `--skip-target-check`.
    pub(crate) fn of_flags(handlers: Option<&'a Path>, skip_target_check: bool) -> Self {
        match handlers {
            Some(path) => Self::Prebuilt(path),
            None if skip_target_check => Self::Crate(TargetCheck::Skipped),
            None => Self::Crate(TargetCheck::Installed),
        }
    }
}

impl Artifact {
    fn of(executable: &[u8], fit: Fit, reason: &str) -> Self {
        let zip = zip::zip(executable);
        let needs = match fit.glibc {
            Some(version) => format!("glibc {version}"),
            None => "static".into(),
        };
        Self {
            digest: digest(&zip),
            zip,
            architecture: fit.architecture,
            size: executable.len() as u64,
            note: format!("{}, {reason}; {needs}", fit.architecture.word()),
        }
    }
}

impl std::fmt::Debug for Artifact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Megabytes of zip are nothing to read.
        f.debug_struct("Artifact")
            .field("digest", &self.digest)
            .field("architecture", &self.architecture)
            .field("note", &self.note)
            .finish_non_exhaustive()
    }
}

fn file_in(given: &Path) -> PathBuf {
    if given.is_dir() {
        given.join(zip::BOOTSTRAP)
    } else {
        given.to_owned()
    }
}

fn read_prebuilt(
    given: &Path,
    wanted: Option<Architecture>,
) -> Result<(Vec<u8>, Fit), PackagingError> {
    let path = file_in(given);
    let bytes = read(&path)?;
    let fit = elf::inspect(&bytes, wanted).map_err(|why| PackagingError::Unfit {
        what: path.display().to_string(),
        why,
    })?;
    Ok((bytes, fit))
}

/// Reads an executable for Lambda, which has a limit.
fn read(path: &Path) -> Result<Vec<u8>, PackagingError> {
    let unreadable = |source| PackagingError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > MOST_CODE {
        return Err(PackagingError::TooBig {
            path: path.to_owned(),
            size,
        });
    }
    std::fs::read(path).map_err(unreadable)
}

/// SHA-256, hexadecimal.
fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
