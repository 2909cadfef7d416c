//! A template as a tree with line numbers.

use super::problem::{Problem, TemplatePath};

/// A value of the template and where it starts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Counted from 1; 0 if unknown.
    pub(super) line: usize,
    pub(super) value: Value,
}

/// Scalars are strings, because the property decides in CloudFormation whether `10` or `true` is one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    /// Unquoted: a number or a boolean where one is expected, else a string.
    Plain(String),
    /// Quoted: a string, and a number or a boolean only where the property expects one.
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a map; keys are unique and keep the template's order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) node: Node,
}

impl Node {
    pub(super) fn text(line: usize, text: impl Into<String>) -> Self {
        Self {
            line,
            value: Value::Text(text.into()),
        }
    }

    pub(super) fn list(line: usize, items: Vec<Node>) -> Self {
        Self {
            line,
            value: Value::List(items),
        }
    }

    /// `{ name: node }`.
    pub(super) fn single(line: usize, name: impl Into<String>, node: Node) -> Self {
        Self {
            line,
            value: Value::Map(vec![Entry {
                name: name.into(),
                line,
                node,
            }]),
        }
    }

    /// The string value of a scalar.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Plain(text) | Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn as_map(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value under `name`, if this is a map that has it.
    pub(super) fn child(&self, name: &str) -> Option<&Node> {
        self.as_map()?
            .iter()
            .find(|entry| entry.name == name)
            .map(|entry| &entry.node)
    }

    /// The only entry of a map with one entry, the form of a function.
    pub(super) fn only_entry(&self) -> Option<&Entry> {
        match self.as_map()? {
            [entry] => Some(entry),
            _ => None,
        }
    }

    /// The string value of a scalar, or a problem that names the actual type.
    pub(super) fn expect_text(&self, place: &TemplatePath<'_>) -> Result<&str, Problem> {
        self.as_text().ok_or_else(|| {
            Problem::new(
                self.line,
                place,
                format!("must be a string, but is {}", self.shape()),
            )
        })
    }

    /// The entries of a map, or a problem that names the actual type.
    pub(super) fn expect_map(&self, place: &TemplatePath<'_>) -> Result<&[Entry], Problem> {
        self.as_map().ok_or_else(|| {
            Problem::new(
                self.line,
                place,
                format!("must be a map, but is {}", self.shape()),
            )
        })
    }

    /// The items of a list, or a problem that names the actual type.
    pub(super) fn expect_list(&self, place: &TemplatePath<'_>) -> Result<&[Node], Problem> {
        self.as_list().ok_or_else(|| {
            Problem::new(
                self.line,
                place,
                format!("must be a list, but is {}", self.shape()),
            )
        })
    }

    /// The type of the node, for a message.
    pub(super) fn shape(&self) -> &'static str {
        match self.value {
            Value::Null => "empty",
            Value::Plain(_) | Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The node as free-form JSON. Unquoted numbers and booleans become JSON's.
    pub(super) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Text(text) => Json::String(text.clone()),
            Value::Plain(text) => plain_to_json(text),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|entry| (entry.name.clone(), entry.node.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

fn plain_to_json(text: &str) -> serde_json::Value {
    match text {
        "true" => true.into(),
        "false" => false.into(),
        // JSON's own grammar, in which `010` and `2012-10-17` are not numbers.
        _ => text
            .parse::<serde_json::Number>()
            .map_or_else(|_| text.into(), serde_json::Value::Number),
    }
}
