//! The verbs, over narrow traits in our own words. What a target is like is the adapter's business; what a verb does
//! is decided here, once for every target.

mod deploy;
mod event;
#[cfg(test)]
mod fake;
mod follow;
pub(crate) mod probe;
mod target;
mod teardown;

pub(crate) use deploy::{DeployError, execute, prepare};
pub(crate) use event::{DeployEvent, Reporter, Step};
pub(crate) use target::{
    Asset, AssetStore, Change, ChangeSet, Data, Deployment, Description, Operation, Prepared,
    Refusal, StackStatus, Stacks, TargetError,
};
pub(crate) use teardown::{Teardown, teardown};
