//! Parses YAML or JSON as CloudFormation does, into a tree that tells where everything stands. Short tags (`!Ref x`)
//! become their long form (`{"Ref": x}`). It is a crate of its own because a clone's build optimises it, for each start.
//!
//! What CloudFormation does not take is refused, and so is what its YAML 1.1 would read as another value than the author
//! sees (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html>).

mod functions;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod json;
mod lines;
mod scalars;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::HashSet;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::Value;

use json::Rewritten;
use lines::Lines;
use scalars::plain;
pub use tree::{Entry, Node, Tree};

/// The deepest nesting. Policies need some twenty levels.
const MAX_DEPTH: usize = 64;

/// What is wrong, and where.
type Problem = (Range<usize>, String);

/// A mapping or a list that is not complete yet.
struct Open {
    at: Range<usize>,
    function: Option<String>,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        seen: HashSet<String>,
        key: Option<(String, Range<usize>)>,
    },
}

/// What is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    /// Also functions that need a transform, and numbers that YAML 1.1 reads differently.
    Strict,
    /// Only what CloudFormation itself would not take.
    Deployed,
}

/// Parses `source`, a single document that was written for chatctl. An empty one is an empty mapping.
///
/// # Errors
/// The place, in bytes, and what is wrong there.
pub fn parse(source: &str) -> Result<Node, Problem> {
    read(source, Rules::Strict)
}

/// Parses a template that CloudFormation has taken already. What only YAML 1.1 reads as a number stays a string.
///
/// # Errors
/// The line, and what is wrong there.
pub fn parse_deployed(source: &str) -> Result<Value, String> {
    match read(source, Rules::Deployed) {
        Ok(node) => Ok(node.to_json()),
        Err((at, reason)) => {
            let line = source[..at.start].matches('\n').count() + 1;
            Err(format!("line {line}: {reason}"))
        }
    }
}

fn read(source: &str, rules: Rules) -> Result<Node, Problem> {
    let rewritten = Rewritten::new(source);
    let lines = Lines::new(&rewritten);
    let mut open: Vec<Open> = Vec::new();
    let mut document = None;
    for event in Parser::new_from_str(&rewritten.text) {
        let (event, span) = event.map_err(|error| {
            let at = lines.offset(error.marker());
            let reason = format!("it is neither YAML nor JSON: {}", error.info());
            (at..at, reason)
        })?;
        let at = lines.range(&span);
        let begin = at.start..at.start;
        let node = match event {
            Event::DocumentStart(_) if document.is_some() => {
                return Err((
                    begin,
                    "a second document begins here: a template is one".into(),
                ));
            }
            Event::Alias(_) => return Err(anchored(begin)),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor > 0 =>
            {
                return Err(anchored(begin));
            }
            Event::SequenceStart(_, tag) => {
                let content = Content::List(Vec::new());
                start(&mut open, begin, tag.as_deref(), content, rules)?;
                continue;
            }
            Event::MappingStart(_, tag) => {
                let content = Content::Map {
                    entries: Vec::new(),
                    seen: HashSet::new(),
                    key: None,
                };
                start(&mut open, begin, tag.as_deref(), content, rules)?;
                continue;
            }
            Event::Scalar(text, style, _, tag) => {
                let is_key = matches!(
                    open.last(),
                    Some(Open {
                        content: Content::Map { key: None, .. },
                        ..
                    })
                );
                scalar(at, &text, style, tag.as_deref(), is_key, rules)?
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open {
                    at,
                    function,
                    content,
                }) => {
                    let tree = match content {
                        Content::List(items) => Tree::List(items),
                        Content::Map { entries, .. } => Tree::Map(entries),
                    };
                    called(function, Node { at, tree })
                }
                None => continue,
            },
            _ => continue,
        };
        match open.last_mut() {
            None => document = Some(node),
            Some(parent) => parent.content.push(node, rules)?,
        }
    }
    let empty = Node {
        at: 0..0,
        tree: Tree::Map(Vec::new()),
    };
    Ok(document.filter(|node| !node.is_null()).unwrap_or(empty))
}

fn start(
    open: &mut Vec<Open>,
    at: Range<usize>,
    tag: Option<&Tag>,
    content: Content,
    rules: Rules,
) -> Result<(), Problem> {
    if open.len() >= MAX_DEPTH {
        return Err((at, format!("it nests deeper than {MAX_DEPTH} levels here")));
    }
    let function = function(tag, rules).map_err(|reason| (at.clone(), reason))?;
    open.push(Open {
        at,
        function,
        content,
    });
    Ok(())
}

impl Content {
    fn push(&mut self, node: Node, rules: Rules) -> Result<(), Problem> {
        match self {
            Self::List(items) => items.push(node),
            Self::Map { entries, seen, key } => match key.take() {
                Some((name, at)) => {
                    if rules == Rules::Strict {
                        functions::check(&name).map_err(|reason| (at.clone(), reason))?;
                    }
                    let node = functions::argument(&name, node);
                    entries.push(Entry {
                        key: name,
                        at,
                        node,
                    });
                }
                None => {
                    let name = match &node.tree {
                        Tree::Scalar(Value::String(text)) => text.clone(),
                        _ => return Err((node.at, "a key must be a string".into())),
                    };
                    if name == "<<" {
                        let reason = "CloudFormation has no merge key `<<`: repeat the keys";
                        return Err((node.at, reason.into()));
                    }
                    if !seen.insert(name.clone()) {
                        return Err((node.at, format!("the key `{name}` is there twice")));
                    }
                    *key = Some((name, node.at));
                }
            },
        }
        Ok(())
    }
}

fn anchored(at: Range<usize>) -> Problem {
    let reason = "CloudFormation has no anchors and aliases of YAML: repeat the value";
    (at, reason.into())
}

fn scalar(
    at: Range<usize>,
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    is_key: bool,
    rules: Rules,
) -> Result<Node, Problem> {
    let function = function(tag, rules).map_err(|reason| (at.clone(), reason))?;
    let is_string = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    let value = match is_key || function.is_some() || is_string || style != ScalarStyle::Plain {
        true => Value::String(text.to_owned()),
        false => match (plain(text), rules) {
            (Ok(value), _) => value,
            (Err(_), Rules::Deployed) => {
                let number = text.parse::<serde_json::Number>();
                number.map_or_else(|_| text.into(), Value::from)
            }
            (Err(reason), Rules::Strict) => return Err((at, reason)),
        },
    };
    let tree = Tree::Scalar(value);
    Ok(called(function, Node { at, tree }))
}

/// The long form of a tagged value.
fn called(function: Option<String>, node: Node) -> Node {
    match function {
        Some(name) => {
            let at = node.at.clone();
            let node = functions::argument(&name, node);
            Node::single(at, name, node)
        }
        None => node,
    }
}

fn function(tag: Option<&Tag>, rules: Rules) -> Result<Option<String>, String> {
    match tag {
        None => Ok(None),
        Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
            "str" | "int" | "float" | "bool" | "null" | "map" | "seq" => Ok(None),
            other => Err(format!(
                "CloudFormation has no YAML tag `!!{other}`: leave it out"
            )),
        },
        Some(tag) => match (tag.handle.as_str(), tag.suffix.as_str()) {
            // `! text` only means that the text is not interpreted.
            ("!", "") | ("", "!") => Ok(None),
            ("!", suffix) => match (functions::of_tag(suffix), rules) {
                (Err(_), Rules::Deployed) => Ok(Some(format!("Fn::{suffix}"))),
                (known, _) => known.map(Some),
            },
            _ => Err(format!(
                "CloudFormation has no YAML tag `{tag}`: leave it out"
            )),
        },
    }
}
