//! The verbs, over narrow traits in our own words. What a target is like is the adapter's business; what a verb does
//! is decided here, once for every target.

mod again;
pub mod chat;
pub mod cloud;
mod deploy;
mod event;
#[cfg(test)]
mod fake;
mod follow;
mod hotswap;
pub mod limits;
pub mod logs;
pub mod network;
pub mod preflight;
mod prepare;
pub mod probe;
mod random;
pub mod reading;
mod refusal;
pub mod silence;
mod status;
mod target;
mod teardown;
mod verify;

pub use again::execute_with_second_try;
pub use deploy::{DeployError, execute};
pub use event::{DeployEvent, Reporter, Step};
pub use hotswap::hotswap;
pub use prepare::{prepare, preview};
pub use random::random_hex;
pub use refusal::{ErrorKind, TargetError, causes, chain};
pub use status::StackStatus;
pub use target::{
    Asset, AssetStore, Change, ChangeSet, Data, DeployMode, Deployment, Description, FunctionCode,
    Functions, Gateways, Inventory, Operation, Prepared, Readiness, Resource, Stacks, Unready,
};
pub use teardown::{Teardown, teardown};
#[cfg(test)]
pub use verify::COMPLAINTS;
pub use verify::{Verified, complaining, complaint, verify};
