//! `chatctl.schema.json`, made from the types that read `chatctl.toml`.
//!
//! It exists in tests alone: the command carries the file. A schema says less than the types do, so what it refuses they
//! refuse, and some of what it accepts they refuse as well.

pub(super) mod describe;
pub(super) mod shape;
#[cfg(test)]
mod tests;

use chat_protocol::envelope::{ATTRIBUTES, REFERENCE};
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::file::File;
use super::function::KEYS;

/// The schema of the file, in the draft that editors of TOML have in common.
fn schema() -> Value {
    let mut generator = SchemaSettings::draft07().into_generator();
    let mut made = generator.root_schema_for::<File>().to_value();
    without_null(&mut made);
    // Its readers meet first what it is; `init` looks for these lines, too.
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "chatctl.toml",
        "description": "What `chatctl deploy` deploys. Every key is optional.",
    });
    for (key, value) in made.as_object().into_iter().flatten() {
        if !matches!(key.as_str(), "$schema" | "title" | "description") {
            schema[key] = value.clone();
        }
    }
    schema
}

/// TOML has no null: a key that may be absent is absent.
fn without_null(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|one| one != "null");
                if let [only] = &types[..] {
                    members["type"] = only.clone();
                }
            }
            if let Some(Value::Array(words)) = members.get_mut("enum") {
                words.retain(|word| !word.is_null());
            }
            if members.get("default").is_some_and(Value::is_null) {
                members.remove("default");
            }
            if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
                choices.retain(|one| one["type"] != "null");
                if let [only] = &choices[..] {
                    let only = only.as_object().cloned().unwrap_or_default();
                    members.remove("anyOf");
                    for (key, value) in only {
                        members.entry(key).or_insert(value);
                    }
                }
            }
            members.values_mut().for_each(without_null);
        }
        Value::Array(list) => list.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// Which keys of a route exclude each other.
pub(super) fn rules_of_routes() -> Value {
    let mut rules: Vec<Value> = [
        ("receivers", "http"),
        ("receivers", "handler"),
        ("http", "handler"),
        ("http", "include-sender"),
        ("http", "max-text-bytes"),
        ("http", "envelope"),
        ("http", "history"),
        ("handler", "text"),
        ("handler", "include-sender"),
        ("handler", "max-text-bytes"),
        ("handler", "envelope"),
        ("handler", "history"),
        ("answers", "receivers"),
        ("answers", "http"),
        ("answers", "handler"),
        ("answers", "text"),
        ("answers", "include-sender"),
        ("answers", "max-text-bytes"),
        ("answers", "envelope"),
        ("answers", "history"),
    ]
    .map(|pair| never_both(pair.0, pair.1))
    .into();
    rules.extend(["http", "handler", "answers"].map(|kind| never_both(kind, "review")));
    rules.push(json!({
        "if": { "required": ["review"] },
        "then": { "required": ["envelope"], "properties": { "envelope": { "const": true } } },
    }));
    for (key, needs) in [
        ("review-fallback", "review"),
        ("review-permissions", "review"),
        ("secret-header", "http"),
        ("reply", "handler"),
        ("permissions", "handler"),
        ("include-sender", "receivers"),
        ("announce", "answers"),
    ] {
        rules.push(only_with(key, needs));
    }
    for key in KEYS {
        rules.push(only_with(key, "handler"));
        rules.push(only_with(&format!("review-{key}"), "review"));
    }
    rules.push(json!({
        "if": { "required": ["include-sender"] },
        "then": { "properties": { "receivers": one_of(&describe::with_include_sender()) } },
    }));
    rules.push(json!({
        "if": { "required": ["announce"] },
        "then": { "properties": { "answers": { "const": "who" } } },
    }));
    rules.push(json!({
        "if": { "properties": { "envelope": { "const": true } }, "required": ["envelope"] },
        "then": { "properties": { "text": { "not": { "enum": [REFERENCE, ATTRIBUTES] } } } },
    }));
    rules.push(json!({
        "if": { "required": ["history"] },
        "then": { "properties": { "envelope": { "const": true } }, "required": ["envelope"] },
    }));
    rules.push(json!({
        "if": { "properties": { "key": { "enum": ["$connect", "$disconnect"] } }, "required": ["key"] },
        "then": { "required": ["http"], "not": { "required": ["text"] } },
    }));
    rules.into()
}

/// A handler decides instead of a mode, and has no use for what a mode needs.
pub(super) fn rules_of_auth() -> Value {
    let mut rules: Vec<Value> = ["mode", "issuer", "audience", "name-claim"]
        .map(|key| never_both("handler", key))
        .into();
    for key in ["permissions"].into_iter().chain(KEYS) {
        rules.push(only_with(key, "handler"));
    }
    rules.into()
}

/// Alarms go to one receiver.
pub(super) fn rules_of_alarms() -> Value {
    json!([{ "oneOf": [{ "required": ["email"] }, { "required": ["topic"] }] }])
}

/// Where the value of a secret comes from: one place on AWS, at most one here.
pub(super) fn rules_of_secrets() -> Value {
    json!([
        { "oneOf": [{ "required": ["secretsmanager"] }, { "required": ["ssm"] }] },
        never_both("json-key", "ssm"),
        never_both("variable", "file"),
    ])
}

fn one_of(words: &[&str]) -> Value {
    match words {
        [only] => json!({ "const": only }),
        words => json!({ "enum": words }),
    }
}

fn only_with(key: &str, needed: &str) -> Value {
    json!({ "not": { "required": [key], "not": { "required": [needed] } } })
}

fn never_both(first: &str, second: &str) -> Value {
    json!({ "not": { "required": [first, second] } })
}
