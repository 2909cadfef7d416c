//! Validates a value against a schema.

use std::cell::Cell;
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{MAX_DEPTH, Schema};

/// The most steps of a validation: schemas visited, values compared, and the work of regular expressions. Two
/// references in a list double the schemas at every level. This many steps take about half a second in a release build.
const STEPS: usize = 1_000_000;

/// The most steps of a validation on the gateway's thread: about ten milliseconds.
const STEPS_IN_PASSING: usize = 20_000;

impl Schema {
    /// Validates `value`. The error names the problem and its place. This may take half a second.
    pub(crate) fn judge(&self, value: &Value) -> Result<(), String> {
        self.judge_within(STEPS, value).1
    }

    /// Validates on the gateway's thread. `None` if it takes more than some 10 ms; then call [`Schema::judge`] on
    /// another thread.
    pub(crate) fn judge_in_passing(&self, value: &Value) -> Option<Result<(), String>> {
        let (is_spent, judged) = self.judge_within(STEPS_IN_PASSING, value);
        (!is_spent).then_some(judged)
    }

    fn judge_within(&self, steps: usize, value: &Value) -> (bool, Result<(), String>) {
        let judge = Judge {
            schema: self,
            left: Cell::new(Some(steps)),
            doubts: Cell::new(0),
        };
        let judged = judge.check(&self.document, value, "$", 0);
        // `not` turns an error into a match, but not this one.
        let judged = judged.and_then(|()| judge.spend(0, "$"));
        (judge.left.get().is_none(), judged)
    }
}

struct Judge<'s> {
    schema: &'s Schema,
    /// The steps that are left; `None` once they were used up.
    left: Cell<Option<usize>>,
    /// How often an unsupported regular expression was assumed to match.
    doubts: Cell<usize>,
}

impl Judge<'_> {
    fn spend(&self, steps: usize, place: &str) -> Result<(), String> {
        let left = self.left.get().and_then(|left| left.checked_sub(steps));
        self.left.set(left);
        left.map(drop)
            .ok_or_else(|| format!("{place:.100}: the schema is too costly"))
    }

    fn check(
        &self,
        schema: &Value,
        value: &Value,
        place: &str,
        depth: usize,
    ) -> Result<(), String> {
        self.spend(1 + place.len() / 64, place)?;
        if depth > MAX_DEPTH {
            return Err(format!("{place}: the schema is nested too deeply"));
        }
        let Value::Object(keywords) = schema else {
            return Ok(());
        };
        // Beside a reference, other keywords are ignored.
        if let Some(path) = keywords.get("$ref").and_then(Value::as_str) {
            let referenced = self.schema.referenced(path).unwrap_or(&Value::Null);
            return self.check(referenced, value, place, depth + 1);
        }
        self.check_any(keywords, value, place, depth)?;
        match value {
            Value::Number(number) => {
                check_number(keywords, number.as_f64().unwrap_or_default(), place)
            }
            Value::String(text) => self.check_text(keywords, text, place),
            Value::Array(items) => self.check_items(keywords, items, place, depth),
            Value::Object(members) => self.check_members(keywords, value, members, place, depth),
            _ => Ok(()),
        }
    }

    fn check_any(
        &self,
        keywords: &Map<String, Value>,
        value: &Value,
        place: &str,
        depth: usize,
    ) -> Result<(), String> {
        let fits = |schema: &Value| self.check(schema, value, place, depth + 1).is_ok();
        let list = |keyword: &str| keywords.get(keyword).and_then(Value::as_array);
        match keywords.get("type") {
            Some(Value::String(wanted)) if !is_a(value, wanted) => {
                return Err(format!("{place} must be of the type {wanted}"));
            }
            Some(Value::Array(wanted))
                if !wanted
                    .iter()
                    .filter_map(Value::as_str)
                    .any(|one| is_a(value, one)) =>
            {
                return Err(format!("{place} has none of the allowed types"));
            }
            _ => {}
        }
        let allowed = list("enum");
        self.spend(allowed.map_or(0, |allowed| allowed.len() / 4), place)?;
        if allowed.is_some_and(|allowed| !allowed.contains(value)) {
            return Err(format!("{place} has none of the allowed values"));
        }
        for schema in list("allOf").into_iter().flatten() {
            self.check(schema, value, place, depth + 1)?;
        }
        if list("anyOf").is_some_and(|any| !any.iter().any(fits)) {
            return Err(format!("{place} matches none of the schemas of anyOf"));
        }
        // A match by assumption alone is no reason to refuse.
        let before = self.doubts.get();
        let is_sure = || self.doubts.get() == before;
        if let Some(one) = list("oneOf")
            && let fitting = one.iter().filter(|schema| fits(schema)).count()
            && (fitting == 0 || (fitting > 1 && is_sure()))
        {
            return Err(format!(
                "{place} must match exactly one of the schemas of oneOf"
            ));
        }
        let before = self.doubts.get();
        if keywords.get("not").is_some_and(fits) && self.doubts.get() == before {
            return Err(format!("{place} matches the schema of not"));
        }
        Ok(())
    }

    fn check_text(
        &self,
        keywords: &Map<String, Value>,
        text: &str,
        place: &str,
    ) -> Result<(), String> {
        let length = text.chars().count() as u64;
        self.spend(text.len() / 256, place)?;
        let pattern = keywords.get("pattern").and_then(Value::as_str);
        if count(keywords, "minLength").is_some_and(|least| length < least) {
            return Err(format!("{place} is too short"));
        }
        if count(keywords, "maxLength").is_some_and(|most| length > most) {
            return Err(format!("{place} is too long"));
        }
        match pattern {
            Some(pattern) if !self.matches(pattern, text, place)? => {
                Err(format!("{place} does not match its pattern"))
            }
            _ => Ok(()),
        }
    }

    fn check_items(
        &self,
        keywords: &Map<String, Value>,
        items: &[Value],
        place: &str,
        depth: usize,
    ) -> Result<(), String> {
        check_count(keywords, ["minItems", "maxItems"], items.len(), place)?;
        if keywords.get("uniqueItems") == Some(&Value::Bool(true)) {
            let mut seen = HashSet::with_capacity(items.len());
            for item in items {
                let mut text = String::new();
                write_sorted(item, &mut text);
                self.spend(1 + text.len() / 64, place)?;
                if !seen.insert(text) {
                    return Err(format!("{place} has a duplicate item"));
                }
            }
        }
        for (index, item) in items.iter().enumerate() {
            let schema = match keywords.get("items") {
                Some(Value::Array(each)) if index < each.len() => &each[index],
                Some(Value::Array(_)) => match keywords.get("additionalItems") {
                    Some(Value::Bool(false)) => return Err(format!("{place} has too many items")),
                    Some(schema) => schema,
                    None => continue,
                },
                Some(schema) => schema,
                None => continue,
            };
            self.check(schema, item, &format!("{place}[{index}]"), depth + 1)?;
        }
        Ok(())
    }

    fn check_members(
        &self,
        keywords: &Map<String, Value>,
        value: &Value,
        members: &Map<String, Value>,
        place: &str,
        depth: usize,
    ) -> Result<(), String> {
        check_count(
            keywords,
            ["minProperties", "maxProperties"],
            members.len(),
            place,
        )?;
        let named = |keyword: &str| keywords.get(keyword).and_then(Value::as_object);
        let length = |keyword: &str| match keywords.get(keyword) {
            Some(Value::Array(names)) => names.len(),
            Some(Value::Object(names)) => names.len(),
            _ => 0,
        };
        self.spend((length("required") + length("dependencies")) / 8, place)?;
        let has = |name: &Value| name.as_str().is_some_and(|name| members.contains_key(name));
        let required = keywords
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        if let Some(name) = required.into_iter().find(|name| !has(name)) {
            return Err(format!("{place} lacks {name}"));
        }
        for (name, wanted) in named("dependencies").into_iter().flatten() {
            match wanted {
                _ if !members.contains_key(name) => {}
                Value::Array(names) if !names.iter().all(has) => {
                    return Err(format!("{place} has `{name}` without its dependencies"));
                }
                Value::Array(_) => {}
                schema => self.check(schema, value, place, depth + 1)?,
            }
        }
        for (name, member) in members {
            let place = format!("{place}.{name}");
            self.spend(place.len() / 64, "$")?;
            let known = named("properties").and_then(|known| known.get(name));
            let mut is_known = known.is_some();
            if let Some(schema) = known {
                self.check(schema, member, &place, depth + 1)?;
            }
            for (pattern, schema) in named("patternProperties").into_iter().flatten() {
                if self.matches(pattern, name, &place)? {
                    is_known = true;
                    // Whether this name is meant is unknown.
                    if !self.schema.patterns.contains_key(pattern) {
                        continue;
                    }
                    self.check(schema, member, &place, depth + 1)?;
                }
            }
            match keywords.get("additionalProperties") {
                Some(Value::Bool(false)) if !is_known => {
                    return Err(format!("{place} is not allowed"));
                }
                Some(schema) if !is_known => self.check(schema, member, &place, depth + 1)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn matches(&self, pattern: &str, text: &str, place: &str) -> Result<bool, String> {
        let Some(compiled) = self.schema.patterns.get(pattern) else {
            self.doubts.set(self.doubts.get() + 1);
            return Ok(true);
        };
        self.spend(compiled.steps(text.len()), place)?;
        Ok(compiled.is_match(text))
    }
}

/// Writes a form that is the same only for equal values, whatever the order of their fields.
fn write_sorted(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_sorted(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (name, member) in members {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write_sorted(member, text);
                text.push(',');
            }
            text.push('}');
        }
        other => text.push_str(&other.to_string()),
    }
}

fn is_a(value: &Value, wanted: &str) -> bool {
    match wanted {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        _ => value.is_string(),
    }
}

fn count(keywords: &Map<String, Value>, keyword: &str) -> Option<u64> {
    keywords.get(keyword).and_then(Value::as_u64)
}

fn check_count(
    keywords: &Map<String, Value>,
    [least, most]: [&str; 2],
    found: usize,
    place: &str,
) -> Result<(), String> {
    let found = found as u64;
    if count(keywords, least).is_some_and(|least| found < least) {
        return Err(format!("{place} has too few"));
    }
    if count(keywords, most).is_some_and(|most| found > most) {
        return Err(format!("{place} has too many"));
    }
    Ok(())
}

fn check_number(keywords: &Map<String, Value>, number: f64, place: &str) -> Result<(), String> {
    let bound = |keyword: &str| keywords.get(keyword).and_then(Value::as_f64);
    let is_set = |keyword: &str| keywords.get(keyword) == Some(&Value::Bool(true));
    if bound("minimum")
        .is_some_and(|least| number < least || (number == least && is_set("exclusiveMinimum")))
    {
        return Err(format!("{place} is too small"));
    }
    if bound("maximum")
        .is_some_and(|most| number > most || (number == most && is_set("exclusiveMaximum")))
    {
        return Err(format!("{place} is too large"));
    }
    let is_multiple = |of: f64| {
        let quotient = number / of;
        (quotient - quotient.round()).abs() < 1e-9
    };
    if bound("multipleOf").is_some_and(|of| !is_multiple(of)) {
        return Err(format!("{place} is not a multiple"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
