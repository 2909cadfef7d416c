//! SHA-256 as names of code: hexadecimal.

use std::io::{Read, Write};

use sha2::{Digest, Sha256};

/// Copies `from` to `to`; returns the SHA-256 of the copied bytes, hexadecimal, and their number.
pub(crate) fn copy_hashed(
    mut from: impl Read,
    mut to: impl Write,
) -> std::io::Result<(String, u64)> {
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok((hex::encode(hash.finalize()), size)),
            Ok(length) => {
                hash.update(&buffer[..length]);
                to.write_all(&buffer[..length])?;
                size += length as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
