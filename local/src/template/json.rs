//! Parses JSON that is not valid YAML. It has no positions, which serde_json does not provide.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::node::{Entry, Node, Value};
use super::problem::{MAX_DEPTH, Problem, whole};

/// Parses `source` as JSON.
pub(super) fn parse(source: &str) -> Result<Node, Problem> {
    let node: Node = serde_json::from_str(source).map_err(|error| {
        let text = error.to_string();
        let reason = text
            .rsplit_once(" at line ")
            .map_or(text.as_str(), |(reason, _)| reason);
        whole(error.line(), format!("it is not valid JSON: {reason}"))
    })?;
    if deeper_than(&node, MAX_DEPTH) {
        return Err(whole(0, format!("it nests deeper than {MAX_DEPTH} levels")));
    }
    Ok(node)
}

/// serde_json itself stops at 128 levels, which bounds this recursion.
fn deeper_than(node: &Node, levels: usize) -> bool {
    match &node.value {
        Value::List(items) => levels == 0 || items.iter().any(|item| deeper_than(item, levels - 1)),
        Value::Map(entries) => {
            levels == 0
                || entries
                    .iter()
                    .any(|entry| deeper_than(&entry.node, levels - 1))
        }
        _ => false,
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(Nodes)
            .map(|value| Node { line: 0, value })
    }
}

struct Nodes;

impl<'de> Visitor<'de> for Nodes {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let (mut entries, mut seen) = (Vec::new(), HashSet::new());
        while let Some((name, node)) = map.next_entry::<String, Node>()? {
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(format!("the key `{name}` is duplicated")));
            }
            entries.push(Entry {
                name,
                line: 0,
                node,
            });
        }
        Ok(Value::Map(entries))
    }
}
