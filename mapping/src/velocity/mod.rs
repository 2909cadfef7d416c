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
mod error;
mod evaluate;
mod expressions;
mod functions;
mod inputs;
mod lists;
mod maps;
mod operators;
mod parse;
mod print;
mod references;
mod regexes;
mod syntax;
mod texts;

use self::bounds::Budget;
use self::evaluate::Rendered;

pub use error::{Position, TemplateError};
pub use inputs::Inputs;
pub use print::as_text;

/// A template's greatest length in bytes:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>.
pub const MAX_TEMPLATE_BYTES: usize = 300 * 1024;

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    nodes: Vec<syntax::Node>,
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
    /// expression is hard on a text. `is_over` is asked after each thousand steps, and between the matches of a regular
    /// expression; `true` ends the rendering with an error. One search of a regular expression, one path and one method of a
    /// text are never interrupted.
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
