//! Whether a value is as a schema wants it.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::{MOST_NESTED, Schema};

/// How many schemas may be asked for one value: two references in a list double them at every level.
const MOST_ASKED: usize = 100_000;

impl Schema {
    /// An error says what is wrong with `value`, and where in it.
    pub(crate) fn judge(&self, value: &Value) -> Result<(), String> {
        let judge = Judge {
            schema: self,
            left: Cell::new(MOST_ASKED),
        };
        judge.check(&self.document, value, "$", 0)?;
        // `not` turns an error into a fit, but not this one.
        judge.spend("$")
    }
}

struct Judge<'s> {
    schema: &'s Schema,
    /// How many schemas may still be asked.
    left: Cell<usize>,
}

impl Judge<'_> {
    fn spend(&self, place: &str) -> Result<(), String> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.unwrap_or_default());
        left.map(drop)
            .ok_or_else(|| format!("{place}: the schema asks too much"))
    }

    fn check(
        &self,
        schema: &Value,
        value: &Value,
        place: &str,
        depth: usize,
    ) -> Result<(), String> {
        self.spend(place)?;
        if depth > MOST_NESTED {
            return Err(format!("{place}: the schema leads too deep"));
        }
        let Value::Object(keywords) = schema else {
            return Ok(());
        };
        // Beside a reference nothing else counts.
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
            Value::Object(members) => self.check_members(keywords, members, place, depth),
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
                return Err(format!("{place} is of none of its types"));
            }
            _ => {}
        }
        if list("enum").is_some_and(|allowed| !allowed.contains(value)) {
            return Err(format!("{place} has none of its allowed values"));
        }
        for schema in list("allOf").into_iter().flatten() {
            self.check(schema, value, place, depth + 1)?;
        }
        if list("anyOf").is_some_and(|any| !any.iter().any(fits)) {
            return Err(format!("{place} fits none of the schemas of anyOf"));
        }
        if list("oneOf").is_some_and(|one| one.iter().filter(|schema| fits(schema)).count() != 1) {
            return Err(format!(
                "{place} must fit exactly one of the schemas of oneOf"
            ));
        }
        if keywords.get("not").is_some_and(fits) {
            return Err(format!("{place} is what it must not be"));
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
        let pattern = keywords.get("pattern").and_then(Value::as_str);
        if count(keywords, "minLength").is_some_and(|least| length < least) {
            return Err(format!("{place} is too short"));
        }
        if count(keywords, "maxLength").is_some_and(|most| length > most) {
            return Err(format!("{place} is too long"));
        }
        if pattern.is_some_and(|pattern| !self.matches(pattern, text)) {
            return Err(format!("{place} does not match its pattern"));
        }
        Ok(())
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
            let twice = |(index, item): (usize, &Value)| items[..index].contains(item);
            if items.iter().enumerate().any(twice) {
                return Err(format!("{place} has an item twice"));
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
                    return Err(format!("{place} has `{name}` without what belongs to it"));
                }
                Value::Array(_) => {}
                schema => self.check(schema, &Value::Object(members.clone()), place, depth + 1)?,
            }
        }
        for (name, member) in members {
            let place = format!("{place}.{name}");
            let known = named("properties").and_then(|known| known.get(name));
            let patterns = named("patternProperties").into_iter().flatten();
            let matching = patterns
                .filter(|(pattern, _)| self.matches(pattern, name))
                .map(|(_, schema)| schema);
            let mut is_known = false;
            for schema in known.into_iter().chain(matching) {
                is_known = true;
                self.check(schema, member, &place, depth + 1)?;
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

    fn matches(&self, pattern: &str, text: &str) -> bool {
        self.schema
            .patterns
            .get(pattern)
            .is_some_and(|regex| regex.is_match(text))
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
        return Err(format!("{place} is no multiple"));
    }
    Ok(())
}
