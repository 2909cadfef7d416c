//! What the fuzz target of this crate runs. A test runs the same over the inputs in `fuzz/corpus`.

#![expect(
    clippy::missing_panics_doc,
    reason = "a panic is how a target reports what it finds"
)]

use serde_json::Value;

use crate::{Node, Tree, parse, parse_deployed};

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// Each target's name, and the target.
pub const TARGETS: [(&str, Target); 1] = [("yaml", yaml)];

/// An overlay or a deployed template, in YAML or JSON.
pub fn yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let deployed = parse_deployed(text);
    match parse(text) {
        Ok(root) => {
            check_places(&root, text);
            assert_eq!(
                deployed.as_ref(),
                Ok(&root.to_json()),
                "two readings differ"
            );
        }
        Err((at, reason)) => {
            assert!(text.get(at).is_some(), "an error is outside");
            assert!(!reason.is_empty());
        }
    }
    // What is JSON is what a reader of JSON makes of it.
    if let (Ok(json), Ok(deployed)) = (serde_json::from_str::<Value>(text), deployed)
        && !json.is_null()
        && !text.contains("GetAtt")
    {
        assert_eq!(deployed, json);
    }
}

/// All places are parts of the text, and a key that is written as it is stands at its own.
fn check_places(node: &Node, text: &str) {
    assert!(text.get(node.at.clone()).is_some(), "a value is outside");
    match &node.tree {
        Tree::Scalar(_) => {}
        Tree::List(items) => items.iter().for_each(|item| check_places(item, text)),
        Tree::Map(entries) => {
            for entry in entries {
                let there = text.get(entry.at.clone()).expect("a key is outside");
                let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
                assert!(
                    !is_word(there) || there.is_empty() || there == entry.key,
                    "a key is elsewhere"
                );
                check_places(&entry.node, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_input_of_the_corpus_makes_a_target_panic() {
        testing::corpus::replay(&TARGETS);
    }
}
