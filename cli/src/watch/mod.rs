//! Waits until files change. What belongs together comes together: an editor's save, a formatter's, a `git checkout`.
//!
//! What counts is what lies at the paths: each answer is the difference between two views of them. The operating
//! system's notices only say when to look. They are not enough: a watch is bound to a folder and not to its name, so it
//! ends unnoticed when another folder takes that name; some file systems send no notices at all. Therefore the
//! paths are also looked at now and then without one, and every look puts the watches right.

mod paths;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use notify::event::ModifyKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::Instant;

pub(crate) use self::paths::WatchPaths;
use self::paths::{FileVersion, FolderId, Snapshot};

/// How long nothing must happen until a burst of changes is over.
const QUIET: Duration = Duration::from_millis(40);

/// A burst that goes on is reported after this.
const MAX_WAIT: Duration = Duration::from_millis(500);

/// How often the paths are looked at without a notice.
const LOOK: Duration = Duration::from_secs(2);

/// Such looks take no more than one part in so many of the time, however much there is to look at.
const SHARE: u32 = 50;

/// More than the coarsest clock that Linux gives files their times by.
const COARSE: Duration = Duration::from_millis(20);

/// How many notices may wait. What they say shows in the next view anyway.
const NOTICES: usize = 1_024;

/// A file whose time of change is older than this was not changed just now: its time was set.
const PLAUSIBLE: Duration = Duration::from_secs(60);

/// Files that changed at about the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangeBatch {
    pub(crate) paths: BTreeSet<PathBuf>,
    /// When the first of them changed, as its file says where it can.
    pub(crate) since: SystemTime,
}

/// Looks at paths.
#[derive(Debug)]
pub(crate) struct Watch {
    /// `None` where the system has no notices.
    watcher: Option<RecommendedWatcher>,
    notices: mpsc::Receiver<PathBuf>,
    paths: WatchPaths,
    /// What was there at the last report.
    seen: Snapshot,
    /// The folders that the watcher watches.
    watched: BTreeMap<PathBuf, FolderId>,
    look: Instant,
    /// What relative paths begin at.
    home: Option<PathBuf>,
}

impl Watch {
    /// Looks at nothing yet.
    pub(crate) fn new() -> Self {
        let (sender, notices) = mpsc::channel(NOTICES);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if event.need_rescan() {
                drop(sender.try_send(PathBuf::new()));
            } else if is_change(event.kind) {
                for path in event.paths {
                    // With so many that wait, one more says nothing new.
                    drop(sender.try_send(path));
                }
            }
        });
        Self {
            watcher: watcher.ok(),
            notices,
            paths: WatchPaths::default(),
            seen: Snapshot::default(),
            watched: BTreeMap::new(),
            look: Instant::now(),
            home: std::env::current_dir().ok(),
        }
    }

    /// Looks at `paths` from now on. Of paths that stay, what has changed since they were last looked at is reported; of new
    /// ones, what has changed after `since`.
    ///
    /// # Errors
    /// Some of them cannot be watched, for example because the system's number of watches is used up. They are looked at
    /// all the same, every two seconds or so.
    pub(crate) fn look_at(
        &mut self,
        paths: WatchPaths,
        since: SystemTime,
    ) -> Result<(), notify::Error> {
        if paths == self.paths {
            return Ok(());
        }
        let view = paths.view();
        let mut seen = view.clone();
        let stays = |path: &Path| self.seen.paths.holds(path);
        // Cargo writes its lock file during the build that the paths are known from.
        let is_news = |path: &Path| !path.ends_with("Cargo.lock");
        seen.entries.retain(|path, stamp| {
            if stamp.is_newer_than(since) && is_news(path) {
                // Like nothing that may lie there, so that it is reported even if it goes again.
                *stamp = FileVersion::UNKNOWN;
            }
            !stays(path)
        });
        let before = std::mem::take(&mut self.seen.entries).into_iter();
        seen.entries
            .extend(before.filter(|(path, _)| view.paths.holds(path)));
        if self.paths != WatchPaths::default() {
            seen.at = self.seen.at;
        }
        self.paths = paths;
        self.seen = seen;
        self.look = Instant::now();
        self.put_right(&view)
    }

    /// The next changes, waited for if need be. Changes since the last answer come at once, all together.
    pub(crate) async fn next(&mut self) -> ChangeBatch {
        loop {
            let mut named = BTreeSet::new();
            let look = self.look;
            let was_reported = tokio::select! {
                notice = self.notice() => {
                    named.insert(notice);
                    true
                }
                () = tokio::time::sleep_until(look) => false,
            };
            let mut paths = BTreeSet::new();
            if !was_reported {
                let view = self.view().await;
                paths = view.differences(&self.seen);
                // Still the usual case: most looks find nothing.
                if paths.is_empty() {
                    drop(self.put_right(&view));
                    self.seen = view;
                    continue;
                }
            }
            let longest = Instant::now() + MAX_WAIT;
            while let Ok(notice) =
                tokio::time::timeout_at((Instant::now() + QUIET).min(longest), self.notice()).await
            {
                named.insert(notice);
            }
            if named.is_empty() {
                // The system should have sent a notice and did not: the watches are worth nothing.
                self.unwatch(|_, _| true);
            }
            let view = self.view().await;
            paths.extend(view.differences(&self.seen));
            // Saved again within the same tick of the clock that files have their times from.
            let at = self.seen.at.checked_sub(COARSE).unwrap_or(self.seen.at);
            let entries = &view.entries;
            paths.extend(named.into_iter().filter(|path| {
                entries
                    .get(path)
                    .is_some_and(|stamp| stamp.is_newer_than(at))
            }));
            drop(self.put_right(&view));
            self.seen = view;
            if !paths.is_empty() {
                let since = paths.iter().map(|path| changed_at(path)).min();
                return ChangeBatch {
                    paths,
                    since: since.unwrap_or_else(SystemTime::now),
                };
            }
        }
    }

    /// The next notice that may matter.
    async fn notice(&mut self) -> PathBuf {
        loop {
            match self.notices.recv().await {
                // Without a path: so much has happened that the system gave up.
                Some(path) if path.as_os_str().is_empty() || self.seen.concerns(&path) => {
                    return path;
                }
                Some(_) => {}
                // There is no watcher.
                None => std::future::pending().await,
            }
        }
    }

    /// What lies at the paths now.
    async fn view(&mut self) -> Snapshot {
        if std::env::current_dir().is_err()
            && let Some(home) = &self.home
        {
            // The working folder was removed. Once there is one of its name again, relative paths mean the same again.
            drop(std::env::set_current_dir(home));
        }
        let began = Instant::now();
        let paths = self.paths.clone();
        let view = tokio::task::spawn_blocking(move || paths.view()).await;
        self.look = Instant::now() + LOOK.max(began.elapsed() * SHARE);
        // It fails only while the runtime itself ends.
        view.unwrap_or_else(|_| self.seen.clone())
    }

    /// Watches every folder of `view`, and no other one.
    fn put_right(&mut self, view: &Snapshot) -> Result<(), notify::Error> {
        self.unwatch(|path, id| view.folders.get(path) != Some(id));
        let Some(watcher) = &mut self.watcher else {
            return Err(notify::Error::generic(
                "the system has no notices of changes",
            ));
        };
        let mut outcome = Ok(());
        for (folder, id) in &view.folders {
            if self.watched.contains_key(folder) {
                continue;
            }
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(folder.clone(), *id)),
                // It may be gone again.
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    /// Ends the watches that `ends` says.
    fn unwatch(&mut self, ends: impl Fn(&PathBuf, &FolderId) -> bool) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        self.watched.retain(|folder, id| {
            let ends = ends(folder, id);
            if ends {
                // It fails where the folder was removed, which ended the watch already.
                drop(watcher.unwatch(folder));
            }
            !ends
        });
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
