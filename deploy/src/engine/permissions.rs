//! Compares the permissions that a deployment needs with those that an identity has, as far as IAM's simulation tells. It changes
//! nothing.

use super::TargetError;
use crate::stack::policy::{Policies, Question, questions};

/// What IAM says of an identity.
pub trait Simulator {
    /// Which of the actions in `question` the identity with the ARN `source` may not do.
    fn denied(
        &self,
        source: &str,
        question: &Question,
    ) -> impl Future<Output = Result<Vec<Verdict>, TargetError>>;

    /// The ARN by which IAM finds the policies of the identity behind `caller`, the ARN of credentials; `None` where there are
    /// none to judge, as for an account's root user.
    fn source(&self, caller: &str) -> impl Future<Output = Result<Option<String>, TargetError>>;
}

/// An action that is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The action.
    pub action: String,
    /// Whether a policy denies it, rather than none allowing it.
    pub is_explicit: bool,
}

/// A permission that is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The action.
    pub action: String,
    /// What it is about, as the policy has it.
    pub on: String,
    /// Whether a policy denies it, rather than none allowing it.
    pub is_explicit: bool,
    /// Whether CloudFormation's role lacks it, rather than the person.
    pub is_of_role: bool,
}

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// So many actions were asked about, and these are denied.
    #[expect(missing_docs, reason = "the sentence names the fields")]
    Judged { asked: usize, missing: Vec<Missing> },
    /// The identity has no policies of its own.
    NotJudged,
}

/// Compares `policies` with the permissions of `caller`, and of `role` if CloudFormation acts with one.
///
/// # Errors
/// IAM cannot be asked, or does not let the caller ask.
pub async fn compare(
    simulator: &impl Simulator,
    policies: &Policies,
    caller: &str,
    role: Option<&str>,
) -> Result<Comparison, TargetError> {
    let Some(source) = simulator.source(caller).await? else {
        return Ok(Comparison::NotJudged);
    };
    let parts = match policies {
        Policies::Whole(policy) => vec![(source, policy, false)],
        Policies::Split {
            person, service, ..
        } => {
            let role = role.map(|role| (role.to_owned(), service, true));
            [(source, person, false)].into_iter().chain(role).collect()
        }
    };
    let (mut asked, mut missing) = (0, Vec::new());
    for (source, policy, is_of_role) in parts {
        for question in questions(policy) {
            asked += question.actions.len();
            let denied = simulator.denied(&source, &question).await?;
            missing.extend(denied.into_iter().map(|verdict| Missing {
                action: verdict.action,
                on: question.pattern.clone(),
                is_explicit: verdict.is_explicit,
                is_of_role,
            }));
        }
    }
    missing.sort();
    missing.dedup();
    Ok(Comparison::Judged { asked, missing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ErrorKind;
    use serde_json::{Value, json};

    /// An account in which identities may do what these lists say.
    struct Account(Vec<(&'static str, Vec<&'static str>)>);

    impl Simulator for Account {
        async fn denied(
            &self,
            source: &str,
            question: &Question,
        ) -> Result<Vec<Verdict>, TargetError> {
            let found = self.0.iter().find(|(identity, _)| *identity == source);
            let Some((_, allowed)) = found else {
                return Err(TargetError::new(ErrorKind::Denied, "may not ask"));
            };
            let is_denied = |action: &&String| !allowed.contains(&action.as_str());
            let verdict = |action: &String| Verdict {
                action: action.clone(),
                is_explicit: false,
            };
            Ok(question
                .actions
                .iter()
                .filter(is_denied)
                .map(verdict)
                .collect())
        }

        async fn source(&self, caller: &str) -> Result<Option<String>, TargetError> {
            Ok((caller != "root").then(|| caller.to_owned()))
        }
    }

    fn policy(actions: &[&str]) -> Value {
        json!({ "Statement": [{ "Action": actions, "Resource": "arn:aws:x:::y-*" }] })
    }

    #[tokio::test]
    async fn what_an_identity_lacks_is_named_with_what_it_is_about() {
        let account = Account(vec![("ann", vec!["a:One"])]);
        let whole = Policies::Whole(policy(&["a:One", "a:Two"]));
        let compared = compare(&account, &whole, "ann", None).await.unwrap();
        let missing = Missing {
            action: "a:Two".into(),
            on: "arn:aws:x:::y-*".into(),
            is_explicit: false,
            is_of_role: false,
        };
        assert_eq!(
            compared,
            Comparison::Judged {
                asked: 2,
                missing: vec![missing]
            }
        );
        let root = compare(&account, &whole, "root", None).await.unwrap();
        assert_eq!(root, Comparison::NotJudged);
        let unknown = compare(&account, &whole, "bob", None).await.unwrap_err();
        assert_eq!(unknown.kind, ErrorKind::Denied);
    }

    #[tokio::test]
    async fn a_role_of_cloudformation_is_asked_about_its_own_part() {
        let account = Account(vec![("ann", vec!["a:One"]), ("role", vec!["b:One"])]);
        let split = Policies::Split {
            person: policy(&["a:One"]),
            service: policy(&["b:One", "b:Two"]),
            trust: Value::Null,
        };
        let Comparison::Judged { asked, missing } = compare(&account, &split, "ann", Some("role"))
            .await
            .unwrap()
        else {
            panic!("it is judged");
        };
        assert_eq!(asked, 3);
        assert_eq!(missing.len(), 1);
        assert!(missing[0].is_of_role && missing[0].action == "b:Two");
    }
}
