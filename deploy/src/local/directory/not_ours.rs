//! What may not be used although it has a name that chatctl gives.

use std::path::Path;

use rustix::fs::{FileType, Mode, RawMode, Stat};

use crate::engine::{ErrorKind, TargetError};

/// What something should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File,
    /// A file that is never written in place, so that further names of it do no harm.
    Code,
}

/// Why something is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotOurs {
    #[error("it is a symbolic link")]
    Link,
    #[error("it is no folder, and chatctl keeps a folder there")]
    NoFolder,
    #[error("it is no file, and chatctl keeps a file there")]
    NoFile,
    #[error("it belongs to another user (id {0})")]
    Owner(u32),
    #[error("other users may write to it (mode {0:03o})")]
    Writable(RawMode),
    #[error("it has a second name elsewhere (a hard link)")]
    SecondName,
    #[error("git tracks it, so it came with the repository")]
    Tracked,
}

impl NotOurs {
    /// The error of what lies at `path`.
    pub(in crate::local) fn error(self, path: &Path) -> TargetError {
        let quoted = path.to_string_lossy();
        let quoted = shell_words::quote(&quoted);
        let hint = match self {
            Self::Link => format!(
                "chatctl follows no link there; `rm {quoted}` removes the link and nothing that it leads to"
            ),
            Self::NoFolder | Self::NoFile | Self::SecondName => {
                format!("move {quoted} elsewhere, then try again")
            }
            Self::Owner(_) => "run chatctl as that user, or in a folder of your own".into(),
            Self::Writable(_) => format!(
                "if you have made it, `chmod -R go-w {quoted}`; if it came from elsewhere, remove it. A file system \
                 without permissions is no place for a local stack"
            ),
            Self::Tracked => "if it came with a clone, remove it with `git rm -r .chatctl`; if you have committed it \
                              by mistake, `git rm -r --cached .chatctl`"
                .into(),
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

/// Whether what `stat` describes can be something that chatctl has made as `kind`, for this user.
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
    // Writing to it would change a file elsewhere.
    if kind == Kind::File && stat.st_nlink > 1 {
        return Err(NotOurs::SecondName);
    }
    Ok(())
}
