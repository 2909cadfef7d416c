//! What a function needs to run.

use std::collections::BTreeMap;

use super::code::Code;
use crate::iam::credentials::AccessKey;
use crate::stack::Function;

/// A function with everything that its processes need.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Runnable {
    pub(crate) function: Function,
    pub(crate) code: Code,
    pub(crate) environment: FunctionEnvironment,
    pub(crate) max_processes: usize,
    /// The missing action that its role would need on AWS to write logs.
    pub(crate) missing_log_action: Option<&'static str>,
}

/// The settings for a function's process besides the function's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionEnvironment {
    /// `AWS_REGION`.
    pub(crate) region: String,
    /// The function's own credentials, which lead to its role.
    pub(crate) access_key: AccessKey,
    /// The addresses of services, by the variable that leads AWS's SDKs there.
    pub(crate) endpoints: BTreeMap<&'static str, String>,
    /// A digest of the secrets that functions may read. Processes keep what they have read, so those of other secrets are
    /// replaced.
    pub(crate) secrets: String,
}
