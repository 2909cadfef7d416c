//! The handlers as Lambda takes them: a zip with one executable `bootstrap`, the same bytes for the same executable.

use std::io::{Cursor, Write};

use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::engine::{Refusal, TargetError};
use crate::packaging::Artifact;

/// A zip and what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Archive {
    pub(crate) bytes: Vec<u8>,
    /// SHA-256 of the bytes, hexadecimal.
    pub(crate) digest: String,
    /// The processor it runs on, in Lambda's words.
    pub(crate) architecture: &'static str,
}

impl Archive {
    /// Zips `artifact`.
    ///
    /// # Errors
    /// It cannot be read, or is no executable that Lambda could run.
    pub(crate) fn of(artifact: &Artifact) -> Result<Self, TargetError> {
        let path = &artifact.executable;
        let executable =
            std::fs::read(path).map_err(|source| TargetError::file("read", path, source))?;
        let architecture = architecture(&executable).ok_or_else(|| {
            let message = format!(
                "{} is no Linux executable for x86_64 or arm64",
                path.display()
            );
            TargetError::new(Refusal::Usage, message)
                .with_hint("build the handlers for Lambda's processors, or let chatctl build them")
        })?;
        let bytes = zip_bootstrap(&executable);
        let digest = Sha256::digest(&bytes);
        Ok(Self {
            digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            bytes,
            architecture,
        })
    }
}

/// One entry `bootstrap`, executable, dated 1980-01-01: nothing in it depends on when or where it was made.
fn zip_bootstrap(executable: &[u8]) -> Vec<u8> {
    const REASON: &str = "memory takes any file";
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("bootstrap", options).expect(REASON);
    zip.write_all(executable).expect(REASON);
    zip.finish().expect(REASON).into_inner()
}

/// The processor in an ELF header: 64 bits, little endian, `e_machine` at offset 18 (elf(5)).
fn architecture(executable: &[u8]) -> Option<&'static str> {
    let header = executable.get(..20)?;
    if !header.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    match u16::from_le_bytes([header[18], header[19]]) {
        62 => Some("x86_64"),
        183 => Some("arm64"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn elf(machine: u16) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(18, 0);
        bytes.extend(machine.to_le_bytes());
        bytes.extend([7; 100]);
        bytes
    }

    #[test]
    fn the_same_executable_gives_the_same_bytes_and_they_hold_an_executable_bootstrap() {
        let bytes = zip_bootstrap(&elf(62));
        assert_eq!(bytes, zip_bootstrap(&elf(62)));
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        assert_eq!(zip.len(), 1);
        let mut entry = zip.by_name("bootstrap").unwrap();
        assert_eq!(entry.unix_mode().unwrap() & 0o777, 0o755);
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        assert_eq!(content, elf(62));
    }

    #[test]
    fn the_processor_is_read_from_the_executable() {
        assert_eq!(architecture(&elf(62)), Some("x86_64"));
        assert_eq!(architecture(&elf(183)), Some("arm64"));
        assert_eq!(architecture(&elf(8)), None);
        assert_eq!(architecture(b"#!/bin/sh"), None);
    }
}
