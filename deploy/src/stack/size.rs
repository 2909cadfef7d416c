//! Sizes, as people read them.

/// In millions of bytes, with one decimal: `5.4 MB`.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
