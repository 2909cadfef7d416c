//! TEMPORARY, not committed.
use std::collections::BTreeMap;
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {}
pub struct Request {
    pub action: String,
    pub resource: String,
    pub context: BTreeMap<String, Vec<String>>,
}
pub enum Decision {
    Allowed,
    ImplicitlyDenied,
    ExplicitlyDenied,
}
impl Policy {
    pub fn parse(_v: &serde_json::Value) -> Result<Policy, String> {
        Ok(Policy {})
    }
}
pub fn decide(_p: &[Policy], _r: &Request) -> Decision {
    Decision::Allowed
}
pub fn matches_arn(_p: &str, _t: &str) -> bool {
    true
}
