//! A document as a tree whose nodes tell where they stand.

use std::ops::Range;

use serde_json::{Map, Value};

/// A value and its place: bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it begins, and for a scalar also where it ends.
    pub at: Range<usize>,
    /// The value.
    pub tree: Tree,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// Null, a truth value, a number or a string.
    Scalar(Value),
    /// A list.
    List(Vec<Node>),
    /// A mapping. Its keys are unique.
    Map(Vec<Entry>),
}

/// One key of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub at: Range<usize>,
    /// Its value.
    pub node: Node,
}

impl Node {
    pub(super) fn text(at: Range<usize>, text: &str) -> Self {
        let tree = Tree::Scalar(text.into());
        Self { at, tree }
    }

    /// `{ key: node }`, the long form of a tagged value.
    pub(super) fn single(at: Range<usize>, key: String, node: Self) -> Self {
        let tree = Tree::Map(vec![Entry {
            key,
            at: at.clone(),
            node,
        }]);
        Self { at, tree }
    }

    /// Whether it is null or left empty.
    pub fn is_null(&self) -> bool {
        matches!(self.tree, Tree::Scalar(Value::Null))
    }

    /// The string, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.tree {
            Tree::Scalar(value) => value.as_str(),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.tree {
            Tree::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    pub fn as_map(&self) -> Option<&[Entry]> {
        match &self.tree {
            Tree::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entry under `key`, if it is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.as_map()?.iter().find(|entry| entry.key == key)
    }

    /// The value under `key`, if it is a mapping that has it.
    pub fn child(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The entries under `key`; none where it is left empty or is no mapping.
    pub fn entries(&self, key: &str) -> &[Entry] {
        self.child(key).and_then(Node::as_map).unwrap_or_default()
    }

    /// The value without its places.
    pub fn to_json(&self) -> Value {
        match &self.tree {
            Tree::Scalar(value) => value.clone(),
            Tree::List(items) => items.iter().map(Node::to_json).collect(),
            Tree::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.node.to_json()));
                entries.collect::<Map<_, _>>().into()
            }
        }
    }
}
