//! Why a stack cannot be started or updated.

use super::lifecycle::ResourceError;
use crate::lambda::CodeError;
use crate::stack::LogicalId;
use crate::template::TemplateError;

/// Why a stack did not start. Nothing is left running.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The template cannot be run.
    #[error("the template cannot be run")]
    Template(#[from] TemplateError),
    /// A function of the template has no code.
    #[error(transparent)]
    Code(#[from] FunctionCodeError),
    /// Another program has the port.
    #[error("port {port} is taken: stop the program that listens there, or choose another port")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The operating system refuses the port.
    #[error("could not listen on port {port} of 127.0.0.1")]
    Listen {
        /// The port.
        port: u16,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// A resource with state, or the service for it, could not be opened.
    #[error(transparent)]
    Resource(#[from] ResourceError),
}

/// Why a stack was not updated. It keeps running unchanged, unless [`ResourceError::NotUndone`] names what did change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The template cannot be run.
    #[error("the template cannot be run; the stack is unchanged")]
    Template(#[from] TemplateError),
    /// A function of the template has no code.
    #[error(transparent)]
    Code(#[from] FunctionCodeError),
    /// The service of a resource with state refuses it.
    #[error(transparent)]
    Resource(#[from] ResourceError),
    /// The request is for another stack.
    #[error(
        "this is stack `{running}`, not `{requested}`: start a second stack for that, with another port"
    )]
    OtherStack {
        /// The running stack.
        running: String,
        /// The stack in the request.
        requested: String,
    },
}

/// The problem with a function's code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionCodeError {
    /// No path was given for these functions.
    #[error("{} no code: name a folder, a zip file or an executable for each", of_functions(.functions))]
    Missing {
        /// The functions' logical ids, at least one.
        functions: Vec<LogicalId>,
    },
    /// It cannot be run.
    #[error("the code of function `{function}` cannot be run")]
    Unusable {
        /// The function's logical id.
        function: LogicalId,
        /// Why.
        source: CodeError,
    },
}

fn of_functions(ids: &[LogicalId]) -> String {
    let names: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
    match names.as_slice() {
        [one] => format!("function {one} has"),
        many => format!("functions {} have", many.join(", ")),
    }
}
