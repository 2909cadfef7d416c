//! The bucket that handlers are published to, and templates that are too large for a request: one for each account and
//! Region, created on first use.

mod making;
mod names;
mod objects;
mod settings;
#[cfg(test)]
mod tests;
mod uses;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;

use super::call::{Client, Failure, Request};
use super::error::{Kind, code, kind, refused};
use super::identity::Identity;
use crate::config::account::AccountRules;
use crate::config::arn::KeyArn;
use crate::config::names::StackName;
use crate::engine::{Asset, AssetStore, ErrorKind, TargetError};
use crate::packaging::Artifact;
use names::Namespace;
pub use names::bucket_name;
use objects::Object;

/// Where the bucket comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// This deployment has made it.
    MadeNow,
    Found,
}

/// Days until an object that no deployment has used expires. CloudFormation needs the old object when an update fails,
/// so a stack that was deployed earlier than that cannot be rolled back to its old code.
const EXPIRY_DAYS: i32 = 365;

/// chatctl's bucket in one account and Region.
#[derive(Debug)]
pub struct Bucket {
    client: Client,
    /// Its name.
    pub name: String,
    /// Every request names the account, so that nothing is sent to another account's bucket of the same name
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>).
    owner: String,
    region: String,
    partition: String,
    /// An emulator's address; with `None`, AWS is asked.
    endpoint: Option<String>,
    namespace: Namespace,
    /// The key that encrypts what is published; with `None`, the bucket's default does.
    key: Option<KeyArn>,
    tags: BTreeMap<String, String>,
    pauses: &'static [Duration],
    notices: RefCell<Vec<String>>,
}

impl Bucket {
    pub(super) fn new(
        config: &SdkConfig,
        identity: &Identity,
        region: &str,
        rules: &AccountRules,
    ) -> Self {
        let partition = identity.partition();
        let name = bucket_name(rules, &identity.account, region);
        Self {
            client: Client::for_bucket(config, &name),
            name,
            namespace: match &rules.bucket {
                Some(_) => Namespace::Named,
                None => Namespace::for_region(partition, region),
            },
            key: rules.kms_key.clone(),
            tags: rules.tags.clone(),
            pauses: making::PAUSES,
            notices: RefCell::default(),
            owner: identity.account.clone(),
            region: region.to_owned(),
            partition: partition.to_owned(),
            endpoint: config.endpoint_url().map(str::to_owned),
        }
    }

    /// The same bucket, which gets `tags` instead of those of the config.
    #[must_use]
    pub fn with_tags(self, tags: BTreeMap<String, String>) -> Self {
        Self { tags, ..self }
    }

    /// What a deployment finds: the bucket, or the place for it.
    ///
    /// # Errors
    /// As for [`Bucket::exists`]; the user's own does not exist.
    pub async fn check(&self) -> Result<String, TargetError> {
        match (self.exists().await?, self.namespace) {
            (true, Namespace::Named) => Ok(format!("your bucket {} is there", self.name)),
            (false, Namespace::Named) => Err(self.missing()),
            (true, _) => Ok("bucket is there".to_owned()),
            (false, _) => Ok("bucket will be made".to_owned()),
        }
    }

    /// Whether the bucket exists and is ours.
    ///
    /// # Errors
    /// It belongs to another account, or the identity has no permission to use it; the user's own is in another Region.
    pub async fn exists(&self) -> Result<bool, TargetError> {
        match self.head().await {
            Ok(Some(region)) if self.namespace == Namespace::Named && region != self.region => {
                Err(self.in_another_region(&region))
            }
            Ok(_) => Ok(true),
            Err(error) if kind(&error) == Kind::NotFound => Ok(false),
            Err(error) => Err(self.unreached(error)),
        }
    }

    /// The Region in which S3 says that the bucket is.
    async fn head(&self) -> Result<Option<String>, Failure> {
        let request = self.request("HeadBucket", "HEAD", "/");
        let exchange = self.client.exchange(request, |response| {
            let region = response.headers().get("x-amz-bucket-region");
            Ok(region.map(str::to_owned))
        });
        exchange.await
    }

    /// A request that S3 only accepts if the bucket is the account's.
    fn request(
        &self,
        operation: &'static str,
        method: &'static str,
        path: impl Into<String>,
    ) -> Request {
        Request {
            headers: vec![("x-amz-expected-bucket-owner", self.owner.clone())],
            ..Request::new(operation, method, path)
        }
    }

    fn refused(&self, action: &'static str, attempt: &str, error: Failure) -> TargetError {
        let busy = code(&error) == Some("OperationAborted");
        let reported = refused(action, format!("{attempt} bucket {}", self.name), error);
        if !busy {
            return reported;
        }
        TargetError {
            kind: ErrorKind::Unreachable,
            ..reported
        }
        .with_hint(
            "S3 is busy with another change of this bucket, such as that of a second deployment, or is releasing the name \
             of a bucket that was deleted less than an hour ago; try again later",
        )
    }

    fn asset(&self, artifact: &Artifact, already_there: bool) -> Asset {
        Asset {
            bucket: self.name.clone(),
            key: artifact.digest.clone(),
            architecture: artifact.architecture.word(),
            size: artifact.zip.len() as u64,
            already_there,
        }
    }
}

impl AssetStore for Bucket {
    type Handlers = Artifact;

    async fn locate(&self, _stack: &StackName, artifact: &Artifact) -> Result<Asset, TargetError> {
        Ok(self.asset(artifact, false))
    }

    async fn publish(&self, stack: &StackName, artifact: &Artifact) -> Result<Asset, TargetError> {
        let already_there = self
            .put_object(stack, &Object::from_artifact(artifact))
            .await?;
        Ok(self.asset(artifact, already_there))
    }

    fn notices(&self) -> Vec<String> {
        self.notices.take()
    }
}
