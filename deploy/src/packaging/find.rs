//! Finds the crate to build, and its binary.

use std::path::{Path, PathBuf};

use super::manifest::{self, Crate};
use super::owner::{Owners, canonical};
use super::toolchain::Programs;
use super::{BINARY, PACKAGE, PackagingError};
use crate::config::Settings;
use crate::stack::code::{Code, Origin};

/// The clone that this binary was built in. A build for other machines contains no path of its builder's machine.
const BUILT_FROM: Option<&str> = match option_env!("CHATCTL_WITHOUT_CLONE") {
    Some(_) => None,
    None => Some(env!("CARGO_MANIFEST_DIR")),
};

impl Crate {
    /// The crate of `code`.
    ///
    /// # Errors
    /// [`PackagingError`]: there is none, it belongs to another user, or its binary is ambiguous.
    pub(super) async fn find(
        programs: &Programs,
        code: &Code,
        settings: &Settings,
    ) -> Result<Self, PackagingError> {
        let folder = folder_of(code, settings)?;
        match &code.origin {
            Origin::Own => Ok(Self {
                folder,
                binary: BINARY.into(),
                profile: Vec::new(),
                flags: None,
            }),
            Origin::Custom { .. } => {
                manifest::read(programs, &folder, &settings.handlers.profile).await
            }
        }
    }
}

/// The folder of the crate of `code`, an absolute path without links. No file of another user affects its build.
///
/// # Errors
/// [`PackagingError::NotACrate`], [`PackagingError::NoCrate`], [`PackagingError::Foreign`].
pub(super) fn folder_of(code: &Code, settings: &Settings) -> Result<PathBuf, PackagingError> {
    let owners = Owners::from_environment();
    let folder = match &code.origin {
        Origin::Own => find_crate(settings, &owners)?,
        Origin::Custom { folder, .. } => absolute(folder),
    };
    owners.check(&folder)
}

/// The crate that the config names; else `lambdas` beside the config or above it in the same repository; else the one
/// beside which this binary was built.
fn find_crate(settings: &Settings, owners: &Owners) -> Result<PathBuf, PackagingError> {
    if let Some(folder) = &settings.handlers.path {
        return if folder.join("Cargo.toml").is_file() {
            Ok(absolute(folder))
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
    searched
        .chain(BUILT_FROM.and_then(|folder| Path::new(folder).parent()))
        .map(|folder| folder.join("lambdas"))
        .find(|folder| is_ours(&folder.join("Cargo.toml")))
        .ok_or_else(|| PackagingError::NoCrate {
            end: end.to_owned(),
            start: start.clone(),
        })
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
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
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

    fn find(settings: &Settings) -> Result<PathBuf, PackagingError> {
        find_crate(settings, &Owners::from_environment())
    }

    /// The crate that a project in `deep/below` of `folder` finds.
    fn found_below(folder: &Path) -> PathBuf {
        let (_other, mut settings) = settings("");
        settings.folder = folder.join("deep/below");
        std::fs::create_dir_all(&settings.folder).unwrap();
        find(&settings).unwrap()
    }

    fn own() -> PathBuf {
        let clone = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        clone.join("lambdas")
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
        assert_eq!(found_below(&root), root.join("lambdas"));
        std::fs::remove_file(root.join(".git")).unwrap();
        std::fs::create_dir(root.join(".git")).unwrap();
        assert_eq!(found_below(&root), root.join("lambdas"));
    }

    #[test]
    fn crates_above_the_repository_or_above_a_project_without_one_are_not_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = canonical(folder.path());
        write_crate(&root.join("lambdas"), "fn main() {}");
        assert_eq!(found_below(&root), own());
        std::fs::create_dir_all(root.join("deep/.git")).unwrap();
        assert_eq!(found_below(&root), own());
        write_crate(&root.join("deep/below/lambdas"), "fn main() {}");
        assert_eq!(found_below(&root), root.join("deep/below/lambdas"));
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
    fn a_crate_of_another_name_is_skipped_for_the_one_beside_which_chatctl_was_built() {
        let (folder, settings) = settings("");
        let lambdas = folder.path().join("lambdas");
        std::fs::create_dir(&lambdas).unwrap();
        let other = "[package]\nname = \"other\"\ndescription = 'has no name = \"chat-lambdas\"'\n";
        std::fs::write(lambdas.join("Cargo.toml"), other).unwrap();
        assert_eq!(find(&settings).unwrap(), own());
    }
}
