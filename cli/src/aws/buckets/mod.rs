//! The bucket that handlers are published to: one for each account and region, made on first use.

#[cfg(test)]
mod tests;
mod uses;

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Config;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, BucketLocationConstraint,
    CreateBucketConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use base64::Engine as _;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::error::{Kind, code, kind, refused};
use super::http::timeouts_of_upload;
use super::identity::Identity;
use crate::config::names::StackName;
use crate::engine::{Asset, AssetStore, Refusal, TargetError};
use crate::packaging::Artifact;

/// Days after which an object that no deployment has used goes. CloudFormation needs the old object once more when an
/// update fails, so a stack that has not been deployed for longer cannot be rolled back to its old code.
const EXPIRY_DAYS: i32 = 365;

/// An object older than this is sent again when it is used, which starts its days anew.
const RENEWAL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A bucket that belongs to chatctl in one account and region.
#[derive(Debug)]
pub(crate) struct Bucket {
    client: Client,
    pub(crate) name: String,
    /// Every request names the account, so that a bucket of the same name in a stranger's account gets nothing
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>).
    owner: String,
    region: String,
    partition: String,
}

impl Bucket {
    pub(super) fn new(config: &SdkConfig, identity: &Identity, region: &str) -> Self {
        let mut builder = aws_sdk_s3::config::Builder::from(config);
        if config.endpoint_url().is_some() {
            // An emulator has no host name of its own for every bucket.
            builder = builder.force_path_style(true);
        }
        let partition = identity.arn.split(':').nth(1).unwrap_or("aws");
        Self {
            client: Client::from_conf(builder.build()),
            name: format!("chatctl-{}-{region}", identity.account),
            owner: identity.account.clone(),
            region: region.to_owned(),
            partition: partition.to_owned(),
        }
    }

    /// Whether it exists and is ours to use.
    ///
    /// # Errors
    /// It belongs to somebody else, or we may not use it.
    pub(crate) async fn exists(&self) -> Result<bool, TargetError> {
        let request = self.client.head_bucket().bucket(&self.name);
        match request.expected_bucket_owner(&self.owner).send().await {
            Ok(_) => Ok(true),
            Err(error) if kind(&error) == Kind::NotFound => Ok(false),
            Err(error) => Err(self.refused("s3:ListBucket", "reach", error)),
        }
    }

    /// When the object was last sent; `None` when it is not there.
    async fn sent_at(&self, key: &str) -> Result<Option<SystemTime>, TargetError> {
        let request = self.client.head_object().bucket(&self.name).key(key);
        match request.expected_bucket_owner(&self.owner).send().await {
            Ok(head) => {
                let time = head.last_modified.and_then(|time| time.try_into().ok());
                Ok(Some(time.unwrap_or(SystemTime::UNIX_EPOCH)))
            }
            Err(error) if kind(&error) == Kind::NotFound => Ok(None),
            Err(error) => Err(self.refused("s3:GetObject", "look for the handlers in", error)),
        }
    }

    async fn send(&self, artifact: &Artifact) -> Result<(), TargetError> {
        let checksum =
            base64::engine::general_purpose::STANDARD.encode(Sha256::digest(&artifact.zip));
        let upload = timeouts_of_upload(artifact.zip.len() as u64);
        let answer = self
            .client
            .put_object()
            .bucket(&self.name)
            .key(&artifact.digest)
            .expected_bucket_owner(&self.owner)
            .content_type("application/zip")
            .checksum_sha256(checksum)
            .body(ByteStream::from(artifact.zip.clone()))
            .customize()
            .config_override(Config::builder().timeout_config(upload))
            .send()
            .await
            .map_err(|error| self.refused("s3:PutObject", "publish the handlers to", error))?;
        // S3 names what it has stored; whatever answers without has not.
        if answer.e_tag().is_none() {
            let message = format!("could not publish the handlers to bucket {}", self.name);
            let error = TargetError::new(Refusal::Unreachable, message);
            return Err(TargetError {
                source: Some("the answer does not confirm that they were stored".into()),
                ..error.with_hint("it is not AWS's answer, or not all of it; try again")
            });
        }
        Ok(())
    }

    /// Makes the bucket, or finishes one whose making was interrupted: the policy comes last.
    async fn ensure(&self) -> Result<(), TargetError> {
        if self.exists().await? {
            let request = self.client.get_bucket_policy().bucket(&self.name);
            match request.expected_bucket_owner(&self.owner).send().await {
                Ok(_) => return Ok(()),
                Err(error) if code(&error) == Some("NoSuchBucketPolicy") => {}
                Err(error) => return Err(self.refused("s3:GetBucketPolicy", "check", error)),
            }
        } else {
            self.create().await?;
        }
        self.close_to_the_public().await?;
        self.encrypt_and_expire().await?;
        self.require_tls().await
    }

    async fn create(&self) -> Result<(), TargetError> {
        // S3 does not take the name of its first region here.
        let place = (self.region != "us-east-1").then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(self.region.as_str()))
                .build()
        });
        let request = self.client.create_bucket().bucket(&self.name);
        match request.set_create_bucket_configuration(place).send().await {
            Ok(_) => Ok(()),
            // Another deployment was a moment faster.
            Err(error) if code(&error) == Some("BucketAlreadyOwnedByYou") => Ok(()),
            Err(error) => Err(self.refused("s3:CreateBucket", "make", error)),
        }
    }

    async fn close_to_the_public(&self) -> Result<(), TargetError> {
        let block = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let request = self.client.put_public_access_block().bucket(&self.name);
        request
            .expected_bucket_owner(&self.owner)
            .public_access_block_configuration(block)
            .send()
            .await
            .map_err(|e| self.refused("s3:PutBucketPublicAccessBlock", "close to the public", e))?;
        let rule = OwnershipControlsRule::builder()
            .object_ownership(ObjectOwnership::BucketOwnerEnforced)
            .build();
        let rule = rule.map_err(incomplete)?;
        let controls = OwnershipControls::builder().rules(rule).build();
        let request = self
            .client
            .put_bucket_ownership_controls()
            .bucket(&self.name);
        request
            .expected_bucket_owner(&self.owner)
            .ownership_controls(controls.map_err(incomplete)?)
            .send()
            .await
            .map_err(|e| {
                self.refused(
                    "s3:PutBucketOwnershipControls",
                    "switch access lists off on",
                    e,
                )
            })?;
        Ok(())
    }

    async fn encrypt_and_expire(&self) -> Result<(), TargetError> {
        let by_default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::Aes256)
            .build();
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(by_default.map_err(incomplete)?)
            .build();
        let encryption = ServerSideEncryptionConfiguration::builder()
            .rules(rule)
            .build();
        let request = self.client.put_bucket_encryption().bucket(&self.name);
        request
            .expected_bucket_owner(&self.owner)
            .server_side_encryption_configuration(encryption.map_err(incomplete)?)
            .send()
            .await
            .map_err(|e| self.refused("s3:PutEncryptionConfiguration", "encrypt", e))?;
        let rule = LifecycleRule::builder()
            .id("handlers that no deployment uses")
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix("").build())
            .expiration(LifecycleExpiration::builder().days(EXPIRY_DAYS).build())
            .abort_incomplete_multipart_upload(
                AbortIncompleteMultipartUpload::builder()
                    .days_after_initiation(1)
                    .build(),
            )
            .build();
        let lifecycle = BucketLifecycleConfiguration::builder()
            .rules(rule.map_err(incomplete)?)
            .build();
        let request = self
            .client
            .put_bucket_lifecycle_configuration()
            .bucket(&self.name);
        request
            .expected_bucket_owner(&self.owner)
            .lifecycle_configuration(lifecycle.map_err(incomplete)?)
            .send()
            .await
            .map_err(|e| {
                self.refused("s3:PutLifecycleConfiguration", "let objects expire in", e)
            })?;
        Ok(())
    }

    async fn require_tls(&self) -> Result<(), TargetError> {
        let arn = format!("arn:{}:s3:::{}", self.partition, self.name);
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, format!("{arn}/*")],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}}
            }]
        });
        let request = self.client.put_bucket_policy().bucket(&self.name);
        request
            .expected_bucket_owner(&self.owner)
            .policy(policy.to_string())
            .send()
            .await
            .map_err(|e| self.refused("s3:PutBucketPolicy", "require TLS for", e))?;
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
        refused(action, format!("{attempt} bucket {}", self.name), error)
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
        // Noted before it is looked for: nobody removes from here on what is found.
        self.note_use(stack, &artifact.digest).await?;
        let sent_at = self.sent_at(&artifact.digest).await?;
        let is_fresh = sent_at.is_some_and(|at| at.elapsed().is_ok_and(|age| age < RENEWAL));
        if !is_fresh {
            self.send(artifact).await?;
        }
        Ok(self.asset(artifact, is_fresh))
    }
}

fn incomplete(error: aws_sdk_s3::error::BuildError) -> TargetError {
    TargetError {
        source: Some(Box::new(error)),
        ..TargetError::new(
            Refusal::Unexpected,
            "could not put a request to S3 together",
        )
    }
}
