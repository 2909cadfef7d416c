//! Unpacks zip files: up to a size, and only below one folder.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{CodeError, unwritable};

/// Lambda's limit for unzipped code, see <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
pub(super) const UNZIPPED_BYTES: u64 = 250 * 1024 * 1024;

/// Unpacks `file`, the zip file `path`, into `root`: `room` bytes and one more at most.
pub(crate) fn unpack(
    file: impl io::Read + io::Seek,
    path: &Path,
    root: &Path,
    mut room: u64,
) -> Result<(), CodeError> {
    let wrong = |error: zip::result::ZipError| CodeError::Zip {
        path: path.to_owned(),
        source: error.into(),
    };
    let mut archive = zip::ZipArchive::new(file).map_err(wrong)?;
    if archive.index_for_name("bootstrap").is_none() {
        return Err(CodeError::NoBootstrap {
            path: path.to_owned(),
        });
    }
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(wrong)?;
        // Names that lead out of the folder, such as `..`, are skipped.
        let Some(name) = entry.enclosed_name() else {
            continue;
        };
        let target = root.join(name);
        if entry.is_dir() {
            fs::create_dir_all(&target).map_err(|source| unwritable(&target, source))?;
            continue;
        }
        let mode = entry.unix_mode().unwrap_or(0o644) & 0o777;
        let written = write(&mut entry, &target, room, mode).map_err(|error| match error {
            EntryError::Read(source) => wrong(source.into()),
            EntryError::Write(source) => unwritable(&target, source),
        })?;
        room = room
            .checked_sub(written)
            .ok_or_else(|| CodeError::TooLarge {
                path: path.to_owned(),
            })?;
    }
    Ok(())
}

/// Why an entry of a zip file is not on the disk.
enum EntryError {
    /// The zip file is broken.
    Read(io::Error),
    Write(io::Error),
}

/// Writes one file, at most one byte more than `room`.
fn write(
    entry: &mut impl io::Read,
    target: &Path,
    room: u64,
    mode: u32,
) -> Result<u64, EntryError> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(EntryError::Write)?;
    }
    let mut file = File::create(target).map_err(EntryError::Write)?;
    let mut entry = io::Read::take(entry, room + 1);
    let mut buffer = vec![0; 64 * 1024];
    let mut written = 0;
    loop {
        let read = match io::Read::read(&mut entry, &mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(EntryError::Read(error)),
        };
        io::Write::write_all(&mut file, &buffer[..read]).map_err(EntryError::Write)?;
        written += read as u64;
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
        .map_err(EntryError::Write)?;
    Ok(written)
}
