//! The references of a template: which names a value uses, and whether resources wait for each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What is used, and by which function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Use {
    /// `Ref`, `Fn::Sub`: a resource, a parameter or a pseudo parameter.
    Name(String),
    /// `Fn::GetAtt` and `${A.B}`: a resource, and its attribute where that is a text.
    Attribute(String, Option<String>),
    /// `DependsOn`: a resource.
    Resource(String),
    /// `Fn::If`.
    Condition(String),
    /// `Fn::FindInMap`.
    Mapping(String),
}

impl Use {
    /// What may be the logical id of a resource.
    pub(super) fn resource(&self) -> Option<&str> {
        match self {
            Self::Name(id) | Self::Attribute(id, _) | Self::Resource(id) => Some(id),
            Self::Condition(_) | Self::Mapping(_) => None,
        }
    }
}

/// The names between `${` and `}` in the text of a `Fn::Sub`; `${!Literal}` is none.
pub(super) fn names_in(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        if !name.starts_with('!') {
            names.push(name.trim());
        }
        rest = after;
    }
    names
}

/// What the function `name` uses directly with `argument`.
pub(super) fn uses_of(name: &str, argument: &Value) -> Vec<Use> {
    let first = || argument.get(0).and_then(Value::as_str).map(str::to_owned);
    match name {
        "Ref" => argument
            .as_str()
            .map(|id| Use::Name(id.to_owned()))
            .into_iter()
            .collect(),
        "Fn::GetAtt" => {
            let attribute = argument.get(1).and_then(Value::as_str).map(str::to_owned);
            let used = first().map(|id| Use::Attribute(id, attribute));
            used.into_iter().collect()
        }
        "Fn::If" => first().map(Use::Condition).into_iter().collect(),
        "Fn::FindInMap" => first().map(Use::Mapping).into_iter().collect(),
        "Fn::Sub" => {
            let text = argument.as_str().or_else(|| argument.get(0)?.as_str());
            let names = text.map(names_in).unwrap_or_default().into_iter();
            let foreign =
                names.filter(|name| argument.get(1).and_then(|own| own.get(name)).is_none());
            let uses = foreign.map(|name| match name.split_once('.') {
                Some((id, attribute)) => Use::Attribute(id.to_owned(), Some(attribute.to_owned())),
                None => Use::Name(name.to_owned()),
            });
            uses.collect()
        }
        _ => Vec::new(),
    }
}

/// Everything that `value` uses, at any depth.
pub(super) fn uses(value: &Value) -> Vec<Use> {
    match value {
        Value::Array(items) => items.iter().flat_map(uses).collect(),
        Value::Object(members) => {
            let members = members.iter();
            let found = members.flat_map(|(name, value)| {
                let mut found = uses_of(name, value);
                found.extend(uses(value));
                found
            });
            found.collect()
        }
        _ => Vec::new(),
    }
}

/// The resources among `resources` that `resource` waits for.
pub(super) fn needs<'a>(resource: &Value, resources: &'a Value) -> BTreeSet<&'a str> {
    let waits = &resource["DependsOn"];
    let waits = waits
        .as_array()
        .map_or(std::slice::from_ref(waits), Vec::as_slice);
    let named = waits.iter().filter_map(Value::as_str).map(str::to_owned);
    let used = uses(&resource["Properties"])
        .into_iter()
        .filter_map(|used| used.resource().map(str::to_owned));
    let all = named.chain(used);
    all.filter_map(|id| {
        resources
            .as_object()?
            .get_key_value(&id)
            .map(|(id, _)| id.as_str())
    })
    .collect()
}

/// Resources that wait for each other in a circle, each for the next one and the last for the first.
pub(super) fn cycle(resources: &Value) -> Option<Vec<String>> {
    let all = resources.as_object()?.iter();
    let needs = all.map(|(id, resource)| (id.as_str(), needs(resource, resources)));
    circle(needs.collect())
}

/// Conditions that are made of each other in a circle.
pub(super) fn cycle_of_conditions(conditions: &Value) -> Option<Vec<String>> {
    let all = conditions.as_object()?;
    let needs = all.iter().map(|(name, condition)| {
        let used = named_in(condition)
            .into_iter()
            .filter_map(|name| Some(all.get_key_value(name)?.0.as_str()));
        (name.as_str(), used.collect())
    });
    circle(needs.collect())
}

/// The conditions that a condition names.
fn named_in(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().flat_map(named_in).collect(),
        Value::Object(members) => {
            let members = members.iter();
            let named = members.flat_map(|(key, value)| match value.as_str() {
                Some(name) if key == "Condition" => vec![name],
                _ => named_in(value),
            });
            named.collect()
        }
        _ => Vec::new(),
    }
}

fn circle(mut needs: BTreeMap<&str, BTreeSet<&str>>) -> Option<Vec<String>> {
    // What waits for nothing that is left is taken away, until only circles and what waits for them remain.
    loop {
        let free: Vec<&str> = needs
            .iter()
            .filter(|(_, on)| !on.iter().any(|id| needs.contains_key(id)))
            .map(|(id, _)| *id)
            .collect();
        if free.is_empty() {
            break;
        }
        needs.retain(|id, _| !free.contains(id));
    }
    let mut path = vec![*needs.keys().next()?];
    loop {
        let on = &needs[path.last()?];
        let next = *on.iter().find(|id| needs.contains_key(*id))?;
        if let Some(at) = path.iter().position(|id| *id == next) {
            return Some(path[at..].iter().map(|id| (*id).to_owned()).collect());
        }
        path.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_circle_is_found_whatever_it_is_made_of() {
        let resources = json!({
            "A": {"Properties": {"x": {"Fn::Sub": "${B.Arn}"}}},
            "B": {"DependsOn": "C"},
            "C": {"Properties": {"x": [{"Ref": "A"}]}},
            "D": {"Properties": {"x": {"Ref": "A"}}},
        });
        assert_eq!(cycle(&resources).unwrap(), ["A", "B", "C"]);
        let mut sound = resources.clone();
        sound["C"]["Properties"]["x"] = json!([{"Fn::Sub": ["${A}${!D}", {"A": 1}]}]);
        assert_eq!(cycle(&sound), None);
        assert_eq!(cycle(&json!({"A": {"DependsOn": ["A"]}})).unwrap(), ["A"]);
    }

    #[test]
    fn names_in_texts_are_found_and_literals_are_none() {
        assert_eq!(names_in("a${B}c${!D}${E.F}${ G }${"), ["B", "E.F", "G"]);
    }
}
