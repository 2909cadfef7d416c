//! Parses YAML or JSON to a tree. Short tags (`!Ref x`) become their long form (`{"Ref": x}`), so later steps only see
//! that.
//!
//! YAML that CloudFormation does not support is refused:
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html>.
//!
//! `template-yaml` has a similar loop for the command. It is not used here, because this crate shares no code with the
//! command: a mistake in a template's reading that both made would go unnoticed.

use std::collections::HashSet;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::json;
use super::node::{Entry, Node, Value};
use super::problem::{MAX_DEPTH, Problem, whole};
use super::scalars;

/// CloudFormation's limit for a template in S3:
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>.
const MAX_BYTES: usize = 1_048_576;

/// Parses `source`, a single YAML or JSON document.
pub(super) fn parse(source: &str) -> Result<Node, Problem> {
    if source.len() > MAX_BYTES {
        return Err(whole(
            0,
            format!(
                "it has {} bytes, but CloudFormation accepts {MAX_BYTES} at most",
                source.len()
            ),
        ));
    }
    // Windows editors write it, invisibly.
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let yaml = parse_yaml(source);
    // CloudFormation reads a text that begins like JSON as JSON, where YAML's additions are errors.
    if yaml.is_ok() && source.trim_start().starts_with('{') {
        json::parse(source).map_err(|mut problem| {
            problem
                .reason
                .push_str(" (a template that begins with `{` is read as JSON)");
            problem
        })?;
    }
    match yaml {
        Ok(node) => Ok(node),
        Err(Unreadable::Refused(problem)) => Err(problem),
        // JSON has syntax that YAML does not have, such as surrogate pairs.
        Err(Unreadable::NotYaml(problem)) if source.trim_start().starts_with('{') => {
            // The parser that got further has the more useful error.
            json::parse(source).map_err(|other| match other.line {
                Some(line) if Some(line) < problem.line => problem,
                _ => other,
            })
        }
        Err(Unreadable::NotYaml(problem)) => Err(problem),
    }
}

/// Why a text could not be parsed.
enum Unreadable {
    /// It may be JSON.
    NotYaml(Problem),
    /// It is YAML, but not in a form that CloudFormation accepts.
    Refused(Problem),
}

impl From<Problem> for Unreadable {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

/// A collection that is not complete yet.
struct Open {
    line: usize,
    tag: Option<String>,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        seen: HashSet<String>,
        key: Option<(String, usize)>,
    },
}

fn parse_yaml(source: &str) -> Result<Node, Unreadable> {
    let mut open: Vec<Open> = Vec::new();
    let mut document = None;
    for event in Parser::new_from_str(source) {
        let (event, span) = event.map_err(|error| {
            let reason = format!("it is not valid YAML: {}", error.info());
            Unreadable::NotYaml(whole(error.marker().line(), reason))
        })?;
        let line = span.start.line();
        let node = match event {
            Event::DocumentStart(_) if document.is_some() => {
                return Err(whole(
                    line,
                    "a second document starts here, but a template is a single one",
                )
                .into());
            }
            Event::Alias(_) => return Err(refuse_anchor(line).into()),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor > 0 =>
            {
                return Err(refuse_anchor(line).into());
            }
            Event::SequenceStart(_, tag) => {
                start(
                    &mut open,
                    Open {
                        line,
                        tag: function(tag.as_deref(), line)?,
                        content: Content::List(Vec::new()),
                    },
                )?;
                continue;
            }
            Event::MappingStart(_, tag) => {
                let content = Content::Map {
                    entries: Vec::new(),
                    seen: HashSet::new(),
                    key: None,
                };
                start(
                    &mut open,
                    Open {
                        line,
                        tag: function(tag.as_deref(), line)?,
                        content,
                    },
                )?;
                continue;
            }
            Event::Scalar(text, style, _, tag) => scalar(line, &text, style, tag.as_deref())?,
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open { line, tag, content }) => tagged(
                    line,
                    tag,
                    match content {
                        Content::List(items) => Value::List(items),
                        Content::Map { entries, .. } => Value::Map(entries),
                    },
                ),
                None => continue,
            },
            _ => continue,
        };
        match open.last_mut() {
            None => document = Some(node),
            Some(parent) => parent.content.push(node)?,
        }
    }
    document.ok_or_else(|| whole(0, "it is empty").into())
}

fn start(open: &mut Vec<Open>, collection: Open) -> Result<(), Problem> {
    if open.len() >= MAX_DEPTH {
        return Err(whole(
            collection.line,
            format!("it nests deeper than {MAX_DEPTH} levels here"),
        ));
    }
    open.push(collection);
    Ok(())
}

impl Content {
    fn push(&mut self, node: Node) -> Result<(), Problem> {
        match self {
            Self::List(items) => items.push(node),
            Self::Map { entries, seen, key } => match key.take() {
                Some((name, line)) => entries.push(Entry { name, line, node }),
                None => {
                    let name = match &node.value {
                        Value::Plain(text) | Value::Text(text) => text.clone(),
                        Value::Null => {
                            let reason = "a key must be a string, but is null, as YAML reads `null`, `Null` and `~`: put it in quotes";
                            return Err(whole(node.line, reason));
                        }
                        _ => {
                            return Err(whole(
                                node.line,
                                format!("a key must be a string, but is {}", node.shape()),
                            ));
                        }
                    };
                    if name == "<<" {
                        return Err(whole(
                            node.line,
                            "CloudFormation does not support the merge key `<<`; repeat the keys",
                        ));
                    }
                    if !seen.insert(name.clone()) {
                        return Err(whole(node.line, format!("the key `{name}` is duplicated")));
                    }
                    *key = Some((name, node.line));
                }
            },
        }
        Ok(())
    }
}

fn refuse_anchor(line: usize) -> Problem {
    whole(
        line,
        "CloudFormation does not support YAML anchors and aliases; repeat the value",
    )
}

fn scalar(line: usize, text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Node, Problem> {
    let name = function(tag, line)?;
    let as_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    let value = match text {
        _ if style != ScalarStyle::Plain || as_text => Value::Text(text.to_owned()),
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        // A tag decides the type of its value.
        _ if name.is_some() || tag.is_some_and(|tag| !tag.is_yaml_core_schema()) => {
            Value::Plain(text.to_owned())
        }
        _ => Value::Plain(scalars::canonical(text)),
    };
    Ok(tagged(line, name, value))
}

/// The long form of a tagged value.
fn tagged(line: usize, function: Option<String>, value: Value) -> Node {
    let node = Node { line, value };
    match function {
        Some(name) => Node::single(line, name, node),
        None => node,
    }
}

/// The function behind a short tag. Whether it exists is checked when it is evaluated.
fn function(tag: Option<&Tag>, line: usize) -> Result<Option<String>, Problem> {
    match tag {
        None => Ok(None),
        Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
            "binary" | "omap" | "pairs" | "set" | "timestamp" => Err(whole(
                line,
                format!(
                    "CloudFormation does not support the YAML tag `!!{}`",
                    tag.suffix
                ),
            )),
            _ => Ok(None),
        },
        Some(tag) => match (tag.handle.as_str(), tag.suffix.as_str()) {
            // `! text` only means that the text is not interpreted.
            ("!", "") | ("", "!") => Ok(None),
            ("!", name @ ("Ref" | "Condition")) => Ok(Some(name.to_owned())),
            ("!", name)
                if name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b':') =>
            {
                Ok(Some(format!("Fn::{name}")))
            }
            _ => Err(whole(
                line,
                format!("CloudFormation does not support the YAML tag `{tag}`"),
            )),
        },
    }
}
