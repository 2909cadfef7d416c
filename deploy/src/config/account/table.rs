//! `[aws]`, as the file has it.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::{AccountRules, Architecture, Placed};
use crate::config::arn::{BucketName, KeyArn, PolicyArn, RoleArn, RolePath, TopicArn};
use crate::config::names::RegionName;
#[cfg(test)]
use crate::config::schema::shape;
use crate::config::snippet::Snippet;
use crate::config::tags;

/// `[aws]`, as the file has it.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::config) struct AwsTable {
    /// The AWS Region. Without it, AWS_REGION or the profile decides.
    #[cfg_attr(test, schemars(with = "Option<shape::RegionName>"))]
    pub(in crate::config) region: Option<RegionName>,
    /// The profile in ~/.aws. Without it, AWS_PROFILE or the environment's credentials decide.
    pub(in crate::config) profile: Option<String>,
    /// The processor that the handlers are built for. Without it, `deploy` chooses what can be built.
    #[cfg_attr(test, schemars(with = "Option<shape::Architecture>"))]
    pub(in crate::config) architecture: Option<Architecture>,
    /// The ARN of the policy that bounds every role of the stack.
    #[cfg_attr(test, schemars(with = "Option<shape::PolicyArn>"))]
    permissions_boundary: Option<Spanned<PolicyArn>>,
    /// The path of every role of the stack. A change replaces the roles.
    #[cfg_attr(test, schemars(with = "Option<shape::RolePath>"))]
    role_path: Option<RolePath>,
    /// The ARN of the role that CloudFormation acts with. Without it, it acts with your permissions; a stack that was
    /// deployed with a role keeps it.
    #[cfg_attr(test, schemars(with = "Option<shape::RoleArn>"))]
    role_arn: Option<Spanned<RoleArn>>,
    /// A bucket of yours for the handlers, in the stack's account and Region. Without it, `deploy` makes one.
    #[cfg_attr(test, schemars(with = "Option<shape::BucketName>"))]
    bucket: Option<BucketName>,
    /// The ARN of the KMS key that encrypts the table, the logs and the published handlers.
    #[cfg_attr(test, schemars(with = "Option<shape::KeyArn>"))]
    kms_key: Option<Spanned<KeyArn>>,
    /// Tags of the stack, its resources and the bucket that `deploy` makes. `--tag` adds to them. Without any, a stack's
    /// tags stay as they are.
    #[cfg_attr(test, schemars(with = "Option<shape::Tags>"))]
    tags: Option<Spanned<BTreeMap<String, Spanned<String>>>>,
    /// The ARNs of the SNS topics to which CloudFormation sends the stack's events.
    #[cfg_attr(test, schemars(with = "Option<shape::TopicArns>"))]
    notification_arns: Option<Spanned<Vec<Spanned<TopicArn>>>>,
}

/// What is wrong, and where in the config's text.
type Problem = (Range<usize>, String);

/// The most topics of a stack
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html>).
const MAX_TOPICS: usize = 5;

impl AwsTable {
    /// The rules of the table; `snippet` shows a place in the config.
    ///
    /// # Errors
    /// What is wrong with them, with its place.
    pub(in crate::config) fn rules(
        &self,
        snippet: impl Fn(Range<usize>, String) -> Snippet,
    ) -> Result<AccountRules, Problem> {
        let mut places = Vec::new();
        let mut place = |key, arn: &str, span| {
            places.push(Placed {
                key,
                arn: arn.to_owned(),
                at: snippet(span, arn.to_owned()),
            });
        };
        if let Some(arn) = &self.permissions_boundary {
            place("permissions-boundary", arn.get_ref().as_ref(), arn.span());
        }
        if let Some(arn) = &self.role_arn {
            place("role-arn", arn.get_ref().as_ref(), arn.span());
        }
        if let Some(arn) = &self.kms_key {
            place("kms-key", arn.get_ref().as_ref(), arn.span());
        }
        let topics = self.notification_arns.as_ref();
        for arn in topics.map(Spanned::get_ref).into_iter().flatten() {
            place("notification-arns", arn.get_ref().as_ref(), arn.span());
        }
        if let Some(topics) = topics
            && topics.get_ref().len() > MAX_TOPICS
        {
            let message = format!(
                "there are {} topics, and a stack has {MAX_TOPICS} at most",
                topics.get_ref().len()
            );
            return Err((topics.span(), message));
        }
        let mut seen = Vec::new();
        for arn in topics.map(Spanned::get_ref).into_iter().flatten() {
            if seen.contains(&arn.get_ref()) {
                return Err((arn.span(), "the topic is named twice".into()));
            }
            seen.push(arn.get_ref());
        }
        fn value<T: Clone>(spanned: &Option<Spanned<T>>) -> Option<T> {
            spanned.as_ref().map(|it| it.get_ref().clone())
        }
        Ok(AccountRules {
            permissions_boundary: value(&self.permissions_boundary),
            role_path: self.role_path.clone(),
            role_arn: value(&self.role_arn),
            bucket: self.bucket.clone(),
            kms_key: value(&self.kms_key),
            tags: self.checked_tags()?,
            notification_arns: topics
                .map(Spanned::get_ref)
                .into_iter()
                .flatten()
                .map(|arn| arn.get_ref().clone())
                .collect(),
            places,
        })
    }

    fn checked_tags(&self) -> Result<BTreeMap<String, String>, Problem> {
        let Some(table) = &self.tags else {
            return Ok(BTreeMap::new());
        };
        for (key, value) in table.get_ref() {
            tags::check(key, value.get_ref()).map_err(|reason| {
                let message = format!("the tag `{key}` cannot be put on a stack: {reason}");
                (value.span(), message)
            })?;
        }
        let pairs = table
            .get_ref()
            .iter()
            .map(|(key, value)| (key.clone(), value.get_ref().clone()));
        tags::tags(&pairs.collect::<Vec<_>>()).map_err(|reason| {
            let message = format!("these tags cannot be put on a stack: {reason}");
            (table.span(), message)
        })
    }
}
