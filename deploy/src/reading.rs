//! Reads files that a clone can bring, or that settings of other tools name, whatever they are.
//!
//! A link leads anywhere: to a device without an end, to a pipe without a writer, to a file of the kernel's that has no
//! size and blocks. So whatever is read whole is read here, up to a size and for a time.

use std::fs::File;
use std::io::{Error, ErrorKind, Read};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use crate::scale::scaled;

/// How long a file may take, such as a pipe without a writer, or a drive that has gone.
const TIMEOUT: Duration = Duration::from_secs(10);

/// All of the file at `path`, which has `most` bytes at most.
///
/// # Errors
/// It cannot be read, has more bytes, or does not come to an end.
pub async fn read(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let (send, receive) = tokio::sync::oneshot::channel();
    let path = path.to_owned();
    // A thread of its own: it may stay there for ever, and must not keep the command from ending.
    std::thread::spawn(move || drop(send.send(whole(&path, most))));
    match tokio::time::timeout(scaled(TIMEOUT), receive).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_gone)) => Err(failed()),
        Err(_elapsed) => Err(endless()),
    }
}

/// The same, for what cannot wait in any other way.
///
/// # Errors
/// As for [`read`].
pub fn read_now(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let path = path.to_owned();
    in_time(move || whole(&path, most))
}

/// The same of a text.
///
/// # Errors
/// As for [`read`]; or it is not in UTF-8.
pub fn text_now(path: &Path, most: u64) -> Result<String, Error> {
    text(read_now(path, most)?)
}

/// No more than the first `most` bytes of an open file, which must be a text.
///
/// # Errors
/// As for [`text_now`].
pub fn beginning(file: File, most: u64) -> Result<String, Error> {
    text(in_time(move || first(file, most))?)
}

/// The same of the file at `path`.
///
/// # Errors
/// As for [`text_now`].
pub fn beginning_at(path: &Path, most: u64) -> Result<String, Error> {
    let path = path.to_owned();
    text(in_time(move || first(File::open(path)?, most))?)
}

fn first(file: File, most: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn in_time(
    work: impl FnOnce() -> Result<Vec<u8>, Error> + Send + 'static,
) -> Result<Vec<u8>, Error> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || drop(send.send(work())));
    match receive.recv_timeout(scaled(TIMEOUT)) {
        Ok(outcome) => outcome,
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(failed()),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(endless()),
    }
}

fn text(bytes: Vec<u8>) -> Result<String, Error> {
    // In the words of the standard library.
    let invalid = |_| Error::new(ErrorKind::InvalidData, "stream did not contain valid UTF-8");
    String::from_utf8(bytes).map_err(invalid)
}

fn failed() -> Error {
    Error::other("reading it failed")
}

fn endless() -> Error {
    Error::other(format!(
        "it does not come to an end: not read after {} s",
        TIMEOUT.as_secs()
    ))
}

fn whole(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(Error::other("it is a folder"));
    }
    let bytes = first(file, most + 1)?;
    match bytes.len() as u64 > most {
        true => Err(Error::other(format!(
            "it has more than {} MB, which no such file has",
            most >> 20
        ))),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_BYTES: u64 = 1 << 20;

    #[test]
    fn a_file_without_an_end_or_a_size_is_refused_and_an_ordinary_one_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("chatctl.toml");
        for endless in ["/dev/zero", "/dev/urandom"] {
            std::os::unix::fs::symlink(endless, &link).unwrap();
            let error = read_now(&link, MAX_BYTES).unwrap_err().to_string();
            assert_eq!(error, "it has more than 1 MB, which no such file has");
            std::fs::remove_file(&link).unwrap();
        }
        let missing = read_now(&link, MAX_BYTES).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        assert!(read_now(folder.path(), MAX_BYTES).is_err());
        std::fs::write(&link, "stack = \"a\"").unwrap();
        assert_eq!(text_now(&link, MAX_BYTES).unwrap(), "stack = \"a\"");
        assert_eq!(beginning_at(&link, 5).unwrap(), "stack");
        std::fs::write(&link, [0xff]).unwrap();
        assert_eq!(
            text_now(&link, MAX_BYTES).unwrap_err().kind(),
            ErrorKind::InvalidData
        );
    }
}
