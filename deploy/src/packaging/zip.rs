//! Zips handlers for Lambda: one executable file, `bootstrap`.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The name that the `provided` runtimes start
/// (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-provided.html>).
pub(super) const BOOTSTRAP: &str = "bootstrap";

/// The strongest level. It is fixed, because another level would make other bytes of the same executable.
const LEVEL: i64 = 9;

/// Zips `executable`. The bytes depend on nothing else: not the file's path, age or mode, nor the clock.
pub(super) fn zip(executable: &[u8]) -> Vec<u8> {
    const REASON: &str = "writing to memory does not fail";
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL))
        // 1980-01-01, the first day that a zip can represent.
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(BOOTSTRAP, options).expect(REASON);
    zip.write_all(executable).expect(REASON);
    zip.finish().expect(REASON).into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use std::io::Read;

    #[test]
    fn the_same_executable_gives_the_same_bytes() {
        let executable: Vec<u8> = (0..200_000_u32)
            .flat_map(|n| (n.wrapping_mul(n)).to_le_bytes())
            .collect();
        assert_eq!(zip(&executable), zip(&executable));
    }

    #[test]
    fn it_contains_one_executable_file_bootstrap_of_the_first_day() {
        let mut archive = zip::ZipArchive::new(Cursor::new(zip(b"content"))).unwrap();
        assert_eq!(archive.len(), 1);
        let mut entry = archive.by_name("bootstrap").unwrap();
        assert_eq!(entry.unix_mode().unwrap() & 0o7777, 0o755);
        let dated = entry.last_modified().unwrap();
        assert_eq!(
            (dated.year(), dated.month(), dated.day(), dated.hour()),
            (1980, 1, 1, 0)
        );
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        assert_eq!(content, "content");
    }

    #[test]
    fn the_bytes_are_those_of_earlier_versions() {
        // Another digest makes every deployed stack look changed, so it must not change by accident.
        let digest = super::super::digest(&zip(&[7; 10_000]));
        expect!["a4fcebe8862fcda389dd8c61ee7cbb55917968e105ce10e2d4ea643c67efd7a5"]
            .assert_eq(&digest);
    }
}
