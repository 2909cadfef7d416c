//! Selection expressions, which choose routes, models and templates. Pure.
//!
//! See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html>
//! and, for how values become keys,
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html>.

use apigw_mapping::JsonPath;
use serde_json::Value;

use super::backend::BackendResponse;

/// The longest key, in bytes: as long as the longest message.
const MAX_LENGTH: usize = 128 * 1024;

/// A parsed expression: `$request.body.x`, `${request.body.x}`, literals, and any mixture with braces. An unknown
/// variable is a literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selection {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// A path into the message's JSON; `None` for a path that is not supported.
    Body(Option<JsonPath>),
    /// The backend's status.
    Status,
    /// The last value of a header of the backend.
    Header(String),
    /// All values of a header of the backend.
    AllHeaders(String),
}

impl Selection {
    pub(crate) fn parse(expression: &str) -> Self {
        // The whole expression may be one variable without braces.
        if let Some(variable) = expression
            .strip_prefix('$')
            .filter(|name| !name.contains(['$', '{']))
            .and_then(Part::variable)
        {
            return Self {
                parts: vec![variable],
            };
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = expression;
        while let Some(character) = rest.chars().next() {
            let braced = rest
                .strip_prefix("${")
                .and_then(|after| after.split_once('}'));
            if let Some(escaped) = rest.strip_prefix("\\$") {
                literal.push('$');
                rest = escaped;
            } else if let Some((name, after)) = braced
                && let Some(variable) = Part::variable(name)
            {
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(variable);
                rest = after;
            } else {
                literal.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Self { parts }
    }

    /// The key for a message; `None` if it cannot be evaluated, as with a message that has to be JSON and is not.
    pub(crate) fn of_message(&self, text: &str) -> Option<String> {
        let reads_body = |part: &Part| matches!(part, Part::Body(_));
        if !self.parts.iter().any(reads_body) {
            return self.evaluate(None, None);
        }
        self.evaluate(Some(&serde_json::from_str(text).ok()?), None)
    }

    /// The key; `None` if it cannot be evaluated. A variable without a value is empty.
    fn evaluate(&self, body: Option<&Value>, answer: Option<&BackendResponse>) -> Option<String> {
        // All paths of an expression together have the step limit of one.
        let mut visits = 0;
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Body(path) => {
                    let find = |body| path.as_ref()?.find_counting(body, &mut visits).ok();
                    if let Some(value) = body.map_or(Some(None), find)? {
                        write_value(&mut text, &value);
                    }
                }
                Part::Status => {
                    let status = answer.map(|answer| answer.status.to_string());
                    text.push_str(&status.unwrap_or_default());
                }
                Part::Header(name) => {
                    let value = answer.and_then(|answer| answer.headers(name).last());
                    text.push_str(value.unwrap_or_default());
                }
                Part::AllHeaders(name) => {
                    let values = answer.map(|answer| answer.headers(name).collect::<Vec<_>>());
                    text.push_str(&values.unwrap_or_default().join(","));
                }
            }
            if text.len() > MAX_LENGTH {
                return None;
            }
        }
        Some(text)
    }
}

impl Part {
    /// `None` if there is no such variable.
    fn variable(name: &str) -> Option<Self> {
        if let Some(path) = name.strip_prefix("request.body") {
            return Some(Self::Body(JsonPath::parse(&format!("${path}")).ok()));
        }
        match name.strip_prefix("integration.response.")? {
            "statuscode" => Some(Self::Status),
            other => match other.split_once('.')? {
                ("header", name) => Some(Self::Header(name.to_owned())),
                ("multivalueheader", name) => Some(Self::AllHeaders(name.to_owned())),
                _ => None,
            },
        }
    }
}

/// The key of an expression for a template or a model; empty if it cannot be evaluated.
pub(super) fn evaluate(
    expression: &str,
    body: Option<&Value>,
    answer: Option<&BackendResponse>,
) -> String {
    let selection = Selection::parse(expression);
    selection.evaluate(body, answer).unwrap_or_default()
}

/// Writes a value as text: strings bare, null empty, arrays as `[a, b]`, objects as `{a=1}`, and null inside them as
/// `null`, as Java prints them. For lists and maps AWS's documentation does not prove it. Stops once the text is longer
/// than the longest key.
fn write_value(text: &mut String, value: &Value) {
    let write_inside = |text: &mut String, value: &Value| match value {
        Value::Null => text.push_str("null"),
        value => write_value(text, value),
    };
    match value {
        Value::Null => {}
        Value::String(string) => text.push_str(string),
        Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if text.len() > MAX_LENGTH {
                    return;
                }
                if index > 0 {
                    text.push_str(", ");
                }
                write_inside(text, item);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                if text.len() > MAX_LENGTH {
                    return;
                }
                if index > 0 {
                    text.push_str(", ");
                }
                text.push_str(name);
                text.push('=');
                write_inside(text, member);
            }
            text.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_literals_yield_a_key() {
        let body = serde_json::json!({ "kind": "a", "deep": { "n": 1 } });
        let answer = BackendResponse {
            status: 404,
            headers: vec![
                ("X-Kind".to_owned(), "b".to_owned()),
                ("x-kind".to_owned(), "c".to_owned()),
            ],
            body: Vec::new(),
        };
        for (expression, expected) in [
            ("$request.body.kind", "a"),
            ("${request.body.kind}-${request.body.deep.n}", "a-1"),
            ("${request.body.none}", ""),
            ("\\$default", "$default"),
            ("$default", "$default"),
            ("fixed", "fixed"),
            ("${integration.response.statuscode}", "404"),
            ("$integration.response.header.x-kind", "c"),
            ("${integration.response.multivalueheader.X-Kind}", "b,c"),
        ] {
            assert_eq!(
                Selection::parse(expression).evaluate(Some(&body), Some(&answer)),
                Some(expected.to_owned()),
                "{expression}"
            );
        }
        let without = Selection::parse("a${request.body.kind}").evaluate(None, None);
        assert_eq!(without.as_deref(), Some("a"));
    }

    fn check(expression: &str, body: &str, expected: Option<&str>) {
        let selected = Selection::parse(expression).of_message(body);
        assert_eq!(selected.as_deref(), expected, "{expression} on {body}");
    }

    #[test]
    fn both_spellings_select_alike() {
        for expression in ["$request.body.action", "${request.body.action}"] {
            check(expression, r#"{"action":"join"}"#, Some("join"));
            check(expression, r#"{"other":"join"}"#, Some(""));
            check(expression, "not json", None);
        }
    }

    #[test]
    fn variables_and_literals_mix() {
        check(
            "${request.body.service}/${request.body.action}",
            r#"{"service":"chat","action":"join"}"#,
            Some("chat/join"),
        );
        check(
            "${request.body.action}-${request.body.nope}",
            r#"{"action":"join"}"#,
            Some("join-"),
        );
        check("\\$default", "not json", Some("$default"));
        check("fixed", "not json", Some("fixed"));
    }

    #[test]
    fn paths_reach_into_objects_and_arrays() {
        check(
            "$request.body.service.do",
            r#"{"service":{"do":"x"}}"#,
            Some("x"),
        );
        check(
            "$request.body['my.key'][1]",
            r#"{"my.key":["a","b"]}"#,
            Some("b"),
        );
        check("$request.body[2]", "[1,2,3]", Some("3"));
        check("$request.body.[0]", r#"["1","x"]"#, Some("1"));
        check("$request.body.a.", r#"{"a":1}"#, None);
    }

    #[test]
    fn a_text_that_is_too_long_is_not_written_to_its_end() {
        let part = "x".repeat(1000);
        let list = Value::from(vec![part; 1000]);
        for value in [
            list.clone(),
            serde_json::json!({ "a": list.clone(), "b": list }),
        ] {
            let mut text = String::new();
            write_value(&mut text, &value);
            assert!(text.len() > MAX_LENGTH && text.len() < MAX_LENGTH + 1100);
            let body = value.to_string();
            assert_eq!(Selection::parse("$request.body").of_message(&body), None);
        }
    }

    #[test]
    fn values_become_text() {
        check("$request.body.a", r#"{"a":1}"#, Some("1"));
        check("$request.body.a", r#"{"a":true}"#, Some("true"));
        check("$request.body.a", r#"{"a":null}"#, Some(""));
        check(
            "$request.body.a",
            r#"{"a":["item1","item2"]}"#,
            Some("[item1, item2]"),
        );
        check("$request.body.a", r#"{"a":{"b":[1]}}"#, Some("{b=[1]}"));
        check("$request.body.a", "5", Some(""));
        check("$request.body.a", r#"{"a":[null]}"#, Some("[null]"));
    }
}
