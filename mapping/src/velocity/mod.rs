//! Mapping templates: the part of the Velocity Template Language that API Gateway's templates use. Pure.
//!
//! Variables and functions are those of
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>,
//! directives those of <https://velocity.apache.org/engine/1.7/user-guide.html>: references, `#set`, `#if`, `#foreach`,
//! `#break`, `#stop`, comments. What is not known here is a [`TemplateError`] with its place in the template, never nothing.
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

pub use print::as_text;

/// A template's greatest length in bytes:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>.
pub const MAX_TEMPLATE_BYTES: usize = 300 * 1024;

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    nodes: Vec<syntax::Node>,
}

/// What a template may look at. What is not given prints nothing.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    body: &'a str,
    context: &'a Value,
    parameters: &'a Value,
    variables: Option<&'a Map<String, Value>>,
}

static NOTHING: Value = Value::Null;

impl<'a> Inputs<'a> {
    /// `body` is that of the request or of the answer: `$input.body`, and what `$input.json` and `$input.path` read.
    pub fn new(body: &'a str) -> Self {
        Self {
            body,
            context: &NOTHING,
            parameters: &NOTHING,
            variables: None,
        }
    }

    /// `$context`: a map.
    #[must_use]
    pub fn with_context(mut self, context: &'a Value) -> Self {
        self.context = context;
        self
    }

    /// `$input.params()`: a map of the maps `path`, `querystring` and `header`.
    #[must_use]
    pub fn with_parameters(mut self, parameters: &'a Value) -> Self {
        self.parameters = parameters;
        self
    }

    /// `$stageVariables`.
    #[must_use]
    pub fn with_stage_variables(mut self, variables: &'a Map<String, Value>) -> Self {
        self.variables = Some(variables);
        self
    }
}

/// What is wrong with a template, or with what it does, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TemplateError {
    /// Where: of the directive or the reference, where one is to blame.
    pub position: Position,
    /// Quotes the template at most, and nothing of the body.
    pub reason: String,
}

/// A place in a template, both numbers counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// The line.
    pub line: usize,
    /// In characters.
    pub column: usize,
}

impl TemplateError {
    fn new(position: Position, reason: impl Into<String>) -> Self {
        Self {
            position,
            reason: reason.into(),
        }
    }
}

impl std::error::Error for TemplateError {}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "line {line}, column {column}: {}", self.reason)
    }
}

impl Template {
    /// Reads `text`.
    ///
    /// # Errors
    /// A template that is longer than [`MAX_TEMPLATE_BYTES`], or with a directive or a syntax that is not known here.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > MAX_TEMPLATE_BYTES {
            let start = Position { line: 1, column: 1 };
            return Err(TemplateError::new(start, "a template has 300 KB at most"));
        }
        Ok(Self {
            nodes: parse::template(text)?,
        })
    }

    /// What the template makes of `inputs`.
    ///
    /// Bounded in rounds, steps and length, so it always ends; but it may take a second, and longer where a regular
    /// expression is hard on a text. `is_over` is asked now and then, and `true` ends it at once.
    ///
    /// # Errors
    /// The first thing that cannot be done, with its place; a limit that is reached.
    pub fn render(
        &self,
        inputs: &Inputs<'_>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<String, TemplateError> {
        match evaluate::render(&self.nodes, inputs, Budget::whole(is_over)) {
            Rendered::Text(text) => Ok(text),
            Rendered::Faulty(fault) | Rendered::Unfinished(fault) => Err(fault),
        }
    }

    /// The same, for a thread that others wait for. `None` if it takes more than some 10 ms, or than `is_over` allows;
    /// then ask [`Template::render`] elsewhere.
    pub fn render_in_passing(
        &self,
        inputs: &Inputs<'_>,
        is_over: &dyn Fn() -> bool,
    ) -> Option<Result<String, TemplateError>> {
        match evaluate::render(&self.nodes, inputs, Budget::in_passing(is_over)) {
            Rendered::Text(text) => Some(Ok(text)),
            Rendered::Faulty(fault) => Some(Err(fault)),
            Rendered::Unfinished(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
