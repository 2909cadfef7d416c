//! JSON schema draft 4, the language of models:
//! <https://datatracker.ietf.org/doc/html/draft-fge-json-schema-validation-00>. Pure.
//!
//! Every keyword of the draft is supported except references to other documents. A schema with any other keyword is
//! refused, because ignoring one would accept invalid messages. `format` and descriptions have no effect.

mod judge;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use apigw_mapping::{Pattern, PatternError};

/// A parsed schema.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    document: Value,
    /// Every supported `pattern` and `patternProperties` in it.
    patterns: BTreeMap<String, Pattern>,
    /// Why the others are not supported, with their places.
    unread: Vec<String>,
}

/// The deepest nesting of schemas, and of references from one to the next.
const MAX_DEPTH: usize = 64;

/// Keywords with a schema.
const ONE: [&str; 3] = ["additionalItems", "additionalProperties", "not"];
/// Keywords with a list of schemas.
const MANY: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords with a map of schemas.
const NAMED: [&str; 3] = ["definitions", "patternProperties", "properties"];
const COUNTS: [&str; 6] = [
    "maxItems",
    "maxLength",
    "maxProperties",
    "minItems",
    "minLength",
    "minProperties",
];
const NUMBERS: [&str; 3] = ["maximum", "minimum", "multipleOf"];
const FLAGS: [&str; 3] = ["exclusiveMaximum", "exclusiveMinimum", "uniqueItems"];
const NO_EFFECT: [&str; 8] = [
    "$schema",
    "default",
    "description",
    "example",
    "format",
    "id",
    "title",
    "$comment",
];
const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];

impl Schema {
    /// Parses a schema. The error names the keyword that is wrong or not supported, and its place.
    pub(crate) fn parse(document: &Value) -> Result<Self, String> {
        let mut schema = Self {
            document: document.clone(),
            patterns: BTreeMap::new(),
            unread: Vec::new(),
        };
        schema.read(document, "#", 0)?;
        Ok(schema)
    }

    /// The parts that are not checked here, because their regular expression is not supported.
    pub(crate) fn unread(&self) -> &[String] {
        &self.unread
    }

    fn read(&mut self, schema: &Value, place: &str, depth: usize) -> Result<(), String> {
        let Value::Object(members) = schema else {
            return Err(format!("{place} must be a schema, which is a map"));
        };
        if depth > MAX_DEPTH {
            return Err(format!("schemas are nested deeper than {MAX_DEPTH}"));
        }
        members.iter().try_for_each(|(keyword, value)| {
            self.keyword(keyword, value, &format!("{place}/{keyword}"), depth)
        })
    }

    fn keyword(
        &mut self,
        keyword: &str,
        value: &Value,
        place: &str,
        depth: usize,
    ) -> Result<(), String> {
        let is_in = |list: &[&str]| list.contains(&keyword);
        let wrong = |wanted: &str| Err(format!("{place} must be {wanted}"));
        let texts = |value: &Value| {
            value
                .as_array()
                .is_some_and(|list| list.iter().all(Value::is_string))
        };
        match keyword {
            _ if is_in(&NO_EFFECT) => Ok(()),
            _ if is_in(&ONE) && value.is_boolean() && keyword != "not" => Ok(()),
            _ if is_in(&ONE) => self.read(value, place, depth + 1),
            _ if is_in(&MANY) => self.all(value, place, depth),
            "items" if value.is_array() => self.all(value, place, depth),
            "items" => self.read(value, place, depth + 1),
            _ if is_in(&NAMED) => {
                for (name, inner) in object(value, place)? {
                    if keyword == "patternProperties" {
                        self.pattern(name, place)?;
                    }
                    self.read(inner, &format!("{place}/{name}"), depth + 1)?;
                }
                Ok(())
            }
            "dependencies" => {
                for (name, inner) in object(value, place)? {
                    if !texts(inner) {
                        self.read(inner, &format!("{place}/{name}"), depth + 1)?;
                    }
                }
                Ok(())
            }
            _ if is_in(&COUNTS) && !value.is_u64() => wrong("a whole number"),
            "multipleOf" if !value.as_f64().is_some_and(|number| number > 0.0) => {
                wrong("a number above zero")
            }
            _ if is_in(&NUMBERS) && !value.is_number() => wrong("a number"),
            _ if is_in(&FLAGS) && !value.is_boolean() => wrong("true or false"),
            _ if is_in(&COUNTS) || is_in(&NUMBERS) || is_in(&FLAGS) => Ok(()),
            "required" if !texts(value) => wrong("a list of names"),
            "enum" if !value.is_array() => wrong("a list"),
            "required" | "enum" => Ok(()),
            "pattern" => match value.as_str() {
                Some(pattern) => self.pattern(pattern, place),
                None => wrong("a string"),
            },
            "type" => {
                let known =
                    |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
                let many = value.as_array().is_some_and(|list| list.iter().all(known));
                if known(value) || many {
                    Ok(())
                } else {
                    wrong(&format!("one or a list of {}", TYPES.join(", ")))
                }
            }
            "$ref" => match value.as_str().and_then(|path| self.referenced(path)) {
                Some(_) => Ok(()),
                None => Err(format!(
                    "{place}: the local target only follows references within the schema, such as #/definitions/name"
                )),
            },
            _ => Err(format!(
                "{place}: `{keyword}` is not a keyword of JSON schema draft 4"
            )),
        }
    }

    fn all(&mut self, list: &Value, place: &str, depth: usize) -> Result<(), String> {
        let Some(list) = list.as_array() else {
            return Err(format!("{place} must be a list of schemas"));
        };
        let mut items = list.iter().enumerate();
        items.try_for_each(|(index, one)| self.read(one, &format!("{place}/{index}"), depth + 1))
    }

    /// A pattern with look-around or other unsupported syntax is not checked, because AWS accepts such models.
    fn pattern(&mut self, pattern: &str, place: &str) -> Result<(), String> {
        match Pattern::from_java_anywhere(pattern) {
            Ok(compiled) => {
                self.patterns.insert(pattern.to_owned(), compiled);
            }
            Err(PatternError::Unsupported(unreadable)) => self.unread.push(format!(
                "{place} is not checked here: the local target does not support {unreadable} in `{pattern}`; API Gateway does"
            )),
            Err(error) => {
                return Err(format!(
                    "{place}: `{pattern}` is not a supported regular expression: {error}"
                ));
            }
        }
        Ok(())
    }

    fn referenced(&self, path: &str) -> Option<&Value> {
        self.document.pointer(path.strip_prefix('#')?)
    }
}

fn object<'v>(value: &'v Value, place: &str) -> Result<&'v Map<String, Value>, String> {
    value
        .as_object()
        .ok_or_else(|| format!("{place} must be a map"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(schema: Value, good: &[Value], bad: &[Value]) {
        let parsed = Schema::parse(&schema).unwrap();
        for value in good {
            assert_eq!(parsed.judge(value), Ok(()), "{schema} on {value}");
        }
        for value in bad {
            assert!(parsed.judge(value).is_err(), "{schema} on {value}");
        }
    }

    #[test]
    fn every_keyword_is_checked() {
        check(
            json!({ "type": "integer", "minimum": 1, "maximum": 3, "exclusiveMaximum": true }),
            &[json!(1), json!(2)],
            &[json!(0), json!(3), json!(1.5), json!("1")],
        );
        check(
            json!({ "type": ["string", "null"], "minLength": 2, "maxLength": 3, "pattern": "^a" }),
            &[json!("ab"), json!(null)],
            &[json!("a"), json!("abcd"), json!("ba"), json!(1)],
        );
        check(
            json!({ "properties": { "a": { "type": "string" } }, "required": ["a"], "additionalProperties": false }),
            &[json!({ "a": "x" }), json!(1)],
            &[json!({}), json!({ "a": 1 }), json!({ "a": "x", "b": 1 })],
        );
        check(
            json!({ "patternProperties": { "^x": { "type": "number" } }, "additionalProperties": { "type": "string" } }),
            &[json!({ "x1": 1, "y": "a" })],
            &[json!({ "x1": "a" }), json!({ "y": 1 })],
        );
        check(
            json!({ "items": [{ "type": "string" }], "additionalItems": false, "minItems": 1, "maxItems": 2 }),
            &[json!(["a"])],
            &[json!([]), json!([1]), json!(["a", 1])],
        );
        check(
            json!({ "items": { "type": "number" }, "uniqueItems": true }),
            &[json!([1, 2])],
            &[json!([1, 1]), json!(["a"])],
        );
        check(
            json!({ "enum": ["a", 1], "not": { "type": "number" } }),
            &[json!("a")],
            &[json!(1), json!("b")],
        );
        check(
            json!({ "oneOf": [{ "multipleOf": 2 }, { "multipleOf": 3 }] }),
            &[json!(2), json!(3)],
            &[json!(6), json!(5)],
        );
        check(
            json!({ "anyOf": [{ "type": "string" }, { "minimum": 5 }], "allOf": [{ "not": { "enum": ["x"] } }] }),
            &[json!("a"), json!(5)],
            &[json!(4), json!("x")],
        );
        check(
            json!({ "dependencies": { "a": ["b"], "c": { "required": ["d"] } }, "minProperties": 1, "maxProperties": 2 }),
            &[json!({ "a": 1, "b": 2 }), json!({ "c": 1, "d": 2 })],
            &[
                json!({}),
                json!({ "a": 1 }),
                json!({ "c": 1 }),
                json!({ "x": 1, "y": 1, "z": 1 }),
            ],
        );
        check(
            json!({ "$ref": "#/definitions/name", "definitions": { "name": { "type": "string" } } }),
            &[json!("a")],
            &[json!(1)],
        );
    }

    #[test]
    fn an_unsupported_pattern_accepts_every_value_and_the_rest_of_the_schema_counts() {
        let unread = json!({ "pattern": "^(?!admin)" });
        check(
            json!({ "type": "string", "pattern": "^(?=.*\\d).+$", "maxLength": 3 }),
            &[json!("a"), json!("a1")],
            &[json!("abcd"), json!(1)],
        );
        check(
            json!({ "not": unread, "type": "string" }),
            &[json!("a")],
            &[json!(1)],
        );
        check(
            json!({ "oneOf": [unread, { "pattern": "^a" }, { "type": "number" }] }),
            &[json!("a"), json!("b")],
            &[],
        );
        check(
            json!({ "oneOf": [{ "type": "string", "pattern": "(a)\\1" }, { "type": "number" }] }),
            &[json!("a"), json!(1)],
            &[json!(null)],
        );
        check(
            json!({ "patternProperties": { "^(?!x)": { "type": "number" }, "^n": { "type": "number" } }, "additionalProperties": false }),
            &[json!({ "y": "text" }), json!({ "n": 1 })],
            &[json!({ "n": "text" })],
        );
        let schema = Schema::parse(&json!({ "properties": { "name": unread } })).unwrap();
        assert_eq!(
            schema.unread(),
            [
                "#/properties/name/pattern is not checked here: the local target does not support `(?!` in `^(?!admin)`; API Gateway does"
            ]
        );
        // Syntax of Java and JavaScript beyond the engine's is translated.
        check(
            json!({ "pattern": "^[\\w-\\.]+/\\p{Alpha}\\/$" }),
            &[json!("a-b.c/d/")],
            &[json!("a/1/")],
        );
    }

    #[test]
    fn a_circular_schema_ends() {
        let endless = Schema::parse(&json!({ "$ref": "#" })).unwrap();
        assert!(endless.judge(&json!(1)).is_err());
        let doubling = json!({ "anyOf": [{ "$ref": "#" }, { "$ref": "#" }] });
        assert!(Schema::parse(&doubling).unwrap().judge(&json!(1)).is_err());
    }

    #[test]
    fn unsupported_keywords_are_refused_by_name() {
        for (schema, expected) in [
            (json!({ "const": 1 }), "#/const: `const` is not a keyword"),
            (
                json!({ "properties": { "a": { "if": {} } } }),
                "#/properties/a/if",
            ),
            (
                json!({ "$ref": "http://other/schema" }),
                "only follows references within the schema",
            ),
            (json!({ "type": "text" }), "#/type must be"),
            (json!({ "pattern": "(a" }), "#/pattern"),
            (
                json!({ "minLength": "2" }),
                "#/minLength must be a whole number",
            ),
            (json!({ "not": true }), "#/not must be a schema"),
        ] {
            let reason = Schema::parse(&schema).unwrap_err();
            assert!(reason.contains(expected), "{schema}: {reason}");
        }
    }
}
