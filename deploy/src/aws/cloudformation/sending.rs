//! How a template gets to CloudFormation: in the request, or, if it is too large for one, through the bucket for handlers.

use aws_config::SdkConfig;

use crate::aws::buckets::Bucket;
use crate::aws::identity;
use crate::config::account::AccountRules;
use crate::config::names::StackName;
use crate::engine::cloud::NewChangeSet;
use crate::engine::{ErrorKind, TargetError};
use crate::stack::quota::{Excess, TemplateTransfer, template_transfer};

/// Where CloudFormation finds a template.
#[derive(Debug)]
pub(super) enum TemplateSource {
    /// In the request, as this text.
    Request(String),
    /// At this address.
    Bucket(String),
}

impl TemplateSource {
    /// Distinguishes refusals because CloudFormation could not read the template, which the error codes do not.
    ///
    /// It reads with the permissions of the identity that asks, through S3, which names no permission
    /// (<https://repost.aws/knowledge-center/cfn-s3-access-denied-error>).
    pub(super) fn explained(&self, error: TargetError) -> TargetError {
        let Self::Bucket(address) = self else {
            return error;
        };
        let source = error.source.as_ref().map(ToString::to_string);
        let source = source.unwrap_or_default();
        let is_denied = ["S3 error: Access Denied", "to which you have access"];
        let (kind, hint) = if is_denied.iter().any(|words| source.contains(words)) {
            let hint = format!(
                "CloudFormation reads {address} with the permissions of your identity: it needs s3:GetObject there, and \
                 kms:Decrypt on the key of an encrypted bucket; no policy of the bucket, of a VPC endpoint or of the \
                 organization may deny that to CloudFormation"
            );
            (ErrorKind::Denied, hint)
        } else if source.contains("S3 error: ") {
            let hint = "the template or its bucket was removed meanwhile; the same command again sends it anew";
            (ErrorKind::Failed, hint.to_owned())
        } else {
            return error;
        };
        TargetError {
            kind,
            ..error.with_hint(hint)
        }
    }
}

/// The bucket, which is looked for only when a template needs it: it is named after the account.
#[derive(Debug)]
pub(super) struct Store {
    config: SdkConfig,
    region: String,
    rules: AccountRules,
}

impl Store {
    pub(super) fn new(config: &SdkConfig, region: &str, rules: &AccountRules) -> Self {
        Self {
            config: config.clone(),
            region: region.to_owned(),
            rules: rules.clone(),
        }
    }

    /// Puts the template where CloudFormation will find it.
    ///
    /// # Errors
    /// It is too large for CloudFormation, or cannot be published.
    pub(super) async fn place(
        &self,
        request: &NewChangeSet,
    ) -> Result<TemplateSource, TargetError> {
        let text = match template_transfer(&request.template) {
            Ok(TemplateTransfer::Inline(body)) => return Ok(TemplateSource::Request(body)),
            Ok(TemplateTransfer::Stored(text)) => text,
            Err(excess) => return Err(beyond(&request.stack, excess)),
        };
        let stack: StackName = request.stack.parse().map_err(|_| {
            let message = format!("`{}` is no name of a stack", request.stack);
            TargetError::new(ErrorKind::Unexpected, message)
        })?;
        let identity = identity::identity(&self.config).await?;
        let mut bucket = Bucket::new(&self.config, &identity, &self.region, &self.rules);
        // Those of the command's line are among them. A change that keeps the stack's tags names none.
        if !request.tags.is_empty() {
            bucket = bucket.with_tags(request.tags.clone());
        }
        let address = bucket.publish_template(&stack, &text).await?;
        Ok(TemplateSource::Bucket(address))
    }
}

/// The error for a template that CloudFormation would refuse.
fn beyond(stack: &str, excess: Excess) -> TargetError {
    let message = format!("could not send the template of stack `{stack}`: {excess}");
    TargetError::new(ErrorKind::Usage, message).with_hint("use fewer routes in one stack")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::cloudformation::Cloud;
    use crate::aws::stub::{Stub, StubResponse, refusal};
    use crate::engine::cloud::{CloudFormation, CloudStacks};
    use crate::engine::{Change, DeployMode};
    use crate::stack::Template;
    use crate::stack::quota::{MAX_INLINE, MAX_TEMPLATE};

    const WHO: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>\
        <Arn>arn:aws:iam::123456789012:user/ann</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>";

    const MADE: &str = "<CreateChangeSetResponse><CreateChangeSetResult><Id>arn:cs</Id><StackId>arn:stack</StackId>\
        </CreateChangeSetResult></CreateChangeSetResponse>";

    fn request(document: serde_json::Value) -> NewChangeSet {
        NewChangeSet {
            name: "c".into(),
            stack: "chat".into(),
            change: Change::Create,
            template: Template::new(document),
            parameters: Default::default(),
            tags: Default::default(),
            mode: DeployMode::Express,
        }
    }

    fn large() -> NewChangeSet {
        request(serde_json::json!({"Description": "x".repeat(MAX_INLINE)}))
    }

    async fn cloud(answers: &[(u16, &str)]) -> (Cloud, Stub) {
        let answers = answers.iter();
        let answers: Vec<StubResponse> = answers
            .map(|(status, body)| (*status, (*body).to_owned()))
            .collect();
        let stub = Stub::answering(answers).await;
        let cloud = Cloud::new(&stub.config().await, "eu-west-1", &Default::default());
        (cloud, stub)
    }

    /// With a bucket that has everything but the template.
    async fn cloud_that_answers(last: &[(u16, &str)]) -> (Cloud, Stub) {
        let before = [(200, WHO), (200, ""), (200, "{}"), (200, ""), (404, "")];
        cloud(&[&before, last].concat()).await
    }

    #[tokio::test]
    async fn a_template_that_fits_without_white_space_is_in_the_request() {
        let (cloud, stub) = cloud(&[(200, MADE)]).await;
        let many: Vec<u32> = (0..6_000).collect();
        let request = request(serde_json::json!({"Metadata": many}));
        assert!(request.template.to_json().len() > MAX_INLINE);
        cloud.create_change_set(&request).await.unwrap();
        assert!(stub.asked()[0].contains("TemplateBody=%7B%22Metadata%22%3A%5B0%2C1%2C2%2C"));
    }

    #[tokio::test]
    async fn a_template_too_large_for_a_request_is_published_and_named_by_its_address() {
        let (cloud, stub) = cloud_that_answers(&[(200, ""), (200, MADE)]).await;
        let request = large();
        cloud.create_change_set(&request).await.unwrap();
        let asked = stub.asked();
        let begins =
            |at: usize, words: &str| assert!(asked[at].starts_with(words), "{}", asked[at]);
        begins(1, "HEAD /chatctl-123456789012-eu-west-1-an");
        begins(3, "PUT /chatctl-123456789012-eu-west-1-an/uses/");
        begins(5, "PUT /chatctl-123456789012-eu-west-1-an/");
        assert!(asked[5].ends_with(&request.template.to_json()));
        let key = asked[5].split(['/', '?']).nth(2).unwrap();
        assert!(
            asked[3].contains(&format!("/uses/{key}/chat")),
            "{}",
            asked[3]
        );
        let host = stub.url().trim_start_matches("http://").replace(':', "%3A");
        let address =
            format!("TemplateURL=http%3A%2F%2F{host}%2Fchatctl-123456789012-eu-west-1-an%2F{key}");
        assert!(asked[6].contains(&address), "{} {address}", asked[6]);
        assert!(!asked[6].contains("TemplateBody"));
        assert!(asked[6].contains("DeploymentConfig"), "{}", asked[6]);
    }

    #[tokio::test]
    async fn a_template_too_large_even_for_s3_is_refused_before_anything_is_sent() {
        let (cloud, stub) = cloud(&[(500, "")]).await;
        let request = request(serde_json::json!({"Description": "x".repeat(MAX_TEMPLATE)}));
        let error = cloud.create_change_set(&request).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert!(error.to_string().ends_with("1000000 at most"), "{error}");
        assert!(stub.asked().is_empty());
    }

    #[tokio::test]
    async fn a_template_that_cannot_be_published_makes_no_change_set() {
        let denied = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
        let (cloud, stub) = cloud_that_answers(&[(403, denied)]).await;
        let error = cloud.create_change_set(&large()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied);
        assert_eq!(
            error.to_string(),
            "could not publish the template to bucket chatctl-123456789012-eu-west-1-an"
        );
        assert!(error.hint.unwrap().contains("s3:PutObject"));
        assert_eq!(stub.asked().len(), 6);
    }

    #[tokio::test]
    async fn a_template_that_cloudformation_cannot_read_is_explained() {
        for (words, kind, hint) in [
            ("S3 error: Access Denied", ErrorKind::Denied, "s3:GetObject"),
            (
                "TemplateURL must reference a valid S3 object to which you have access.",
                ErrorKind::Denied,
                "kms:Decrypt",
            ),
            (
                "S3 error: The specified bucket does not exist",
                ErrorKind::Failed,
                "again",
            ),
        ] {
            let (_, refused) = refusal(400, "ValidationError", words);
            let (cloud, _) = cloud_that_answers(&[(200, ""), (400, &refused)]).await;
            let error = cloud.create_change_set(&large()).await.unwrap_err();
            assert_eq!(error.kind, kind, "{words}");
            let reported = error.hint.unwrap();
            assert!(reported.contains(hint), "{words}: {reported}");
        }
    }

    #[tokio::test]
    async fn tables_that_are_kept_are_kept_by_a_large_template_too() {
        let stacks = "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>chat</StackName>\
            <StackId>arn:stack</StackId><StackStatus>CREATE_COMPLETE</StackStatus>\
            <CreationTime>2026-01-01T00:00:00Z</CreationTime></member></Stacks></DescribeStacksResult></DescribeStacksResponse>";
        let frame = serde_json::json!({
            "Description": format!("chatctl {}", "x".repeat(MAX_INLINE)),
            "Resources": {"T": {"Type": "AWS::DynamoDB::Table"}},
        });
        let template = format!(
            "<GetTemplateResponse><GetTemplateResult><TemplateBody>{frame}</TemplateBody></GetTemplateResult></GetTemplateResponse>"
        );
        let (_, refused) = refusal(400, "ValidationError", "S3 error: Access Denied");
        let (cloud, stub) = cloud(&[
            (200, stacks),
            (200, &template),
            (200, WHO),
            (200, ""),
            (200, "{}"),
            (200, ""),
            (404, ""),
            (200, ""),
            (400, &refused),
        ])
        .await;
        let stacks = CloudStacks::new(cloud);
        let chat = "chat".parse().unwrap();
        let kept = crate::engine::ChangeSets::retain_tables(&stacks, &chat).await;
        assert_eq!(kept.unwrap_err().kind, ErrorKind::Denied);
        let asked = stub.asked();
        assert!(asked[7].contains("\"DeletionPolicy\": \"Retain\""));
        assert!(asked[8].contains("TemplateURL="));
    }
}
