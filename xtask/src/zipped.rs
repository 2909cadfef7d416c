//! How large the handlers are when they travel: Lambda loads them at every cold start.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::run::StepError;
use crate::say;

/// The most bytes of the zip. Its headers are some hundred of them.
const MAX: usize = 2_800_000;

/// Checks the executable at `path`, compressed as a deployment compresses it.
pub(crate) fn check(path: &Path) -> Result<(), StepError> {
    let failed = |error: std::io::Error| StepError::Other(format!("{}: {error}", path.display()));
    let bytes = std::fs::read(path).map_err(failed)?;
    let zipped = length(&bytes).map_err(failed)?;
    say(&format!(
        "{}: {zipped} bytes as a zip, {MAX} at most",
        path.display()
    ));
    match zipped <= MAX {
        true => Ok(()),
        false => Err(StepError::Other(format!(
            "{}: its zip has {zipped} bytes, {MAX} at most: cold starts take as long as the handlers are large; see what has \
             grown, and whether it is worth it",
            path.display()
        ))),
    }
}

fn length(bytes: &[u8]) -> std::io::Result<usize> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_compress_below_the_limit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat");
        std::fs::write(&path, vec![7; 2 * MAX]).unwrap();
        check(&path).unwrap();
        let mut state = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        })
        .take(MAX + 1)
        .collect();
        std::fs::write(&path, noise).unwrap();
        let error = check(&path).unwrap_err().to_string();
        assert!(error.contains("2800000 at most"), "{error}");
        assert!(check(&folder.path().join("none")).is_err());
    }
}
