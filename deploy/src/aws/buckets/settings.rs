//! The settings of chatctl's own bucket: each is read first, and put only if it is not so already. A setting that the
//! account's owner may have changed is put only if it could be read, or if the bucket was made just now: putting it replaces
//! all of it.
//!
//! An organization may deny a setting to everybody. That stands in the way only of a setting that is not S3's default for
//! new buckets (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html>).

use serde_json::json;

use super::{Bucket, EXPIRY_DAYS, Origin};
use crate::aws::call::{Element, Failure, Request};
use crate::aws::error::{Kind, code, kind};
use crate::engine::TargetError;

/// The rule that lets old handlers expire.
const RULE: &str = "handlers that no deployment uses";

/// A setting of a bucket.
struct Setting {
    /// The operations that read and put it.
    operations: [&'static str; 2],
    /// Its name in a query.
    query: &'static str,
    /// The root of its document.
    root: &'static str,
    /// The code that S3 refuses to read it with if there is none
    /// (<https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/s3/errors.go>).
    none: &'static str,
}

const PUBLIC_ACCESS: Setting = Setting {
    operations: ["GetPublicAccessBlock", "PutPublicAccessBlock"],
    query: "publicAccessBlock",
    root: "PublicAccessBlockConfiguration",
    none: "NoSuchPublicAccessBlockConfiguration",
};

const OWNERSHIP: Setting = Setting {
    operations: ["GetBucketOwnershipControls", "PutBucketOwnershipControls"],
    query: "ownershipControls",
    root: "OwnershipControls",
    none: "OwnershipControlsNotFoundError",
};

const ENCRYPTION: Setting = Setting {
    operations: ["GetBucketEncryption", "PutBucketEncryption"],
    query: "encryption",
    root: "ServerSideEncryptionConfiguration",
    none: "ServerSideEncryptionConfigurationNotFoundError",
};

const LIFECYCLE: Setting = Setting {
    operations: [
        "GetBucketLifecycleConfiguration",
        "PutBucketLifecycleConfiguration",
    ],
    query: "lifecycle",
    root: "LifecycleConfiguration",
    none: "NoSuchLifecycleConfiguration",
};

const TAGS: Setting = Setting {
    operations: ["GetBucketTagging", "PutBucketTagging"],
    query: "tagging",
    root: "Tagging",
    none: "NoSuchTagSet",
};

/// A tag in S3's form.
pub(super) fn tag(key: &str, value: &str) -> Element {
    Element::new(
        "Tag",
        [Element::leaf("Key", key), Element::leaf("Value", value)],
    )
}

impl Bucket {
    /// The document of a setting; `None` if there is none.
    async fn read(&self, setting: &Setting) -> Result<Option<Element>, Failure> {
        let path = format!("/?{}", setting.query);
        let request = self.request(setting.operations[0], "GET", path);
        match self.client.document(request, setting.root).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if code(&error) == Some(setting.none) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same of a setting that the account's owner may have changed, but not in a bucket that was made just now.
    async fn read_of_owner(
        &self,
        setting: &Setting,
        origin: Origin,
        (action, attempt): (&'static str, &str),
    ) -> Result<Option<Element>, TargetError> {
        match self.read(setting).await {
            Err(_) if origin == Origin::MadeNow => Ok(None),
            read => read.map_err(|error| self.not_set(action, attempt, error)),
        }
    }

    /// A request that puts `parts` in place of a setting.
    fn replacing(&self, setting: &Setting, parts: impl IntoIterator<Item = Element>) -> Request {
        let path = format!("/?{}", setting.query);
        self.request(setting.operations[1], "PUT", path)
            .with_document(&Element::new(setting.root, parts))
            .with_checksum()
    }

    pub(super) async fn close_to_the_public(&self, origin: Origin) -> Result<(), TargetError> {
        let all = [
            "BlockPublicAcls",
            "IgnorePublicAcls",
            "BlockPublicPolicy",
            "RestrictPublicBuckets",
        ];
        let found = self.read(&PUBLIC_ACCESS).await.ok().flatten();
        let is_closed = |found: &Element| all.iter().all(|it| found.text(it) == Some("true"));
        if !found.as_ref().is_some_and(is_closed) {
            let parts = all.map(|name| Element::leaf(name, "true"));
            let request = self.replacing(&PUBLIC_ACCESS, parts);
            let reported = ("s3:PutBucketPublicAccessBlock", "close to the public");
            self.put_default(origin, reported, &request).await?;
        }
        self.switch_lists_off(origin).await
    }

    async fn switch_lists_off(&self, origin: Origin) -> Result<(), TargetError> {
        const OFF: &str = "BucketOwnerEnforced";
        let found = self.read(&OWNERSHIP).await.ok().flatten();
        let is_off = found.is_some_and(|found| {
            let rules = found.children("Rule");
            rules
                .map(|rule| rule.text("ObjectOwnership"))
                .eq([Some(OFF)])
        });
        if is_off {
            return Ok(());
        }
        let rule = Element::new("Rule", [Element::leaf("ObjectOwnership", OFF)]);
        let reported = (
            "s3:PutBucketOwnershipControls",
            "switch access lists off on",
        );
        let request = self.replacing(&OWNERSHIP, [rule]);
        self.put_default(origin, reported, &request).await
    }

    /// A default that the account's owner has set, such as a key of their own, stays.
    pub(super) async fn encrypt(&self, origin: Origin) -> Result<(), TargetError> {
        const DEFAULT: &str = "ApplyServerSideEncryptionByDefault";
        let reading = ("s3:GetEncryptionConfiguration", "read the encryption of");
        let found = self.read_of_owner(&ENCRYPTION, origin, reading).await?;
        let is_set = |found: &Element| {
            let mut rules = found.children("Rule");
            rules.any(|rule| rule.child(DEFAULT).is_some())
        };
        if found.as_ref().is_some_and(is_set) {
            return Ok(());
        }
        let by_default = Element::new(DEFAULT, [Element::leaf("SSEAlgorithm", "AES256")]);
        let request = self.replacing(&ENCRYPTION, [Element::new("Rule", [by_default])]);
        let reported = ("s3:PutEncryptionConfiguration", "encrypt");
        self.put_default(origin, reported, &request).await
    }

    /// Adds the rule to those that are there.
    pub(super) async fn expire(&self, origin: Origin) -> Result<(), TargetError> {
        let reading = (
            "s3:GetLifecycleConfiguration",
            "read the rules for expiry of",
        );
        let found = self.read_of_owner(&LIFECYCLE, origin, reading).await?;
        let found = found.unwrap_or_default();
        let mut rules: Vec<_> = found.children("Rule").cloned().collect();
        if rules.iter().any(|rule| rule.text("ID") == Some(RULE)) {
            return Ok(());
        }
        let days = |name, days: i32| Element::leaf(name, days.to_string());
        rules.push(Element::new(
            "Rule",
            [
                Element::new("Expiration", [days("Days", EXPIRY_DAYS)]),
                Element::leaf("ID", RULE),
                Element::new("Filter", [Element::leaf("Prefix", "")]),
                Element::leaf("Status", "Enabled"),
                Element::new(
                    "AbortIncompleteMultipartUpload",
                    [days("DaysAfterInitiation", 1)],
                ),
            ],
        ));
        let request = self.replacing(&LIFECYCLE, rules);
        self.retry_while_busy(&request).await.map_err(|error| {
            let action = "s3:PutLifecycleConfiguration";
            self.not_set(action, "let objects expire in", error)
        })
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
        let request = self
            .request("PutBucketPolicy", "PUT", "/?policy")
            .with_content("text/plain", policy.to_string().into_bytes())
            .with_checksum();
        let put = self.retry_while_busy(&request).await;
        put.map_err(|error| self.not_set("s3:PutBucketPolicy", "require TLS for", error))
    }

    /// Adds the tags whose keys the bucket lacks. Others stay as they are: other stacks share the bucket.
    ///
    /// A refusal is a notice, because the deployment does not depend on tags.
    pub(super) async fn add_tags(&self) -> Result<(), TargetError> {
        if self.tags.is_empty() {
            return Ok(());
        }
        let found = match self.read(&TAGS).await {
            Ok(found) => found.unwrap_or_default(),
            // What cannot be read cannot be put either, because that replaces all tags.
            Err(error) if kind(&error) == Kind::Denied => {
                self.notice("its tags could not be read (s3:GetBucketTagging), so none was added");
                return Ok(());
            }
            Err(error) => {
                return Err(self.refused("s3:GetBucketTagging", "read the tags of", error));
            }
        };
        let found = found.child("TagSet").into_iter();
        let mut all: Vec<_> = found.flat_map(|set| set.children("Tag")).cloned().collect();
        let has = |key: &str| all.iter().any(|other| other.text("Key") == Some(key));
        let missing = self.tags.iter().filter(|(key, _)| !has(key));
        let missing: Vec<_> = missing.map(|(key, value)| tag(key, value)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        all.extend(missing);
        let request = self.replacing(&TAGS, [Element::new("TagSet", all)]);
        match self.retry_while_busy(&request).await {
            Ok(_) => Ok(()),
            Err(error) if kind(&error) == Kind::Denied => {
                self.notice("it does not get the tags: s3:PutBucketTagging is denied");
                Ok(())
            }
            Err(error) => Err(self.refused("s3:PutBucketTagging", "tag", error)),
        }
    }

    /// Puts a setting that is S3's default for new buckets. If that is denied for a bucket that was made just now, the
    /// default holds, which is a notice.
    async fn put_default(
        &self,
        origin: Origin,
        (action, attempt): (&'static str, &str),
        request: &Request,
    ) -> Result<(), TargetError> {
        match self.retry_while_busy(request).await {
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
    fn not_set(&self, action: &'static str, attempt: &str, error: Failure) -> TargetError {
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
