//! What a template is given.

use serde_json::{Map, Value};

/// What a template may look at. What is not given prints nothing.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    pub(super) body: &'a str,
    pub(super) context: &'a Value,
    pub(super) parameters: &'a Value,
    pub(super) variables: Option<&'a Map<String, Value>>,
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
