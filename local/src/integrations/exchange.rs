//! The request that an integration serves.

use std::borrow::Cow;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use super::events;
use super::incoming::{Incoming, IncomingKind};
use crate::stack::ParameterSource;
use apigw_mapping::{Inputs, JsonPath, as_text};

/// Why an integration failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The template or its settings are wrong. The client gets no details.
    Configuration(String),
    /// The backend cannot be reached, or its response is invalid.
    Backend(String),
    /// There is no template, and requests without one are refused.
    UnsupportedMediaType,
}

/// A handshake, a message or a disconnect, in the form that templates and mappings use.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    /// The message; empty for handshakes and disconnects.
    pub(super) body: Cow<'a, str>,
    /// `$context`.
    pub(super) context: Value,
    /// `$stageVariables`.
    pub(super) variables: Cow<'a, Map<String, Value>>,
    /// The handshake's headers as they are forwarded; none for the others.
    pub(super) headers: Vec<(String, String)>,
    /// The handshake's query; none for the others.
    pub(super) query: Vec<(String, String)>,
    pub(super) trace: Cow<'a, str>,
    /// The message as JSON, if it is JSON.
    json: OnceLock<Option<Value>>,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(incoming: &'a Incoming<'_>) -> Self {
        let (headers, query) = match incoming.kind {
            IncomingKind::Connect(head) => (events::end_to_end(head, incoming), head.query_pairs()),
            IncomingKind::Message { .. } | IncomingKind::Disconnect(_) => Default::default(),
        };
        Self {
            body: Cow::Borrowed(incoming.body()),
            context: serde_json::to_value(events::context(incoming)).unwrap_or_default(),
            variables: Cow::Borrowed(incoming.variables),
            headers,
            query,
            trace: Cow::Borrowed(incoming.trace),
            json: OnceLock::new(),
        }
    }

    /// A copy for another thread.
    pub(super) fn to_owned(&self) -> Exchange<'static> {
        Exchange {
            body: Cow::Owned(self.body.clone().into_owned()),
            context: self.context.clone(),
            variables: Cow::Owned(self.variables.clone().into_owned()),
            headers: self.headers.clone(),
            query: self.query.clone(),
            trace: Cow::Owned(self.trace.clone().into_owned()),
            json: self.json.clone(),
        }
    }

    pub(super) fn route_key(&self) -> &str {
        self.context["routeKey"].as_str().unwrap_or_default()
    }

    pub(super) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn queries(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Option<&Value> {
        let parse = || serde_json::from_str(&self.body).ok();
        self.json.get_or_init(parse).as_ref()
    }

    /// `$input.params()`.
    pub(super) fn parameters(&self) -> Value {
        json!({
            "path": {},
            "querystring": events::last_values(&self.query),
            "header": events::last_values(&self.headers),
        })
    }

    pub(super) fn inputs<'s>(&'s self, body: &'s str, parameters: &'s Value) -> Inputs<'s> {
        Inputs::new(body)
            .with_context(&self.context)
            .with_parameters(parameters)
            .with_stage_variables(&self.variables)
    }

    /// The value of a request parameter; `None` if there is none.
    pub(super) fn parameter(&self, source: &ParameterSource) -> Result<Option<String>, String> {
        let text = |value: Option<&Value>| {
            value
                .filter(|value| !value.is_null())
                .map(|value| as_text(value).into_owned())
        };
        Ok(match source {
            ParameterSource::Literal(literal) => Some(literal.clone()),
            ParameterSource::Header(name) => self.headers(name).last().map(str::to_owned),
            ParameterSource::AllHeaders(name) => joined(self.headers(name).collect()),
            ParameterSource::QueryString(name) => self.queries(name).last().map(str::to_owned),
            ParameterSource::AllQueryStrings(name) => joined(self.queries(name).collect()),
            ParameterSource::Body(path) => {
                let path = JsonPath::parse(path)?;
                let found = self.json().map(|body| path.find(body)).transpose()?;
                text(found.flatten().as_ref())
            }
            ParameterSource::StageVariable(name) => text(self.variables.get(name)),
            ParameterSource::Context(path) => {
                let mut names = path.split('.');
                text(names.try_fold(&self.context, |value, name| value.get(name)))
            }
        })
    }
}

fn joined(values: Vec<&str>) -> Option<String> {
    (!values.is_empty()).then(|| values.join(","))
}
