//! Reads executables that are built already.

use std::path::{Path, PathBuf};

use super::PackagingError;
use super::elf::{self, Fit};
use super::limits::MAX_CODE;
use super::zip::BOOTSTRAP;
use crate::config::Architecture;
use crate::reading::read_now;

pub(super) fn file_in(given: &Path) -> PathBuf {
    if given.is_dir() {
        given.join(BOOTSTRAP)
    } else {
        given.to_owned()
    }
}

pub(super) fn read_prebuilt(
    given: &Path,
    wanted: Option<Architecture>,
) -> Result<(Vec<u8>, Fit), PackagingError> {
    let path = file_in(given);
    let bytes = read(&path)?;
    let fit = elf::inspect(&bytes, wanted).map_err(|why| PackagingError::Unfit {
        what: path.display().to_string(),
        why,
    })?;
    Ok((bytes, fit))
}

/// Reads an executable for Lambda, up to its size limit.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, PackagingError> {
    let unreadable = |source| PackagingError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > MAX_CODE {
        return Err(PackagingError::TooBig {
            path: path.to_owned(),
            size,
        });
    }
    read_now(path, MAX_CODE).map_err(unreadable)
}
