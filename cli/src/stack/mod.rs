//! What a stack is, before and without any target. Pure: no I/O, no async, no clock.

pub(crate) mod cause;
pub(crate) mod change;
pub(crate) mod code;
pub(crate) mod connect;
pub(crate) mod denial;
pub(crate) mod few;
pub(crate) mod logs;
pub(crate) mod outline;
pub(crate) mod page;
pub(crate) mod progress;
pub(crate) mod render;
pub(crate) mod rights;
pub(crate) mod tags;
pub(crate) mod unavailable;

use std::collections::BTreeMap;

/// What a settled stack tells about itself, by output name.
pub(crate) type Outputs = BTreeMap<String, String>;

/// A rendered CloudFormation document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template(serde_json::Value);

impl Template {
    /// Wraps a document that is known to be a template.
    pub(crate) fn new(document: serde_json::Value) -> Self {
        Self(document)
    }

    /// The document as YAML, plain: long-form intrinsics only.
    pub(crate) fn to_yaml(&self) -> String {
        serde_saphyr::to_string(&self.0).expect("a JSON value has a YAML form")
    }

    /// The document as JSON, indented, with a line break at the end.
    pub(crate) fn to_json(&self) -> String {
        format!("{:#}\n", self.0)
    }

    /// The same without white space, some two fifths shorter.
    pub(crate) fn to_one_line(&self) -> String {
        self.0.to_string()
    }

    /// The document itself.
    pub(crate) fn document(&self) -> &serde_json::Value {
        &self.0
    }

    /// Whether it is one of chatctl's: the description of each says so.
    pub(crate) fn is_ours(&self) -> bool {
        let description = self.0["Description"].as_str();
        description.is_some_and(|text| text.contains("chatctl"))
    }

    /// Its resources by logical id, each with `Type` and `Properties`.
    pub(crate) fn resources(&self) -> impl Iterator<Item = (&str, &serde_json::Value)> {
        self.0["Resources"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(id, resource)| (id.as_str(), resource))
    }
}
