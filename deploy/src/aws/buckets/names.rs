//! The bucket's name, and which other accounts could have taken it.

use super::Bucket;
use crate::aws::call::Failure;
use crate::aws::error::{Kind, kind};
use crate::config::account::AccountRules;
use crate::config::arn::partition_of;
use crate::engine::{ErrorKind, TargetError};

/// The namespace in which a bucket's name is unique
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespace {
    /// This account and Region: no other account can take the name.
    AccountRegional,
    /// The whole partition: the first account that requests a name gets it.
    Global,
    /// The user has named a bucket of theirs. Nothing about it is changed.
    Named,
}

/// Regions without account namespaces, according to that page.
const WITHOUT: [&str; 2] = ["me-central-1", "me-south-1"];

impl Namespace {
    /// The safest namespace of `region`. The page lists the partitions that support both, and no isolated one.
    pub(super) fn for_region(partition: &str, region: &str) -> Self {
        if WITHOUT.contains(&region) || partition.starts_with("aws-iso") {
            Self::Global
        } else {
            Self::AccountRegional
        }
    }

    /// The name of `account`'s bucket in `region`. S3 requires this suffix in the account's namespace.
    pub(super) fn bucket_name(self, account: &str, region: &str) -> String {
        match self {
            Self::AccountRegional => format!("chatctl-{account}-{region}-an"),
            Self::Global | Self::Named => format!("chatctl-{account}-{region}"),
        }
    }
}

/// The name of the bucket for handlers of `account` in `region`, as `rules` have it.
pub fn bucket_name(rules: &AccountRules, account: &str, region: &str) -> String {
    match &rules.bucket {
        Some(name) => name.to_string(),
        None => Namespace::for_region(partition_of(region), region).bucket_name(account, region),
    }
}

impl Bucket {
    /// Why the bucket is not accessible. S3 responds without a body, so another account's bucket and a missing
    /// permission look alike (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>).
    pub(super) fn unreached(&self, error: Failure) -> TargetError {
        let refused_as = kind(&error);
        let status = error.raw_response().map(|raw| raw.status().as_u16());
        // S3 sends it in a header, even with a refusal
        // (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html).
        let elsewhere = error
            .raw_response()
            .and_then(|raw| raw.headers().get("x-amz-bucket-region"))
            .filter(|region| *region != self.region)
            .map(str::to_owned);
        let reported = self.refused("s3:ListBucket", "reach", error);
        match (self.namespace, refused_as, status) {
            (Namespace::Named, _, Some(status)) if elsewhere.is_some() || status == 301 => {
                reported.with_hint(self.elsewhere(elsewhere.as_deref()))
            }
            (Namespace::Named, Kind::Denied, _) => reported.with_hint(format!(
                "either the identity lacks the permission s3:ListBucket on it, or the bucket is not of account {}; \
                 `bucket` under `[aws]` names a bucket of the stack's own account",
                self.owner
            )),
            (_, _, Some(status)) if elsewhere.is_some() || status == 301 => reported.with_hint(format!(
                "a bucket of this name is in {}, not in {}: `aws s3api list-buckets` shows whether it is yours; remove \
                 it if you do not need it, or deploy to that Region (`--region`)",
                elsewhere.as_deref().unwrap_or("another Region"),
                self.region
            )),
            (Namespace::Global, Kind::Denied, _) => reported.with_hint(
                "either the identity lacks the permission s3:ListBucket, or another AWS account has \
                 taken the bucket's name; `aws s3api list-buckets` shows whether it is yours",
            ),
            (Namespace::AccountRegional, Kind::Denied, _) => reported.with_hint(
                "the identity lacks the permission s3:ListBucket, or a policy of the organization, of a \
                 VPC endpoint or of the bucket denies it; S3 does not say which, and no other account can have a \
                 bucket of this name",
            ),
            _ => reported,
        }
    }

    fn elsewhere(&self, region: Option<&str>) -> String {
        format!(
            "it is in {}, and Lambda takes code from a bucket of its own Region only: name one in {} (`bucket` under \
             `[aws]`), or deploy to that Region (`--region`)",
            region.unwrap_or("another Region"),
            self.region
        )
    }

    /// The error for the user's own bucket in `region`.
    pub(super) fn in_another_region(&self, region: &str) -> TargetError {
        let message = format!("could not use bucket {}", self.name);
        TargetError::new(ErrorKind::Usage, message).with_hint(self.elsewhere(Some(region)))
    }

    /// The error for a bucket of the user's own that does not exist.
    pub(super) fn missing(&self) -> TargetError {
        let message = format!(
            "there is no bucket {}, which `bucket` under `[aws]` names",
            self.name
        );
        TargetError::new(ErrorKind::Usage, message).with_hint(format!(
            "make it in {}, or leave `bucket` out: chatctl then makes one of its own",
            self.region
        ))
    }

    /// The error for a name that is taken, which S3 only reveals to a request that creates the bucket.
    pub(super) fn taken(&self) -> TargetError {
        TargetError::new(
            ErrorKind::Denied,
            format!(
                "could not create bucket {}: another AWS account has taken its name",
                self.name
            ),
        )
        .with_hint(format!(
            "nothing was sent to that bucket; in {} the first account that requests a bucket's name gets it, so \
             deploy to another Region (`--region`)",
            self.region
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_one_that_no_other_account_can_take_if_s3_offers_that() {
        for (partition, region, name) in [
            ("aws", "eu-west-1", "chatctl-1-eu-west-1-an"),
            ("aws-cn", "cn-north-1", "chatctl-1-cn-north-1-an"),
            ("aws-us-gov", "us-gov-west-1", "chatctl-1-us-gov-west-1-an"),
            ("aws", "me-south-1", "chatctl-1-me-south-1"),
            ("aws", "me-central-1", "chatctl-1-me-central-1"),
            ("aws-iso", "us-iso-east-1", "chatctl-1-us-iso-east-1"),
        ] {
            let namespace = Namespace::for_region(partition, region);
            assert_eq!(namespace.bucket_name("1", region), name);
        }
    }
}
