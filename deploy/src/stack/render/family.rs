//! The parts of one function in the template, and its environment.

use chat_protocol::{Index, variable};
use serde_json::json;

use super::fragment::Section;

/// The parts of a function; each id is the function's name and one of these.
pub(super) const FAMILY: [&str; 4] = ["Function", "Role", "Logs", "Integration"];

/// Without the variable, functions find connections by their users' names.
pub(super) fn set_index(resources: &mut Section, family: &str, index: Index) {
    if index != Index::Friend {
        set_variable(resources, family, variable::INDEX, index.word());
    }
}

/// Sets an environment variable of the function of `family`.
pub(super) fn set_variable(resources: &mut Section, family: &str, variable: &str, value: &str) {
    resources[&format!("{family}Function")]["Properties"]["Environment"]["Variables"][variable] =
        json!(value);
}
