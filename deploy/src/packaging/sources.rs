//! Finds the folders of the functions' sources: their crates, and every crate on this machine that they depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::find::CrateLocation;
use super::metadata::Metadata;
use super::{PackagingError, Programs};
use crate::config::Settings;
use crate::programs::command;
use crate::stack::code::{Code, Origin};

/// The files that a build reads, except packages of a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    pub crates: BTreeSet<PathBuf>,
    /// Files outside the crates that affect the build. Some may not exist.
    pub files: BTreeSet<PathBuf>,
    /// Cargo's target folders.
    pub targets: BTreeSet<PathBuf>,
}

/// Asks cargo for the sources of all code of `settings`' functions; ours are omitted if they are `prebuilt`, or if the
/// project has none of its own. If cargo fails, the result is the crate's own folder.
///
/// # Errors
/// [`PackagingError::NotACrate`] and [`PackagingError::Foreign`].
pub async fn sources(settings: &Settings, prebuilt: bool) -> Result<Sources, PackagingError> {
    let mut sources = Sources::default();
    for code in Code::for_settings(settings) {
        if prebuilt && code.origin == Origin::Own {
            continue;
        }
        let folder = match CrateLocation::find(&code, settings)? {
            CrateLocation::Custom(folder) | CrateLocation::Own(folder) => folder,
            CrateLocation::Carried => continue,
        };
        let for_crate = for_crate(folder).await;
        sources.crates.extend(for_crate.crates);
        sources.files.extend(for_crate.files);
        sources.targets.extend(for_crate.targets);
    }
    Ok(sources)
}

async fn for_crate(folder: PathBuf) -> Sources {
    let asked = command(&Programs::from_environment().cargo)
        .args(["metadata", "--format-version", "1"])
        .current_dir(&folder)
        .env_remove("CARGO_MANIFEST_DIR")
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    let metadata = asked
        .ok()
        .filter(|answer| answer.status.success())
        .and_then(|answer| serde_json::from_slice::<Metadata>(&answer.stdout).ok());
    match metadata {
        Some(metadata) => metadata.sources(&folder),
        None => Sources {
            crates: [folder].into(),
            ..Sources::default()
        },
    }
}

impl Metadata {
    /// The crates on this machine that the one in `folder` depends on, itself included.
    fn sources(&self, folder: &Path) -> Sources {
        let here: BTreeMap<&str, &Path> = self
            .packages
            .iter()
            .filter(|package| package.source.is_none())
            .filter_map(|package| Some((package.id.as_str(), package.manifest_path.parent()?)))
            .collect();
        let nodes = self.resolve.iter().flat_map(|resolve| &resolve.nodes);
        let edges: BTreeMap<&str, &[String]> = nodes
            .map(|node| (node.id.as_str(), node.dependencies.as_slice()))
            .collect();
        let is_own = |path: &Path| same(path, folder);
        let mut open: Vec<&str> = here
            .iter()
            .filter(|(_, path)| is_own(path))
            .map(|(id, _)| *id)
            .collect();
        let mut crates: BTreeSet<PathBuf> = [folder.to_owned()].into();
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            let Some(path) = here.get(id).filter(|_| seen.insert(id)) else {
                continue;
            };
            if !is_own(path) {
                crates.insert((*path).to_owned());
            }
            open.extend(
                edges
                    .get(id)
                    .into_iter()
                    .flat_map(|to| to.iter().map(String::as_str)),
            );
        }
        let deciding = [
            "Cargo.toml",
            "Cargo.lock",
            "rust-toolchain.toml",
            ".cargo/config.toml",
        ];
        Sources {
            crates,
            files: deciding.map(|name| self.workspace_root.join(name)).into(),
            targets: [self.target_directory.clone()].into(),
        }
    }
}

fn same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    one == other || whole(one) == whole(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_on_this_machine_are_followed_and_those_of_a_registry_are_not() {
        let metadata = r#"{
            "packages": [
                {"id": "chat", "name": "chat", "targets": [], "manifest_path": "/w/chat/Cargo.toml", "source": null},
                {"id": "near", "name": "near", "targets": [], "manifest_path": "/w/near/Cargo.toml", "source": null},
                {"id": "far", "name": "far", "targets": [], "manifest_path": "/r/far/Cargo.toml", "source": "registry"},
                {"id": "deep", "name": "deep", "targets": [], "manifest_path": "/else/deep/Cargo.toml", "source": null},
                {"id": "other", "name": "other", "targets": [], "manifest_path": "/w/other/Cargo.toml", "source": null}
            ],
            "resolve": {"nodes": [
                {"id": "chat", "dependencies": ["near", "far"]},
                {"id": "near", "dependencies": ["deep", "chat"]},
                {"id": "far", "dependencies": []},
                {"id": "deep", "dependencies": []},
                {"id": "other", "dependencies": ["chat"]}
            ]},
            "workspace_root": "/w",
            "target_directory": "/w/target"
        }"#;
        let metadata: Metadata = serde_json::from_str(metadata).unwrap();
        let sources = metadata.sources(Path::new("/w/chat"));
        let expected = ["/else/deep", "/w/chat", "/w/near"].map(PathBuf::from);
        assert_eq!(sources.crates, expected.into());
        assert!(sources.files.contains(Path::new("/w/Cargo.lock")));
        assert_eq!(sources.targets, ["/w/target".into()].into());
    }

    #[tokio::test]
    async fn if_cargo_fails_the_sources_are_the_crate_s_own_folder() {
        let (folder, settings) =
            crate::packaging::sample::settings("[handlers]\npath = \"broken\"\n");
        let broken = folder.path().join("broken");
        std::fs::create_dir(&broken).unwrap();
        std::fs::write(broken.join("Cargo.toml"), "no manifest").unwrap();
        let found = sources(&settings, false).await.unwrap();
        assert_eq!(found.crates, [broken].into());
        assert_eq!(sources(&settings, true).await.unwrap(), Sources::default());
    }
}
