//! A policy document: JSON in, statements out.

use serde_json::{Map, Value};

use super::condition::{Condition, ConditionError};
use super::request::Request;
use super::wildcard::{matches_arn, matches_without_case};

/// A parsed policy document.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub(super) statements: Vec<Statement>,
}

/// Why a document is not a policy that can be evaluated here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The document has another form than IAM's grammar.
    #[error("the policy document is malformed: {0}")]
    Malformed(String),
    /// One statement has another form than IAM's grammar.
    #[error("statement {statement} of the policy is malformed: {reason}")]
    Statement {
        /// Its `Sid`, else its position, counted from one.
        statement: String,
        /// What is wrong with it.
        reason: String,
    },
    /// IAM may support this, but the local target does not, and a guess could allow too much.
    #[error(
        "statement {statement} of the policy uses {what}, which the local target does not support"
    )]
    Unsupported {
        /// Its `Sid`, else its position, counted from one.
        statement: String,
        /// The element, as written.
        what: String,
    },
    /// A `Condition` block that cannot be evaluated.
    #[error("statement {statement} of the policy has a condition that cannot be evaluated")]
    Condition {
        /// Its `Sid`, else its position, counted from one.
        statement: String,
        /// What is wrong with the condition.
        source: ConditionError,
    },
}

impl Policy {
    /// Whether any statement has conditions. Without them, a [`Request`]'s context has no effect.
    #[must_use]
    pub fn has_conditions(&self) -> bool {
        self.statements
            .iter()
            .any(|statement| !statement.condition.is_empty())
    }

    /// Parses an identity policy, such as that in an authorizer's response.
    ///
    /// The grammar is that of <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>;
    /// element names are case-sensitive, as in IAM.
    ///
    /// # Errors
    /// [`PolicyError::Malformed`] and [`PolicyError::Statement`] for documents that IAM refuses too;
    /// [`PolicyError::Unsupported`] and [`PolicyError::Condition`] for policy variables and condition operators that
    /// are not supported here.
    pub fn parse(document: &Value) -> Result<Self, PolicyError> {
        let malformed = |reason: &str| PolicyError::Malformed(reason.to_owned());
        let document = document
            .as_object()
            .ok_or_else(|| malformed("it must be an object"))?;
        for name in document.keys() {
            if !["Version", "Id", "Statement"].contains(&name.as_str()) {
                return Err(PolicyError::Malformed(format!(
                    "`{name}` is not an element of a policy"
                )));
            }
        }
        let variables = match document.get("Version").map(Value::as_str) {
            None | Some(Some("2008-10-17")) => false,
            Some(Some("2012-10-17")) => true,
            Some(_) => {
                return Err(malformed(
                    "`Version` must be \"2012-10-17\" or \"2008-10-17\"",
                ));
            }
        };
        let statements = match document.get("Statement") {
            Some(Value::Array(list)) => list.iter().collect(),
            Some(one @ Value::Object(_)) => vec![one],
            _ => {
                return Err(malformed(
                    "`Statement` must be a statement or a list of them",
                ));
            }
        };
        let read = |(index, statement)| Statement::parse(statement, index + 1, variables);
        Ok(Self {
            statements: statements
                .into_iter()
                .enumerate()
                .map(read)
                .collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    pub(super) effect: Effect,
    actions: Patterns,
    resources: Patterns,
    condition: Condition,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone, PartialEq)]
enum Patterns {
    AnyOf(Vec<String>),
    NoneOf(Vec<String>),
}

impl Patterns {
    fn admit(&self, matches: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::AnyOf(patterns) => patterns.iter().any(|pattern| matches(pattern)),
            Self::NoneOf(patterns) => !patterns.iter().any(|pattern| matches(pattern)),
        }
    }

    fn all(&self) -> &[String] {
        let (Self::AnyOf(patterns) | Self::NoneOf(patterns)) = self;
        patterns
    }
}

const ELEMENTS: [&str; 7] = [
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

impl Statement {
    pub(super) fn applies_to(&self, request: &Request) -> bool {
        self.actions
            .admit(|pattern| matches_without_case(pattern, &request.action))
            && self
                .resources
                .admit(|pattern| matches_arn(pattern, &request.resource))
            && self.condition.holds(&request.context)
    }

    fn parse(statement: &Value, position: usize, variables: bool) -> Result<Self, PolicyError> {
        let sid = statement.get("Sid").and_then(Value::as_str);
        let name = sid.map_or_else(|| position.to_string(), |sid| format!("`{sid}`"));
        let wrong = |reason: String| PolicyError::Statement {
            statement: name.clone(),
            reason,
        };
        let unsupported = |what: String| PolicyError::Unsupported {
            statement: name.clone(),
            what,
        };

        let fields = statement
            .as_object()
            .ok_or_else(|| wrong("it must be an object".to_owned()))?;
        if let Some(unknown) = fields.keys().find(|key| !ELEMENTS.contains(&key.as_str())) {
            return Err(wrong(match unknown.as_str() {
                "Principal" | "NotPrincipal" => {
                    format!("`{unknown}` is not allowed in an identity policy")
                }
                _ => format!("`{unknown}` is not an element of a statement"),
            }));
        }
        let effect = match fields.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err(wrong("`Effect` must be \"Allow\" or \"Deny\"".to_owned())),
        };
        let actions = patterns(fields, "Action", "NotAction").map_err(wrong)?;
        if let Some(bare) = actions
            .all()
            .iter()
            .find(|action| *action != "*" && !action.contains(':'))
        {
            return Err(wrong(format!(
                "the action `{bare}` must have the form service:Name"
            )));
        }
        let resources = patterns(fields, "Resource", "NotResource").map_err(wrong)?;
        if let Some(bare) = resources
            .all()
            .iter()
            .find(|resource| *resource != "*" && !resource.starts_with("arn:"))
        {
            return Err(wrong(format!(
                "the resource `{bare}` must be an ARN or \"*\""
            )));
        }
        // A variable would have to be replaced for each request; unreplaced, a Deny with one would never match.
        if let Some(with) = resources
            .all()
            .iter()
            .find(|resource| variables && resource.contains("${"))
        {
            return Err(unsupported(format!("the policy variable in `{with}`")));
        }
        let condition = Condition::parse(fields.get("Condition"), variables).map_err(|source| {
            PolicyError::Condition {
                statement: name.clone(),
                source,
            }
        })?;
        Ok(Self {
            effect,
            actions,
            resources,
            condition,
        })
    }
}

fn patterns(
    fields: &Map<String, Value>,
    positive: &str,
    negative: &str,
) -> Result<Patterns, String> {
    match (fields.get(positive), fields.get(negative)) {
        (Some(list), None) => Ok(Patterns::AnyOf(texts(list, positive)?)),
        (None, Some(list)) => Ok(Patterns::NoneOf(texts(list, negative)?)),
        _ => Err(format!("it must have either `{positive}` or `{negative}`")),
    }
}

fn texts(value: &Value, name: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("`{name}` must be a string or a list of strings");
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        // An empty list would make `NotAction` mean everything.
        Value::Array(items) if !items.is_empty() => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
            .collect(),
        _ => Err(wrong()),
    }
}
