//! What is known of resource types: the attributes of `Fn::GetAtt`, the form of `Tags`, and who keeps a snapshot.
//!
//! A type that is not in the table is CloudFormation's to judge.

use template_yaml::{Entry, Node, Tree};

use super::near::nearest;
use super::problem::Problem;
use crate::stack::few::few;

/// A type in each line: its name, the form of its tags (`list`, `mapping` or `-`), and its attributes, as AWS publishes
/// them in the schemas of its resource types
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html>). A test
/// makes it of the schemas that cfn-lint carries.
const TABLE: &str = include_str!("types.txt");

/// The types with `DeletionPolicy: Snapshot`
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>).
const WITH_SNAPSHOTS: [&str; 9] = [
    "AWS::DocDB::DBCluster",
    "AWS::EC2::Volume",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::Neptune::DBCluster",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Redshift::Cluster",
    "AWS::RDS::GlobalCluster",
];

/// A type of the table.
struct Known {
    tags: &'static str,
    attributes: Vec<&'static str>,
}

fn known(kind: &str) -> Option<Known> {
    TABLE.lines().find_map(|line| {
        let mut words = line.split(' ');
        (words.next() == Some(kind)).then(|| Known {
            tags: words.next().unwrap_or("-"),
            attributes: words.collect(),
        })
    })
}

/// Checks the name of a resource type.
pub(super) fn name(node: &Node) -> Result<(), Problem> {
    let text = node.as_text().unwrap_or_default();
    let mut parts = text.split("::");
    let is_word = |part: &str| !part.is_empty() && part.bytes().all(is_of_a_name);
    let count = text.split("::").count();
    let is_type = match parts.next() {
        Some("Custom") => count == 2,
        _ => count == 3 || (count == 4 && text.ends_with("::MODULE")),
    };
    if !is_type || !text.split("::").all(is_word) {
        let reason = "a type has a form such as AWS::SQS::Queue";
        return Err((node.at.clone(), reason.into()));
    }
    if text.starts_with("AWS::Serverless::") {
        let reason = format!(
            "{text} needs a transform, which an overlay cannot have: paste the resources that it makes"
        );
        return Err((node.at.clone(), reason));
    }
    Ok(())
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_@-".contains(&byte)
}

/// Says why the resource `id` of the type `kind` has no `attribute`, if that is known.
pub(super) fn no_attribute(id: &str, kind: &str, attribute: &str) -> Option<String> {
    if kind == "AWS::CloudFormation::Stack" {
        let output = attribute.strip_prefix("Outputs.").unwrap_or_default();
        let is_output =
            !output.is_empty() && output.bytes().all(|byte| byte.is_ascii_alphanumeric());
        return (!is_output).then(|| {
            format!("`{id}` is a stack, which has no attribute `{attribute}`, only its outputs: `{id}.Outputs.NAME`")
        });
    }
    let known = known(kind)?.attributes;
    if known.contains(&attribute) {
        return None;
    }
    Some(match known.as_slice() {
        [] => format!(
            "`{id}` is of the type {kind}, which has no attributes: `Ref` is what can be used of it"
        ),
        all => format!(
            "`{id}` is of the type {kind}, which has no attribute `{attribute}`{}: it has {}",
            nearest(attribute, all.iter().copied()),
            few(all)
        ),
    })
}

/// Checks `Tags` of the resource `entry`, whose type is `kind`.
pub(super) fn tags(entry: &Entry, kind: &str) -> Result<(), Problem> {
    let properties = entry.node.child("Properties");
    let Some(tags) = properties.and_then(|properties| properties.entry("Tags")) else {
        return Ok(());
    };
    let is_call = super::functions::is_call(&tags.node);
    let Some(known) = known(kind).filter(|_| !is_call && !tags.node.is_null()) else {
        return Ok(());
    };
    let wrong = |form: &str| {
        let reason = format!("`Tags` of {kind} is {form}");
        Err((tags.at.clone(), reason))
    };
    match (known.tags, &tags.node.tree) {
        ("list", Tree::List(items)) => each_once(items),
        ("list", _) => wrong("a list of `{ Key: …, Value: … }`"),
        ("mapping", Tree::Map(_)) => Ok(()),
        ("mapping", _) => wrong("a mapping of names to values: `{ team: chat }`"),
        _ => Ok(()),
    }
}

/// A list of tags has each key once.
fn each_once(items: &[Node]) -> Result<(), Problem> {
    let mut seen: Vec<&str> = Vec::new();
    for item in items {
        if super::functions::is_call(item) {
            continue;
        }
        let has = |name: &str| item.child(name).is_some();
        if !has("Key") || !has("Value") {
            let reason = "a tag has a `Key` and a `Value`";
            return Err((item.at.clone(), reason.into()));
        }
        let Some(key) = item.child("Key").and_then(Node::as_text) else {
            continue;
        };
        if seen.contains(&key) {
            return Err((item.at.clone(), format!("the tag `{key}` is there twice")));
        }
        seen.push(key);
    }
    Ok(())
}

/// Whether a snapshot can be kept of the type `kind`. Of another publisher's types nothing is known.
pub(super) fn has_snapshots(kind: &str) -> bool {
    !kind.starts_with("AWS::") || WITH_SNAPSHOTS.contains(&kind)
}
