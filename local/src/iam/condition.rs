//! The `Condition` block of a statement.
//!
//! Operators and the meaning of absent keys:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>; the two set
//! prefixes: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>.

use std::collections::BTreeMap;

use serde_json::Value;

use super::values::{self, Order};
use super::wildcard::matches_arn;

/// Why a `Condition` block cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// An operator that IAM may support but this does not.
    #[error("the condition operator `{0}` is not supported by the local target")]
    UnknownOperator(String),
    /// The block has another form than operator → key → values.
    #[error("`{0}` must map condition keys to a value or a list of values")]
    Form(String),
    /// A value with a policy variable.
    #[error("the policy variable in `{0}` is not supported by the local target")]
    Variable(String),
}

/// All tests must hold. Without tests, the condition holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    tests: Vec<Test>,
}

#[derive(Debug, Clone, PartialEq)]
struct Test {
    quantifier: Quantifier,
    comparison: Comparison,
    negated: bool,
    if_exists: bool,
    /// In lower case, because condition keys are compared without case.
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Quantifier {
    Single,
    ForAllValues,
    ForAnyValue,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Comparison {
    Equals,
    EqualsIgnoreCase,
    Like,
    Arn,
    Number(Order),
    Moment(Order),
    Address,
    Null,
}

impl Condition {
    pub(super) fn parse(block: Option<&Value>, variables: bool) -> Result<Self, ConditionError> {
        let Some(block) = block else {
            return Ok(Self { tests: Vec::new() });
        };
        let form = |name: &str| ConditionError::Form(name.to_owned());
        let mut tests = Vec::new();
        for (operator, keys) in block.as_object().ok_or_else(|| form("Condition"))? {
            let (quantifier, comparison, negated, if_exists) = parse_operator(operator)
                .ok_or_else(|| ConditionError::UnknownOperator(operator.clone()))?;
            for (key, values) in keys.as_object().ok_or_else(|| form(operator))? {
                let values: Vec<String> = match values {
                    Value::Array(list) => list.iter().map(scalar).collect(),
                    one => scalar(one).map(|one| vec![one]),
                }
                .ok_or_else(|| form(operator))?;
                if let Some(with) = values
                    .iter()
                    .find(|value| variables && value.contains("${"))
                {
                    return Err(ConditionError::Variable(with.clone()));
                }
                tests.push(Test {
                    quantifier,
                    comparison,
                    negated,
                    if_exists,
                    key: key.to_lowercase(),
                    values,
                });
            }
        }
        Ok(Self { tests })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    pub(super) fn holds(&self, context: &BTreeMap<String, Vec<String>>) -> bool {
        self.tests.iter().all(|test| {
            let found = context
                .iter()
                .find(|(key, _)| key.to_lowercase() == test.key);
            test.holds(found.map(|(_, values)| values.as_slice()))
        })
    }
}

impl Test {
    fn holds(&self, found: Option<&[String]>) -> bool {
        let found = found.filter(|values| !values.is_empty());
        if self.comparison == Comparison::Null {
            let absent = if found.is_none() { "true" } else { "false" };
            return self
                .values
                .iter()
                .any(|value| value.eq_ignore_ascii_case(absent));
        }
        let Some(found) = found else {
            return match self.quantifier {
                Quantifier::ForAllValues => true,
                Quantifier::ForAnyValue => self.if_exists,
                // "If the key is not present, a negated operator matches": see the page above.
                Quantifier::Single => self.negated || self.if_exists,
            };
        };
        let fits = |value: &String| {
            self.values.iter().any(|wanted| self.equal(wanted, value)) != self.negated
        };
        match self.quantifier {
            Quantifier::ForAnyValue => found.iter().any(fits),
            Quantifier::ForAllValues => found.iter().all(fits),
            // Several values under a single-value operator are a policy error, from which an allow must not profit.
            Quantifier::Single => found.iter().all(fits),
        }
    }

    fn equal(&self, wanted: &str, found: &str) -> bool {
        match self.comparison {
            Comparison::Equals => wanted == found,
            Comparison::EqualsIgnoreCase => wanted.to_lowercase() == found.to_lowercase(),
            Comparison::Like => matches_arn(wanted, found),
            Comparison::Arn => arns_match(wanted, found),
            Comparison::Number(order) => values::numbers(order, wanted, found),
            Comparison::Moment(order) => values::moments(order, wanted, found),
            Comparison::Address => values::addresses(wanted, found),
            Comparison::Null => false,
        }
    }
}

fn parse_operator(operator: &str) -> Option<(Quantifier, Comparison, bool, bool)> {
    let (quantifier, rest) = match operator.split_once(':') {
        None => (Quantifier::Single, operator),
        Some(("ForAllValues", rest)) => (Quantifier::ForAllValues, rest),
        Some(("ForAnyValue", rest)) => (Quantifier::ForAnyValue, rest),
        Some(_) => return None,
    };
    let (name, if_exists) = match rest.strip_suffix("IfExists") {
        Some(name) => (name, true),
        None => (rest, false),
    };
    let (comparison, negated) = match name {
        // For binary values, both sides are base64.
        "StringEquals" | "BinaryEquals" => (Comparison::Equals, false),
        "StringNotEquals" => (Comparison::Equals, true),
        "StringEqualsIgnoreCase" | "Bool" => (Comparison::EqualsIgnoreCase, false),
        "StringNotEqualsIgnoreCase" => (Comparison::EqualsIgnoreCase, true),
        "StringLike" => (Comparison::Like, false),
        "StringNotLike" => (Comparison::Like, true),
        // Their documentation gives both the same meaning, with wildcards.
        "ArnEquals" | "ArnLike" => (Comparison::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Comparison::Arn, true),
        "IpAddress" => (Comparison::Address, false),
        "NotIpAddress" => (Comparison::Address, true),
        _ if name.starts_with("Numeric") || name.starts_with("Date") => {
            let (kind, order): (fn(Order) -> Comparison, _) = match name.strip_prefix("Numeric") {
                Some(order) => (Comparison::Number, order),
                None => (Comparison::Moment, name.strip_prefix("Date")?),
            };
            match order {
                "Equals" => (kind(Order::Equal), false),
                "NotEquals" => (kind(Order::Equal), true),
                "LessThan" => (kind(Order::Less), false),
                "LessThanEquals" => (kind(Order::AtMost), false),
                "GreaterThan" => (kind(Order::Greater), false),
                "GreaterThanEquals" => (kind(Order::AtLeast), false),
                _ => return None,
            }
        }
        "Null" if !if_exists && quantifier == Quantifier::Single => (Comparison::Null, false),
        _ => return None,
    };
    Some((quantifier, comparison, negated, if_exists))
}

/// "Each of the six colon-delimited components of the ARN is checked separately", says the page above.
fn arns_match(pattern: &str, arn: &str) -> bool {
    let (mut pattern, mut arn) = (pattern.splitn(6, ':'), arn.splitn(6, ':'));
    (0..6).all(|_| match (pattern.next(), arn.next()) {
        (Some(pattern), Some(part)) => matches_arn(pattern, part),
        _ => false,
    })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}
