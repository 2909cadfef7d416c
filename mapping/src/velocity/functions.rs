//! `$input` and `$util`.

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use super::bounds::{Budget, within};
use super::inputs::Inputs;
use super::print::as_text;
use crate::path::{JsonPath, PathError};

/// What `java.net.URLEncoder` leaves alone beside letters and digits; a blank becomes `+` afterwards.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'-')
    .remove(b'*')
    .remove(b'_')
    .remove(b' ');

/// `$input.body`: an empty one prints as an empty object.
pub(super) fn body(inputs: &Inputs<'_>) -> Value {
    match inputs.body {
        "" => "{}".into(),
        body => body.into(),
    }
}

/// `$input.method(arguments)`.
pub(super) fn input(
    inputs: &Inputs<'_>,
    method: &str,
    arguments: &[Value],
    budget: &mut Budget,
) -> Result<Value, String> {
    match (method, arguments) {
        ("json", [path]) => {
            let found = find(inputs, path, budget)?;
            // A path to nothing is an empty text in JSON.
            Ok(found
                .map_or_else(|| "\"\"".to_owned(), |found| found.to_string())
                .into())
        }
        ("path", [path]) => Ok(find(inputs, path, budget)?.unwrap_or_default()),
        ("params", []) => Ok(inputs.parameters.clone()),
        ("params", [name]) => {
            let name = as_text(name);
            let of = |position: &str| {
                let members = inputs.parameters[position].as_object()?;
                let found = members.get(name.as_ref()).or_else(|| {
                    let is_header = position == "header";
                    let mut members = members.iter();
                    let found =
                        members.find(|(known, _)| is_header && known.eq_ignore_ascii_case(&name));
                    found.map(|(_, value)| value)
                });
                found.cloned()
            };
            let found = ["path", "querystring", "header"].into_iter().find_map(of);
            // Templates ask for `== ''`.
            Ok(found.unwrap_or_else(|| "".into()))
        }
        _ => Err(format!(
            "`$input` has no function `{method}` with {} arguments; it has json(path), path(path), params() and params(name)",
            arguments.len()
        )),
    }
}

fn find(inputs: &Inputs<'_>, path: &Value, budget: &mut Budget) -> Result<Option<Value>, String> {
    let path = JsonPath::parse(&as_text(path)).map_err(PathError::into_unquoted)?;
    let mut visits = 0;
    let found = path.find_counting(&parsed(inputs.body), &mut visits);
    budget.spend(visits / 16)?;
    found.map_err(PathError::into_unquoted)
}

/// A body as JSON: an empty one is an empty object, and one that is not JSON is a text.
fn parsed(body: &str) -> Value {
    if body.is_empty() {
        return Value::Object(serde_json::Map::new());
    }
    serde_json::from_str(body).unwrap_or_else(|_| body.into())
}

/// `$util.function(arguments)`.
pub(super) fn util(function: &str, arguments: &[Value]) -> Result<Value, String> {
    const KNOWN: &str =
        "escapeJavaScript, parseJson, urlEncode, urlDecode, base64Encode and base64Decode";
    let [argument] = arguments else {
        return Err(format!("`$util` has {KNOWN}, each with one argument"));
    };
    if argument.is_null() && function != "parseJson" {
        return Ok(Value::Null);
    }
    let text = as_text(argument);
    Ok(match function {
        "escapeJavaScript" => escape_java_script(&text)?.into(),
        "parseJson" => match serde_json::from_str(&text) {
            Ok(value) => value,
            Err(error) => return Err(format!("this is no JSON: {error}")),
        },
        "urlEncode" => utf8_percent_encode(&text, FORM)
            .to_string()
            .replace(' ', "+")
            .into(),
        "urlDecode" => percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into(),
        "base64Encode" => STANDARD.encode(text.as_bytes()).into(),
        "base64Decode" => match STANDARD.decode(text.as_bytes()) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into(),
            Err(error) => return Err(format!("this is not base64: {}", unquoted(&error))),
        },
        _ => {
            return Err(format!(
                "`$util` has no function `{function}`; it has {KNOWN}"
            ));
        }
    })
}

/// `error` without the byte that it is about.
fn unquoted(error: &DecodeError) -> String {
    match error {
        DecodeError::InvalidByte(offset, _) | DecodeError::InvalidLastSymbol(offset, _) => {
            format!("the byte at {offset} does not belong there")
        }
        DecodeError::InvalidLength(_) => "a part is missing at its end".to_owned(),
        DecodeError::InvalidPadding => "the padding at its end is wrong".to_owned(),
    }
}

/// As Apache Commons Lang escapes: also single quotes, which JSON does not want to be escaped, and slashes.
fn escape_java_script(text: &str) -> Result<String, String> {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\'' | '"' | '\\' | '/' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{8}' => escaped.push_str("\\b"),
            '\u{c}' => escaped.push_str("\\f"),
            ' '..='~' => escaped.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    let _infallible = write!(escaped, "\\u{unit:04X}");
                }
            }
        }
    }
    within(escaped.len())?;
    Ok(escaped)
}
