//! Who may do what: IAM policies as data, and the decision over them.

/// A parsed policy document.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {}
