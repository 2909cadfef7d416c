//! An archive whose bytes depend on its files alone: sorted, with the same time, owner and modes everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use crate::run::{StepError, at};

/// The time of every file, as cargo has it in packages: 2006-07-24. Some programs warn of the epoch itself.
const TIME: u64 = 1_153_704_088;

/// "Unknown" (RFC 1952, section 2.3.1).
const NO_SYSTEM: u8 = 255;

/// Files below one folder, which has the archive's name.
#[derive(Debug)]
pub(super) struct Archive {
    name: String,
    files: BTreeMap<String, File>,
}

#[derive(Debug)]
struct File {
    bytes: Vec<u8>,
    mode: u32,
}

impl Archive {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            files: BTreeMap::new(),
        }
    }

    /// Adds a file at `path`, with slashes.
    pub(super) fn add(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.insert(path.into(), bytes.into(), 0o644);
    }

    /// Adds an executable file.
    pub(super) fn add_program(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.insert(path.into(), bytes.into(), 0o755);
    }

    fn insert(&mut self, path: String, bytes: Vec<u8>, mode: u32) {
        self.files.insert(path, File { bytes, mode });
    }

    /// Writes `NAME.tar.gz` and `NAME.tar.gz.sha256` into `folder`, and answers the path of the first.
    pub(super) fn write(&self, folder: &Path, compression: u32) -> Result<PathBuf, StepError> {
        std::fs::create_dir_all(folder).map_err(|error| at(folder, error))?;
        let name = format!("{}.tar.gz", self.name);
        let path = folder.join(&name);
        let bytes = self.bytes(compression).map_err(|error| at(&path, error))?;
        let sum = format!("{}  {name}\n", hex::encode(Sha256::digest(&bytes)));
        std::fs::write(&path, bytes).map_err(|error| at(&path, error))?;
        let beside = folder.join(format!("{name}.sha256"));
        std::fs::write(&beside, sum).map_err(|error| at(&beside, error))?;
        Ok(path)
    }

    fn bytes(&self, compression: u32) -> std::io::Result<Vec<u8>> {
        let gzip = GzBuilder::new().operating_system(NO_SYSTEM);
        let mut tar = tar::Builder::new(gzip.write(Vec::new(), Compression::new(compression)));
        // Folders are entries, too: otherwise a user's umask would decide their modes.
        for folder in self.folders() {
            let mut header = header(EntryType::Directory, 0o755, 0);
            tar.append_data(&mut header, format!("{folder}/"), std::io::empty())?;
        }
        for (path, file) in &self.files {
            let mut header = header(EntryType::Regular, file.mode, file.bytes.len() as u64);
            tar.append_data(
                &mut header,
                format!("{}/{path}", self.name),
                &file.bytes[..],
            )?;
        }
        let mut gzip = tar.into_inner()?;
        gzip.flush()?;
        gzip.finish()
    }

    fn folders(&self) -> BTreeSet<String> {
        let paths = self
            .files
            .keys()
            .map(|path| format!("{}/{path}", self.name));
        paths
            .flat_map(|path| {
                let ends = path.match_indices('/').map(|(at, _)| path[..at].to_owned());
                ends.collect::<Vec<_>>()
            })
            .collect()
    }
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(TIME);
    header.set_size(size);
    header
}

/// Checks `archive` by the sum beside it.
pub(super) fn check_sum(archive: &Path) -> Result<(), StepError> {
    let beside = PathBuf::from(format!("{}.sha256", archive.display()));
    let sum = std::fs::read_to_string(&beside).map_err(|error| at(&beside, error))?;
    let bytes = std::fs::read(archive).map_err(|error| at(archive, error))?;
    let digest = hex::encode(Sha256::digest(bytes));
    match sum.split_whitespace().next() == Some(digest.as_str()) {
        true => Ok(()),
        false => Err(StepError::Other(format!(
            "{} has another digest than {} says: {digest}",
            archive.display(),
            beside.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(order: [usize; 2]) -> Archive {
        let mut archive = Archive::new("it-1".into());
        for which in order {
            match which {
                0 => archive.add_program("bin/it", "program"),
                _ => archive.add("share/doc/README.md", "text"),
            }
        }
        archive
    }

    #[test]
    fn the_same_files_give_the_same_bytes_in_any_order() {
        let bytes = sample([0, 1]).bytes(9).unwrap();
        assert_eq!(bytes, sample([1, 0]).bytes(9).unwrap());
        // No time, no name, and no system in the head of gzip.
        assert_eq!(bytes[3..8], [0; 5]);
        assert_eq!(bytes[9], NO_SYSTEM);
    }

    #[test]
    fn files_and_folders_have_modes_that_no_other_user_can_write_to() {
        let bytes = sample([0, 1]).bytes(1).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..]));
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let (path, header) = (entry.path().unwrap().display().to_string(), entry.header());
            assert_eq!((header.uid().unwrap(), header.mtime().unwrap()), (0, TIME));
            format!("{path} {:o}", header.mode().unwrap())
        });
        assert_eq!(
            entries.collect::<Vec<_>>(),
            [
                "it-1/ 755",
                "it-1/bin/ 755",
                "it-1/share/ 755",
                "it-1/share/doc/ 755",
                "it-1/bin/it 755",
                "it-1/share/doc/README.md 644",
            ]
        );
    }

    #[test]
    fn an_archive_that_was_changed_does_not_fit_the_sum_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = sample([0, 1]).write(folder.path(), 1).unwrap();
        assert!(path.ends_with("it-1.tar.gz"));
        check_sum(&path).unwrap();
        std::fs::write(&path, "other").unwrap();
        check_sum(&path).unwrap_err();
    }
}
