//! Selection expressions for templates and models. Pure.
//!
//! See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html>.

use serde_json::Value;

use super::backend::BackendResponse;
use apigw_mapping::{JsonPath, as_text};

/// The longest key, in bytes: as long as the longest message.
const MAX_LENGTH: usize = 128 * 1024;

/// Evaluates `expression`. A variable without a value is empty; an unknown variable stays as written.
pub(super) fn evaluate(
    expression: &str,
    body: Option<&Value>,
    answer: Option<&BackendResponse>,
) -> String {
    // All paths of an expression together have the step limit of one.
    let mut visits = 0;
    let mut variable = |name: &str| resolve(name, body, answer, &mut visits);
    // The whole expression may be one variable without braces.
    if let Some(name) = expression
        .strip_prefix('$')
        .filter(|name| !name.contains(['$', '{']))
        && let Some(value) = variable(name)
    {
        return value;
    }
    let mut text = String::new();
    let mut rest = expression;
    while let Some(character) = rest.chars().next() {
        if text.len() > MAX_LENGTH {
            return String::new();
        }
        if let Some(escaped) = rest.strip_prefix("\\$") {
            text.push('$');
            rest = escaped;
            continue;
        }
        let braced = rest
            .strip_prefix("${")
            .and_then(|after| after.split_once('}'));
        if let Some((name, after)) = braced
            && let Some(value) = variable(name)
        {
            text.push_str(&value);
            rest = after;
            continue;
        }
        text.push(character);
        rest = &rest[character.len_utf8()..];
    }
    text
}

/// `None` if there is no such variable.
fn resolve(
    name: &str,
    body: Option<&Value>,
    answer: Option<&BackendResponse>,
    visits: &mut usize,
) -> Option<String> {
    if let Some(path) = name.strip_prefix("request.body") {
        let path = JsonPath::parse(&format!("${path}")).ok()?;
        let found = body
            .map(|body| path.find_counting(body, visits))
            .transpose()
            .ok()
            .flatten()
            .flatten()
            .unwrap_or_default();
        return Some(as_text(&found).into_owned());
    }
    let answer = answer?;
    match name.strip_prefix("integration.response.")? {
        "statuscode" => Some(answer.status.to_string()),
        other => {
            let (kind, name) = other.split_once('.')?;
            let mut values = answer.headers(name);
            match kind {
                "header" => Some(values.last().unwrap_or_default().to_owned()),
                "multivalueheader" => {
                    let first = values.next().unwrap_or_default().to_owned();
                    Some(values.fold(first, |list, value| format!("{list},{value}")))
                }
                _ => None,
            }
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
                evaluate(expression, Some(&body), Some(&answer)),
                expected,
                "{expression}"
            );
        }
        assert_eq!(evaluate("${request.body.kind}", None, None), "");
    }
}
