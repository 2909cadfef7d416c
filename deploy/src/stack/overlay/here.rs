//! The template for one machine: what of the overlay has an effect there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Additions;
use super::graph::{names_in, needs};
use crate::stack::Template;
use crate::stack::few::few;

/// A template for one machine.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalTemplate {
    /// What can run.
    pub template: Template,
    /// The overlay's resources that have no effect: logical ids and types.
    pub idle: BTreeMap<String, String>,
}

impl LocalTemplate {
    /// One line about what has no effect; `None` if everything has one.
    pub fn reported(&self) -> Option<String> {
        let idle = self.idle.iter().map(|(id, kind)| format!("{id} ({kind})"));
        let idle: Vec<_> = idle.collect();
        (!idle.is_empty()).then(|| {
            format!(
                "no effect on this machine: {}; references to them get placeholders",
                few(&idle)
            )
        })
    }
}

/// `template` without what the overlay adds and one machine does not have: types that are not among `known`, functions
/// (their code is not chatctl's to run), other APIs, and what leads to any of those.
///
/// What refers to it gets a placeholder. chatctl's own resources all stay.
pub(crate) fn for_machine(
    template: &Template,
    additions: Option<&Additions>,
    known: impl Fn(&str) -> bool,
) -> LocalTemplate {
    let own = additions.map(|additions| &additions.resources);
    let mut idle: BTreeMap<String, String> = own
        .into_iter()
        .flatten()
        .filter(|(_, kind)| is_idle(kind) || !known(kind))
        .map(|(id, kind)| (id.clone(), kind.clone()))
        .collect();
    let resources = &template.document()["Resources"];
    // What leads to code or an API that is not there leads nowhere.
    loop {
        let next = own.into_iter().flatten().find(|(id, kind)| {
            let leads =
                kind.starts_with("AWS::ApiGatewayV2::") || kind.starts_with("AWS::Lambda::");
            let mut on = needs(&resources[*id], resources).into_iter();
            leads && !idle.contains_key(*id) && on.any(|id| idle.contains_key(id))
        });
        let Some((id, kind)) = next else { break };
        idle.insert(id.clone(), kind.clone());
    }
    if idle.is_empty() {
        return LocalTemplate {
            template: template.clone(),
            idle,
        };
    }
    let mut document = template.document().clone();
    let placeholders = Placeholders(&idle);
    for section in ["Resources", "Outputs"] {
        let Some(all) = document[section].as_object_mut() else {
            continue;
        };
        all.retain(|id, value| match section {
            "Resources" => !idle.contains_key(id),
            _ => !placeholders.are_in(value),
        });
        for value in all.values_mut() {
            placeholders.fill(value);
        }
    }
    LocalTemplate {
        template: Template::new(document),
        idle,
    }
}

/// Types that run on one machine, but that need what it does not have.
fn is_idle(kind: &str) -> bool {
    ["AWS::Lambda::Function", "AWS::ApiGatewayV2::Api"].contains(&kind)
}

/// Stand for values of resources that are not there.
struct Placeholders<'a>(&'a BTreeMap<String, String>);

impl Placeholders<'_> {
    /// The value of `id`, or of its `attribute`, as the text of a `Fn::Sub`.
    fn text(&self, id: &str, attribute: Option<&str>) -> Option<String> {
        let kind = self.0.get(id)?;
        let service = kind.split("::").nth(1).unwrap_or("custom").to_lowercase();
        Some(match attribute {
            Some(attribute) if attribute.ends_with("Arn") => {
                format!(
                    "arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{id}"
                )
            }
            Some(attribute) => format!("{id}.{attribute}"),
            None => id.to_owned(),
        })
    }

    fn are_in(&self, value: &Value) -> bool {
        let mut copy = value.clone();
        self.fill(&mut copy);
        copy != *value
    }

    /// Fills `value`: nothing waits for what is not there, and no list of policies has it.
    fn fill(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.fill(item)),
            Value::Object(members) => {
                for key in ["DependsOn", "ManagedPolicyArns"] {
                    self.leave_out(members, key);
                }
                if let Some(filled) = self.filled(members) {
                    *value = filled;
                    return;
                }
                members.values_mut().for_each(|value| self.fill(value));
            }
            _ => {}
        }
    }

    fn leave_out(&self, members: &mut Map<String, Value>, key: &str) {
        let is_gone = |item: &Value| match item.as_str() {
            Some(id) => key == "DependsOn" && self.0.contains_key(id),
            None => self.are_in(item),
        };
        match members.get_mut(key) {
            Some(Value::Array(items)) => {
                items.retain(|item| !is_gone(item));
                if items.is_empty() {
                    members.shift_remove(key);
                }
            }
            Some(one) if one.is_string() && is_gone(one) => drop(members.shift_remove(key)),
            _ => {}
        }
    }

    /// The placeholder for a function that refers to what is not there.
    fn filled(&self, members: &Map<String, Value>) -> Option<Value> {
        let mut only = members.iter();
        let (name, argument) = match (only.next(), only.next()) {
            (Some(only), None) => only,
            _ => return None,
        };
        match name.as_str() {
            "Ref" => self.text(argument.as_str()?, None).map(Value::from),
            "Fn::GetAtt" => {
                let [id, attribute] = argument.as_array()?.as_slice() else {
                    return None;
                };
                let text = self.text(id.as_str()?, Some(attribute.as_str().unwrap_or("Arn")))?;
                Some(json!({ "Fn::Sub": text }))
            }
            "Fn::Sub" => {
                let text = argument.as_str().or_else(|| argument.get(0)?.as_str())?;
                let own: BTreeSet<&str> = argument
                    .get(1)
                    .and_then(Value::as_object)
                    .map(|own| own.keys().map(String::as_str).collect())
                    .unwrap_or_default();
                let mut filled = text.to_owned();
                for name in names_in(text)
                    .into_iter()
                    .filter(|name| !own.contains(name))
                {
                    let (id, attribute) = match name.split_once('.') {
                        Some((id, attribute)) => (id, Some(attribute)),
                        None => (name, None),
                    };
                    if let Some(text) = self.text(id, attribute) {
                        filled = filled.replace(&format!("${{{name}}}"), &text);
                    }
                }
                if filled == text {
                    return None;
                }
                Some(match argument.get(1) {
                    Some(own) => {
                        let mut own = own.clone();
                        self.fill(&mut own);
                        json!({ "Fn::Sub": [filled, own] })
                    }
                    None => json!({ "Fn::Sub": filled }),
                })
            }
            _ => None,
        }
    }
}
