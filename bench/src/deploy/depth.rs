//! The longest chain of a template's resources that must be created one after another. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::DeployBenchError;

/// The length of the longest chain in which each resource depends on the previous one.
///
/// # Errors
/// The template has no resources, or some that depend on each other.
pub(super) fn deepest(template: &Value) -> Result<usize, DeployBenchError> {
    let resources = template["Resources"]
        .as_object()
        .ok_or(DeployBenchError::Template("it has no resources"))?;
    let mut known = BTreeMap::new();
    let mut deepest = 0;
    for id in resources.keys() {
        deepest = deepest.max(depth(id, resources, &mut known, resources.len())?);
    }
    Ok(deepest)
}

fn depth<'a>(
    id: &'a str,
    resources: &'a Map<String, Value>,
    known: &mut BTreeMap<&'a str, usize>,
    max_depth: usize,
) -> Result<usize, DeployBenchError> {
    if let Some(depth) = known.get(id) {
        return Ok(*depth);
    }
    if max_depth == 0 {
        return Err(DeployBenchError::Template(
            "its resources depend on each other",
        ));
    }
    let mut needs = Vec::new();
    references(&resources[id], &mut needs);
    let mut before = 0;
    for (other, _) in resources.iter() {
        if other != id && needs.contains(other) {
            before = before.max(depth(other, resources, known, max_depth - 1)?);
        }
    }
    known.insert(id, before + 1);
    Ok(before + 1)
}

/// The names in `value`'s `Ref`, `Fn::GetAtt`, `Fn::Sub` or `DependsOn`.
fn references(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        Value::Object(members) => {
            for (key, member) in members {
                match key.as_str() {
                    "Ref" | "DependsOn" | "Fn::GetAtt" => words(member, names),
                    "Fn::Sub" => placeholders(member, names),
                    _ => {}
                }
                references(member, names);
            }
        }
        _ => {}
    }
}

fn words(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::String(word) => names.push(first_part(word)),
        Value::Array(items) => items.iter().for_each(|item| words(item, names)),
        _ => {}
    }
}

fn placeholders(value: &Value, names: &mut Vec<String>) {
    let text = match value {
        Value::Array(items) => items.first().and_then(Value::as_str),
        value => value.as_str(),
    };
    let behind_dollars = text.unwrap_or_default().split("${").skip(1);
    names.extend(behind_dollars.filter_map(|part| Some(first_part(part.split_once('}')?.0))));
}

/// `Api.Arn` → `Api`.
fn first_part(name: &str) -> String {
    name.split('.').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_way_to_name_a_resource_counts() {
        let template = json!({"Resources": {
            "A": {"Type": "X"},
            "B": {"Properties": {"P": {"Ref": "A"}}},
            "C": {"Properties": {"P": [{"Fn::GetAtt": ["B", "Arn"]}]}},
            "D": {"Properties": {"P": {"Fn::Sub": "x/${C.Arn}/${AWS::Region}"}}},
            "E": {"DependsOn": ["D"]},
            "F": {"Properties": {"P": {"Fn::Sub": ["${X}", {"X": {"Ref": "E"}}]}}}
        }});
        assert_eq!(deepest(&template).ok(), Some(6));
    }

    #[test]
    fn resources_that_depend_on_each_other_are_an_error_and_no_endless_search() {
        let template = json!({"Resources": {"A": {"P": {"Ref": "B"}}, "B": {"P": {"Ref": "A"}}}});
        assert!(deepest(&template).is_err());
    }
}
