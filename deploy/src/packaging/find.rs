//! Finds the crate to build, and its binary.

use std::path::{Path, PathBuf};

use super::installed::Installed;
use super::limits::{BINARY, MAX_MANIFEST, PACKAGE};
use super::manifest::{self, Crate};
use super::owner::{Owners, canonical};
use super::toolchain::Programs;
use super::{PackagingError, carried};
use crate::config::Settings;
use crate::reading::text_now;
use crate::stack::code::{Code, Origin};

impl Crate {
    /// The crate of `code`.
    ///
    /// # Errors
    /// [`PackagingError`]: it belongs to another user, its binary is ambiguous, or the sources that the command carries
    /// along cannot be unpacked.
    pub(super) async fn find(
        programs: &Programs,
        code: &Code,
        settings: &Settings,
    ) -> Result<Self, PackagingError> {
        match CrateLocation::find(code, settings)? {
            CrateLocation::Custom(folder) => {
                let profile = &settings.handlers.profile;
                manifest::read(programs, &folder, profile, code.binary()).await
            }
            CrateLocation::Own(folder) => Ok(Self::ours(folder, Vec::new())),
            // Their lock file is compared with the carried one, so cargo may not change it.
            CrateLocation::Carried => Ok(Self::ours(
                CrateLocation::Carried.folder()?,
                vec!["--locked"],
            )),
        }
    }

    fn ours(folder: PathBuf, more: Vec<&'static str>) -> Self {
        Self {
            folder,
            binary: BINARY.into(),
            profile: Vec::new(),
            flags: None,
            more,
            shared: None,
        }
    }
}

/// Where a crate is: an absolute path without links. No file of another user affects its build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CrateLocation {
    /// The user's, for a route.
    Custom(PathBuf),
    /// Our handlers', which the config names or the project's repository contains.
    Own(PathBuf),
    /// Our handlers' as the command carries it along.
    Carried,
}

impl CrateLocation {
    /// Finds the crate of `code`.
    ///
    /// # Errors
    /// [`PackagingError::NotACrate`], [`PackagingError::Foreign`].
    pub(super) fn find(code: &Code, settings: &Settings) -> Result<Self, PackagingError> {
        let owners = Owners::from_environment();
        match &code.origin {
            Origin::Custom { folder, .. } => owners.check(&absolute(folder)).map(Self::Custom),
            Origin::Own => match find_crate(settings, &owners)? {
                Some(folder) => owners.check(&folder).map(Self::Own),
                None => Ok(Self::Carried),
            },
        }
    }

    /// The crate's folder. The carried sources are unpacked.
    ///
    /// # Errors
    /// [`PackagingError::NoCache`], [`PackagingError::Carried`], [`PackagingError::Foreign`].
    pub(super) fn folder(self) -> Result<PathBuf, PackagingError> {
        match self {
            Self::Custom(folder) | Self::Own(folder) => Ok(folder),
            Self::Carried => Owners::from_environment().check(&carried::unpacked()?),
        }
    }
}

/// The built handlers that were installed with the command, in place of `code`; none if the project has a crate of its
/// own.
///
/// # Errors
/// Those of [`CrateLocation::find`], and [`PackagingError::NotInstalled`].
pub(super) fn installed(code: &Code, settings: &Settings) -> Result<Installed, PackagingError> {
    match CrateLocation::find(code, settings)? {
        CrateLocation::Carried => Installed::with_this_command(&Owners::from_environment()),
        _ => Ok(Installed::default()),
    }
}

/// The crate that the config names; else `lambdas` beside the config or above it in the same repository.
fn find_crate(settings: &Settings, owners: &Owners) -> Result<Option<PathBuf>, PackagingError> {
    if let Some(folder) = &settings.handlers.path {
        return if folder.join("Cargo.toml").is_file() {
            Ok(Some(absolute(folder)))
        } else {
            Err(PackagingError::NotACrate {
                folder: folder.clone(),
            })
        };
    }
    let start = canonical(&absolute(&settings.folder));
    let end = last_searched(&start, std::env::home_dir().as_deref(), owners);
    let searched = start
        .ancestors()
        .take_while(|folder| folder.starts_with(end));
    let mut crates = searched.map(|folder| folder.join("lambdas"));
    Ok(crates.find(|folder| is_ours(&folder.join("Cargo.toml"))))
}

/// The last folder in which a crate is looked for: the root of the repository around `start`, or `start` itself. A
/// repository of another user does not count, and the search never goes above the user's home.
fn last_searched<'a>(start: &'a Path, home: Option<&Path>, owners: &Owners) -> &'a Path {
    let home = home.map(canonical);
    for folder in start.ancestors() {
        if owners.accept(&folder.join(".git")) {
            return folder;
        }
        if home.as_deref() == Some(folder) {
            break;
        }
    }
    start
}

/// Cargo is started inside the crate, where a relative path would mean another folder.
pub(super) fn absolute(folder: &Path) -> PathBuf {
    // An empty path means the working folder; it cannot be made absolute itself.
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

fn is_ours(manifest: &Path) -> bool {
    let text = text_now(manifest, MAX_MANIFEST).unwrap_or_default();
    let manifest: toml::Table = text.parse().unwrap_or_default();
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name"));
    name.and_then(toml::Value::as_str) == Some(PACKAGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packaging::sample::{settings, write_crate};

    fn find(settings: &Settings) -> Result<Option<PathBuf>, PackagingError> {
        find_crate(settings, &Owners::from_environment())
    }

    /// The crate that a project in `deep/below` of `folder` finds.
    fn found_below(folder: &Path) -> Option<PathBuf> {
        let (_other, mut settings) = settings("");
        settings.folder = folder.join("deep/below");
        std::fs::create_dir_all(&settings.folder).unwrap();
        find(&settings).unwrap()
    }

    #[test]
    fn a_folder_without_a_crate_is_refused_with_its_name() {
        let (_folder, settings) = settings("[handlers]\npath = \"nowhere\"\n");
        let error = find(&settings).unwrap_err();
        assert!(matches!(error, PackagingError::NotACrate { .. }), "{error}");
        assert!(error.to_string().contains("nowhere"), "{error}");
    }

    #[test]
    fn by_default_the_crate_lambdas_above_the_config_in_its_repository_is_built() {
        let folder = tempfile::tempdir().unwrap();
        let root = canonical(folder.path());
        write_crate(&root.join("lambdas"), "fn main() {}");
        // A git worktree has a file of that name.
        std::fs::write(root.join(".git"), "gitdir: elsewhere").unwrap();
        assert_eq!(found_below(&root), Some(root.join("lambdas")));
        std::fs::remove_file(root.join(".git")).unwrap();
        std::fs::create_dir(root.join(".git")).unwrap();
        assert_eq!(found_below(&root), Some(root.join("lambdas")));
    }

    #[test]
    fn crates_above_the_repository_or_above_a_project_without_one_are_not_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = canonical(folder.path());
        write_crate(&root.join("lambdas"), "fn main() {}");
        assert_eq!(found_below(&root), None);
        std::fs::create_dir_all(root.join("deep/.git")).unwrap();
        assert_eq!(found_below(&root), None);
        write_crate(&root.join("deep/below/lambdas"), "fn main() {}");
        assert_eq!(found_below(&root), Some(root.join("deep/below/lambdas")));
    }

    #[test]
    fn the_search_ends_at_the_home_folder_and_ignores_repositories_of_other_users() {
        let folder = tempfile::tempdir().unwrap();
        let root = canonical(folder.path());
        let start = root.join("home/project");
        std::fs::create_dir_all(&start).unwrap();
        std::fs::create_dir(root.join(".git")).unwrap();
        let owners = Owners::from_environment();
        assert_eq!(last_searched(&start, None, &owners), root);
        let home = root.join("home");
        assert_eq!(last_searched(&start, Some(&home), &owners), start);
        std::fs::create_dir(home.join(".git")).unwrap();
        assert_eq!(last_searched(&start, Some(&home), &owners), home);
        let other = Owners::from_users([0xfff0]);
        assert_eq!(last_searched(&start, None, &other), start);
    }

    #[test]
    fn a_crate_of_another_name_is_skipped_for_the_one_that_the_command_carries_along() {
        let (folder, settings) = settings("");
        let lambdas = folder.path().join("lambdas");
        std::fs::create_dir(&lambdas).unwrap();
        let other = "[package]\nname = \"other\"\ndescription = 'has no name = \"chat-lambdas\"'\n";
        std::fs::write(lambdas.join("Cargo.toml"), other).unwrap();
        assert_eq!(find(&settings).unwrap(), None);
        let own = &Code::for_settings(&settings)[0];
        assert_eq!(
            CrateLocation::find(own, &settings).unwrap(),
            CrateLocation::Carried
        );
    }
}
