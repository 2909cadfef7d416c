//! Names inside a template.

/// A resource's name inside the template.
pub type LogicalId = String;
