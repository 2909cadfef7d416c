//! The errors of requests that DynamoDB cannot read. Pure.
//!
//! The database's request types select the kind of most errors by a word in front of the message. The others are values
//! of the wrong JSON type, for which DynamoDB names the token that it found and the class that it expected.

use dynoxide::DynoxideError;
use serde::de::IgnoredAny;

/// The effect of the word in front of an error's message.
#[derive(Clone, Copy)]
enum Mark {
    Serialization,
    Validation,
    /// A validation error that some operations prefix with a sentence.
    Enveloped,
}

/// Each word, its effect, and whether the position in the request stays in the message.
const MARKS: [(&str, Mark, bool); 5] = [
    ("SERIALIZATION_AS_READ:", Mark::Serialization, true),
    ("SERIALIZATION:", Mark::Serialization, false),
    ("VALIDATION_AS_READ:", Mark::Validation, true),
    ("VALIDATION_REQUEST:", Mark::Enveloped, false),
    ("VALIDATION:", Mark::Validation, false),
];

const EMPTY_VALUE: &str =
    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";

const TOO_DEEP: &str = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond \
                        supported limit";

/// Whether the body is not empty and not JSON. DynamoDB reports nothing more about it.
pub(super) fn is_broken(body: &[u8]) -> bool {
    // JSON that is nested too deeply for the reader is valid up to there.
    !body.is_empty()
        && serde_json::from_slice::<IgnoredAny>(body)
            .is_err_and(|error| !error.to_string().starts_with("recursion limit exceeded"))
}

/// The error of a request to `operation` whose `body` could not be read because of `error`.
pub(super) fn error(operation: &str, body: &[u8], error: &serde_json::Error) -> DynoxideError {
    if is_broken(body) {
        return DynoxideError::SerializationException(String::new());
    }
    let text = error.to_string();
    let bare = without_position(&text);
    for (word, mark, is_whole) in MARKS {
        if let Some(rest) = if is_whole { &text } else { bare }.strip_prefix(word) {
            return marked(operation, mark, rest);
        }
    }
    let has = |part: &str| bare.contains(part);
    if has("recursion limit exceeded") {
        DynoxideError::ValidationException(TOO_DEEP.to_owned())
    } else if has("empty AttributeValue") {
        DynoxideError::ValidationException(EMPTY_VALUE.to_owned())
    } else if has("Supplied AttributeValue") {
        DynoxideError::ValidationException(bare.to_owned())
    } else if has("missing field") || has("unknown variant") || has("invalid type: null") {
        DynoxideError::ValidationException(text)
    } else {
        DynoxideError::SerializationException(wrong_type(bare).unwrap_or(text))
    }
}

fn marked(operation: &str, mark: Mark, text: &str) -> DynoxideError {
    match mark {
        Mark::Serialization => DynoxideError::SerializationException(text.to_owned()),
        Mark::Enveloped if ["DeleteItem", "PutItem", "UpdateItem"].contains(&operation) => {
            DynoxideError::ValidationException(format!("1 validation error detected: {text}"))
        }
        Mark::Validation | Mark::Enveloped => DynoxideError::ValidationException(text.to_owned()),
    }
}

/// DynamoDB's message for `invalid type: …, expected …`; `None` for any other error.
fn wrong_type(text: &str) -> Option<String> {
    let (found, wanted) = text
        .strip_prefix("invalid type: ")?
        .split_once(", expected ")?;
    let class = match wanted {
        "a string" => Some("String"),
        "a boolean" => Some("Boolean"),
        "i64" | "u64" => Some("Long"),
        _ => None,
    };
    let token = match found.split_once(' ').map_or(found, |(kind, _)| kind) {
        "map" => return Some("Start of structure or map found where not expected".to_owned()),
        "sequence" => {
            return class
                .map(|class| format!("Unrecognized collection type class java.lang.{class}"));
        }
        "boolean" if found.contains("true") => "TRUE_VALUE",
        "boolean" => "FALSE_VALUE",
        "integer" => "NUMBER_VALUE",
        "floating" => "DECIMAL_VALUE",
        "string" if class == Some("Boolean") => {
            return Some("Unexpected token received from parser".to_owned());
        }
        _ => "STRING_VALUE",
    };
    Some(match class {
        Some(class) => format!("{token} cannot be converted to {class}"),
        None => "Unexpected field type".to_owned(),
    })
}

/// Removes the ` at line 1 column 2` that the JSON reader appends.
fn without_position(text: &str) -> &str {
    match text.rsplit_once(" at line ") {
        Some((text, position)) if position.contains(" column ") => text,
        _ => text,
    }
}
