//! Which crate is built, and which of its binaries.

use std::path::{Path, PathBuf};

use super::manifest;
use super::toolchain::Programs;
use super::{BINARY, PACKAGE, PackagingError};
use crate::config::Settings;
use crate::stack::code::{Code, Origin};

/// A crate with a Lambda bootstrap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Crate {
    /// An absolute path.
    pub(super) folder: PathBuf,
    /// The binary that is the bootstrap.
    pub(super) binary: String,
    /// What a build is told in its environment, because the crate does not say it.
    pub(super) profile: Vec<(&'static str, &'static str)>,
}

impl Crate {
    /// The crate of `code`.
    ///
    /// # Errors
    /// [`PackagingError`]: there is none, or it is not clear what of it the function would run.
    pub(super) async fn of(
        programs: &Programs,
        code: &Code,
        settings: &Settings,
    ) -> Result<Self, PackagingError> {
        match &code.origin {
            Origin::Own => Ok(Self {
                folder: find_crate(settings)?,
                binary: BINARY.into(),
                profile: Vec::new(),
            }),
            Origin::Custom { folder, .. } => {
                let profile = &settings.handlers.profile;
                manifest::read(programs, &absolute(folder), profile).await
            }
        }
    }
}

/// The crate that the config names; else `lambdas` beside or above the config; else the one that this very
/// binary was built beside. The answer is an absolute path.
///
/// # Errors
/// [`PackagingError::NotACrate`] and [`PackagingError::NoCrate`].
pub(super) fn find_crate(settings: &Settings) -> Result<PathBuf, PackagingError> {
    if let Some(folder) = &settings.handlers.path {
        return if folder.join("Cargo.toml").is_file() {
            Ok(absolute(folder))
        } else {
            Err(PackagingError::NotACrate {
                folder: folder.clone(),
            })
        };
    }
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let start = absolute(&settings.folder);
    start
        .ancestors()
        .chain(built_from)
        .map(|folder| folder.join("lambdas"))
        .find(|folder| is_ours(&folder.join("Cargo.toml")))
        .ok_or(PackagingError::NoCrate {
            searched: start.clone(),
        })
}

/// Cargo is started inside the crate, where a relative path would mean another place.
pub(super) fn absolute(folder: &Path) -> PathBuf {
    // An empty path means the working folder, and is nothing that could be made absolute.
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

fn is_ours(manifest: &Path) -> bool {
    std::fs::read_to_string(manifest)
        .is_ok_and(|text| text.contains(&format!("name = \"{PACKAGE}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packaging::sample::settings;

    #[test]
    fn a_folder_that_is_no_crate_is_refused_by_its_name() {
        let (_folder, settings) = settings("[handlers]\npath = \"nowhere\"\n");
        let error = find_crate(&settings).unwrap_err();
        assert!(matches!(error, PackagingError::NotACrate { .. }), "{error}");
        assert!(error.to_string().contains("nowhere"), "{error}");
    }

    #[test]
    fn without_a_word_in_the_config_it_is_the_crate_named_lambdas_above_it() {
        let (folder, mut settings) = settings("");
        let lambdas = folder.path().join("lambdas");
        std::fs::create_dir(&lambdas).unwrap();
        std::fs::write(
            lambdas.join("Cargo.toml"),
            "[package]\nname = \"chat-lambdas\"\n",
        )
        .unwrap();
        settings.folder = folder.path().join("deep/below");
        assert_eq!(find_crate(&settings).unwrap(), lambdas);
    }

    #[test]
    fn a_crate_of_another_name_is_passed_over_for_the_one_that_chatctl_was_built_beside() {
        let (folder, settings) = settings("");
        let lambdas = folder.path().join("lambdas");
        std::fs::create_dir(&lambdas).unwrap();
        std::fs::write(lambdas.join("Cargo.toml"), "[package]\nname = \"other\"\n").unwrap();
        let found = find_crate(&settings).unwrap();
        assert!(
            found.is_absolute() && !found.starts_with(folder.path()),
            "{found:?}"
        );
    }
}
