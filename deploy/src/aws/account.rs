//! The engine's [`Account`], with what a teardown needs of it.

use super::cloudformation::Cloud;
use super::{ApiGateways, AwsTarget, Bucket, Identity, LambdaFunctions, Tables};
use crate::config::names::StackName;
use crate::engine::cloud::CloudStacks;
use crate::engine::{self, Account, Holdings, Leftovers, Published, TargetError, Uses};
use crate::packaging::Artifact;

/// An account that a chat is deployed to.
#[derive(Debug)]
pub struct AwsAccount {
    /// Its resources in one Region.
    pub target: AwsTarget,
    /// The identity of the credentials.
    pub identity: Identity,
    /// The bucket that handlers are published to.
    pub bucket: Bucket,
}

impl AwsAccount {
    /// The account of `identity`, and what `target` has there.
    pub fn new(target: AwsTarget, identity: Identity) -> Self {
        Self {
            bucket: target.bucket(&identity),
            target,
            identity,
        }
    }
}

impl Account for AwsAccount {
    type Handlers = Artifact;
    type CloudFormation = Cloud;
    type Store = Bucket;
    type Functions = LambdaFunctions;
    type Gateways = ApiGateways;

    fn region(&self) -> &str {
        &self.target.region
    }

    fn stacks(&self) -> &CloudStacks<Cloud> {
        &self.target.stacks
    }

    fn store(&self) -> &Bucket {
        &self.bucket
    }

    fn functions(&self) -> &LambdaFunctions {
        &self.target.functions
    }

    fn gateways(&self) -> &ApiGateways {
        &self.target.gateways
    }

    fn obstacle(&self) -> Option<&'static str> {
        self.identity.obstacle()
    }
}

impl Holdings for AwsAccount {
    type Tables = Tables;

    fn tables(&self) -> &Tables {
        &self.target.tables
    }
}

impl engine::Tables for Tables {
    async fn items(&self, table: &str) -> Result<Option<u64>, TargetError> {
        Self::items(self, table).await
    }
}

impl Published for Bucket {
    fn bucket(&self) -> &str {
        &self.name
    }

    async fn exists(&self) -> Result<bool, TargetError> {
        Self::exists(self).await
    }

    async fn uses(&self) -> Result<Uses, TargetError> {
        Self::uses(self).await
    }

    async fn forget(&self, stack: &StackName, leftovers: &Leftovers) -> Result<(), TargetError> {
        Self::forget(self, stack, leftovers).await
    }
}
