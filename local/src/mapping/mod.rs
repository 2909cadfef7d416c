//! Mapping templates: the part of the Velocity Template Language that API Gateway's templates use. Pure.
//!
//! Variables and functions are those of
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>,
//! directives those of <https://velocity.apache.org/engine/1.7/user-guide.html>: references, `#set`, `#if`, `#foreach`,
//! `#break`, `#stop`, comments. What is not known here is a [`Fault`] with its place in the template, never nothing.
//!
//! Where API Gateway documents nothing: an unknown variable prints as it is written, as in Velocity; an unknown member
//! of `$context`, `$stageVariables` and `$input` prints nothing. Lists and maps are values: a copy does not change with
//! its original.

mod bounds;
mod cursor;
mod evaluate;
mod expressions;
mod functions;
mod lists;
mod maps;
mod operators;
mod parse;
mod print;
mod references;
mod regexes;
mod syntax;
mod texts;

use std::fmt;

use serde_json::{Map, Value};

use self::bounds::Budget;
use self::evaluate::Rendered;

pub(crate) use print::as_text;

/// A template's greatest length in bytes:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>.
pub(crate) const TEMPLATE_BYTES: usize = 300 * 1024;

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template {
    nodes: Vec<syntax::Node>,
}

/// What a template may look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    /// The request's or the answer's body, as text.
    pub(crate) body: &'a str,
    /// `$context`.
    pub(crate) context: &'a Value,
    /// `$input.params()`: maps `path`, `querystring` and `header`.
    pub(crate) parameters: &'a Value,
    /// `$stageVariables`.
    pub(crate) variables: &'a Map<String, Value>,
}

/// What is wrong with a template, or with what it does, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) place: Place,
    pub(crate) reason: String,
}

/// A place in a template, both numbers counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    /// In characters.
    pub(crate) column: usize,
}

impl Fault {
    fn new(place: Place, reason: impl Into<String>) -> Self {
        Self {
            place,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column } = self.place;
        write!(f, "line {line}, column {column}: {}", self.reason)
    }
}

impl Template {
    /// Reads `text`. A template that is too long, or that says what is not known here, is a fault.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > TEMPLATE_BYTES {
            let start = Place { line: 1, column: 1 };
            return Err(Fault::new(start, "a template has 300 KB at most"));
        }
        Ok(Self {
            nodes: parse::template(text)?,
        })
    }

    /// What the template makes of `scene`. Bounded in rounds, steps and length, and by `is_over`, so it always ends; but
    /// it may take a second, and longer where a regular expression is hard on a text.
    pub(crate) fn render(
        &self,
        scene: &Scene<'_>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<String, Fault> {
        match evaluate::render(&self.nodes, scene, Budget::whole(is_over)) {
            Rendered::Text(text) => Ok(text),
            Rendered::Faulty(fault) | Rendered::Unfinished(fault) => Err(fault),
        }
    }

    /// The same, for a thread that others wait for. `None` if it takes more than some 10 ms, or than `is_over` allows;
    /// then ask [`Template::render`] elsewhere.
    pub(crate) fn render_in_passing(
        &self,
        scene: &Scene<'_>,
        is_over: &dyn Fn() -> bool,
    ) -> Option<Result<String, Fault>> {
        match evaluate::render(&self.nodes, scene, Budget::in_passing(is_over)) {
            Rendered::Text(text) => Some(Ok(text)),
            Rendered::Faulty(fault) => Some(Err(fault)),
            Rendered::Unfinished(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
