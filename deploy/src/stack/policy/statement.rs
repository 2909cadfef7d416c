//! Statements, collected by what they are about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// An ARN.
pub(super) fn arn(
    partition: &str,
    service: &str,
    region: &str,
    account: &str,
    resource: &str,
) -> String {
    format!("arn:{partition}:{service}:{region}:{account}:{resource}")
}

/// Allowed actions, by resources and condition.
#[derive(Debug, Default)]
pub(super) struct Statements(BTreeMap<(String, Vec<String>, String), BTreeSet<String>>);

impl Statements {
    /// Allows `actions` on `resources`. `about` becomes the statement's id.
    pub(super) fn allow(&mut self, about: &str, actions: &[&str], resources: Vec<String>) {
        self.allow_if(about, actions, resources, Value::Null);
    }

    pub(super) fn allow_if(
        &mut self,
        about: &str,
        actions: &[&str],
        resources: Vec<String>,
        condition: Value,
    ) {
        if actions.is_empty() {
            return;
        }
        let key = (about.to_owned(), resources, condition.to_string());
        let all = self.0.entry(key).or_default();
        all.extend(actions.iter().map(|action| (*action).to_owned()));
    }

    /// Allows the use of a key, through a service only.
    pub(super) fn allow_through(
        &mut self,
        about: &str,
        actions: &[&str],
        key: &str,
        service: &str,
    ) {
        let condition = json!({ "StringLike": { "kms:ViaService": service } });
        self.allow_if(about, actions, vec![key.to_owned()], condition);
    }

    /// Allows to pass `role` to `service`.
    pub(super) fn pass(&mut self, about: &str, role: String, service: &str) {
        let condition = json!({ "StringEquals": { "iam:PassedToService": service } });
        self.allow_if(about, &["iam:PassRole"], vec![role], condition);
    }

    /// Adds those of `other`.
    pub(super) fn extend(&mut self, other: Self) {
        for (key, actions) in other.0 {
            self.0.entry(key).or_default().extend(actions);
        }
    }

    /// The policy. Actions that a statement allows on more are not repeated on less.
    pub(super) fn document(&self) -> Value {
        let mut ids = BTreeSet::new();
        let statements = self.0.iter().filter_map(|((about, resources, condition), actions)| {
            let is_wider = |other: &Vec<String>| other != resources && resources.iter().all(|one| other.contains(one));
            let has_wider = |action: &&String| {
                self.0.iter().any(|((_, other, under), all)| {
                    is_wider(other) && under == condition && all.contains(*action)
                })
            };
            let actions: Vec<_> = actions.iter().filter(|action| !has_wider(action)).collect();
            if actions.is_empty() {
                return None;
            }
            // Two statements about one subject, on other resources.
            let mut id = about.clone();
            while !ids.insert(id.clone()) {
                id.push('2');
            }
            let mut statement = json!({ "Sid": id, "Effect": "Allow", "Action": actions, "Resource": resources });
            if let [only] = &resources[..] {
                statement["Resource"] = json!(only);
            }
            if condition != "null" {
                statement["Condition"] = serde_json::from_str(condition).expect("it was made from JSON");
            }
            Some(statement)
        });
        json!({ "Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>() })
    }
}
