//! What is published: handlers, and templates that are too large for a request. Each is an object under its digest.

use std::time::{Duration, SystemTime};

use aws_smithy_types::date_time::{DateTime, Format};
use base64::Engine as _;
use sha2::{Digest, Sha256};

use super::Bucket;
use super::names::Namespace;
use crate::aws::call::{Request, address, encoded};
use crate::aws::error::{Kind, kind};
use crate::aws::http::timeouts_of_upload;
use crate::config::names::StackName;
use crate::engine::{ErrorKind, TargetError};
use crate::packaging::{Artifact, is_digest};

/// An object older than this is sent again when it is used, which restarts its expiry.
const RENEWAL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What keys of templates end in.
const TEMPLATE: &str = ".json";

/// The header that names the key of an object's encryption.
const KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";

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
    pub(super) fn from_artifact(artifact: &'a Artifact) -> Self {
        Self {
            what: "the handlers",
            key: artifact.digest.clone(),
            bytes: &artifact.zip,
            content_type: "application/zip",
        }
    }

    /// A template in JSON.
    fn from_template(text: &'a str) -> Self {
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
    /// with the permissions of the identity that asks CloudFormation
    /// (<https://repost.aws/knowledge-center/cfn-s3-access-denied-error>).
    ///
    /// # Errors
    /// The bucket cannot be made or written to.
    pub async fn publish_template(
        &self,
        stack: &StackName,
        text: &str,
    ) -> Result<String, TargetError> {
        let object = Object::from_template(text);
        self.put_object(stack, &object).await?;
        Ok(self.address(&object.key))
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
        let mut request = self.request("HeadObject", "HEAD", path(&object.key));
        let mode = ("x-amz-checksum-mode", "ENABLED".to_owned());
        request.headers.push(mode);
        let (checksum, key) = (object.checksum(), self.key.clone());
        let exchange = self.client.exchange(request, move |response| {
            let header = |name: &str| response.headers().get(name);
            // S3 computes this checksum itself, but every user who may write to the bucket can choose the name.
            let is_it = header("x-amz-checksum-sha256") == Some(checksum.as_str());
            // With another key, CloudFormation may not be able to read it.
            let key = key.as_ref().map(AsRef::as_ref);
            if !is_it || key.is_some_and(|key| header(KEY) != Some(key)) {
                return Ok(None);
            }
            let at = header("last-modified");
            let at = at.and_then(|at| DateTime::from_str(at, Format::HttpDate).ok());
            let at = at.and_then(|at| at.try_into().ok());
            Ok(Some(at.unwrap_or(SystemTime::UNIX_EPOCH)))
        });
        match exchange.await {
            Ok(sent_at) => Ok(sent_at),
            Err(error) if kind(&error) == Kind::NotFound => Ok(None),
            Err(error) => {
                let attempt = format!("look for {} in", object.what);
                Err(self.refused("s3:GetObject", &attempt, error))
            }
        }
    }

    async fn send(&self, object: &Object<'_>) -> Result<(), TargetError> {
        let mut request = self.put(&object.key, object.content_type, object.bytes.to_vec());
        let checksum = ("x-amz-checksum-sha256", object.checksum());
        request.headers.push(checksum);
        request.timeouts = Some(timeouts_of_upload(object.bytes.len() as u64));
        let exchange = self.client.exchange(request, |response| {
            Ok(response.headers().contains_key("etag"))
        });
        let is_stored = exchange.await.map_err(|error| {
            let attempt = format!("publish {} to", object.what);
            self.refused("s3:PutObject", &attempt, error)
        })?;
        // S3 confirms what it has stored; a response without that confirmation may not come from S3.
        if !is_stored {
            let message = format!("could not publish {} to bucket {}", object.what, self.name);
            let error = TargetError::new(ErrorKind::Unreachable, message);
            return Err(TargetError {
                source: Some("the response does not confirm that it was stored".into()),
                ..error.with_hint("the response is incomplete or not AWS's; try again")
            });
        }
        Ok(())
    }

    /// A request that stores an object.
    pub(super) fn put(&self, key: &str, content_type: &'static str, bytes: Vec<u8>) -> Request {
        let path = format!("{}?x-id=PutObject", path(key));
        let mut request = self.request("PutObject", "PUT", path);
        if let Some(key) = &self.key {
            let encryption = ("x-amz-server-side-encryption", "aws:kms".to_owned());
            request.headers.extend([encryption, (KEY, key.to_string())]);
        }
        request.with_content(content_type, bytes)
    }

    /// The address of an object in this Region and partition, or in an emulator. The bucket is in the path, where a dot in
    /// its name does no harm.
    pub(super) fn address(&self, key: &str) -> String {
        address(&self.region, self.endpoint.as_deref(), &self.name, key)
    }
}

/// The path of an object in its bucket.
fn path(key: &str) -> String {
    let parts: Vec<_> = key.split('/').map(encoded).collect();
    format!("/{}", parts.join("/"))
}
