//! Creates the bucket: private, encrypted and with an expiry before anything is stored in it.

use std::future::Future;
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, BucketLocationConstraint,
    BucketNamespace, CreateBucketConfiguration, ExpirationStatus, LifecycleExpiration,
    LifecycleRule, LifecycleRuleFilter, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use serde_json::json;

use super::names::Namespace;
use super::{Bucket, EXPIRY_DAYS, incomplete};
use crate::aws::error::{Kind, code, kind};
use crate::engine::TargetError;

/// S3 refuses a change of a bucket while another one is in progress, such as that of a second deployment, or while a
/// deleted bucket's name is being released (`OperationAborted`,
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>). The change is retried after each of these
/// pauses, a minute in total.
pub(super) const PAUSES: &[Duration] = &[
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
    Duration::from_secs(30),
];

impl Bucket {
    /// Creates the bucket, or completes one whose creation was interrupted: the policy comes last.
    pub(super) async fn ensure(&self) -> Result<(), TargetError> {
        if self.is_there().await? {
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
        // S3 refuses the name of its first Region here.
        let place = (self.region != "us-east-1").then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(self.region.as_str()))
                .build()
        });
        let namespace = match self.namespace {
            Namespace::AccountRegional => Some(BucketNamespace::AccountRegional),
            Namespace::Global => None,
        };
        let request = self
            .client
            .create_bucket()
            .bucket(&self.name)
            .set_bucket_namespace(namespace)
            .set_create_bucket_configuration(place);
        match self.retry_while_busy(|| request.clone().send()).await {
            Ok(_) => Ok(()),
            Err(error) => match code(&error) {
                // Another deployment was faster.
                Some("BucketAlreadyOwnedByYou") => Ok(()),
                Some("BucketAlreadyExists") => Err(self.taken()),
                _ => Err(self.refused("s3:CreateBucket", "make", error)),
            },
        }
    }

    /// Like [`Bucket::exists`], but for a name that another account may have, it tries to create the bucket, because
    /// S3's response to that is unambiguous.
    async fn is_there(&self) -> Result<bool, TargetError> {
        let request = self.client.head_bucket().bucket(&self.name);
        match request.expected_bucket_owner(&self.owner).send().await {
            Ok(_) => Ok(true),
            Err(error) if kind(&error) == Kind::NotFound => Ok(false),
            Err(error) if kind(&error) == Kind::Denied && self.namespace == Namespace::Global => {
                self.create().await?;
                // The bucket is ours, so a permission is missing.
                Err(self.refused("s3:ListBucket", "reach", error))
            }
            Err(error) => Err(self.unreached(error)),
        }
    }

    /// Repeats the request while S3 is busy with another change of the bucket.
    async fn retry_while_busy<T, E, F>(&self, send: impl Fn() -> F) -> Result<T, SdkError<E>>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata,
    {
        for pause in self.pauses {
            match send().await {
                Err(error) if code(&error) == Some("OperationAborted") => {
                    tokio::time::sleep(*pause).await;
                }
                answer => return answer,
            }
        }
        send().await
    }

    async fn close_to_the_public(&self) -> Result<(), TargetError> {
        let block = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let request = self
            .client
            .put_public_access_block()
            .bucket(&self.name)
            .expected_bucket_owner(&self.owner)
            .public_access_block_configuration(block);
        self.retry_while_busy(|| request.clone().send())
            .await
            .map_err(|e| self.refused("s3:PutBucketPublicAccessBlock", "close to the public", e))?;
        let rule = OwnershipControlsRule::builder()
            .object_ownership(ObjectOwnership::BucketOwnerEnforced)
            .build()
            .map_err(incomplete)?;
        let controls = OwnershipControls::builder().rules(rule).build();
        let request = self
            .client
            .put_bucket_ownership_controls()
            .bucket(&self.name)
            .expected_bucket_owner(&self.owner)
            .ownership_controls(controls.map_err(incomplete)?);
        self.retry_while_busy(|| request.clone().send())
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
        let request = self
            .client
            .put_bucket_encryption()
            .bucket(&self.name)
            .expected_bucket_owner(&self.owner)
            .server_side_encryption_configuration(encryption.map_err(incomplete)?);
        self.retry_while_busy(|| request.clone().send())
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
            .bucket(&self.name)
            .expected_bucket_owner(&self.owner)
            .lifecycle_configuration(lifecycle.map_err(incomplete)?);
        self.retry_while_busy(|| request.clone().send())
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
        let request = self
            .client
            .put_bucket_policy()
            .bucket(&self.name)
            .expected_bucket_owner(&self.owner)
            .policy(policy.to_string());
        self.retry_while_busy(|| request.clone().send())
            .await
            .map_err(|e| self.refused("s3:PutBucketPolicy", "require TLS for", e))?;
        Ok(())
    }
}
