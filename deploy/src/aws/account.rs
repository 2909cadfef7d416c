//! The engine's [`Account`].

use super::cloudformation::Cloud;
use super::{ApiGateways, AwsTarget, Bucket, Identity, LambdaFunctions};
use crate::engine::Account;
use crate::engine::cloud::CloudStacks;
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
