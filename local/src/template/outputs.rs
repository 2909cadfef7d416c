//! The Outputs block:
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html>.

use std::collections::BTreeMap;

use super::intrinsics::evaluate;
use super::node::{Entry, Node};
use super::problem::{Problem, Problems, TemplatePath};
use super::scope::Scope;

/// The outputs whose condition is true. An export is accepted and has no effect, because there is no other stack to
/// import it.
pub(super) fn resolve(
    block: Option<&Node>,
    scope: &Scope<'_>,
    problems: &mut Problems,
) -> BTreeMap<String, String> {
    let top = TemplatePath::Section("Outputs");
    let entries = block
        .and_then(|block| problems.keep(block.expect_map(&top)))
        .unwrap_or_default();
    let mut outputs = BTreeMap::new();
    for entry in entries {
        let value = problems
            .keep(value(entry, scope, &top.key(&entry.name)))
            .flatten();
        outputs.extend(value.map(|value| (entry.name.clone(), value)));
    }
    outputs
}

fn value(
    entry: &Entry,
    scope: &Scope<'_>,
    place: &TemplatePath<'_>,
) -> Result<Option<String>, Problem> {
    let problem = |reason: String| Problem::new(entry.line, place, reason);
    if !entry.name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(problem(
            "its name must have letters and digits only".to_owned(),
        ));
    }
    for property in entry.node.expect_map(place)? {
        if !["Description", "Value", "Export", "Condition"].contains(&property.name.as_str()) {
            return Err(Problem::new(
                property.line,
                place,
                format!("`{}` is not a property of an output", property.name),
            ));
        }
    }
    if let Some(condition) = entry.node.child("Condition") {
        let name = condition.expect_text(place)?;
        match scope.conditions.get(name) {
            Some(true) => {}
            Some(false) => return Ok(None),
            None => return Err(problem(format!("there is no condition `{name}`"))),
        }
    }
    if let Some(export) = entry.node.child("Export") {
        let place = place.key("Export");
        let name = evaluate(export, scope, &place)?;
        let name = name.as_ref().and_then(|export| export.child("Name"));
        name.ok_or_else(|| problem("its `Export` needs a `Name`".to_owned()))?
            .expect_text(&place)?;
    }
    let node = entry
        .node
        .child("Value")
        .ok_or_else(|| problem("it needs a `Value`".to_owned()))?;
    let place = place.key("Value");
    let value = evaluate(node, scope, &place)?;
    let value = value.ok_or_else(|| problem("its `Value` must not be AWS::NoValue".to_owned()))?;
    value.expect_text(&place).map(|text| Some(text.to_owned()))
}
