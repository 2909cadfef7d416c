//! IAM's simulation of policies (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>).

use aws_config::SdkConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;

use super::call::{self, Client, Element, Failure, Parameter};
use super::error::refused;
use crate::engine::permissions::{Simulator, Verdict};
use crate::engine::{ErrorKind, TargetError};
use crate::stack::policy::Question;

/// IAM of an account.
#[derive(Debug)]
pub struct IamSimulator {
    client: Client,
}

/// The most results of a request.
const MAX_RESULTS: &str = "1000";

impl IamSimulator {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(&call::IAM, config),
        }
    }

    /// What `read` makes of the answer to the operation that needs `action`; `None` if it makes nothing of it.
    async fn request<T>(
        &self,
        action: &'static str,
        parameters: &[Parameter],
        read: fn(&Element) -> Option<T>,
    ) -> Result<Option<T>, TargetError>
    where
        T: std::fmt::Debug + Send + Sync + 'static,
    {
        let operation = operation(action);
        let answer = self.client.query(operation, parameters, move |result| {
            Ok::<_, BoxError>(read(result))
        });
        answer.await.map_err(|failure| refusal(action, &failure))
    }
}

/// The error for a `failure` of the operation that needs `action`.
fn refusal(action: &'static str, failure: &Failure) -> TargetError {
    let Failure::ServiceError(service) = failure else {
        return refused(action, "ask IAM", failure);
    };
    let status = service.raw().status().as_u16();
    if status == 200 {
        return unreadable();
    }
    let code = service.err().code().unwrap_or_default();
    let kind = match (status, code) {
        (_, "AccessDenied" | "AccessDeniedException") => ErrorKind::Denied,
        (_, "Throttling") | (500.., _) => ErrorKind::Unreachable,
        _ => ErrorKind::Unexpected,
    };
    let operation = operation(action);
    let message = format!("IAM refused {operation}: {code} (status {status})");
    TargetError::new(kind, message)
}

fn unreadable() -> TargetError {
    TargetError::new(ErrorKind::Unexpected, "could not read the answer of IAM")
}

/// The actions of this file, for the page of permissions.
const ACTIONS: [&str; 2] = ["iam:SimulatePrincipalPolicy", "iam:GetRole"];

impl Simulator for IamSimulator {
    async fn denied(&self, source: &str, question: &Question) -> Result<Vec<Verdict>, TargetError> {
        let mut parameters = Vec::new();
        let mut add = |name: String, value: &str| parameters.push((name, value.to_owned()));
        add("PolicySourceArn".to_owned(), source);
        add("MaxItems".to_owned(), MAX_RESULTS);
        for (number, action) in (1..).zip(&question.actions) {
            add(format!("ActionNames.member.{number}"), action);
        }
        if let Some(resource) = &question.resource {
            add("ResourceArns.member.1".to_owned(), resource);
        }
        for (number, (key, value)) in (1..).zip(&question.context) {
            let entry = |field: &str| format!("ContextEntries.member.{number}.{field}");
            add(entry("ContextKeyName"), key);
            add(entry("ContextKeyType"), "string");
            add(entry("ContextKeyValues.member.1"), value);
        }
        let verdicts = self.request(ACTIONS[0], &parameters, verdicts).await?;
        verdicts.ok_or_else(unreadable)
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
                let asked = [("RoleName".to_owned(), role.to_owned())];
                // The ARN of a session lacks the role's path. Most roles have none.
                let plain = format!("arn:{partition}:iam::{account}:role/{role}");
                let arn = |result: &Element| result.child("Role")?.owned("Arn");
                let found = match self.request(ACTIONS[1], &asked, arn).await {
                    Ok(found) => found,
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
fn verdicts(result: &Element) -> Option<Vec<Verdict>> {
    let verdicts: Option<Vec<_>> = result.members("EvaluationResults").map(verdict).collect();
    let verdicts = verdicts.filter(|verdicts| !verdicts.is_empty())?;
    Some(verdicts.into_iter().flatten().collect())
}

/// What `member` says of an action: `Some(None)` that it is allowed.
fn verdict(member: &Element) -> Option<Option<Verdict>> {
    let action = member.text("EvalActionName").unwrap_or_default();
    let decision = member.text("EvalDecision").unwrap_or_default();
    match decision {
        "allowed" => Some(None),
        "implicitDeny" | "explicitDeny" if !action.is_empty() => Some(Some(Verdict {
            action: action.to_owned(),
            is_explicit: decision == "explicitDeny",
        })),
        _ => None,
    }
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
        (IamSimulator::new(&stub.config().await), stub)
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
            "ResourceArns.member.1=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fchat-example",
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
