//! Creates the bucket: private, encrypted and with an expiry before anything is stored in it.

use std::time::Duration;

use super::names::Namespace;
use super::settings::tag;
use super::{Bucket, Origin};
use crate::aws::call::{Element, Failure, Request};
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
    /// Creates the bucket, or completes one whose creation was interrupted: the policy comes last. The user's own is only
    /// looked for.
    pub(super) async fn ensure(&self) -> Result<(), TargetError> {
        if self.namespace == Namespace::Named {
            return match self.exists().await? {
                true => Ok(()),
                false => Err(self.missing()),
            };
        }
        let origin = match self.is_there().await? {
            true => {
                let request = self.request("GetBucketPolicy", "GET", "/?policy");
                match self.client.send(request, |_| Ok(())).await {
                    Ok(_) => return self.add_tags().await,
                    Err(error) if code(&error) == Some("NoSuchBucketPolicy") => Origin::Found,
                    Err(error) => return Err(self.refused("s3:GetBucketPolicy", "check", error)),
                }
            }
            false => {
                self.create().await?;
                Origin::MadeNow
            }
        };
        self.close_to_the_public(origin).await?;
        self.encrypt(origin).await?;
        self.expire(origin).await?;
        self.require_tls().await?;
        self.add_tags().await
    }

    pub(super) async fn create(&self) -> Result<(), TargetError> {
        // S3 refuses the name of its first Region here.
        let place = (self.region != "us-east-1")
            .then(|| Element::leaf("LocationConstraint", self.region.as_str()));
        // At once, because an organization may refuse buckets without its tags.
        let tags = self.tags.iter().map(|(key, value)| tag(key, value));
        let tags = (!self.tags.is_empty()).then(|| Element::new("Tags", tags));
        let parts: Vec<_> = place.into_iter().chain(tags).collect();
        let mut request = Request::new("CreateBucket", "PUT", "/");
        if self.namespace == Namespace::AccountRegional {
            let namespace = ("x-amz-bucket-namespace", "account-regional".to_owned());
            request.headers.push(namespace);
        }
        let request = match parts.is_empty() {
            true => request.with_content("application/xml", Vec::new()),
            false => request.with_document(&Element::new("CreateBucketConfiguration", parts)),
        };
        match self.retry_while_busy(&request).await {
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
        match self.head().await {
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

    /// Repeats a request whose success says nothing while S3 is busy with another change of the bucket.
    pub(super) async fn retry_while_busy(&self, request: &Request) -> Result<(), Failure> {
        let send = || self.client.send(request.clone(), |_| Ok(()));
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
}
