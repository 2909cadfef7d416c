//! The settings of chatctl's own bucket: each is read first, and put only if it is not so already. What cannot be read is
//! put, and an error of that says why it could not.
//!
//! An organization may deny a setting to everybody. That stands in the way only of a setting that is not S3's default for
//! new buckets (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html>).

use std::future::Future;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus,
    LifecycleExpiration, LifecycleRule, LifecycleRuleFilter, ObjectOwnership, OwnershipControls,
    OwnershipControlsRule, PublicAccessBlockConfiguration, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    Tag, Tagging,
};
use serde_json::json;

use super::making::Origin;
use super::{Bucket, EXPIRY_DAYS, incomplete};
use crate::aws::error::{Kind, code, kind};
use crate::engine::TargetError;

/// The rule that lets old handlers expire.
const RULE: &str = "handlers that no deployment uses";

impl Bucket {
    pub(super) async fn close_to_the_public(&self, origin: Origin) -> Result<(), TargetError> {
        let wanted = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let read = self.client.get_public_access_block().bucket(&self.name);
        let found = read.expected_bucket_owner(&self.owner).send().await.ok();
        let (action, attempt) = ("s3:PutBucketPublicAccessBlock", "close to the public");

        if found
            .is_none_or(|found| found.public_access_block_configuration.as_ref() != Some(&wanted))
        {
            let request = self.client.put_public_access_block().bucket(&self.name);
            let request = request
                .expected_bucket_owner(&self.owner)
                .public_access_block_configuration(wanted);
            self.put(origin, (action, attempt), || request.clone().send())
                .await?;
        }
        let rule = OwnershipControlsRule::builder()
            .object_ownership(ObjectOwnership::BucketOwnerEnforced)
            .build();
        let rule = rule.map_err(incomplete)?;
        let wanted = OwnershipControls::builder()
            .rules(rule)
            .build()
            .map_err(incomplete)?;
        self.switch_lists_off(origin, wanted).await
    }

    async fn switch_lists_off(
        &self,
        origin: Origin,
        wanted: OwnershipControls,
    ) -> Result<(), TargetError> {
        let read = self
            .client
            .get_bucket_ownership_controls()
            .bucket(&self.name);
        let found = read.expected_bucket_owner(&self.owner).send().await.ok();

        if found.is_some_and(|found| found.ownership_controls.as_ref() == Some(&wanted)) {
            return Ok(());
        }
        let request = self
            .client
            .put_bucket_ownership_controls()
            .bucket(&self.name);
        let request = request
            .expected_bucket_owner(&self.owner)
            .ownership_controls(wanted);
        let reported = (
            "s3:PutBucketOwnershipControls",
            "switch access lists off on",
        );
        self.put(origin, reported, || request.clone().send()).await
    }

    /// A default that the account's owner has set, such as a key of their own, stays.
    pub(super) async fn encrypt(&self, origin: Origin) -> Result<(), TargetError> {
        let read = self.client.get_bucket_encryption().bucket(&self.name);
        let found = read.expected_bucket_owner(&self.owner).send().await.ok();

        let found = found.and_then(|found| found.server_side_encryption_configuration);
        let mut rules = found.into_iter().flat_map(|found| found.rules);
        if rules.any(|rule| rule.apply_server_side_encryption_by_default.is_some()) {
            return Ok(());
        }
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
        let request = request
            .expected_bucket_owner(&self.owner)
            .server_side_encryption_configuration(encryption.map_err(incomplete)?);
        let reported = ("s3:PutEncryptionConfiguration", "encrypt");
        self.put(origin, reported, || request.clone().send()).await
    }

    /// Adds the rule to those that are there.
    pub(super) async fn expire(&self) -> Result<(), TargetError> {
        let read = self
            .client
            .get_bucket_lifecycle_configuration()
            .bucket(&self.name);
        let found = read.expected_bucket_owner(&self.owner).send().await.ok();

        let mut rules = found.and_then(|found| found.rules).unwrap_or_default();
        if rules.iter().any(|rule| rule.id() == Some(RULE)) {
            return Ok(());
        }
        let rule = LifecycleRule::builder()
            .id(RULE)
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix("").build())
            .expiration(LifecycleExpiration::builder().days(EXPIRY_DAYS).build())
            .abort_incomplete_multipart_upload(
                AbortIncompleteMultipartUpload::builder()
                    .days_after_initiation(1)
                    .build(),
            )
            .build();
        rules.push(rule.map_err(incomplete)?);
        let lifecycle = BucketLifecycleConfiguration::builder()
            .set_rules(Some(rules))
            .build();
        let request = self
            .client
            .put_bucket_lifecycle_configuration()
            .bucket(&self.name);
        let request = request
            .expected_bucket_owner(&self.owner)
            .lifecycle_configuration(lifecycle.map_err(incomplete)?);
        self.retry_while_busy(|| request.clone().send())
            .await
            .map_err(|e| {
                self.not_set("s3:PutLifecycleConfiguration", "let objects expire in", e)
            })?;
        Ok(())
    }

    pub(super) async fn require_tls(&self) -> Result<(), TargetError> {
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
        let request = request
            .expected_bucket_owner(&self.owner)
            .policy(policy.to_string());
        self.retry_while_busy(|| request.clone().send())
            .await
            .map_err(|e| self.not_set("s3:PutBucketPolicy", "require TLS for", e))?;
        Ok(())
    }

    /// Adds the tags whose keys the bucket lacks. Others stay as they are: other stacks share the bucket.
    ///
    /// A refusal is a notice, because the deployment does not depend on tags.
    pub(super) async fn add_tags(&self) -> Result<(), TargetError> {
        if self.tags.is_empty() {
            return Ok(());
        }
        let read = self.client.get_bucket_tagging().bucket(&self.name);
        let read = read.expected_bucket_owner(&self.owner).send().await;
        let mut all = match read {
            Ok(found) => found.tag_set,
            Err(error) if code(&error) == Some("NoSuchTagSet") => Vec::new(),
            // What cannot be read cannot be put either, because that replaces all tags.
            Err(error) if kind(&error) == Kind::Denied => {
                self.notice("its tags could not be read (s3:GetBucketTagging), so none was added");
                return Ok(());
            }
            Err(error) => {
                return Err(self.refused("s3:GetBucketTagging", "read the tags of", error));
            }
        };
        let missing = self.tags_in_s3()?;
        let missing = missing
            .into_iter()
            .filter(|tag| !all.iter().any(|other| other.key == tag.key));
        let missing: Vec<_> = missing.collect();
        if missing.is_empty() {
            return Ok(());
        }
        all.extend(missing);
        let tagging = Tagging::builder().set_tag_set(Some(all)).build();
        let request = self.client.put_bucket_tagging().bucket(&self.name);
        let request = request
            .expected_bucket_owner(&self.owner)
            .tagging(tagging.map_err(incomplete)?);
        match self.retry_while_busy(|| request.clone().send()).await {
            Ok(_) => Ok(()),
            Err(error) if kind(&error) == Kind::Denied => {
                self.notice("it does not get the tags: s3:PutBucketTagging is denied");
                Ok(())
            }
            Err(error) => Err(self.refused("s3:PutBucketTagging", "tag", error)),
        }
    }

    /// The tags in S3's form.
    pub(super) fn tags_in_s3(&self) -> Result<Vec<Tag>, TargetError> {
        let tags = self.tags.iter();
        let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
        tags.collect::<Result<_, _>>().map_err(incomplete)
    }

    /// Puts a setting that is S3's default for new buckets. If that is denied for a bucket that was made just now, the
    /// default holds, which is a notice.
    async fn put<T, E, F>(
        &self,
        origin: Origin,
        (action, attempt): (&'static str, &str),
        send: impl Fn() -> F,
    ) -> Result<(), TargetError>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        match self.retry_while_busy(send).await {
            Ok(_) => Ok(()),
            Err(error) if origin == Origin::MadeNow && kind(&error) == Kind::Denied => {
                self.notice(&format!(
                    "{action} is denied, and S3's default for new buckets says the same"
                ));
                Ok(())
            }
            Err(error) => Err(self.not_set(action, attempt, error)),
        }
    }

    fn notice(&self, what: &str) {
        let text = format!("bucket {}: {what}", self.name);
        self.notices.borrow_mut().push(text);
    }

    /// The error for a setting that cannot be put. A denial has a way round it.
    fn not_set<E>(&self, action: &'static str, attempt: &str, error: SdkError<E>) -> TargetError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let is_denied = kind(&error) == Kind::Denied;
        let reported = self.refused(action, attempt, error);
        let hint = reported.hint.clone().unwrap_or_default();
        match is_denied {
            true => reported.with_hint(format!(
                "{hint}; or name a bucket that is set up already: `bucket` under `[aws]` in the config"
            )),
            false => reported,
        }
    }
}
