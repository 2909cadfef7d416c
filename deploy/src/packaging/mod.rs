//! Builds the functions' executables: one for all of our handlers, and one for each of the user's crates.
//!
//! For this machine, plain cargo builds an executable. For AWS, the installed tools build an executable, which is
//! checked to run on Lambda and zipped before anything is sent.

mod cargo;
mod cargo_lambda;
mod carried;
mod checks;
mod choice;
mod counting;
mod digest;
mod elf;
mod error;
mod find;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod given;
mod installed;
mod limits;
mod manifest;
mod metadata;
mod owner;
mod paths;
mod plan;
#[cfg(test)]
mod sample;
mod shared;
mod sources;
mod target;
#[cfg(test)]
mod tests;
mod toolchain;
mod zip;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

pub use self::checks::checks;
pub use self::choice::TargetCheck;
use self::choice::{Builder, Wanted};
use self::counting::Counting;
pub(crate) use self::digest::copy_hashed;
use self::digest::digest;
use self::elf::Fit;
pub use self::error::PackagingError;
use self::given::{file_in, read, read_prebuilt};
use self::manifest::Crate;
use self::paths::SourceFolders;
pub use self::plan::{Machine, Planned, plan};
pub use self::sources::sources;
use self::target::triple;
use self::toolchain::{Programs, Toolchain};
use crate::config::{Architecture, Settings};
use crate::engine::{DeployEvent, Reporter};
pub(crate) use crate::stack::code::is_digest;
use crate::stack::code::{Code, Origin};
use crate::stack::few::few;
use crate::stack::size::megabytes;

/// An executable for this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// Its name in messages.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// SHA-256 of the bytes, hexadecimal.
    pub digest: String,
    /// In bytes.
    pub size: u64,
}

/// A zip for Lambda. The same executable always makes the same artifact.
#[derive(Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its name in messages.
    pub name: String,
    /// A zip with one executable file, `bootstrap`.
    pub zip: Vec<u8>,
    /// SHA-256 of the zip, hexadecimal.
    pub digest: String,
    /// The processor it runs on.
    pub architecture: Architecture,
    /// The executable's size in bytes.
    pub size: u64,
    /// A short note: why this processor, and what the executable requires.
    pub note: String,
}

/// The source of our handlers for AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'a> {
    /// An executable, or a folder that contains `bootstrap`.
    Prebuilt(&'a Path),
    /// The crate that the settings select.
    Crate(TargetCheck),
}

/// The built code, by the template's parameter for it.
pub type Built<T> = BTreeMap<String, T>;

/// Builds all code of `settings`' functions for this machine. If `prebuilt` is set (an executable, or a folder that
/// contains `bootstrap`), it is used for ours.
///
/// # Errors
/// [`PackagingError`]; [`PackagingError::Compile`] has the compiler's unchanged output.
pub async fn executables(
    settings: &Settings,
    prebuilt: Option<&Path>,
    reporter: &mut impl Reporter,
) -> Result<Built<Executable>, PackagingError> {
    executables_by(&Programs::from_environment(), settings, prebuilt, reporter).await
}

/// The executables with their sizes, in a few words.
pub fn sizes(built: &Built<Executable>) -> String {
    let sizes = built
        .values()
        .map(|executable| format!("{} {}", executable.name, megabytes(executable.size)));
    few(&sizes.collect::<Vec<_>>())
}

async fn executables_by(
    programs: &Programs,
    settings: &Settings,
    prebuilt: Option<&Path>,
    reporter: &mut impl Reporter,
) -> Result<Built<Executable>, PackagingError> {
    // Builds take minutes, so a missing crate is reported before the first one.
    let mut origins = Vec::new();
    for code in Code::for_settings(settings) {
        let origin = found(programs, &code, settings, prebuilt).await;
        let origin = origin.map_err(|error| error.with_route(&code))?;
        origins.push((code, origin));
    }
    let reporter = &mut Counting::new(reporter);
    let mut built = Built::new();
    let mut crates: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for (code, origin) in origins {
        let path = match origin {
            Found::Built(path) => Ok(path),
            Found::Crate(found) => {
                reporter.report(&building(&code, &found));
                path_of(programs, found, settings, &mut crates, reporter).await
            }
        };
        let executable = path.and_then(|path| Executable::read(code.name(), path));
        let executable = executable.map_err(|error| error.with_route(&code))?;
        built.insert(code.parameter, executable);
    }
    Ok(built)
}

/// The source of an executable.
enum Found {
    Built(PathBuf),
    Crate(Crate),
}

/// Where the executable of `code` for this machine comes from.
async fn found(
    programs: &Programs,
    code: &Code,
    settings: &Settings,
    prebuilt: Option<&Path>,
) -> Result<Found, PackagingError> {
    if let (Origin::Own, Some(given)) = (&code.origin, prebuilt) {
        return Ok(Found::Built(file_in(given)));
    }
    match find::installed(code, settings)?.here() {
        Some(path) => Ok(Found::Built(path.to_owned())),
        None => {
            let found = Crate::find(programs, code, settings).await?;
            // A crate that the config names is built as it is.
            let shares = code.origin == Origin::Own && settings.handlers.path.is_none();
            let found = match shares {
                true => {
                    let profile = &settings.handlers.profile;
                    shared::with_the_command(programs, found, profile).await
                }
                false => found,
            };
            Ok(Found::Crate(found))
        }
    }
}

/// Builds `found`; `crates` are those that were built before, by the path of their binary.
async fn path_of(
    programs: &Programs,
    found: Crate,
    settings: &Settings,
    crates: &mut BTreeMap<PathBuf, PathBuf>,
    reporter: &mut impl Reporter,
) -> Result<PathBuf, PackagingError> {
    let shared = found.shared.clone();
    let profile = shared.as_ref().unwrap_or(&settings.handlers.profile);
    // With other flags nothing could be shared.
    let places = match paths::hides(profile) && shared.is_none() {
        true => Some(SourceFolders::for_crate(programs, &found).await),
        false => None,
    };
    let found = match &places {
        Some(places) => places.hidden(programs, found, None),
        None => found,
    };
    let path = cargo::build(&programs.cargo, &found, profile, &[], reporter).await?;
    if let Some(places) = places {
        places.report_rest(&std::fs::read(&path).unwrap_or_default(), reporter);
    }
    // If crates share a target folder, one build would overwrite the other's binary.
    match crates.insert(path.clone(), found.folder.clone()) {
        Some(other) if other != found.folder => Err(PackagingError::SameFile {
            path,
            crates: [other, found.folder],
        }),
        _ => Ok(path),
    }
}

/// Puts our handlers last, unless they are given: built ones may be installed for every processor, but the user's crates
/// are built for one.
fn order(mut codes: Vec<Code>, source: Source<'_>) -> Vec<Code> {
    let is_given = matches!(source, Source::Prebuilt(_));
    codes.sort_by_key(|code| !is_given && code.origin == Origin::Own);
    codes
}

/// The event for the crate that is built next.
fn building(code: &Code, found: &Crate) -> DeployEvent {
    DeployEvent::Building {
        name: code.name().to_owned(),
        folder: found.folder.clone(),
    }
}

/// Builds all code of `settings`' functions for AWS. The processor is the one in the config, else `deployed`, that of
/// the deployed functions, else one that can be built; it is the same for all functions. `source` is the source of
/// ours.
///
/// # Errors
/// [`PackagingError`]: a prerequisite is missing, the build fails, or Lambda cannot run the result.
pub async fn artifacts(
    settings: &Settings,
    source: Source<'_>,
    deployed: Option<Architecture>,
    reporter: &mut impl Reporter,
) -> Result<Built<Artifact>, PackagingError> {
    let programs = Programs::from_environment();
    artifacts_by(&programs, settings, source, deployed, reporter).await
}

async fn artifacts_by(
    programs: &Programs,
    settings: &Settings,
    source: Source<'_>,
    deployed: Option<Architecture>,
    reporter: &mut impl Reporter,
) -> Result<Built<Artifact>, PackagingError> {
    let reporter = &mut Counting::new(reporter);
    let mut built = Built::new();
    let mut wanted = Wanted::new(settings.aws.architecture, deployed);
    for code in order(Code::for_settings(settings), source) {
        let artifact = match (&code.origin, source) {
            (Origin::Own, Source::Prebuilt(given)) => read_prebuilt(given, wanted.fixed())
                .map(|(bytes, fit)| Artifact::new(code.name(), &bytes, fit, "given")),
            (_, source) => {
                artifact_of(programs, &code, settings, wanted, source.check(), reporter).await
            }
        };
        let artifact = artifact.map_err(|error| error.with_route(&code))?;
        wanted = wanted.like_the_others(artifact.architecture);
        built.insert(code.parameter, artifact);
    }
    Ok(built)
}

async fn artifact_of(
    programs: &Programs,
    code: &Code,
    settings: &Settings,
    wanted: Wanted,
    check: TargetCheck,
    reporter: &mut impl Reporter,
) -> Result<Artifact, PackagingError> {
    let installed = find::installed(code, settings)?;
    if let Some((architecture, path)) = installed.lambda(wanted.fixed(), wanted.deployed()) {
        let (bytes, fit) = read_prebuilt(path, Some(architecture))?;
        return Ok(Artifact::new(code.name(), &bytes, fit, "built beforehand"));
    }
    let found = Crate::find(programs, code, settings).await?;
    let toolchain = Toolchain::detect(programs, &found.folder).await?;
    let choice = choice::choose(&toolchain, wanted, check)?;
    reporter.report(&building(code, &found));
    let places = SourceFolders::for_crate(programs, &found).await;
    let target = match choice.builder {
        Builder::Cargo => None,
        Builder::Zig | Builder::CargoLambda => Some(triple(choice.architecture)),
    };
    let found = places.hidden(programs, found, target);
    let profile = &settings.handlers.profile;
    let bytes = cargo_lambda::build(programs, choice, &found, profile, reporter).await?;
    places.report_rest(&bytes, reporter);
    let fit = elf::inspect(&bytes, Some(choice.architecture));
    let fit = fit.map_err(|why| PackagingError::Unfit {
        what: "the handlers that were built".into(),
        why,
    })?;
    Ok(Artifact::new(code.name(), &bytes, fit, choice.reason))
}

impl<'a> Source<'a> {
    /// The source that the flags select: `--handlers PATH`, `--skip-target-check`.
    pub fn from_flags(handlers: Option<&'a Path>, skip_target_check: bool) -> Self {
        match handlers {
            Some(path) => Self::Prebuilt(path),
            None if skip_target_check => Self::Crate(TargetCheck::Skipped),
            None => Self::Crate(TargetCheck::Installed),
        }
    }

    /// Whether to check the target of the crates that are built in any case.
    fn check(self) -> TargetCheck {
        match self {
            Self::Prebuilt(_) => TargetCheck::Installed,
            Self::Crate(check) => check,
        }
    }
}

impl Executable {
    fn read(name: &str, path: PathBuf) -> Result<Self, PackagingError> {
        // Without the size limit of code for Lambda: an unoptimised build can be huge.
        let hashed = File::open(&path).and_then(|file| copy_hashed(file, std::io::sink()));
        let (digest, size) = hashed.map_err(|source| PackagingError::Unreadable {
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            name: name.to_owned(),
            path,
            digest,
            size,
        })
    }
}

impl Artifact {
    fn new(name: &str, executable: &[u8], fit: Fit, reason: &str) -> Self {
        let zip = zip::zip(executable);
        let needs = match fit.glibc {
            Some(version) => format!("glibc {version}"),
            None => "static".into(),
        };
        Self {
            name: name.to_owned(),
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
        // Debug output without the megabytes of the zip.
        f.debug_struct("Artifact")
            .field("digest", &self.digest)
            .field("architecture", &self.architecture)
            .field("note", &self.note)
            .finish_non_exhaustive()
    }
}
