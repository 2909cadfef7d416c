//! What is looked at, and what lies there at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Links may lead to whole disks: with this many folders, no further one is followed.
const MAX_FOLDERS: usize = 4_096;

/// What to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct WatchPaths {
    /// Files, which need not exist.
    pub(crate) files: BTreeSet<PathBuf>,
    /// Crates: everything in them but what a build or an editor leaves there.
    pub(crate) crates: BTreeSet<PathBuf>,
    /// Where cargo puts what it builds.
    pub(crate) targets: BTreeSet<PathBuf>,
}

/// What lies at paths.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    /// When it was taken.
    pub(super) at: SystemTime,
    /// As the operating system names them in its notices. A link may lead elsewhere the next time.
    pub(super) paths: WatchPaths,
    /// Every folder that has to be watched, by its path.
    pub(super) folders: BTreeMap<PathBuf, FolderId>,
    /// Everything that matters, by its path.
    pub(super) entries: BTreeMap<PathBuf, FileVersion>,
}

/// Tells a folder from one that takes its place: device and inode.
pub(super) type FolderId = (u64, u64);

/// Tells versions of what lies at a path apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileVersion {
    Folder(FolderId),
    File {
        inode: u64,
        size: u64,
        /// Nanoseconds since 1970; and so is the next.
        modified: i128,
        /// When anything of it changed, its times included.
        changed: i128,
    },
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            at: SystemTime::UNIX_EPOCH,
            paths: WatchPaths::default(),
            folders: BTreeMap::new(),
            entries: BTreeMap::new(),
        }
    }
}

impl Snapshot {
    /// The paths where something else lies than in `before`.
    pub(super) fn differences(&self, before: &Self) -> BTreeSet<PathBuf> {
        let new = self
            .entries
            .iter()
            .filter(|(path, stamp)| before.entries.get(*path) != Some(*stamp));
        let gone = before
            .entries
            .keys()
            .filter(|path| !self.entries.contains_key(*path));
        new.map(|(path, _)| path).chain(gone).cloned().collect()
    }

    /// Whether something at `path` may make a difference.
    pub(super) fn concerns(&self, path: &Path) -> bool {
        self.folders.contains_key(path) || self.paths.holds(path)
    }

    fn add(&mut self, path: &Path, found: Option<&Metadata>) {
        if let Some(found) = found
            && self.paths.holds(path)
        {
            self.entries
                .insert(path.to_owned(), FileVersion::from_metadata(found));
        }
    }
}

impl FileVersion {
    /// Different from every other one.
    pub(super) const UNKNOWN: Self = Self::Folder((u64::MAX, u64::MAX));

    fn from_metadata(found: &Metadata) -> Self {
        let nanos =
            |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        if found.is_dir() {
            return Self::Folder(id(found));
        }
        Self::File {
            inode: found.ino(),
            size: found.size(),
            modified: nanos(found.mtime(), found.mtime_nsec()),
            changed: nanos(found.ctime(), found.ctime_nsec()),
        }
    }

    /// Whether it is a file that changed after `moment`, as far as its file system can tell.
    pub(super) fn is_newer_than(&self, moment: SystemTime) -> bool {
        let since = moment
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        match self {
            Self::Folder(_) => false,
            Self::File { changed, .. } => {
                u128::try_from(*changed).is_ok_and(|changed| changed >= since)
            }
        }
    }
}

fn id(found: &Metadata) -> FolderId {
    (found.dev(), found.ino())
}

impl WatchPaths {
    /// Looks at everything. What cannot be read is not there.
    pub(super) fn view(&self) -> Snapshot {
        let mut view = Snapshot {
            at: SystemTime::now(),
            paths: self.canonical(),
            ..Snapshot::default()
        };
        let paths = view.paths.clone();
        for file in &paths.files {
            view.add(file, std::fs::metadata(file).ok().as_ref());
            if let Some(folder) = file.parent()
                && let Ok(found) = std::fs::metadata(folder)
                && found.is_dir()
            {
                view.folders.insert(folder.to_owned(), id(&found));
            }
        }
        let mut walk = Walk {
            seen: BTreeSet::new(),
            links: Vec::new(),
            most_folders: usize::MAX,
        };
        for root in &paths.crates {
            walk.enter(root, &mut view);
        }
        // After all that lies there itself: of a folder that is reached in two ways, the way without a link counts.
        walk.most_folders = MAX_FOLDERS;
        while let Some(link) = walk.links.pop() {
            let Ok(real) = std::fs::canonicalize(&link) else {
                continue;
            };
            if paths.targets.iter().any(|it| real.starts_with(it)) {
                continue;
            }
            view.add(&link, std::fs::metadata(&real).ok().as_ref());
            // What lies in a crate is looked at there, or not at all.
            if !paths.crates.iter().any(|root| real.starts_with(root)) {
                walk.enter(&link, &mut view);
            }
        }
        view
    }

    /// As the operating system names them in its notices.
    fn canonical(&self) -> Self {
        let whole = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| absolute(path));
        let file = |path: &PathBuf| match (path.parent(), path.file_name()) {
            // A file that is replaced by renaming another one is still the same place.
            (Some(folder), Some(name)) if !folder.as_os_str().is_empty() => {
                whole(&folder.to_owned()).join(name)
            }
            (_, Some(name)) => whole(&PathBuf::from(".")).join(name),
            _ => path.clone(),
        };
        Self {
            files: self.files.iter().map(file).collect(),
            crates: self.crates.iter().map(whole).collect(),
            targets: self.targets.iter().map(whole).collect(),
        }
    }

    /// Whether a change of `path` matters.
    pub(super) fn holds(&self, path: &Path) -> bool {
        self.files.contains(path)
            || (self.is_source(path) && !is_litter(path) && !self.crates.contains(path))
    }

    fn is_source(&self, path: &Path) -> bool {
        if self.targets.iter().any(|target| path.starts_with(target)) {
            return false;
        }
        // Of nested crates the inner one decides.
        let roots = self
            .crates
            .iter()
            .filter_map(|root| path.strip_prefix(root).ok());
        let Some(inside) = roots.min_by_key(|inside| inside.components().count()) else {
            return false;
        };
        let mut parts = inside.components().map(|part| part.as_os_str());
        let first = parts.next();
        // A crate's own `target` is cargo's; a module may be called so further down.
        first.is_none_or(|first| first != "target")
            && first
                .into_iter()
                .chain(parts)
                .all(|part| !part.as_encoded_bytes().starts_with(b".") && part != "node_modules")
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A walk through crates.
#[derive(Debug)]
struct Walk {
    /// Folders that were walked through, so that there are no circles.
    seen: BTreeSet<FolderId>,
    links: Vec<PathBuf>,
    /// With so many no further one is entered.
    most_folders: usize,
}

impl Walk {
    /// Adds `folder`, and what in it may be a source; links are left for later.
    fn enter(&mut self, folder: &Path, view: &mut Snapshot) {
        if view.folders.len() >= self.most_folders {
            return;
        }
        let Ok(found) = std::fs::metadata(folder) else {
            return;
        };
        if !found.is_dir() || !view.paths.is_source(folder) || !self.seen.insert(id(&found)) {
            return;
        }
        view.folders.insert(folder.to_owned(), id(&found));
        view.add(folder, Some(&found));
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.enter(&path, view),
                Ok(kind) if kind.is_symlink() => self.links.push(path),
                Ok(_) => view.add(&path, entry.metadata().ok().as_ref()),
                // It is gone again.
                Err(_) => {}
            }
        }
    }
}

/// What editors leave beside a file while they save it: Vim's `4913` and swap files, Emacs's `#x#` and `.#x`, backups,
/// JetBrains' `x___jb_tmp___`, and temporary files that are renamed afterwards.
fn is_litter(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    let ends = [
        "~",
        ".swp",
        ".swx",
        ".swo",
        ".tmp",
        ".bak",
        ".orig",
        "___jb_tmp___",
        "___jb_old___",
    ];
    name == "4913"
        || name.starts_with(".#")
        || (name.starts_with('#') && name.ends_with('#'))
        || ends.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sources_and_named_files_matter() {
        let paths = WatchPaths {
            files: ["/p/chatctl.toml".into()].into(),
            crates: ["/p/handlers".into(), "/p/handlers/inner".into()].into(),
            targets: ["/p/handlers/build-output".into()].into(),
        };
        for path in [
            "/p/chatctl.toml",
            "/p/handlers/Cargo.toml",
            "/p/handlers/src/target/mod.rs",
            "/p/handlers/inner/src/lib.rs",
            "/p/handlers/src/page.html",
        ] {
            assert!(paths.holds(Path::new(path)), "{path}");
        }
        for path in [
            "/p/chatctl.toml~",
            "/p/other.toml",
            "/p/handlers/target/debug/chat",
            "/p/handlers/inner/target/debug/x",
            "/p/handlers/build-output/debug/x",
            "/p/handlers/.git/index",
            "/p/handlers/src/.main.rs.swp",
            "/p/handlers/src/main.rs~",
            "/p/handlers/src/4913",
            "/p/handlers/src/#main.rs#",
            "/p/handlers/src/main.rs___jb_tmp___",
            "/p/handlers",
        ] {
            assert!(!paths.holds(Path::new(path)), "{path}");
        }
    }
}
