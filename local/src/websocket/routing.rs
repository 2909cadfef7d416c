//! Selects the route of a message. Pure.
//!
//! The rules are those of
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html> and
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html>.

use serde_json::Value;

/// The longest route key, in bytes: as long as the longest message.
const MAX_LENGTH: usize = 128 * 1024;

/// A parsed route selection expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selection {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// A path into the message's JSON; `None` for a path that is not supported.
    Body(Option<Vec<Step>>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
}

impl Selection {
    /// Parses `$request.body.x`, `${request.body.x}`, literals, and any mixture with braces.
    pub(crate) fn parse(expression: &str) -> Self {
        if let Some(path) = expression.strip_prefix("$request.body")
            && !path.contains('$')
        {
            return Self {
                parts: vec![Part::Body(steps(path))],
            };
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = expression;
        while let Some(character) = rest.chars().next() {
            if let Some(escaped) = rest.strip_prefix("\\$") {
                literal.push('$');
                rest = escaped;
            } else if let Some((path, after)) = rest
                .strip_prefix("${request.body")
                .and_then(|r| r.split_once('}'))
            {
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(Part::Body(steps(path)));
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

    /// The expression's value for `body`; `None` if it cannot be evaluated, as with a message that is not JSON.
    pub(crate) fn evaluate(&self, body: &str) -> Option<String> {
        let mut json = None;
        let mut text = String::new();
        for part in &self.parts {
            if text.len() > MAX_LENGTH {
                return None;
            }
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Body(path) => {
                    if json.is_none() {
                        json = Some(serde_json::from_str::<Value>(body).ok()?);
                    }
                    if let Some(value) = follow(json.as_ref()?, path.as_ref()?) {
                        write_value(&mut text, value);
                    }
                }
            }
        }
        Some(text)
    }
}

/// The route key of a message, out of those for which `is_live` holds.
///
/// A message can never select `$connect` or `$disconnect`, whatever it contains.
pub(crate) fn choose(selected: Option<String>, is_live: impl Fn(&str) -> bool) -> Option<String> {
    selected
        .filter(|key| key != "$connect" && key != "$disconnect" && is_live(key))
        .or_else(|| is_live("$default").then(|| "$default".to_owned()))
}

/// Parses `.name`, `['name']`, `["name"]` and `[0]`, in any number.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest
            .strip_prefix('.')
            .filter(|after| after.starts_with('['))
        {
            // `.[0]` is `[0]`.
            rest = after;
        } else if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Member(after[..end].to_owned()));
            rest = &after[end..];
        } else {
            let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
            let quoted = ['\'', '"'].iter().find_map(|quote| {
                inside
                    .strip_prefix(*quote)
                    .and_then(|text| text.strip_suffix(*quote))
            });
            steps.push(match quoted {
                Some(name) => Step::Member(name.to_owned()),
                None => Step::Element(inside.trim().parse().ok()?),
            });
            rest = after;
        }
    }
    Some(steps)
}

fn follow<'v>(value: &'v Value, path: &[Step]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Member(name) => value.get(name.as_str()),
        Step::Element(index) => value.get(index),
    })
}

/// Writes values as text: strings bare, null and missing values empty, arrays as `[a, b]`, objects as `{a=1}`.
fn write_value(text: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::String(string) => text.push_str(string),
        Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                write_value(text, item);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                text.push_str(name);
                text.push('=');
                write_value(text, member);
            }
            text.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, body: &str, expected: Option<&str>) {
        let selected = Selection::parse(expression).evaluate(body);
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
    }

    #[test]
    fn a_message_never_selects_connect_or_disconnect() {
        let all = |_: &str| true;
        assert_eq!(
            choose(Some("$connect".to_owned()), all).as_deref(),
            Some("$default")
        );
        assert_eq!(
            choose(Some("$disconnect".to_owned()), all).as_deref(),
            Some("$default")
        );
        assert_eq!(
            choose(Some("$connect".to_owned()), |key| key != "$default"),
            None
        );
    }

    #[test]
    fn an_unknown_key_falls_back_to_the_default_route() {
        let live = |key: &str| key == "join" || key == "$default";
        assert_eq!(
            choose(Some("join".to_owned()), live).as_deref(),
            Some("join")
        );
        assert_eq!(
            choose(Some("Join".to_owned()), live).as_deref(),
            Some("$default")
        );
        assert_eq!(choose(None, live).as_deref(), Some("$default"));
    }
}
