//! A resource type, and a resource of it with everything resolved.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::super::naming::{Naming, hex_digest};
use super::super::problem::{Problem, TemplatePath};
use super::super::scope::Named;
use super::super::shape::Field;
use crate::stack::Resource;

/// A resource type.
#[derive(Debug)]
pub(in crate::template) struct Kind {
    pub(in crate::template) name: &'static str,
    pub(in crate::template) fields: &'static [Field],
    /// The attributes for `Fn::GetAtt`.
    pub(in crate::template) attributes: &'static [&'static str],
    /// The values of `Ref` and `Fn::GetAtt`.
    pub(in crate::template) named: fn(&Naming<'_>) -> Named,
}

/// A resource with everything resolved.
#[derive(Debug)]
pub(in crate::template) struct Created {
    pub(in crate::template) logical_id: String,
    pub(in crate::template) kind: &'static Kind,
    pub(in crate::template) line: usize,
    /// In the shape that its kind requires.
    pub(in crate::template) properties: Json,
    /// The line of each property.
    pub(in crate::template) lines: BTreeMap<String, usize>,
    pub(in crate::template) named: Named,
    /// The logical ids that it depends on, directly or not.
    pub(in crate::template) needs: BTreeSet<String>,
}

impl Created {
    pub(in crate::template) fn is(&self, kind: &'static Kind) -> bool {
        self.kind.name == kind.name
    }

    /// The value of `Ref`.
    pub(in crate::template) fn reference(&self) -> &str {
        &self.named.reference
    }

    /// The value of `Fn::GetAtt`. The kind must have the attribute.
    pub(in crate::template) fn attribute(&self, name: &str) -> String {
        self.named.attribute(name).unwrap_or_default().to_owned()
    }

    pub(in crate::template) fn text(&self, property: &str) -> Option<&str> {
        self.properties.get(property)?.as_str()
    }

    /// A property that the kind's shape requires.
    pub(in crate::template) fn required(&self, property: &str) -> &str {
        self.text(property).unwrap_or_default()
    }

    /// The entries of a property that is a map; none if the template does not set it.
    pub(in crate::template) fn map(
        &self,
        property: &str,
    ) -> impl Iterator<Item = (&String, &Json)> {
        let found = self.properties.get(property).and_then(Json::as_object);
        found.into_iter().flatten()
    }

    pub(in crate::template) fn is_true(&self, property: &str) -> bool {
        self.properties.get(property).and_then(Json::as_bool) == Some(true)
    }

    /// A problem of a property, or of the resource if the template does not set the property.
    pub(in crate::template) fn problem(
        &self,
        property: &str,
        reason: impl Into<String>,
    ) -> Problem {
        let (top, line) = (
            TemplatePath::Section("Resources"),
            self.lines.get(property).copied(),
        );
        let resource = top.key(&self.logical_id);
        let properties = resource.key("Properties");
        match line {
            Some(line) => Problem::new(line, properties.key(property), reason),
            None => Problem::new(self.line, resource, reason),
        }
    }

    /// Refuses a property that the local target could only ignore.
    pub(in crate::template) fn refuse(&self, property: &str, reason: &str) -> Result<(), Problem> {
        match self.properties.get(property) {
            None | Some(Json::Bool(false)) => Ok(()),
            Some(_) => Err(self.problem(property, reason)),
        }
    }

    pub(in crate::template) fn resource(&self) -> Resource {
        Resource {
            logical_id: self.logical_id.clone(),
            resource_type: self.kind.name.to_owned(),
            physical_id: self.named.reference.clone(),
            digest: hex_digest(&canonical(&self.properties)),
        }
    }
}

/// JSON with sorted keys, so that the order in which a template lists properties does not matter.
fn canonical(value: &Json) -> String {
    match value {
        Json::Object(fields) => {
            let sorted: BTreeMap<&String, &Json> = fields.iter().collect();
            let fields = sorted
                .iter()
                .map(|(name, value)| format!("{}:{}", Json::from(name.as_str()), canonical(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Json::Array(items) => format!(
            "[{}]",
            items.iter().map(canonical).collect::<Vec<_>>().join(",")
        ),
        scalar => scalar.to_string(),
    }
}

/// The resources of one kind, in creation order.
pub(in crate::template) fn of_kind<'a>(
    created: &'a [Created],
    kind: &'static Kind,
) -> impl Iterator<Item = &'a Created> + use<'a> {
    created.iter().filter(move |resource| resource.is(kind))
}
