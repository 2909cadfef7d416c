//! Finds out whether git tracks files of the state folder. If so, they came with the repository and are not ours.
//!
//! The list of tracked files, git's index, is read here rather than by git, which would run programs that a hostile
//! repository configures (`core.fsmonitor`). The format: <https://git-scm.com/docs/index-format>.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Far above the index of any existing repository.
const MAX_BYTES: u64 = 1 << 30;

/// Lengths of an object's id: SHA-1, SHA-256.
const IDS: [usize; 2] = [20, 32];

/// A path at or below `name` in the folder `project` that any repository around `project` tracks.
///
/// # Errors
/// An index cannot be read, or has an unknown format, so that its tracked files are unknown.
pub(super) fn tracked(project: &Path, name: &str) -> Result<Option<PathBuf>> {
    let project = match project.canonicalize() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    for top in project.ancestors() {
        let Some(folder) = repository(top) else {
            continue;
        };
        let within = project.strip_prefix(top).unwrap_or(Path::new(""));
        let wanted = within.join(name);
        if let Some(found) = find(&folder, wanted.as_os_str().as_bytes())? {
            return Ok(Some(top.join(found)));
        }
    }
    Ok(None)
}

/// The folder of the index of the repository whose working tree is `top`, if there is one.
fn repository(top: &Path) -> Option<PathBuf> {
    let dot_git = top.join(".git");
    if dot_git.is_dir() {
        return Some(dot_git);
    }
    // In a worktree and in a submodule it is a file that names the folder.
    let mut text = Vec::new();
    let file = regular(&dot_git).ok()??;
    file.take(4096).read_to_end(&mut text).ok()?;
    let place = text.strip_prefix(b"gitdir: ")?.trim_ascii_end();
    Some(top.join(std::ffi::OsStr::from_bytes(place)))
}

/// Opens a regular file without blocking; `None` if there is none.
fn regular(path: &Path) -> Result<Option<File>> {
    match path.metadata() {
        Ok(found) if found.is_file() => File::open(path).map(Some),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(None),
    }
}

/// The first path in the index in `folder` that is at or below `wanted`.
fn find(folder: &Path, wanted: &[u8]) -> Result<Option<PathBuf>> {
    let Some(index) = whole(&folder.join("index"))? else {
        return Ok(None);
    };
    let read = IDS.iter().find_map(|id| search(&index, *id, wanted));
    let Searched { found, shared } = read.ok_or_else(unknown)?;
    if found.is_some() {
        return Ok(found);
    }
    let Some(shared) = shared else {
        return Ok(None);
    };
    // The rest of a split index. Entries that were removed from it since are not subtracted: they count as tracked
    // until git writes both files again.
    let Some(index) = whole(&folder.join(format!("sharedindex.{shared}")))? else {
        return Ok(None);
    };
    let read = search(&index, shared.len() / 2, wanted).ok_or_else(unknown)?;
    Ok(read.found)
}

fn whole(path: &Path) -> Result<Option<Vec<u8>>> {
    let Some(file) = regular(path)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    if file.take(MAX_BYTES).read_to_end(&mut bytes)? as u64 == MAX_BYTES {
        return Err(unknown());
    }
    Ok(Some(bytes))
}

fn unknown() -> Error {
    Error::new(
        ErrorKind::InvalidData,
        "git's index is damaged, or of a version that chatctl does not support",
    )
}

/// The parsed parts of an index.
#[derive(Debug, Default, PartialEq, Eq)]
struct Searched {
    found: Option<PathBuf>,
    /// The id of the shared index that this one adds to.
    shared: Option<String>,
}

/// Returns `None` for bytes that are not an index with ids of `id` bytes.
fn search(index: &[u8], id: usize, wanted: &[u8]) -> Option<Searched> {
    let version = number(index, 4)?;
    if !index.starts_with(b"DIRC") || !(2..=4).contains(&version) {
        return None;
    }
    let mut searched = Searched::default();
    let (mut at, mut path) = (12, Vec::new());
    for _ in 0..number(index, 8)? {
        at = entry(index, at, version, id, &mut path)?;
        if searched.found.is_none() && is_at_or_below(&path, wanted) {
            let path = std::ffi::OsString::from_vec(path.clone());
            searched.found = Some(path.into());
        }
    }
    // Extensions: four letters, a length, so many bytes. The last bytes are a checksum of all before.
    while at < index.len().checked_sub(id)? {
        let (name, length) = (index.get(at..at + 4)?, number(index, at + 4)?);
        let start = at + 8;
        at = start.checked_add(usize::try_from(length).ok()?)?;
        let data = index.get(start..at)?;
        if name == b"link" {
            searched.shared = Some(hex::encode(data.get(..id)?));
        }
    }
    (at + id == index.len()).then_some(searched)
}

/// Reads the entry at `start` into `path`, which holds the previous entry's path; returns the offset of the next one.
fn entry(index: &[u8], start: usize, version: u32, id: usize, path: &mut Vec<u8>) -> Option<usize> {
    const TIMES_AND_SIZES: usize = 40;
    const EXTENDED: u16 = 0x4000;
    const LENGTH: u16 = 0x0fff;
    let mut at = start + TIMES_AND_SIZES + id;
    let flags = u16::from_be_bytes(index.get(at..at + 2)?.try_into().ok()?);
    at += 2;
    if flags & EXTENDED != 0 {
        at += 2;
    }
    let kept = if version == 4 {
        let (dropped, after) = offset(index, at)?;
        at = after;
        path.len().checked_sub(dropped)?
    } else {
        0
    };
    path.truncate(kept);
    let rest = index.get(at..)?;
    let length = rest.iter().position(|byte| *byte == 0)?;
    path.extend_from_slice(&rest[..length]);
    if usize::from(flags & LENGTH) != path.len().min(usize::from(LENGTH)) {
        return None;
    }
    at += length;
    // Older versions fill an entry up to a multiple of eight bytes, with one zero at least.
    Some(if version == 4 {
        at + 1
    } else {
        start + (at - start + 8) / 8 * 8
    })
}

/// Parses git's variable-length number: seven bits a byte, and the highest bit is set in all but the last byte.
fn offset(index: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut value = 0usize;
    loop {
        let byte = *index.get(at)?;
        at += 1;
        value = value
            .checked_mul(128)?
            .checked_add(usize::from(byte & 127))?;
        if byte & 128 == 0 {
            return Some((value, at));
        }
        value = value.checked_add(1)?;
    }
}

fn number(index: &[u8], at: usize) -> Option<u32> {
    let bytes = index.get(at..at + 4)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// Some file systems ignore case.
fn is_at_or_below(path: &[u8], wanted: &[u8]) -> bool {
    let Some((begin, rest)) = path.split_at_checked(wanted.len()) else {
        return false;
    };
    begin.eq_ignore_ascii_case(wanted) && matches!(rest.first(), None | Some(b'/'))
}

#[cfg(test)]
mod tests;
