//! The bucket that handlers are published to: one for each account and Region, created on first use.

mod making;
mod names;
#[cfg(test)]
mod tests;
mod uses;

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Config;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumMode;
use base64::Engine as _;
use sha2::{Digest, Sha256};

use super::error::{Kind, code, kind, refused};
use super::http::timeouts_of_upload;
use super::identity::Identity;
use super::requests::Named;
use crate::config::names::StackName;
use crate::engine::{Asset, AssetStore, ErrorKind, TargetError};
use crate::packaging::Artifact;
use names::Namespace;

/// Days until an object that no deployment has used expires. CloudFormation needs the old object when an update fails,
/// so a stack that was deployed earlier than that cannot be rolled back to its old code.
const EXPIRY_DAYS: i32 = 365;

/// An object older than this is sent again when it is used, which restarts its expiry.
const RENEWAL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

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
    namespace: Namespace,
    pauses: &'static [Duration],
}

impl Bucket {
    pub(super) fn new(config: &SdkConfig, identity: &Identity, region: &str) -> Self {
        let mut builder = aws_sdk_s3::config::Builder::from(config).interceptor(Named);
        if config.endpoint_url().is_some() {
            // An emulator has no host name for every bucket.
            builder = builder.force_path_style(true);
        }
        let partition = identity.partition();
        let namespace = Namespace::for_region(partition, region);
        Self {
            client: Client::from_conf(builder.build()),
            name: namespace.bucket_name(&identity.account, region),
            namespace,
            pauses: making::PAUSES,
            owner: identity.account.clone(),
            region: region.to_owned(),
            partition: partition.to_owned(),
        }
    }

    /// Whether the bucket exists and is ours.
    ///
    /// # Errors
    /// It belongs to another account, or the identity has no permission to use it.
    pub async fn exists(&self) -> Result<bool, TargetError> {
        let request = self.client.head_bucket().bucket(&self.name);
        match request.expected_bucket_owner(&self.owner).send().await {
            Ok(_) => Ok(true),
            Err(error) if kind(&error) == Kind::NotFound => Ok(false),
            Err(error) => Err(self.unreached(error)),
        }
    }

    /// The time when the object was last sent; `None` if it is missing, or does not match its name.
    async fn sent_at(&self, artifact: &Artifact) -> Result<Option<SystemTime>, TargetError> {
        let key = &artifact.digest;
        let request = self
            .client
            .head_object()
            .bucket(&self.name)
            .key(key)
            .checksum_mode(ChecksumMode::Enabled);
        match request.expected_bucket_owner(&self.owner).send().await {
            // S3 computes this checksum itself, but every user who may write to the bucket can choose the name.
            Ok(head) if head.checksum_sha256() != Some(checksum(artifact).as_str()) => Ok(None),
            Ok(head) => {
                let time = head.last_modified.and_then(|time| time.try_into().ok());
                Ok(Some(time.unwrap_or(SystemTime::UNIX_EPOCH)))
            }
            Err(error) if kind(&error) == Kind::NotFound => Ok(None),
            Err(error) => Err(self.refused("s3:GetObject", "look for the handlers in", error)),
        }
    }

    async fn send(&self, artifact: &Artifact) -> Result<(), TargetError> {
        let upload = timeouts_of_upload(artifact.zip.len() as u64);
        let answer = self
            .client
            .put_object()
            .bucket(&self.name)
            .key(&artifact.digest)
            .expected_bucket_owner(&self.owner)
            .content_type("application/zip")
            .checksum_sha256(checksum(artifact))
            .body(ByteStream::from(artifact.zip.clone()))
            .customize()
            .config_override(Config::builder().timeout_config(upload))
            .send()
            .await
            .map_err(|error| self.refused("s3:PutObject", "publish the handlers to", error))?;
        // S3 confirms what it has stored; a response without that confirmation may not come from S3.
        if answer.e_tag().is_none() {
            let message = format!("could not publish the handlers to bucket {}", self.name);
            let error = TargetError::new(ErrorKind::Unreachable, message);
            return Err(TargetError {
                source: Some("the response does not confirm that they were stored".into()),
                ..error.with_hint("the response is incomplete or not AWS's; try again")
            });
        }
        Ok(())
    }

    fn refused<E>(
        &self,
        action: &'static str,
        attempt: &str,
        error: aws_sdk_s3::error::SdkError<E>,
    ) -> TargetError
    where
        E: aws_sdk_s3::error::ProvideErrorMetadata + std::error::Error + 'static,
    {
        let busy = code(&error) == Some("OperationAborted");
        let told = refused(action, format!("{attempt} bucket {}", self.name), error);
        if !busy {
            return told;
        }
        TargetError {
            kind: ErrorKind::Unreachable,
            ..told
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
        self.ensure().await?;
        // Noted before it is looked for: from here on, no teardown removes the object.
        self.note_use(stack, &artifact.digest).await?;
        let sent_at = self.sent_at(artifact).await?;
        let is_fresh = sent_at.is_some_and(|at| at.elapsed().is_ok_and(|age| age < RENEWAL));
        if !is_fresh {
            self.send(artifact).await?;
        }
        Ok(self.asset(artifact, is_fresh))
    }
}

/// The checksum of the whole object, in S3's notation.
fn checksum(artifact: &Artifact) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(&artifact.zip))
}

fn incomplete(error: aws_sdk_s3::error::BuildError) -> TargetError {
    TargetError {
        source: Some(Box::new(error)),
        ..TargetError::new(ErrorKind::Unexpected, "could not build a request to S3")
    }
}
