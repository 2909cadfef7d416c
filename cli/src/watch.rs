//! Waits until files change. What belongs together comes together: an editor's save, a formatter's, a `git checkout`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use notify::event::ModifyKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How long nothing must happen until a burst of changes is over.
const QUIET: Duration = Duration::from_millis(40);

/// A burst that goes on is told after this.
const LONGEST: Duration = Duration::from_millis(500);

/// A file whose time of change is older than this was not changed just now: its time was set.
const PLAUSIBLE: Duration = Duration::from_secs(60);

/// What to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// Files, which need not exist.
    pub(crate) files: BTreeSet<PathBuf>,
    /// Crates: everything in them but what a build or an editor leaves there.
    pub(crate) crates: BTreeSet<PathBuf>,
    /// Where cargo puts what it builds.
    pub(crate) targets: BTreeSet<PathBuf>,
}

/// Files that changed at about the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Burst {
    pub(crate) paths: BTreeSet<PathBuf>,
    /// When the first of them changed, as its file says where it can.
    pub(crate) since: SystemTime,
}

/// Looks at places.
#[derive(Debug)]
pub(crate) struct Watch {
    watcher: RecommendedWatcher,
    told: mpsc::UnboundedReceiver<PathBuf>,
    places: Places,
    watched: BTreeSet<PathBuf>,
}

impl Watch {
    /// Looks at nothing yet.
    ///
    /// # Errors
    /// The operating system gives no watch.
    pub(crate) fn new() -> Result<Self, notify::Error> {
        let (sender, told) = mpsc::unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if !is_change(event.kind) {
                return;
            }
            for path in event.paths {
                // Nobody listens any more once the command ends.
                drop(sender.send(path));
            }
        })?;
        Ok(Self {
            watcher,
            told,
            places: Places::default(),
            watched: BTreeSet::new(),
        })
    }

    /// Looks at `places` from now on. What happened before at places that stay is still told.
    ///
    /// # Errors
    /// One of them cannot be watched, for example because the system's number of watches is used up.
    pub(crate) fn look_at(&mut self, places: Places) -> Result<(), notify::Error> {
        let places = places.canonical();
        let wanted = places.folders();
        for gone in self.watched.clone().difference(&wanted) {
            // It may have been removed, which ended the watch already.
            drop(self.watcher.unwatch(gone));
            self.watched.remove(gone);
        }
        for folder in wanted {
            if !self.watched.contains(&folder) {
                self.watcher.watch(&folder, RecursiveMode::NonRecursive)?;
                self.watched.insert(folder);
            }
        }
        self.places = places;
        Ok(())
    }

    /// The next changes, waited for if need be. Changes since the last answer come at once, all together.
    pub(crate) async fn next(&mut self) -> Burst {
        let mut burst: Option<Burst> = None;
        let mut longest = Instant::now();
        loop {
            let path = match burst {
                None => self.told.recv().await,
                Some(_) => {
                    let until = (Instant::now() + QUIET).min(longest);
                    tokio::time::timeout_at(until, self.told.recv())
                        .await
                        .unwrap_or(None)
                }
            };
            match (path, burst.take()) {
                (Some(path), before) => {
                    self.enter(&path);
                    burst = before;
                    if self.places.holds(&path) {
                        let first = burst.get_or_insert_with(|| {
                            longest = Instant::now() + LONGEST;
                            Burst {
                                paths: BTreeSet::new(),
                                since: SystemTime::now(),
                            }
                        });
                        first.since = first.since.min(changed_at(&path));
                        first.paths.insert(path);
                    }
                }
                (None, Some(burst)) => return burst,
                // The watcher lives as long as this does, so there is always somebody who could tell.
                (None, None) => std::future::pending().await,
            }
        }
    }

    /// A new folder inside a crate is looked at, too.
    fn enter(&mut self, path: &Path) {
        if !path.is_dir() || self.watched.contains(path) {
            return;
        }
        let mut folders = BTreeSet::new();
        self.places.below(path, &mut folders);
        for folder in folders {
            // It may be gone again.
            if self
                .watcher
                .watch(&folder, RecursiveMode::NonRecursive)
                .is_ok()
            {
                self.watched.insert(folder);
            }
        }
    }
}

impl Places {
    /// As the operating system names them in its notices.
    fn canonical(self) -> Self {
        let whole = |path: PathBuf| std::fs::canonicalize(&path).unwrap_or(path);
        let file = |path: PathBuf| match (path.parent(), path.file_name()) {
            // A file that is replaced by renaming another one is still the same place.
            (Some(folder), Some(name)) if !folder.as_os_str().is_empty() => {
                whole(folder.to_owned()).join(name)
            }
            (_, Some(name)) => whole(PathBuf::from(".")).join(name),
            _ => path,
        };
        Self {
            files: self.files.into_iter().map(file).collect(),
            crates: self.crates.into_iter().map(whole).collect(),
            targets: self.targets.into_iter().map(whole).collect(),
        }
    }

    /// Every folder that must be watched.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let mut folders = BTreeSet::new();
        for file in &self.files {
            folders.extend(file.parent().map(Path::to_owned));
        }
        for root in &self.crates {
            self.below(root, &mut folders);
        }
        folders.retain(|folder| folder.is_dir());
        folders
    }

    /// `folder` and those in it that may hold sources.
    fn below(&self, folder: &Path, found: &mut BTreeSet<PathBuf>) {
        if !self.is_source(folder) {
            return;
        }
        found.insert(folder.to_owned());
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            // Links are not followed, so there are no circles.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.below(&entry.path(), found);
            }
        }
    }

    /// Whether a change of `path` matters.
    fn holds(&self, path: &Path) -> bool {
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

fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(_) | EventKind::Other => false,
        // Reading a file changes the time of its last reading on some systems.
        EventKind::Modify(ModifyKind::Metadata(kind)) => {
            kind != notify::event::MetadataKind::AccessTime
        }
        _ => true,
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

/// When the file was changed, unless it is gone or its time was set to another one.
fn changed_at(path: &Path) -> SystemTime {
    let now = SystemTime::now();
    let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    match modified {
        Ok(modified)
            if now
                .duration_since(modified)
                .is_ok_and(|age| age < PLAUSIBLE) =>
        {
            modified
        }
        _ => now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn places() -> Places {
        Places {
            files: ["/p/chatctl.toml".into()].into(),
            crates: ["/p/handlers".into(), "/p/handlers/inner".into()].into(),
            targets: ["/p/handlers/build-output".into()].into(),
        }
    }

    #[test]
    fn only_sources_and_named_files_matter() {
        let places = places();
        for path in [
            "/p/chatctl.toml",
            "/p/handlers/Cargo.toml",
            "/p/handlers/src/target/mod.rs",
            "/p/handlers/inner/src/lib.rs",
            "/p/handlers/src/page.html",
        ] {
            assert!(places.holds(Path::new(path)), "{path}");
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
            assert!(!places.holds(Path::new(path)), "{path}");
        }
    }

    async fn next(watch: &mut Watch) -> Vec<String> {
        let burst = tokio::time::timeout(PATIENCE, watch.next())
            .await
            .expect("a change is told");
        assert!(burst.since.elapsed().unwrap_or_default() < PLAUSIBLE);
        let names = burst.paths.iter().filter_map(|path| path.file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    #[tokio::test]
    async fn a_burst_is_one_answer_and_new_folders_are_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("src");
        std::fs::create_dir(&source).unwrap();
        let mut watch = Watch::new().unwrap();
        let places = Places {
            // A file of the crate itself, whose folder is watched for two reasons.
            files: [folder.path().join("Cargo.toml")].into(),
            crates: [folder.path().to_owned()].into(),
            ..Places::default()
        };
        watch.look_at(places).unwrap();
        std::fs::write(source.join("a.rs~"), "x").unwrap();
        std::fs::write(source.join("a.rs"), "1").unwrap();
        std::fs::write(source.join("b.rs"), "1").unwrap();
        assert_eq!(next(&mut watch).await, ["a.rs", "b.rs"]);
        let deep = source.join("deep");
        std::fs::create_dir(&deep).unwrap();
        assert_eq!(next(&mut watch).await, ["deep"]);
        std::fs::write(deep.join("c.rs"), "1").unwrap();
        assert_eq!(next(&mut watch).await, ["c.rs"]);
        std::fs::remove_file(source.join("a.rs")).unwrap();
        assert_eq!(next(&mut watch).await, ["a.rs"]);
    }

    #[tokio::test]
    async fn a_file_that_is_replaced_by_renaming_is_still_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chatctl.toml");
        std::fs::write(&file, "1").unwrap();
        let mut watch = Watch::new().unwrap();
        let places = Places {
            files: [file.clone()].into(),
            ..Places::default()
        };
        watch.look_at(places).unwrap();
        for text in ["2", "3"] {
            let new = folder.path().join("new");
            std::fs::write(&new, text).unwrap();
            std::fs::rename(&new, &file).unwrap();
            assert_eq!(next(&mut watch).await, ["chatctl.toml"]);
        }
    }
}
