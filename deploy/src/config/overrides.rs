//! What a command and its environment say beside the file.

use std::path::PathBuf;

use super::names::{EndpointTemplate, PersonName, RegionName, StackName, StageName};

/// Values from flags and the environment. With `None`, the file's value applies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The config file; it must exist.
    pub config: Option<PathBuf>,
    /// The stack's name.
    pub stack: Option<StackName>,
    /// The stage's name.
    pub stage: Option<StageName>,
    /// The first user in the connect commands.
    pub from: Option<PersonName>,
    /// The second one.
    pub to: Option<PersonName>,
    /// The AWS Region.
    pub region: Option<RegionName>,
    /// The profile in `~/.aws`.
    pub profile: Option<String>,
    /// Where the API answers when an emulator replaces AWS.
    pub endpoint: Option<EndpointTemplate>,
}
