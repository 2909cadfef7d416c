//! Finds the executable at the path that a caller names: in a folder, in a zip, or the path itself.

mod unpack;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use self::unpack::UNZIPPED_BYTES;
pub(crate) use self::unpack::unpack;
use crate::ids;

/// Code that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    /// The executable.
    pub(crate) bootstrap: PathBuf,
    /// `LAMBDA_TASK_ROOT`, the process's working folder.
    pub(crate) root: PathBuf,
    /// Changes when the file behind the path changes.
    version: (u64, u64, i64, i64),
}

/// Why a path is not code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// The path, or the `bootstrap` in it, cannot be read.
    #[error(
        "could not read `{path}`: build the function, or name the folder that contains its `bootstrap`"
    )]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// What a zip file contains cannot be written.
    #[error(
        "could not unpack the code into `{path}`: see that the disk has room, and that this user may write there"
    )]
    Unwritable {
        /// The folder or file to write.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The file exists but is not executable.
    #[error(
        "`{path}` is not executable: `chmod +x` it, or name the folder or zip that contains an executable `bootstrap`"
    )]
    NotExecutable {
        /// The path.
        path: PathBuf,
    },
    /// The file in a zip is not executable. A zip stores that permission.
    #[error(
        "`bootstrap` in `{path}` is not executable: `chmod +x` it before it is packed, with a program that stores permissions"
    )]
    NotExecutableInZip {
        /// The zip file.
        path: PathBuf,
    },
    /// The script's first line has a Windows line ending, so the system looks for an interpreter with a wrong name.
    #[error(
        "the first line of the script `{path}` ends with a carriage return, so its interpreter is not found: save it with \
         Unix line endings"
    )]
    CarriageReturn {
        /// The script.
        path: PathBuf,
    },
    /// A zip file that cannot be unpacked.
    #[error("could not unpack `{path}`: pack it again, as a zip file with `bootstrap` at its top")]
    Zip {
        /// The path.
        path: PathBuf,
        /// The unpacking error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A zip file without a `bootstrap` at its top.
    #[error("`{path}` contains no `bootstrap`: it must be at the top of the zip file")]
    NoBootstrap {
        /// The path.
        path: PathBuf,
    },
    /// A zip file beyond Lambda's limit.
    #[error("`{path}` unpacks to more than 250 MB, which Lambda refuses")]
    TooLarge {
        /// The path.
        path: PathBuf,
    },
}

impl Code {
    /// Finds the executable at `path`; a zip file is unpacked into `scratch`.
    pub(crate) fn load(path: &Path, scratch: &Scratch) -> Result<Self, CodeError> {
        let path = std::path::absolute(path).map_err(|source| unreadable(path, source))?;
        let version = version(&path)?;
        if path.is_dir() {
            let bootstrap = path.join("bootstrap");
            return Self::at(bootstrap.clone(), path, self::version(&bootstrap)?);
        }
        if is_zip(&path).map_err(|source| unreadable(&path, source))? {
            let root = scratch
                .folder(version)
                .map_err(|source| unwritable(&scratch.root, source))?;
            if !root.exists() {
                // Renamed once it is complete, so that a partly unpacked one is never run.
                let partial = root.with_extension("partial");
                let unpacked = empty(&partial)
                    .map_err(|source| unwritable(&partial, source))
                    .and_then(|()| File::open(&path).map_err(|source| unreadable(&path, source)))
                    .and_then(|file| unpack(file, &path, &partial, UNZIPPED_BYTES))
                    .and_then(|()| {
                        fs::rename(&partial, &root).map_err(|source| unwritable(&root, source))
                    });
                if unpacked.is_err() {
                    // An incomplete one must not stay on a full disk.
                    let _gone = fs::remove_dir_all(&partial);
                }
                unpacked?;
            }
            let found = Self::at(root.join("bootstrap"), root, version);
            return found.map_err(|error| match error {
                CodeError::NotExecutable { .. } => CodeError::NotExecutableInZip { path },
                other => other,
            });
        }
        let root = path.parent().unwrap_or(Path::new("/")).to_owned();
        Self::at(path, root, version)
    }

    fn at(
        bootstrap: PathBuf,
        root: PathBuf,
        version: (u64, u64, i64, i64),
    ) -> Result<Self, CodeError> {
        let found = fs::metadata(&bootstrap).map_err(|source| unreadable(&bootstrap, source))?;
        if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
            return Err(CodeError::NotExecutable { path: bootstrap });
        }
        if has_windows_shebang(&bootstrap).map_err(|source| unreadable(&bootstrap, source))? {
            return Err(CodeError::CarriageReturn { path: bootstrap });
        }
        Ok(Self {
            bootstrap,
            root,
            version,
        })
    }
}

/// The folder for unpacked zip files.
#[derive(Debug)]
pub(crate) struct Scratch {
    root: PathBuf,
    ours: bool,
    made: Mutex<bool>,
}

impl Scratch {
    /// `chosen`, or a private temporary folder that is removed with the value.
    pub(crate) fn new(chosen: Option<PathBuf>) -> Self {
        let ours = chosen.is_none();
        let root = chosen.unwrap_or_else(|| {
            let name = ids::random_text(16, b"abcdefghijklmnopqrstuvwxyz0123456789");
            std::env::temp_dir().join(format!("chatctl-local-{name}"))
        });
        Self {
            root,
            ours,
            made: Mutex::new(false),
        }
    }

    fn folder(&self, (device, inode, size, modified): (u64, u64, i64, i64)) -> io::Result<PathBuf> {
        let mut made = self.made.lock().expect("no holder of this lock panics");
        if !*made {
            // Code may contain secrets, so other users of the machine must not read it. An existing folder was made by
            // another process, and is an error.
            let mut private = DirBuilder::new();
            private.mode(0o700).recursive(!self.ours);
            private.create(&self.root)?;
            if !self.ours {
                fs::set_permissions(&self.root, fs::Permissions::from_mode(0o700))?;
            }
            *made = true;
        }
        Ok(self
            .root
            .join(format!("{device:x}-{inode:x}-{size:x}-{modified:x}")))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let made = self.made.get_mut().is_ok_and(|made| *made);
        if self.ours && made {
            // The next start does not need it; the operating system cleans its temporary folder later.
            let _gone = fs::remove_dir_all(&self.root);
        }
    }
}

/// Creates a new, empty folder at `path`. A killed process may have left an earlier one.
fn empty(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::create_dir(path),
    }
}

fn version(path: &Path) -> Result<(u64, u64, i64, i64), CodeError> {
    let found = fs::metadata(path).map_err(|source| unreadable(path, source))?;
    let nanos = found
        .mtime()
        .wrapping_mul(1_000_000_000)
        .wrapping_add(found.mtime_nsec());
    Ok((found.dev(), found.ino(), found.size().cast_signed(), nanos))
}

fn is_zip(path: &Path) -> io::Result<bool> {
    let mut start = [0; 4];
    match io::Read::read_exact(&mut File::open(path)?, &mut start) {
        Ok(()) => Ok(&start == b"PK\x03\x04"),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a file begins with `#!` and its first line ends with a carriage return.
fn has_windows_shebang(path: &Path) -> io::Result<bool> {
    let mut start = Vec::with_capacity(256);
    io::Read::read_to_end(&mut io::Read::take(File::open(path)?, 256), &mut start)?;
    let line = start
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    Ok(line.starts_with(b"#!") && line.ends_with(b"\r"))
}

fn unreadable(path: &Path, source: io::Error) -> CodeError {
    CodeError::Unreadable {
        path: path.to_owned(),
        source,
    }
}

fn unwritable(path: &Path, source: io::Error) -> CodeError {
    CodeError::Unwritable {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn zip_with(name: &str, mode: u32) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = zip::ZipWriter::new(file.reopen().unwrap());
        let options = zip::write::SimpleFileOptions::default().unix_permissions(mode);
        writer.start_file(name, options).unwrap();
        writer.write_all(b"#!/bin/sh\n").unwrap();
        writer.finish().unwrap();
        file
    }

    #[test]
    fn a_zip_is_unpacked_with_its_permissions() {
        let zip = zip_with("bootstrap", 0o755);
        let scratch = Scratch::new(None);
        let code = Code::load(zip.path(), &scratch).unwrap();
        assert_eq!(fs::read(&code.bootstrap).unwrap(), b"#!/bin/sh\n");
        assert!(code.root.starts_with(&scratch.root));
        let root = scratch.root.clone();
        drop(scratch);
        assert!(!root.exists(), "a private scratch folder is removed");
    }

    #[test]
    fn a_zip_that_cannot_be_unpacked_leaves_nothing_of_it() {
        let zip = zip_with("bootstrap", 0o755);
        let mut bytes = fs::read(zip.path()).unwrap();
        // The offset of the first file's content, so that its checksum is wrong.
        bytes[40] ^= 0xff;
        bytes[45] ^= 0xff;
        fs::write(zip.path(), bytes).unwrap();
        let scratch = Scratch::new(None);
        Code::load(zip.path(), &scratch).unwrap_err();
        assert_eq!(fs::read_dir(&scratch.root).unwrap().count(), 0);
    }

    #[test]
    fn the_error_tells_a_disk_that_cannot_be_written_from_a_broken_zip() {
        let zip = zip_with("bootstrap", 0o755);
        let blocked = tempfile::NamedTempFile::new().unwrap();
        let scratch = Scratch::new(Some(blocked.path().join("folder")));
        let error = Code::load(zip.path(), &scratch).unwrap_err();
        assert!(matches!(error, CodeError::Unwritable { .. }), "{error:?}");
        assert!(error.to_string().contains("the disk has room"), "{error}");
        let target = tempfile::tempdir().unwrap();
        fs::create_dir(target.path().join("bootstrap")).unwrap();
        let unpacked = unpack(zip.reopen().unwrap(), zip.path(), target.path(), 1_000);
        let error = unpacked.unwrap_err();
        assert!(matches!(error, CodeError::Unwritable { .. }), "{error:?}");
        let mut bytes = fs::read(zip.path()).unwrap();
        bytes[40] ^= 0xff;
        bytes[45] ^= 0xff;
        fs::write(zip.path(), bytes).unwrap();
        let error = Code::load(zip.path(), &Scratch::new(None)).unwrap_err();
        assert!(matches!(error, CodeError::Zip { .. }), "{error:?}");
        assert!(error.to_string().contains("pack it again"), "{error}");
    }

    #[test]
    fn an_existing_scratch_folder_is_not_used() {
        let scratch = Scratch::new(None);
        let elsewhere = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), &scratch.root).unwrap();
        let root = scratch.root.clone();
        Code::load(zip_with("bootstrap", 0o755).path(), &scratch).unwrap_err();
        drop(scratch);
        assert!(root.symlink_metadata().is_ok(), "it is not removed, either");
        fs::remove_file(root).unwrap();
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }

    #[test]
    fn errors_about_paths_that_are_not_code_have_a_remedy() {
        let scratch = Scratch::new(None);
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| Code::load(path, &scratch).unwrap_err();
        assert!(
            matches!(error(folder.path()), CodeError::Unreadable { path, .. } if path.ends_with("bootstrap"))
        );
        assert!(matches!(
            error(&folder.path().join("none")),
            CodeError::Unreadable { .. }
        ));
        fs::write(folder.path().join("bootstrap"), "x").unwrap();
        assert!(matches!(
            error(folder.path()),
            CodeError::NotExecutable { .. }
        ));
        assert!(matches!(
            error(zip_with("main", 0o755).path()),
            CodeError::NoBootstrap { .. }
        ));
        assert!(matches!(
            error(zip_with("bootstrap", 0o644).path()),
            CodeError::NotExecutableInZip { .. }
        ));
        let script = folder.path().join("bootstrap");
        fs::write(&script, "#!/bin/sh\r\nexit\r\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(
            error(folder.path()),
            CodeError::CarriageReturn { .. }
        ));
    }

    #[test]
    fn a_rewritten_file_is_another_version() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(None);
        let bootstrap = folder.path().join("bootstrap");
        fs::write(&bootstrap, "one").unwrap();
        fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755)).unwrap();
        let first = Code::load(folder.path(), &scratch).unwrap();
        assert_eq!(first, Code::load(folder.path(), &scratch).unwrap());
        fs::write(&bootstrap, "three").unwrap();
        assert_ne!(first, Code::load(folder.path(), &scratch).unwrap());
    }
}
