//! The model of a stack, independent of any target. Pure: no I/O, no async, no clock.

pub mod capability;
pub mod cause;
pub mod change;
pub mod code;
pub mod connect;
pub mod cost;
pub mod denial;
pub mod eject;
pub mod few;
pub mod logs;
mod merge;
pub mod moment;
mod order;
pub mod outline;
pub mod overlay;
pub mod page;
pub mod permissions;
pub mod policy;
pub mod progress;
pub mod quota;
pub mod records;
pub mod render;
pub mod retain;
pub mod size;
pub mod status;
pub mod unavailable;

use std::collections::BTreeMap;

/// The outputs of a settled stack, by name.
pub type Outputs = BTreeMap<String, String>;

/// A rendered CloudFormation document.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(serde_json::Value);

impl Template {
    /// Wraps a document that is a template. It is not checked.
    pub fn new(document: serde_json::Value) -> Self {
        Self(document)
    }

    /// The document as YAML, plain: long-form intrinsics only.
    pub fn to_yaml(&self) -> String {
        serde_saphyr::to_string(&self.0).expect("a JSON value has a YAML form")
    }

    /// The document as JSON, indented, with a line break at the end.
    pub fn to_json(&self) -> String {
        format!("{:#}\n", self.0)
    }

    /// The document as JSON without white space, about two fifths shorter.
    pub(crate) fn to_one_line(&self) -> String {
        self.0.to_string()
    }

    /// The document itself.
    pub fn document(&self) -> &serde_json::Value {
        &self.0
    }

    /// The document, taken out.
    pub(crate) fn into_document(self) -> serde_json::Value {
        self.0
    }

    /// Whether chatctl rendered it, which its description shows.
    pub fn is_ours(&self) -> bool {
        let description = self.0["Description"].as_str();
        description.is_some_and(|text| text.contains("chatctl"))
    }

    /// Its resources by logical id, each with `Type` and `Properties`.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &serde_json::Value)> {
        self.0["Resources"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(id, resource)| (id.as_str(), resource))
    }
}
