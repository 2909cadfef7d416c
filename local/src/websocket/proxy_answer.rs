//! What a function answers to a proxy integration. Pure.
//!
//! It may answer with `statusCode`, `headers`, `multiValueHeaders`, `body` and `isBase64Encoded`, and nothing else: any
//! other member makes the whole answer an error, even though the function succeeded. See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-responses.html>.
//!
//! What is said of a wrong answer names its members and their kinds, not their values: those may be what somebody wrote.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// A proxy answer of the agreed shape.
#[derive(Debug)]
pub(super) struct ProxyAnswer {
    pub(super) status: u16,
    headers: Map<String, Value>,
    multi_value_headers: Map<String, Value>,
    pub(super) body: Option<String>,
}

const MEMBERS: [&str; 5] = [
    "statusCode",
    "headers",
    "multiValueHeaders",
    "body",
    "isBase64Encoded",
];

/// How many unknown members are named, and how many characters of each.
const NAMED: usize = 5;
const NAME: usize = 40;

/// Whether this is no answer at all, which AWS tolerates and we report.
pub(super) fn is_nothing(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii(), b"" | b"null")
}

impl ProxyAnswer {
    /// Reads an answer; nothing at all counts as a plain 200. The error says in what it differs from the agreed shape.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        if is_nothing(bytes) {
            return Ok(Self {
                status: 200,
                headers: Map::new(),
                multi_value_headers: Map::new(),
                body: None,
            });
        }
        let value = serde_json::from_slice(bytes)
            .map_err(|_| format!("its {} bytes are no JSON", bytes.len()))?;
        let Value::Object(mut members) = value else {
            return Err(format!("it is {}, and must be an object", kind(&value)));
        };
        let unknown = members
            .keys()
            .filter(|name| !MEMBERS.contains(&name.as_str()));
        let unknown: Vec<String> = unknown
            .map(|name| format!("`{name:.NAME$}`"))
            .take(NAMED)
            .collect();
        if !unknown.is_empty() {
            return Err(format!("it has {}", unknown.join(", ")));
        }
        if members.is_empty() {
            return Err("it is empty".to_owned());
        }
        let status = status(members.get("statusCode"))?;
        let headers = map(members.remove("headers"), "headers")?;
        let multi_value_headers = map(members.remove("multiValueHeaders"), "multiValueHeaders")?;
        let list = |(name, values): (&String, &Value)| (!values.is_array()).then(|| name.clone());
        if let Some(name) = multi_value_headers.iter().find_map(list) {
            return Err(format!(
                "`{name:.NAME$}` of its multiValueHeaders must be a list"
            ));
        }
        let is_encoded = match members.get("isBase64Encoded") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(is_encoded)) => *is_encoded,
            Some(other) => {
                return Err(format!(
                    "its isBase64Encoded is {}, and must be true or false",
                    kind(other)
                ));
            }
        };
        let body = match members.remove("body") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if is_encoded => Some(decoded(&text)?),
            Some(Value::String(text)) => Some(text),
            Some(other) => {
                return Err(format!(
                    "its body is {}, and must be a text: make JSON a text first",
                    kind(&other)
                ));
            }
        };
        Ok(Self {
            status,
            headers,
            multi_value_headers,
            body,
        })
    }

    /// The header `name`, in whatever case the function wrote it.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let is_named = |(known, _): &(&String, &Value)| known.eq_ignore_ascii_case(name);
        let single = self.headers.iter().find(is_named).map(|(_, value)| value);
        let several = || {
            let found = self.multi_value_headers.iter().find(is_named);
            found.and_then(|(_, values)| values.as_array()?.last())
        };
        single.or_else(several).and_then(Value::as_str)
    }
}

/// An answer that has something, but no status, is one of 200: so REST APIs have it, as LocalStack's tests against AWS
/// show (<https://github.com/localstack/localstack/blob/master/tests/aws/services/apigateway/test_apigateway_lambda.py>).
fn status(value: Option<&Value>) -> Result<u16, String> {
    let number = match value {
        None | Some(Value::Null) => return Ok(200),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => {
            return Err(format!(
                "its statusCode is {}, and must be a number",
                kind(other)
            ));
        }
    };
    let status = number.and_then(|number| u16::try_from(number).ok());
    status
        .filter(|status| (200..600).contains(status))
        .ok_or_else(|| "its statusCode is no whole number from 200 to 599".to_owned())
}

fn map(value: Option<Value>, name: &str) -> Result<Map<String, Value>, String> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members),
        Some(other) => Err(format!(
            "its {name} are {}, and must be a map",
            kind(&other)
        )),
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let bytes = STANDARD
        .decode(text)
        .map_err(|_| "its isBase64Encoded is true, and its body is no base64")?;
    String::from_utf8(bytes)
        .map_err(|_| "its body is no UTF-8, and only text can be sent to a client".to_owned())
}

/// What `value` is, for a message.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_answer_is_explained_without_its_values() {
        for (json, expected) in [
            ("secret", "are no JSON"),
            (r#""secret""#, "it is a text, and must be an object"),
            ("[1]", "it is a list"),
            ("{}", "it is empty"),
            (r#"{"statusCode":200,"Data":"secret","x":1}"#, "`Data`, `x`"),
            (r#"{"statusCode":[200]}"#, "statusCode is a list"),
            (r#"{"statusCode":"secret"}"#, "from 200 to 599"),
            (r#"{"statusCode":101}"#, "from 200 to 599"),
            (
                r#"{"statusCode":200,"body":{"a":"secret"}}"#,
                "its body is an object",
            ),
            (
                r#"{"statusCode":200,"headers":["secret"]}"#,
                "headers are a list",
            ),
            (
                r#"{"statusCode":200,"multiValueHeaders":{"X":"secret"}}"#,
                "`X` of its multiValueHeaders",
            ),
            (
                r#"{"statusCode":200,"isBase64Encoded":"true"}"#,
                "isBase64Encoded is a text",
            ),
            (
                r#"{"statusCode":200,"isBase64Encoded":true,"body":"secret!"}"#,
                "is no base64",
            ),
            (
                r#"{"statusCode":200,"isBase64Encoded":true,"body":"/w=="}"#,
                "is no UTF-8",
            ),
        ] {
            let why = ProxyAnswer::parse(json.as_bytes()).unwrap_err();
            assert!(why.contains(expected), "{json}: {why}");
            assert!(!why.contains("secret"), "{why}");
        }
    }
}
