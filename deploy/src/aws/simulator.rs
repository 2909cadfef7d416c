//! IAM's simulation of policies (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>).
//!
//! The SDK's client of IAM has some 180 operations, and all of them would be compiled for two. So the requests are put together
//! here, signed by the SDK's signer and sent by its HTTP client.

use std::borrow::Cow;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{http, requests};
use crate::config::arn::partition_of;
use crate::engine::rights::{Simulator, Verdict};
use crate::engine::{ErrorKind, TargetError};
use crate::stack::policy::Question;

/// IAM of an account.
#[derive(Debug)]
pub struct IamSimulator {
    config: SdkConfig,
    region: String,
}

/// The most results of a request.
const MAX_RESULTS: &str = "1000";

/// A request could not be put together. Its parts are not shown, as they are signed with a secret.
const UNSIGNED: &str = "could not sign the request";

impl IamSimulator {
    pub(super) fn new(config: &SdkConfig, region: &str) -> Self {
        Self {
            config: config.clone(),
            region: region.to_owned(),
        }
    }

    /// Where IAM of the partition answers, and the Region that its requests are signed for
    /// (<https://docs.aws.amazon.com/general/latest/gr/iam-service.html>).
    fn place(&self) -> Option<(String, &'static str)> {
        let (host, region) = match partition_of(&self.region) {
            "aws" => ("iam.amazonaws.com", "us-east-1"),
            "aws-cn" => ("iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            "aws-us-gov" => ("iam.us-gov.amazonaws.com", "us-gov-west-1"),
            _ => return None,
        };
        let endpoint = self.config.endpoint_url();
        let url = endpoint.map_or_else(|| format!("https://{host}/"), str::to_owned);
        Some((url, region))
    }

    /// The answer to `operation`, as XML.
    async fn ask(
        &self,
        operation: &'static str,
        parameters: &[(String, &str)],
    ) -> Result<String, TargetError> {
        let unexpected = |why: &str| TargetError::new(ErrorKind::Unexpected, why);
        let Some((url, region)) = self.place() else {
            let why = "how IAM is asked in this partition is not known here";
            return Err(TargetError::new(ErrorKind::Unreachable, why));
        };
        let mut body = format!("Action={operation}&Version=2010-05-08");
        for (name, value) in parameters {
            let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
            body.push_str(&format!("&{name}={value}"));
        }
        let provider = self.config.credentials_provider();
        let provider = provider.ok_or_else(|| unexpected("there are no credentials"))?;
        let credentials = provider
            .provide_credentials()
            .await
            .map_err(|error| TargetError {
                source: Some(error.into()),
                ..TargetError::new(ErrorKind::Denied, "could not load the credentials")
            })?;
        let identity = credentials.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("iam")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|_| unexpected(UNSIGNED))?
            .into();
        let form = ("content-type", "application/x-www-form-urlencoded");
        let signable = SignableRequest::new(
            "POST",
            &url,
            [form].into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        );
        let signature = signable
            .and_then(|signable| sign(signable, &params))
            .map_err(|_| unexpected(UNSIGNED))?;
        let (signature, _) = signature.into_parts();
        let mut request = HttpRequest::new(SdkBody::from(body));
        let addressed = request
            .set_method("POST")
            .and_then(|()| request.set_uri(url.as_str()));
        addressed.map_err(|_| unexpected(UNSIGNED))?;
        request.headers_mut().insert(form.0, form.1);
        for (name, value) in signature.headers() {
            let headers = request.headers_mut();
            headers.insert(name.to_owned(), value.to_owned());
        }
        requests::rename(&mut request, "iam", operation);
        let sent = http::connector(&self.config).await?.call(request).await;
        let answer = sent.map_err(|error| TargetError {
            source: Some(error.into()),
            ..TargetError::new(ErrorKind::Unreachable, "could not ask IAM")
        })?;
        let body = answer.body().bytes().unwrap_or_default();
        let text = String::from_utf8_lossy(body).into_owned();
        match answer.status().as_u16() {
            200 => Ok(text),
            status => {
                let code = data_of(&text, &["Error", "Code"]).unwrap_or_default();
                let kind = match (status, code.as_str()) {
                    (_, "AccessDenied" | "AccessDeniedException") => ErrorKind::Denied,
                    (_, "Throttling") | (500.., _) => ErrorKind::Unreachable,
                    _ => ErrorKind::Unexpected,
                };
                let message = format!("IAM refused {operation}: {code} (status {status})");
                Err(TargetError::new(kind, message))
            }
        }
    }
}

/// The actions of this file, for the page of permissions.
const ACTIONS: [&str; 2] = ["iam:SimulatePrincipalPolicy", "iam:GetRole"];

impl Simulator for IamSimulator {
    async fn denied(&self, source: &str, question: &Question) -> Result<Vec<Verdict>, TargetError> {
        let mut parameters = vec![
            ("PolicySourceArn".to_owned(), source),
            ("MaxItems".to_owned(), MAX_RESULTS),
        ];
        for (number, action) in (1..).zip(&question.actions) {
            parameters.push((format!("ActionNames.member.{number}"), action));
        }
        if let Some(resource) = &question.resource {
            parameters.push(("ResourceArns.member.1".to_owned(), resource));
        }
        for (number, (key, value)) in (1..).zip(&question.context) {
            let entry = |field: &str| format!("ContextEntries.member.{number}.{field}");
            parameters.push((entry("ContextKeyName"), key));
            parameters.push((entry("ContextKeyType"), "string"));
            parameters.push((entry("ContextKeyValues.member.1"), value));
        }
        let answer = self.ask(operation(ACTIONS[0]), &parameters).await?;
        verdicts(&answer).ok_or_else(|| {
            TargetError::new(ErrorKind::Unexpected, "could not read the answer of IAM")
        })
    }

    async fn source(&self, caller: &str) -> Result<Option<String>, TargetError> {
        let parts: Vec<_> = caller.splitn(6, ':').collect();
        let ["arn", partition, service, _, account, resource] = parts[..] else {
            return Ok(None);
        };
        match (service, resource.split_once('/')) {
            ("iam", Some(("user", _))) => Ok(Some(caller.to_owned())),
            ("sts", Some(("assumed-role", rest))) => {
                let role = rest.split('/').next().unwrap_or_default();
                let asked = [("RoleName".to_owned(), role)];
                // The ARN of a session lacks the role's path. Most roles have none.
                let plain = format!("arn:{partition}:iam::{account}:role/{role}");
                let found = match self.ask(operation(ACTIONS[1]), &asked).await {
                    Ok(answer) => data_of(&answer, &["GetRoleResult", "Role", "Arn"]),
                    Err(error) if error.kind == ErrorKind::Denied => None,
                    Err(error) => return Err(error),
                };
                Ok(Some(found.unwrap_or(plain)))
            }
            _ => Ok(None),
        }
    }
}

/// The operation that needs `action`.
fn operation(action: &'static str) -> &'static str {
    action.split(':').nth(1).unwrap_or_default()
}

/// The denied actions in an answer; `None` if it is none.
fn verdicts(answer: &str) -> Option<Vec<Verdict>> {
    let mut document = Document::new(answer);
    let mut root = document.root_element().ok()?;
    let mut denied = None;
    while let Some(mut result) = root.next_tag() {
        while let Some(mut results) = result.next_tag() {
            if results.start_el().local() != "EvaluationResults" {
                continue;
            }
            while let Some(mut member) = results.next_tag() {
                let verdict = verdict(&mut member)?;
                denied.get_or_insert_with(Vec::new).extend(verdict);
            }
        }
    }
    denied
}

/// What `member` says of an action: `Some(None)` that it is allowed.
fn verdict(member: &mut ScopedDecoder<'_, '_>) -> Option<Option<Verdict>> {
    let (mut action, mut decision) = (String::new(), String::new());
    while let Some(mut field) = member.next_tag() {
        let name = field.start_el().local().to_owned();
        match name.as_str() {
            "EvalActionName" => action = try_data(&mut field).ok()?.into_owned(),
            "EvalDecision" => decision = try_data(&mut field).ok()?.into_owned(),
            _ => {}
        }
    }
    match decision.as_str() {
        "allowed" => Some(None),
        "implicitDeny" | "explicitDeny" if !action.is_empty() => Some(Some(Verdict {
            action,
            is_explicit: decision == "explicitDeny",
        })),
        _ => None,
    }
}

/// The text at `path` below the root of `answer`.
fn data_of(answer: &str, path: &[&str]) -> Option<String> {
    let mut document = Document::new(answer);
    text_at(&mut document.root_element().ok()?, path)
}

fn text_at(element: &mut ScopedDecoder<'_, '_>, path: &[&str]) -> Option<String> {
    let (first, rest) = path.split_first()?;
    while let Some(mut tag) = element.next_tag() {
        if tag.start_el().local() == *first {
            return match rest.is_empty() {
                true => try_data(&mut tag).ok().map(Cow::into_owned),
                false => text_at(&mut tag, rest),
            };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::stub::{Stub, refusal};
    use super::*;

    fn simulated(results: &[(&str, &str)]) -> String {
        let member = |(action, decision): &(&str, &str)| {
            format!(
                "<member><EvalActionName>{action}</EvalActionName><EvalResourceName>x</EvalResourceName>\
                 <EvalDecision>{decision}</EvalDecision><MatchedStatements/><MissingContextValues/></member>"
            )
        };
        let members: String = results.iter().map(member).collect();
        format!(
            "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><SimulatePrincipalPolicyResult>\
             <IsTruncated>false</IsTruncated><EvaluationResults>{members}</EvaluationResults>\
             </SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
        )
    }

    fn question() -> Question {
        Question {
            actions: vec!["s3:PutObject".into(), "s3:GetObject".into()],
            pattern: "arn:aws:iam::1:role/chat-*".into(),
            resource: Some("arn:aws:iam::1:role/chat-example".into()),
            context: vec![("kms:ViaService".into(), "s3.eu-west-1.amazonaws.com".into())],
        }
    }

    async fn simulator(answers: Vec<(u16, String)>) -> (IamSimulator, Stub) {
        let stub = Stub::answering(answers).await;
        (IamSimulator::new(&stub.config().await, "eu-west-1"), stub)
    }

    #[tokio::test]
    async fn actions_resource_and_context_are_asked_about_and_denials_are_read() {
        let answer = simulated(&[
            ("s3:PutObject", "explicitDeny"),
            ("s3:GetObject", "allowed"),
        ]);
        let (simulator, stub) = simulator(vec![(200, answer)]).await;
        let question = question();
        let denied = simulator.denied("arn:aws:iam::1:user/ann", &question);
        let verdict = Verdict {
            action: "s3:PutObject".into(),
            is_explicit: true,
        };
        assert_eq!(denied.await.unwrap(), [verdict]);
        let asked = &stub.asked()[0];
        for part in [
            "Action=SimulatePrincipalPolicy&Version=2010-05-08",
            "PolicySourceArn=arn%3Aaws%3Aiam%3A%3A1%3Auser%2Fann",
            "ActionNames.member.2=s3%3AGetObject",
            "ResourceArns.member.1=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fchat%2Dexample",
            "ContextEntries.member.1.ContextKeyName=kms%3AViaService",
        ] {
            assert!(asked.contains(part), "{asked}");
        }
        let signature = stub.header("authorization")[0].clone().unwrap();
        assert!(
            signature.contains("/us-east-1/iam/aws4_request"),
            "{signature}"
        );
    }

    #[tokio::test]
    async fn a_session_is_judged_by_its_role_with_the_role_s_path() {
        let role = "<GetRoleResponse><GetRoleResult><Role><Path>/deploy/</Path><Arn>arn:aws:iam::1:role/deploy/ci</Arn></Role>\
                    </GetRoleResult></GetRoleResponse>";
        let session = "arn:aws:sts::1:assumed-role/ci/run";
        let (one, _) = simulator(vec![(200, role.to_owned())]).await;
        let source = one.source(session).await.unwrap();
        assert_eq!(source.as_deref(), Some("arn:aws:iam::1:role/deploy/ci"));
        let (other, _) = simulator(vec![refusal(403, "AccessDenied", "no")]).await;
        let source = other.source(session).await.unwrap();
        assert_eq!(source.as_deref(), Some("arn:aws:iam::1:role/ci"));
        for own in ["arn:aws:iam::1:user/team/ann", "arn:aws:iam::1:root"] {
            let source = other.source(own).await.unwrap();
            assert_eq!(source.is_some(), own.contains("user"), "{own}");
        }
    }

    #[tokio::test]
    async fn a_refusal_and_an_answer_that_is_none_are_errors() {
        let kind = async |answer: (u16, String)| {
            let (simulator, _) = simulator(vec![answer]).await;
            let denied = simulator
                .denied("arn:aws:iam::1:user/ann", &question())
                .await;
            denied.unwrap_err().kind
        };
        assert_eq!(
            kind(refusal(403, "AccessDenied", "no")).await,
            ErrorKind::Denied
        );
        assert_eq!(
            kind(refusal(400, "Throttling", "slow")).await,
            ErrorKind::Unreachable
        );
        assert_eq!(
            kind(refusal(404, "NoSuchEntity", "no")).await,
            ErrorKind::Unexpected
        );
        assert_eq!(kind((200, "<a/>".into())).await, ErrorKind::Unexpected);
        let odd = simulated(&[("s3:GetObject", "perhaps")]);
        assert_eq!(kind((200, odd)).await, ErrorKind::Unexpected);
    }
}
