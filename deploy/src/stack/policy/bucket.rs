//! The bucket for handlers, and for a template that is too large for a request.

use super::statement::{Statements, arn};
use super::{Subject, actions};

impl Subject<'_> {
    /// What chatctl does with the bucket. CloudFormation reads a template there with the permissions of the identity that asks,
    /// whatever role it acts with otherwise (<https://repost.aws/knowledge-center/cfn-s3-access-denied-error>).
    pub(super) fn work_with_bucket(&self, all: &mut Statements) {
        let rules = &self.settings.aws.rules;
        let bucket = arn(self.partition(), "s3", "", "", self.bucket);
        match &rules.bucket {
            Some(_) => all.allow("Bucket", &["s3:ListBucket"], vec![bucket.clone()]),
            None => all.allow("Bucket", actions::OWN_BUCKET, vec![bucket.clone()]),
        }
        if rules.bucket.is_none() && !rules.tags.is_empty() {
            all.allow("Bucket", actions::TAGGED_BUCKET, vec![bucket.clone()]);
        }
        all.allow("Handlers", actions::HANDLERS, vec![format!("{bucket}/*")]);
        if let Some(key) = &rules.kms_key {
            let through = format!("s3.{}.*", self.region);
            all.allow_through(
                "KeyOfHandlers",
                &["kms:Decrypt", "kms:GenerateDataKey"],
                key.as_ref(),
                &through,
            );
        }
    }
}
