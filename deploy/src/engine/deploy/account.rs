//! One account in one Region.

use crate::engine::cloud::{CloudFormation, CloudStacks};
use crate::engine::target::{AssetStore, Functions, Gateways};

/// What of one account and Region takes part in a deployment.
pub trait Account {
    /// Handlers in the form that the store takes.
    type Handlers;
    /// CloudFormation.
    type CloudFormation: CloudFormation;
    /// Where built handlers are published.
    type Store: AssetStore<Handlers = Self::Handlers>;
    /// The functions, for a swap of their code.
    type Functions: Functions;
    /// The deployed APIs, for the stage's record.
    type Gateways: Gateways;

    /// The Region's name.
    fn region(&self) -> &str;

    /// The account's stacks.
    fn stacks(&self) -> &CloudStacks<Self::CloudFormation>;

    /// Where handlers are published.
    fn store(&self) -> &Self::Store;

    /// The functions.
    fn functions(&self) -> &Self::Functions;

    /// The deployed APIs.
    fn gateways(&self) -> &Self::Gateways;

    /// What may keep a chat in this partition from answering although it is deployed.
    fn obstacle(&self) -> Option<&'static str>;
}
