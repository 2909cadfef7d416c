#![doc = include_str!("../README.md")]

#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod path;
mod pattern;
mod velocity;

pub use path::{JsonPath, PathError};
pub use pattern::{Pattern, PatternError};
pub use velocity::{Inputs, MAX_TEMPLATE_BYTES, Position, Template, TemplateError, as_text};
