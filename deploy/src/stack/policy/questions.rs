//! A policy as questions that can be asked of IAM: may an identity do these actions on this?

use serde_json::Value;

/// Actions on one resource, under the conditions of one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The actions.
    pub actions: Vec<String>,
    /// The resource, as the policy has it.
    pub pattern: String,
    /// A resource of that kind, without wildcards; `None` for actions that are not about one.
    pub resource: Option<String>,
    /// Condition keys with a value that the statement accepts.
    pub context: Vec<(String, String)>,
}

/// One question for each statement of `policy`, about the first of its resources: the others are of kinds that some of the
/// actions do not take.
pub(crate) fn questions(policy: &Value) -> Vec<Question> {
    let statements = policy["Statement"].as_array().into_iter().flatten();
    statements
        .filter_map(|statement| {
            let resource = match &statement["Resource"] {
                Value::Array(all) => all.first()?,
                one => one,
            };
            let pattern = resource.as_str()?.to_owned();
            let actions = statement["Action"].as_array()?.iter();
            Some(Question {
                actions: actions
                    .filter_map(|action| Some(action.as_str()?.to_owned()))
                    .collect(),
                resource: (pattern != "*").then(|| concrete(&pattern)),
                pattern,
                context: context(&statement["Condition"]),
            })
        })
        .collect()
}

/// The keys of all operators. Each has one value in our policies.
fn context(condition: &Value) -> Vec<(String, String)> {
    let operators = condition.as_object().into_iter().flatten();
    let keys = operators.flat_map(|(_, keys)| keys.as_object().into_iter().flatten());
    keys.filter_map(|(key, value)| Some((key.clone(), concrete(value.as_str()?))))
        .collect()
}

/// `pattern` with something in place of its wildcards.
fn concrete(pattern: &str) -> String {
    pattern.replace('*', "example").replace('?', "x")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_statement_is_asked_about_with_its_condition_and_without_wildcards() {
        let policy = json!({ "Statement": [
            { "Action": ["a:One", "a:Two"], "Resource": ["arn:aws:a:::x-*", "arn:aws:a:::y"] },
            { "Action": ["iam:PassRole"], "Resource": "arn:aws:iam::1:role/chat-*",
              "Condition": { "StringEquals": { "iam:PassedToService": "lambda.amazonaws.com" } } },
            { "Action": ["c:Three"], "Resource": "*" },
        ]});
        let asked = questions(&policy);
        assert_eq!(asked[0].actions, ["a:One", "a:Two"]);
        assert_eq!(asked[0].resource.as_deref(), Some("arn:aws:a:::x-example"));
        assert_eq!(asked[0].pattern, "arn:aws:a:::x-*");
        assert_eq!(
            asked[1].context,
            [(
                "iam:PassedToService".to_owned(),
                "lambda.amazonaws.com".to_owned()
            )]
        );
        assert_eq!(asked[2].resource, None);
    }
}
