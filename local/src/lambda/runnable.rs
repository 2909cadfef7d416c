//! What a function needs to run.

use super::code::Code;
use crate::iam::credentials::AccessKey;
use crate::stack::Function;

/// A function with everything that its processes need.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Runnable {
    pub(crate) function: Function,
    pub(crate) code: Code,
    pub(crate) surroundings: FunctionEnvironment,
    pub(crate) max_processes: usize,
    /// The action that its role would need to write logs on AWS, and lacks.
    pub(crate) missing_log_action: Option<&'static str>,
}

/// What a function's process finds around itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionEnvironment {
    /// `AWS_REGION`.
    pub(crate) region: String,
    /// The function's own credentials, which lead to its role.
    pub(crate) access_key: AccessKey,
    /// Where DynamoDB is.
    pub(crate) tables_endpoint: String,
    /// Where the @connections API is, with the stage.
    pub(crate) connections_endpoint: String,
    /// Where Lambda's Invoke API is.
    pub(crate) functions_endpoint: String,
}
