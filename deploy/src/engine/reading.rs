//! Reads files that settings of other tools name, whatever they are.

use std::io::{Error, Read};
use std::path::Path;
use std::time::Duration;

use super::limits;

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
    match tokio::time::timeout(limits::scaled(TIMEOUT), receive).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_gone)) => Err(Error::other("reading it failed")),
        Err(_elapsed) => Err(Error::other(format!(
            "it does not come to an end: not read after {} s",
            TIMEOUT.as_secs()
        ))),
    }
}

fn whole(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let file = std::fs::File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(Error::other("it is a folder"));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(Error::other(format!(
            "it has more than {} MB, which no such file has",
            most >> 20
        ))),
        false => Ok(bytes),
    }
}
