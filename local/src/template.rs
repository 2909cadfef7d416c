//! TEMPORARY, not committed.
use crate::stack::{Identity, Stack};
use std::collections::BTreeMap;
#[derive(Debug, thiserror::Error)]
#[error("no template reader yet")]
pub struct TemplateError;
pub fn resolve(
    _s: &str,
    _p: &BTreeMap<String, String>,
    _i: &Identity,
) -> Result<Stack, TemplateError> {
    Err(TemplateError)
}
