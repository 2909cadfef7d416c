//! The verbs, over narrow traits in our own words. What a target is like is the adapter's business; what a verb does
//! is decided here, once for every target.

mod again;
pub(crate) mod chat;
pub(crate) mod cloud;
mod deploy;
mod event;
#[cfg(test)]
mod fake;
mod follow;
mod hotswap;
pub(crate) mod limits;
pub(crate) mod logs;
pub(crate) mod network;
pub(crate) mod preflight;
mod prepare;
pub(crate) mod probe;
pub(crate) mod reading;
mod refusal;
pub(crate) mod silence;
mod status;
mod target;
mod teardown;
mod verify;

pub(crate) use again::execute_with_second_try;
pub(crate) use deploy::{DeployError, execute};
pub(crate) use event::{DeployEvent, Reporter, Step};
pub(crate) use hotswap::hotswap;
pub(crate) use prepare::{prepare, preview};
pub(crate) use refusal::{Refusal, TargetError, causes};
pub(crate) use status::StackStatus;
pub(crate) use target::{
    Asset, AssetStore, Change, ChangeSet, Data, Deployment, Description, Footing, FunctionCode,
    Functions, Gateways, Inventory, Operation, Pace, Prepared, Resource, Stacks, Trouble,
};
pub(crate) use teardown::{Teardown, teardown};
#[cfg(test)]
pub(crate) use verify::COMPLAINTS;
pub(crate) use verify::{Verified, complaining, complaint, verify};
