//! The verbs, over narrow traits in the project's words. Adapters know the targets; what a verb does is decided here, once
//! for every target.

mod again;
pub mod client;
pub mod cloud;
mod deploy;
mod event;
mod execute;
#[cfg(test)]
mod fake;
mod follow;
mod hotswap;
pub mod limits;
pub mod log_role;
pub mod logs;
pub mod longest;
pub mod naming;
pub mod network;
pub mod operator;
pub mod permissions;
pub mod preflight;
mod prepare;
pub mod probe;
mod random;
pub mod requests;
pub mod silence;
mod target;
mod target_error;
mod teardown;
mod token;
mod verify;
pub mod vitals;

pub use deploy::{
    Account, CloudOptions, CloudSteps, DeployRequest, Deployed, Found, LeftBehind, LocalSteps,
    Machine, Steps, build, deploy_here, deploy_to_cloud, endpoint, preview,
};
pub use event::{DeployEvent, Reporter, Step};
pub use execute::DeployError;
#[cfg(test)]
use execute::execute;
#[cfg(test)]
use prepare::prepare;
pub use random::random_bytes;
pub(crate) use random::random_hex;
pub use target::{
    Asset, AssetStore, Change, ChangeSet, ChangeSets, Data, DeployMode, Deployment, Description,
    FunctionCode, Functions, Gateways, Inventory, Operation, Phase, Prepared, Readiness, Resource,
    Stacks, Unready,
};
pub use target_error::{ErrorKind, TargetError, causes, chain, in_full, or_interrupted};
pub use teardown::{
    Activity, CloudTeardown, CloudTeardownSteps, HereTeardown, Holdings, Left, LeftHandlers,
    Leftovers, LocalContents, Published, Remains, StackHere, Tables, Teardown, TeardownSteps, Uses,
    teardown_cloud, teardown_here,
};
pub use token::{NoToken, Token};
#[cfg(test)]
pub use verify::COMPLAINTS;
pub use verify::complaining;

pub use crate::reading;
pub use crate::stack::status::StackStatus;
