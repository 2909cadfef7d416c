//! The shapes of resources' properties, and their conversion to typed JSON.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::node::{Entry, Node};
use super::problem::{Problem, Problems, TemplatePath};

/// The form of a property.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// Any scalar, kept as a string.
    Text,
    /// A name.
    Name(Rule),
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A whole number between two bounds, both included.
    Integer(i64, i64),
    /// A number that is not negative.
    Number,
    /// `true` or `false`, quoted or not.
    Flag,
    /// Anything.
    Json,
    /// A JSON object, or a string that contains one: a policy document.
    Document,
    /// A map of strings.
    TextMap,
    /// A list.
    List(&'static Shape),
    /// A map with only these keys.
    Object(&'static [Field]),
}

/// The length of a name, and its characters besides letters and digits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) worker_threads: &'static str,
}

/// A key of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    name: &'static str,
    required: bool,
    shape: Shape,
}

/// A required property.
pub(super) const fn must(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        required: true,
        shape,
    }
}

/// An optional property.
pub(super) const fn may(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        required: false,
        shape,
    }
}

/// A name of `least` to `most` characters.
pub(super) const fn name(least: usize, most: usize, worker_threads: &'static str) -> Shape {
    Shape::Name(Rule {
        least,
        most,
        worker_threads,
    })
}

/// `Tags` in the form of most resources.
pub(super) const TAGS: Shape = Shape::List(&Shape::Object(&[
    must("Key", Shape::Text),
    must("Value", Shape::Text),
]));

pub(super) const COUNT: Shape = Shape::Integer(0, i64::MAX);

/// Converts `node`, which was evaluated before, to JSON of `shape`. Every mismatch goes into `problems`.
pub(super) fn conform(
    node: &Node,
    shape: Shape,
    place: &TemplatePath<'_>,
    problems: &mut Problems,
) -> Option<Json> {
    let value = match shape {
        Shape::Object(fields) => return object(node, fields, place, problems),
        Shape::List(shape) => {
            let items = problems
                .keep(node.expect_list(place))?
                .iter()
                .enumerate()
                .map(|(index, item)| conform(item, *shape, &place.item(index), problems));
            // All are checked before the first mismatch ends it.
            let items: Vec<Option<Json>> = items.collect();
            return items
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .map(Json::Array);
        }
        Shape::TextMap => node.expect_map(place).and_then(|entries| {
            let text = |entry: &Entry| {
                Ok((
                    entry.name.clone(),
                    entry.node.expect_text(&place.key(&entry.name))?.into(),
                ))
            };
            entries
                .iter()
                .map(text)
                .collect::<Result<_, _>>()
                .map(Json::Object)
        }),
        Shape::Json => Ok(node.to_json()),
        Shape::Document => document(node, place),
        _ => node.expect_text(place).and_then(|text| {
            scalar(text, shape).map_err(|wanted| {
                Problem::new(
                    node.line,
                    place,
                    format!("must be {wanted}, but is `{text}`"),
                )
            })
        }),
    };
    problems.keep(value)
}

fn object(
    node: &Node,
    fields: &[Field],
    place: &TemplatePath<'_>,
    problems: &mut Problems,
) -> Option<Json> {
    let entries = problems.keep(node.expect_map(place))?;
    let before = problems.len();
    let mut found: BTreeMap<&str, Json> = BTreeMap::new();
    for Entry { name, line, node } in entries {
        match fields.iter().find(|field| field.name == name) {
            Some(field) => found.extend(
                conform(node, field.shape, &place.key(name), problems)
                    .map(|value| (field.name, value)),
            ),
            None => problems.add(Problem::new(*line, place, unknown_property(name, fields))),
        }
    }
    for field in fields.iter().filter(|field| field.required) {
        if !entries.iter().any(|entry| entry.name == field.name) {
            problems.add(Problem::new(
                node.line,
                place,
                format!("the property `{}` is required", field.name),
            ));
        }
    }
    let complete = problems.len() == before;
    complete.then(|| {
        found
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    })
}

fn unknown_property(name: &str, fields: &[Field]) -> String {
    match fields
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case(name))
    {
        Some(field) => format!(
            "there is no property `{name}`; did you mean `{}`?",
            field.name
        ),
        None => format!("there is no property `{name}`"),
    }
}

fn document(node: &Node, place: &TemplatePath<'_>) -> Result<Json, Problem> {
    let Some(text) = node.as_text() else {
        return node.expect_map(place).map(|_| node.to_json());
    };
    match serde_json::from_str(text) {
        Ok(document @ Json::Object(_)) => Ok(document),
        _ => Err(Problem::new(
            node.line,
            place,
            "must be a map, or a string that contains a JSON object",
        )),
    }
}

/// An `Err` names the expected form.
fn scalar(text: &str, shape: Shape) -> Result<Json, String> {
    match shape {
        Shape::OneOf(choices) => match choices.contains(&text) {
            true => Ok(text.into()),
            false => Err(format!("one of {}", choices.join(", "))),
        },
        Shape::Name(rule) => match rule.admits(text) {
            true => Ok(text.into()),
            false => Err(rule.describe()),
        },
        Shape::Integer(least, most) => match text.parse::<i64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(number.into()),
            _ if (least, most) == (0, i64::MAX) => Err("a whole number".to_owned()),
            _ => Err(format!("a whole number from {least} to {most}")),
        },
        Shape::Number => match text.parse::<serde_json::Number>() {
            Ok(number) if !text.starts_with('-') => Ok(Json::Number(number)),
            _ => Err("a number, zero or more".to_owned()),
        },
        Shape::Flag => text
            .parse::<bool>()
            .map(Json::Bool)
            .map_err(|_| "true or false".to_owned()),
        _ => Ok(text.into()),
    }
}

impl Rule {
    fn admits(self, text: &str) -> bool {
        (self.least..=self.most).contains(&text.len())
            && text
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || self.worker_threads.contains(char))
    }

    fn describe(self) -> String {
        let worker_threads: Vec<String> = self
            .worker_threads
            .chars()
            .map(|char| format!("`{char}`"))
            .collect();
        format!(
            "{} to {} letters, digits and {}",
            self.least,
            self.most,
            worker_threads.join(" ")
        )
    }
}
