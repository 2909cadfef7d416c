//! The values of names during the evaluation of a template.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::node::{Node, Value};
use super::problem::{Problem, TemplatePath};
use crate::stack::Identity;

/// The most text that evaluating one template may produce. Nested `Fn::Sub`s can double a text at each level, so this
/// bounds them. The largest template is a sixteenth of it.
const MAX_TEXT: usize = 16 * 1_048_576;

/// The values of all references. Resources are added as they are created.
pub(super) struct Scope<'a> {
    pub(super) identity: &'a Identity,
    pub(super) parameters: BTreeMap<String, Node>,
    pub(super) conditions: BTreeMap<String, bool>,
    pub(super) mappings: Option<&'a Node>,
    pub(super) resources: BTreeMap<String, Named>,
    produced: Cell<usize>,
}

/// The values of a created resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Named {
    /// To `Ref`.
    pub(super) reference: String,
    /// To `Fn::GetAtt`.
    pub(super) attributes: Vec<(&'static str, String)>,
}

impl Named {
    pub(super) fn new(reference: impl Into<String>) -> Self {
        Self {
            reference: reference.into(),
            attributes: Vec::new(),
        }
    }

    pub(super) fn with(mut self, attribute: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((attribute, value.into()));
        self
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        identity: &'a Identity,
        parameters: BTreeMap<String, Node>,
        mappings: Option<&'a Node>,
    ) -> Self {
        Self {
            identity,
            parameters,
            conditions: BTreeMap::new(),
            mappings,
            resources: BTreeMap::new(),
            produced: Cell::new(0),
        }
    }

    /// The value of `Ref` for `name`; `None` for `AWS::NoValue`.
    pub(super) fn reference(
        &self,
        name: &str,
        line: usize,
        place: &TemplatePath<'_>,
    ) -> Result<Option<Node>, Problem> {
        let text = |text: &str| Ok(Some(Node::text(line, self.spend(text, line, place)?)));
        match name {
            "AWS::NoValue" => Ok(None),
            "AWS::AccountId" => text(&self.identity.account_id),
            "AWS::Region" => text(&self.identity.region),
            "AWS::StackName" => text(&self.identity.stack_name),
            "AWS::StackId" => text(&super::naming::stack_id(self.identity)),
            "AWS::Partition" => text("aws"),
            "AWS::URLSuffix" => text("amazonaws.com"),
            _ if name.starts_with("AWS::") => Err(Problem::new(
                line,
                place,
                format!("the local target has no pseudo parameter `{name}`"),
            )),
            _ => {
                if let Some(parameter) = self.parameters.get(name) {
                    self.copy(parameter, line, place).map(Some)
                } else if let Some(resource) = self.resources.get(name) {
                    text(&resource.reference)
                } else {
                    Err(self.unknown(name, line, place))
                }
            }
        }
    }

    /// The value of `Fn::GetAtt`.
    pub(super) fn attribute(
        &self,
        name: &str,
        attribute: &str,
        line: usize,
        place: &TemplatePath<'_>,
    ) -> Result<Node, Problem> {
        let resource = self
            .resources
            .get(name)
            .ok_or_else(|| self.unknown(name, line, place))?;
        match resource.attribute(attribute) {
            Some(value) => Ok(Node::text(line, self.spend(value, line, place)?)),
            None => Err(Problem::new(
                line,
                place,
                format!("`{name}` has no attribute `{attribute}` with these properties"),
            )),
        }
    }

    /// Charges `text`, which is about to become part of the result, to the limit.
    pub(super) fn spend(
        &self,
        text: &str,
        line: usize,
        place: &TemplatePath<'_>,
    ) -> Result<String, Problem> {
        // Every node costs something, so that empty ones are not free.
        let produced = self.produced.get() + text.len() + 1;
        self.produced.set(produced);
        if produced > MAX_TEXT {
            return Err(Problem::new(
                line,
                place,
                format!("the template expands to more than {MAX_TEXT} bytes"),
            ));
        }
        Ok(text.to_owned())
    }

    /// Copies a value without functions: a parameter's or a mapping's.
    pub(super) fn copy(
        &self,
        node: &Node,
        line: usize,
        place: &TemplatePath<'_>,
    ) -> Result<Node, Problem> {
        let value = match &node.value {
            Value::Plain(text) => Value::Plain(self.spend(text, line, place)?),
            Value::Text(text) => Value::Text(self.spend(text, line, place)?),
            Value::List(items) => Value::List(
                items
                    .iter()
                    .map(|item| self.copy(item, line, place))
                    .collect::<Result<_, _>>()?,
            ),
            _ => {
                return Err(Problem::new(
                    node.line,
                    place,
                    format!("must be a string or a list, but is {}", node.shape()),
                ));
            }
        };
        Ok(Node { line, value })
    }

    fn unknown(&self, name: &str, line: usize, place: &TemplatePath<'_>) -> Problem {
        // Names are checked before anything is evaluated, so this is about a reference in a wrong place.
        Problem::new(
            line,
            place,
            format!("`{name}` is neither a parameter nor a resource that is available here"),
        )
    }
}
