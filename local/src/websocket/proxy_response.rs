//! Parses a function's response to a proxy integration. Pure.
//!
//! It may have the fields `statusCode`, `headers`, `multiValueHeaders`, `body` and `isBase64Encoded`. Any other field
//! makes the whole response an error, even though the function succeeded. See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-responses.html>.
//!
//! Errors about a response name its fields and their types, not their values, which may contain a user's message.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// A valid proxy response.
#[derive(Debug)]
pub(super) struct ProxyResponse {
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

/// The most unknown fields that are named, and the most characters of each.
const NAMED: usize = 5;
const NAME: usize = 40;

/// Whether the response is empty, which AWS tolerates and which is reported here.
pub(super) fn is_nothing(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii(), b"" | b"null")
}

impl ProxyResponse {
    /// Parses a response. An empty one counts as a plain 200. The error names the difference from a valid one.
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
            .map_err(|_| format!("its {} bytes are not JSON", bytes.len()))?;
        let Value::Object(mut members) = value else {
            return Err(format!("it is {}, but must be an object", kind(&value)));
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
                    "its isBase64Encoded is {}, but must be a boolean",
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
                    "its body is {}, but must be a string: serialise JSON first",
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

    /// The header `name`, ignoring case.
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

/// Without a status, a response that is not empty is a 200, as with REST APIs (shown by LocalStack's tests against AWS:
/// <https://github.com/localstack/localstack/blob/master/tests/aws/services/apigateway/test_apigateway_lambda.py>).
fn status(value: Option<&Value>) -> Result<u16, String> {
    let number = match value {
        None | Some(Value::Null) => return Ok(200),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => {
            return Err(format!(
                "its statusCode is {}, but must be a number",
                kind(other)
            ));
        }
    };
    let status = number.and_then(|number| u16::try_from(number).ok());
    status
        .filter(|status| (200..600).contains(status))
        .ok_or_else(|| "its statusCode is not a whole number from 200 to 599".to_owned())
}

fn map(value: Option<Value>, name: &str) -> Result<Map<String, Value>, String> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members),
        Some(other) => Err(format!(
            "its {name} are {}, but must be an object",
            kind(&other)
        )),
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let bytes = STANDARD
        .decode(text)
        .map_err(|_| "its isBase64Encoded is true, but its body is not base64")?;
    String::from_utf8(bytes)
        .map_err(|_| "its body is not UTF-8, but only text can be sent to a client".to_owned())
}

/// The type of `value`, for a message.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
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
            ("secret", "are not JSON"),
            (r#""secret""#, "it is a string, but must be an object"),
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
                "isBase64Encoded is a string",
            ),
            (
                r#"{"statusCode":200,"isBase64Encoded":true,"body":"secret!"}"#,
                "is not base64",
            ),
            (
                r#"{"statusCode":200,"isBase64Encoded":true,"body":"/w=="}"#,
                "is not UTF-8",
            ),
        ] {
            let why = ProxyResponse::parse(json.as_bytes()).unwrap_err();
            assert!(why.contains(expected), "{json}: {why}");
            assert!(!why.contains("secret"), "{why}");
        }
    }
}
