//! What is published: handlers, and templates that are too large for a request. Each is an object under its digest.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::config::Config;
use aws_sdk_s3::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, ServerSideEncryption};
use base64::Engine as _;
use sha2::{Digest, Sha256};

use super::Bucket;
use super::names::Namespace;
use crate::aws::error::{Kind, kind};
use crate::aws::http::timeouts_of_upload;
use crate::config::names::StackName;
use crate::engine::{ErrorKind, TargetError};
use crate::packaging::{Artifact, is_digest};

/// An object older than this is sent again when it is used, which restarts its expiry.
const RENEWAL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What keys of templates end in.
const TEMPLATE: &str = ".json";

/// What is to be in the bucket.
#[derive(Debug)]
pub(super) struct Object<'a> {
    /// What it is, in messages.
    pub(super) what: &'static str,
    key: String,
    bytes: &'a [u8],
    content_type: &'static str,
}

impl<'a> Object<'a> {
    /// The code of handlers.
    pub(super) fn of(artifact: &'a Artifact) -> Self {
        Self {
            what: "the handlers",
            key: artifact.digest.clone(),
            bytes: &artifact.zip,
            content_type: "application/zip",
        }
    }

    /// A template in JSON.
    fn of_template(text: &'a str) -> Self {
        Self {
            what: "the template",
            key: format!("{}{TEMPLATE}", hex::encode(Sha256::digest(text))),
            bytes: text.as_bytes(),
            // Responses to requests in JSON are expected to have content (`http.rs`), and S3's to an upload has none.
            content_type: "text/plain",
        }
    }

    /// The checksum of the whole object, in S3's notation.
    fn checksum(&self) -> String {
        base64::engine::general_purpose::STANDARD.encode(Sha256::digest(self.bytes))
    }
}

/// Whether chatctl publishes something under this key.
pub(super) fn is_published(key: &str) -> bool {
    is_digest(key.strip_suffix(TEMPLATE).unwrap_or(key))
}

impl Bucket {
    /// Publishes a template that `stack` is to be deployed with. The answer is the address by which CloudFormation reads it,
    /// with the rights of the identity that asks CloudFormation
    /// (<https://repost.aws/knowledge-center/cfn-s3-access-denied-error>).
    ///
    /// # Errors
    /// The bucket cannot be made or written to.
    pub async fn publish_template(
        &self,
        stack: &StackName,
        text: &str,
    ) -> Result<String, TargetError> {
        let object = Object::of_template(text);
        self.put_object(stack, &object).await?;
        self.address(&object.key).await
    }

    /// Makes sure that the object is there, and recorded as used by `stack`. The answer is whether it was there already.
    pub(super) async fn put_object(
        &self,
        stack: &StackName,
        object: &Object<'_>,
    ) -> Result<bool, TargetError> {
        self.ensure().await?;
        // Noted before it is looked for: from here on, no teardown removes the object.
        self.note_use(stack, &object.key, object.what).await?;
        let sent_at = self.sent_at(object).await?;
        // In the user's own bucket nothing expires by chatctl's rule.
        let is_fresh = sent_at.is_some_and(|at| {
            self.namespace == Namespace::Named || at.elapsed().is_ok_and(|age| age < RENEWAL)
        });
        if !is_fresh {
            self.send(object).await?;
        }
        Ok(is_fresh)
    }

    /// The time when the object was last sent; `None` if it is missing, or does not match its name.
    async fn sent_at(&self, object: &Object<'_>) -> Result<Option<SystemTime>, TargetError> {
        let request = self
            .client
            .head_object()
            .bucket(&self.name)
            .key(&object.key)
            .checksum_mode(ChecksumMode::Enabled);
        match request.expected_bucket_owner(&self.owner).send().await {
            // S3 computes this checksum itself, but every user who may write to the bucket can choose the name.
            Ok(head) if head.checksum_sha256() != Some(object.checksum().as_str()) => Ok(None),
            // With another key, CloudFormation may not be able to read it.
            Ok(head)
                if self
                    .key
                    .as_ref()
                    .is_some_and(|key| head.ssekms_key_id() != Some(key.as_ref())) =>
            {
                Ok(None)
            }
            Ok(head) => {
                let time = head.last_modified.and_then(|time| time.try_into().ok());
                Ok(Some(time.unwrap_or(SystemTime::UNIX_EPOCH)))
            }
            Err(error) if kind(&error) == Kind::NotFound => Ok(None),
            Err(error) => {
                let attempt = format!("look for {} in", object.what);
                Err(self.refused("s3:GetObject", &attempt, error))
            }
        }
    }

    async fn send(&self, object: &Object<'_>) -> Result<(), TargetError> {
        let upload = timeouts_of_upload(object.bytes.len() as u64);
        let answer = self
            .client
            .put_object()
            .bucket(&self.name)
            .key(&object.key)
            .expected_bucket_owner(&self.owner)
            .content_type(object.content_type)
            .checksum_sha256(object.checksum())
            .set_server_side_encryption(self.key.as_ref().map(|_| ServerSideEncryption::AwsKms))
            .set_ssekms_key_id(self.key.as_ref().map(ToString::to_string))
            .body(ByteStream::from(object.bytes.to_vec()))
            .customize()
            .config_override(Config::builder().timeout_config(upload))
            .send()
            .await
            .map_err(|error| {
                let attempt = format!("publish {} to", object.what);
                self.refused("s3:PutObject", &attempt, error)
            })?;
        // S3 confirms what it has stored; a response without that confirmation may not come from S3.
        if answer.e_tag().is_none() {
            let message = format!("could not publish {} to bucket {}", object.what, self.name);
            let error = TargetError::new(ErrorKind::Unreachable, message);
            return Err(TargetError {
                source: Some("the response does not confirm that it was stored".into()),
                ..error.with_hint("the response is incomplete or not AWS's; try again")
            });
        }
        Ok(())
    }

    /// The address of an object in this Region and partition, or in an emulator. The bucket is in the path, where a dot in
    /// its name does no harm.
    pub(super) async fn address(&self, key: &str) -> Result<String, TargetError> {
        let attempt = || format!("find the address of {key} in bucket {}", self.name);
        let unexpected = |source: Box<dyn std::error::Error + Send + Sync>| TargetError {
            source: Some(source),
            ..TargetError::new(ErrorKind::Unexpected, format!("could not {}", attempt()))
        };
        let place = Params::builder()
            .region(&self.region)
            .bucket(&self.name)
            .force_path_style(true)
            .set_endpoint(self.endpoint.clone())
            .build()
            .map_err(|error| unexpected(error.into()))?;
        let resolver = DefaultResolver::new();
        let endpoint = ResolveEndpoint::resolve_endpoint(&resolver, &place).await;
        let endpoint = endpoint.map_err(unexpected)?;
        Ok(format!("{}/{key}", endpoint.url().trim_end_matches('/')))
    }
}
