//! Checks whether a file with one of chatctl's names may be used.

use std::path::Path;

use rustix::fs::{FileType, Mode, RawMode, Stat};

use crate::engine::{ErrorKind, TargetError};

/// The expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File,
    /// A file that is never written in place, so hard links to it do no harm.
    Code,
}

/// Why a file or folder is not chatctl's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotOurs {
    #[error("it is a symbolic link")]
    Link,
    #[error("it is not a folder, but chatctl expects one there")]
    NoFolder,
    #[error("it is not a regular file, but chatctl expects one there")]
    NoFile,
    #[error("it belongs to another user (id {0})")]
    Owner(u32),
    #[error("other users may write to it (mode {0:03o})")]
    Writable(RawMode),
    #[error("it has a hard link elsewhere")]
    SecondName,
    #[error("git tracks it, so it came with the repository")]
    Tracked,
}

impl NotOurs {
    /// The error for the file or folder at `path`.
    pub(crate) fn error(self, path: &Path) -> TargetError {
        let quoted = path.to_string_lossy();
        let quoted = shell_words::quote(&quoted);
        let hint = match self {
            Self::Link => format!(
                "chatctl does not follow links there; `rm {quoted}` removes the link, but not its target"
            ),
            Self::NoFolder | Self::NoFile | Self::SecondName => {
                format!("move {quoted} elsewhere, then try again")
            }
            Self::Owner(_) => "run chatctl as that user, or in a folder of your own".into(),
            Self::Writable(_) => format!(
                "if you made it, run `chmod -R go-w {quoted}`; if it came from elsewhere, remove it. A file system \
                 without permissions cannot hold a local stack"
            ),
            Self::Tracked => {
                "if it came with a clone, remove it with `git rm -r .chatctl`; if you committed it \
                              by mistake, run `git rm -r --cached .chatctl`"
                    .into()
            }
        };
        TargetError {
            source: Some(Box::new(self)),
            ..TargetError::new(
                ErrorKind::Usage,
                format!("could not use {}", path.display()),
            )
        }
        .with_hint(hint)
    }
}

/// Checks whether chatctl could have made the file that `stat` describes as `kind`, for this user.
pub(super) fn judge(stat: &Stat, kind: Kind) -> Result<(), NotOurs> {
    let (found, mode) = (
        FileType::from_raw_mode(stat.st_mode),
        Mode::from_raw_mode(stat.st_mode),
    );
    match (kind, found) {
        (_, FileType::Symlink) => return Err(NotOurs::Link),
        (Kind::Folder, FileType::Directory) => {}
        (Kind::File | Kind::Code, FileType::RegularFile) => {}
        (Kind::Folder, _) => return Err(NotOurs::NoFolder),
        (Kind::File | Kind::Code, _) => return Err(NotOurs::NoFile),
    }
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(NotOurs::Owner(stat.st_uid));
    }
    if mode.intersects(Mode::WGRP | Mode::WOTH) {
        return Err(NotOurs::Writable(mode.as_raw_mode() & 0o777));
    }
    // Writing to it would also change a file elsewhere.
    if kind == Kind::File && stat.st_nlink > 1 {
        return Err(NotOurs::SecondName);
    }
    Ok(())
}
