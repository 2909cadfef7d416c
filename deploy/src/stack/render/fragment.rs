//! The parsed template files, and operations on their parts.

use chat_protocol::Receivers;
use serde_json::{Map, Value, json};

pub(super) const CHAT: &str = include_str!("../../../templates/chat.yaml");
const ROOMS: &str = include_str!("../../../templates/rooms.yaml");
const BACKEND: &str = include_str!("../../../templates/backend.yaml");
const REQUESTS: &str = include_str!("../../../templates/requests.yaml");
const REVIEW: &str = include_str!("../../../templates/review.yaml");
const DOMAIN: &str = include_str!("../../../templates/domain.yaml");
const ALARMS: &str = include_str!("../../../templates/alarms.yaml");
const LOG_ROLE: &str = include_str!("../../../templates/log-role.yaml");
const ACCESS: &str = include_str!("../../../templates/access.yaml");
const ANNOUNCE: &str = include_str!("../../../templates/announce.yaml");
const HANDLER: &str = include_str!("../../../templates/handler.yaml");

/// Named values in the order of the file.
pub(super) type Section = Map<String, Value>;

/// The whole direct chat.
pub(super) fn chat() -> Value {
    parsed(CHAT)
}

/// The resources that routes to `receivers` add to the direct chat.
pub(super) fn for_receivers(receivers: Receivers) -> Section {
    match receivers {
        Receivers::Friend => Section::new(),
        Receivers::Room => resources(ROOMS),
    }
}

/// The resources that a backend adds.
pub(super) fn backend() -> Section {
    resources(BACKEND)
}

/// What a name of the user's own adds: parameters, conditions, resources and outputs.
pub(super) fn domain() -> Value {
    parsed(DOMAIN)
}

/// What alarms add: resources and outputs.
pub(super) fn alarms() -> Value {
    parsed(ALARMS)
}

/// The whole stack of the role with which API Gateway writes logs.
pub(super) fn log_role() -> Value {
    parsed(LOG_ROLE)
}

/// What access logs add.
pub(super) fn access() -> Value {
    parsed(ACCESS)
}

/// The resources that one kind of request adds.
pub(super) fn request() -> Section {
    resources(REQUESTS)
}

/// The resources that announcements add.
pub(super) fn announce() -> Section {
    resources(ANNOUNCE)
}

/// The resources that one custom handler adds, and its parameter.
pub(super) fn handler() -> (Section, Value) {
    let parameter = parsed(HANDLER)["Parameters"]["CodeKeyHandler"].take();
    (resources(HANDLER), parameter)
}

/// The resources that one review function adds with the policy of those that invoke it, and its parameter.
pub(super) fn review() -> (Section, Value) {
    let parameter = parsed(REVIEW)["Parameters"]["ReviewCodeKey"].take();
    (resources(REVIEW), parameter)
}

fn parsed(file: &str) -> Value {
    let document = template_yaml::parse(file).map(|root| root.to_json());
    document.expect("the files in templates/ are YAML, tests read them")
}

fn resources(file: &str) -> Section {
    match parsed(file)["Resources"].take() {
        Value::Object(resources) => resources,
        _ => Section::new(),
    }
}

/// Removes `id`, which a template file defines, from `section` and returns it.
pub(super) fn taken(section: &mut Section, id: &str) -> Value {
    section
        .shift_remove(id)
        .expect("the files in templates/ define it")
}

/// `value` with every reference to an id in `names` replaced by the new name.
pub(super) fn renamed(value: &Value, names: &[(&str, String)]) -> Value {
    let new = |id: &str| {
        names
            .iter()
            .find(|(old, _)| *old == id)
            .map(|(_, new)| new.as_str())
    };
    match value {
        Value::Array(items) => items.iter().map(|item| renamed(item, names)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let value = match (name.as_str(), value) {
                    ("Ref", Value::String(id)) => json!(new(id).unwrap_or(id)),
                    ("Fn::GetAtt", Value::Array(path)) => {
                        let mut path = path.clone();
                        if let Some(new) = path.first().and_then(Value::as_str).and_then(new) {
                            path[0] = json!(new);
                        }
                        Value::Array(path)
                    }
                    ("Fn::Sub", Value::String(text)) => {
                        json!(names.iter().fold(text.clone(), |text, (old, new)| {
                            text.replace(&format!("${{{old}}}"), &format!("${{{new}}}"))
                                .replace(&format!("${{{old}."), &format!("${{{new}."))
                        },))
                    }
                    (_, value) => renamed(value, names),
                };
                (name.clone(), value)
            })
            .collect::<Section>()
            .into(),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_all_three_kinds_are_renamed_and_nothing_else_is() {
        let value = json!({
            "a": {"Ref": "F"}, "b": {"Fn::GetAtt": ["F", "Arn"]}, "c": [{"Fn::Sub": "x${F.Arn}/${F}/${Ff}"}],
            "d": "F", "e": {"Ref": "G"}
        });
        assert_eq!(
            renamed(&value, &[("F", "New".into())]),
            json!({
                "a": {"Ref": "New"}, "b": {"Fn::GetAtt": ["New", "Arn"]}, "c": [{"Fn::Sub": "x${New.Arn}/${New}/${Ff}"}],
                "d": "F", "e": {"Ref": "G"}
            })
        );
    }
}
