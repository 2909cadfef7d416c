//! `[aws]`: where and as whom to deploy, and the rules that the account's owner has set.

mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::alarms::Alarms;
use super::arn::{Arn, BucketName, KeyArn, PolicyArn, RoleArn, RolePath, TopicArn, partition_of};
use super::domain::Domain;
use super::names::{EndpointTemplate, RegionName};
use super::snippet::Snippet;
pub(super) use table::AwsTable;

/// Account, Region and processor. With `None`, the AWS tools' own files and variables decide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aws {
    /// The Region.
    pub region: Option<RegionName>,
    /// The profile in ~/.aws.
    pub profile: Option<String>,
    /// The processor to build the handlers for.
    pub architecture: Option<Architecture>,
    /// Where the API answers when an emulator replaces AWS.
    pub endpoint: Option<EndpointTemplate>,
    /// What the account's owner requires.
    pub rules: AccountRules,
    /// A name of the user's own for the endpoint.
    pub domain: Option<Domain>,
    /// What is watched.
    pub alarms: Option<Alarms>,
    /// Whether the stage logs who connects.
    pub has_access_logs: bool,
}

/// A processor, by Lambda's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub enum Architecture {
    /// Arm, such as Graviton.
    #[serde(rename = "arm64")]
    Arm64,
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X86_64,
}

impl Architecture {
    /// The processor with Lambda's name `word`.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Arm64, Self::X86_64]
            .into_iter()
            .find(|architecture| architecture.word() == word)
    }

    /// Lambda's name of the processor.
    pub fn word(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }
}

/// What the account's owner requires of a stack. Nothing of it has an effect on a local stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountRules {
    /// The permissions boundary of every role.
    pub permissions_boundary: Option<PolicyArn>,
    /// The path of every role.
    pub role_path: Option<RolePath>,
    /// The role that CloudFormation acts with.
    pub role_arn: Option<RoleArn>,
    /// The user's own bucket for the handlers. With `None`, chatctl makes one.
    pub bucket: Option<BucketName>,
    /// The key that encrypts the table, the logs and the published handlers.
    pub kms_key: Option<KeyArn>,
    /// The tags of the stack, its resources and chatctl's bucket. With none, those that are there stay.
    pub tags: BTreeMap<String, String>,
    /// The topics to which CloudFormation sends the stack's events.
    pub notification_arns: Vec<TopicArn>,
    /// Every ARN of these, with its place in the config.
    places: Vec<Placed>,
}

/// An ARN in the config.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Placed {
    key: &'static str,
    arn: String,
    /// The place; its message is the ARN itself.
    at: Snippet,
}

impl AccountRules {
    /// Checks that what the rules name can be used by a stack in `region`.
    ///
    /// # Errors
    /// An ARN belongs to another partition, or to another Region where only the stack's own will do.
    pub fn check_region(&self, region: &str) -> Result<(), Snippet> {
        let partition = partition_of(region);
        self.check(|key, arn| {
            if arn.partition != partition {
                return Some(format!(
                    "it is in the partition {}, and {region} is in {partition}: name one of {partition}, or deploy to a \
                     Region of {} (`--region`)",
                    arn.partition, arn.partition
                ));
            }
            (!arn.region.is_empty() && arn.region != region).then(|| {
                format!(
                    "`{key}` must be in the stack's own Region, {region}, and this is in {}: name another one, or deploy \
                     there (`--region`)",
                    arn.region
                )
            })
        })
    }

    /// Checks that the roles' boundary, CloudFormation's role and the domain's certificate belong to `account`, because IAM
    /// and API Gateway take no others.
    ///
    /// # Errors
    /// One is another account's.
    pub fn check_account(&self, account: &str) -> Result<(), Snippet> {
        self.check(|key, arn| {
            let is_own = ["permissions-boundary", "role-arn", "certificate"].contains(&key);
            (is_own && ![account, "aws"].contains(&arn.account)).then(|| {
                format!(
                    "it is in account {}, and the credentials are for {account}: name one of that account, or use the \
                     credentials of {} (`--profile`)",
                    arn.account, arn.account
                )
            })
        })
    }

    /// Adds an ARN of another section to what is checked.
    pub(super) fn also(&mut self, key: &'static str, arn: &str, at: Snippet) {
        self.places.push(Placed {
            key,
            arn: arn.to_owned(),
            at,
        });
    }

    fn check(
        &self,
        wrong: impl Fn(&'static str, Arn<'_>) -> Option<String>,
    ) -> Result<(), Snippet> {
        let mut problems = self.places.iter().filter_map(|placed| {
            let message = wrong(placed.key, Arn::parse(&placed.arn)?)?;
            Some(placed.at.saying(message))
        });
        problems.next().map_or(Ok(()), Err)
    }
}
