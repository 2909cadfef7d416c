//! How values print: texts bare, lists as JSON, maps as Java prints them.

use std::borrow::Cow;

use serde_json::Value;

/// `value` as a reference prints it; null is empty.
///
/// A map prints like `{a=1, b=[2]}`, which is no JSON: `$input.json` gives that.
pub fn as_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        Value::Object(members) => {
            let mut text = String::from("{");
            for (index, (name, member)) in members.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                text.push_str(name);
                text.push('=');
                match member {
                    Value::Null => text.push_str("null"),
                    member => text.push_str(&as_text(member)),
                }
            }
            text.push('}');
            Cow::Owned(text)
        }
        other => Cow::Owned(other.to_string()),
    }
}

/// What `value` is, for a message.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
