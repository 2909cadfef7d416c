//! What the bucket is called, and who else could have taken that name.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use super::Bucket;
use crate::aws::error::{Kind, kind};
use crate::engine::{ErrorKind, TargetError};

/// Where a bucket's name is unique
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespace {
    /// In this account and Region: no other account can take the name.
    AccountRegional,
    /// In the whole partition: the first account that asks for a name gets it.
    Global,
}

/// Regions that have no namespaces of accounts, as that page says.
const WITHOUT: [&str; 2] = ["me-central-1", "me-south-1"];

impl Namespace {
    /// The safest namespace that `region` has. The page lists the partitions that know both, and no isolated one.
    pub(super) fn of(partition: &str, region: &str) -> Self {
        if WITHOUT.contains(&region) || partition.starts_with("aws-iso") {
            Self::Global
        } else {
            Self::AccountRegional
        }
    }

    /// The name of the bucket of `account` in `region`. In the account's namespace S3 demands this ending.
    pub(super) fn bucket_name(self, account: &str, region: &str) -> String {
        match self {
            Self::AccountRegional => format!("chatctl-{account}-{region}-an"),
            Self::Global => format!("chatctl-{account}-{region}"),
        }
    }
}

impl Bucket {
    /// Why the bucket could not be looked at. S3 answers without a body, so a stranger's bucket and a missing
    /// permission look alike (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>).
    pub(super) fn unreached<E>(&self, error: SdkError<E>) -> TargetError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let refused_as = kind(&error);
        let status = error.raw_response().map(|raw| raw.status().as_u16());
        // S3 says so in a header, also where it refuses
        // (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html).
        let elsewhere = error
            .raw_response()
            .and_then(|raw| raw.headers().get("x-amz-bucket-region"));
        let elsewhere = elsewhere
            .filter(|region| *region != self.region)
            .map(str::to_owned);
        let told = self.refused("s3:ListBucket", "reach", error);
        match (self.namespace, refused_as, status) {
            (_, _, Some(status)) if elsewhere.is_some() || status == 301 => told.with_hint(format!(
                "a bucket of this name lies in {}, and not in {}: whose it is, `aws s3api list-buckets` shows; remove \
                 it if it is yours and not needed, or deploy to that Region (`--region`)",
                elsewhere.as_deref().unwrap_or("another Region"),
                self.region
            )),
            (Namespace::Global, Kind::Denied, _) => told.with_hint(
                "either the identity that is used lacks the permission s3:ListBucket, or another AWS account has \
                 taken the bucket's name; whose it is, `aws s3api list-buckets` shows",
            ),
            (Namespace::AccountRegional, Kind::Denied, _) => told.with_hint(
                "the identity that is used lacks the permission s3:ListBucket, or a policy of the organization, of a \
                 VPC endpoint or of the bucket denies it; S3 does not say which, and no other account can have a \
                 bucket of this name",
            ),
            _ => told,
        }
    }

    /// The name is taken: S3 says so only to requests that would make the bucket.
    pub(super) fn taken(&self) -> TargetError {
        TargetError::new(
            ErrorKind::Denied,
            format!(
                "could not make bucket {}: another AWS account has taken its name",
                self.name
            ),
        )
        .with_hint(format!(
            "nothing was sent to that bucket; in {} the first account that asks for a bucket's name gets it, so \
             deploy to another Region (`--region`)",
            self.region
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_one_that_no_other_account_can_take_wherever_s3_offers_that() {
        for (partition, region, name) in [
            ("aws", "eu-west-1", "chatctl-1-eu-west-1-an"),
            ("aws-cn", "cn-north-1", "chatctl-1-cn-north-1-an"),
            ("aws-us-gov", "us-gov-west-1", "chatctl-1-us-gov-west-1-an"),
            ("aws", "me-south-1", "chatctl-1-me-south-1"),
            ("aws", "me-central-1", "chatctl-1-me-central-1"),
            ("aws-iso", "us-iso-east-1", "chatctl-1-us-iso-east-1"),
        ] {
            let namespace = Namespace::of(partition, region);
            assert_eq!(namespace.bucket_name("1", region), name);
        }
    }
}
