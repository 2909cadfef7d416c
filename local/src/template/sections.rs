//! The top level of a template:
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html>.

use super::node::Node;
use super::problem::{Problem, Problems, TemplatePath, whole};

/// The supported blocks.
pub(super) struct Sections<'a> {
    pub(super) parameters: Option<&'a Node>,
    pub(super) mappings: Option<&'a Node>,
    pub(super) conditions: Option<&'a Node>,
    pub(super) resources: &'a Node,
    pub(super) outputs: Option<&'a Node>,
}

/// Finds the blocks; all others go into `problems`.
pub(super) fn split<'a>(document: &'a Node, problems: &mut Problems) -> Sections<'a> {
    let Some(entries) = document.as_map() else {
        problems.add(whole(
            document.line,
            format!("a template must be a map, but this is {}", document.shape()),
        ));
        return Sections {
            parameters: None,
            mappings: None,
            conditions: None,
            resources: document,
            outputs: None,
        };
    };
    for entry in entries {
        let reason = match entry.name.as_str() {
            "Description" | "Metadata" | "Parameters" | "Mappings" | "Conditions" | "Resources"
            | "Outputs" => continue,
            "AWSTemplateFormatVersion" if entry.node.as_text() == Some("2010-09-09") => continue,
            "AWSTemplateFormatVersion" => "the only valid version is 2010-09-09",
            "Transform" => {
                "the local target does not run transforms or macros; use the template that they produce"
            }
            "Rules" | "Hooks" => "this block is not supported by the local target",
            _ => "a template has no such block",
        };
        problems.add(Problem::new(
            entry.line,
            TemplatePath::Section(&entry.name),
            reason,
        ));
    }
    if let Some(mappings) = document.child("Mappings") {
        problems.keep(check_mappings(mappings));
    }
    if document.child("Resources").is_none() {
        problems.add(whole(0, "it has no Resources block"));
    }
    Sections {
        parameters: document.child("Parameters"),
        mappings: document.child("Mappings"),
        conditions: document.child("Conditions"),
        resources: document.child("Resources").unwrap_or(document),
        outputs: document.child("Outputs"),
    }
}

/// Two levels of keys, then a string or a list of strings; no functions.
fn check_mappings(mappings: &Node) -> Result<(), Problem> {
    let top = TemplatePath::Section("Mappings");
    for map in mappings.expect_map(&top)? {
        let map_place = top.key(&map.name);
        for first in map.node.expect_map(&map_place)? {
            let first_place = map_place.key(&first.name);
            for second in first.node.expect_map(&first_place)? {
                let place = first_place.key(&second.name);
                for item in second
                    .node
                    .as_list()
                    .unwrap_or(std::slice::from_ref(&second.node))
                {
                    item.expect_text(&place)?;
                }
            }
        }
    }
    Ok(())
}
