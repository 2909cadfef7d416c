//! Sizes, as people read them, and the one that limits a template.

/// The longest template that fits into a request to CloudFormation, in bytes
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>).
pub const MAX_TEMPLATE: usize = 51_200;

/// In millions of bytes, with one decimal: `5.4 MB`.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
