//! Converts a backend's response to the client's.

use std::cell::OnceCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::backend::{Backend, BackendResponse, text};
use super::exchange::{Exchange, Failure};
use super::rendering::Render;
use super::request::{Missed, Parsed, choose, parsed};
use super::selection;
use crate::stack::{IntegrationResponse, ResponseSource};
use apigw_mapping::{JsonPath, Pattern, as_text};

/// The response of a `MOCK` integration, whose request template yields `{"statusCode": 200}`.
pub(super) fn mocked(body: &[u8]) -> Result<BackendResponse, Failure> {
    // The error does not quote the rendered text, which may be a client's message.
    let wrong = || {
        Failure::Configuration(
            "the request template of a MOCK integration must yield {\"statusCode\": 200} or another status, but does not"
                .to_owned(),
        )
    };
    let status = match serde_json::from_slice::<Value>(body) {
        Ok(value) => match &value["statusCode"] {
            Value::String(text) => text.parse().ok(),
            number => number
                .as_u64()
                .and_then(|number| u16::try_from(number).ok()),
        },
        Err(_) => unquoted_status(body),
    };
    let status = status
        .filter(|status| (100..600).contains(status))
        .ok_or_else(wrong)?;
    Ok(BackendResponse {
        status,
        headers: Vec::new(),
        body: Vec::new(),
    })
}

/// The status in `{ statusCode: 200 }`, with an unquoted or single-quoted name: AWS accepts it, and its CDK writes it.
fn unquoted_status(body: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(body).ok()?;
    let inside = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let members = inside
        .split(',')
        .filter_map(|member| member.split_once(':'));
    let unquoted = |text: &str| text.trim().trim_matches(['\'', '"']).to_owned();
    members
        .map(|(name, value)| (unquoted(name), unquoted(value)))
        .find(|(name, _)| name == "statusCode")
        .and_then(|(_, value)| value.parse().ok())
}

/// The integration responses of an integration.
#[derive(Debug)]
pub(super) struct Responses(Vec<Live>);

#[derive(Debug)]
struct Live {
    key: Key,
    parsed: Parsed,
    response: IntegrationResponse,
    missed: Missed,
}

#[derive(Debug)]
enum Key {
    Default,
    Pattern(Option<Pattern>),
    Status(String),
}

impl Key {
    fn parse(key: &str) -> Self {
        match key.strip_prefix('/').and_then(|key| key.strip_suffix('/')) {
            // The whole status must match, as in Java. Invalid patterns were refused with the template.
            Some(pattern) => Self::Pattern(Pattern::from_java(pattern).ok()),
            None if key == "$default" => Self::Default,
            None => Self::Status(key.to_owned()),
        }
    }

    fn is_for(&self, status: &str) -> bool {
        match self {
            Self::Default => false,
            Self::Pattern(regex) => regex.as_ref().is_some_and(|regex| regex.is_match(status)),
            Self::Status(known) => known == status,
        }
    }
}

impl Responses {
    pub(super) fn new(responses: &[IntegrationResponse]) -> Self {
        let live = |response: &IntegrationResponse| Live {
            key: Key::parse(&response.key),
            parsed: parsed(&response.templates),
            response: response.clone(),
            missed: Missed::default(),
        };
        Self(responses.iter().map(live).collect())
    }

    /// The responses whose expression has selected a key without a template, each returned once, with that expression.
    pub(super) fn missed(&self) -> impl Iterator<Item = (&str, &str)> {
        let missed = self.0.iter().filter(|live| live.missed.take());
        missed.filter_map(|live| {
            let expression = live.response.selection.as_deref()?;
            Some((live.response.logical_id.as_str(), expression))
        })
    }

    /// Returns `None` if `render` would take too long.
    pub(super) fn map(
        &self,
        answer: &BackendResponse,
        exchange: &Exchange<'_>,
        render: Render,
    ) -> Option<Result<Backend, Failure>> {
        let status = answer.status.to_string();
        let fitting = self.0.iter().find(|live| live.key.is_for(&status));
        let default = || self.0.iter().find(|live| matches!(live.key, Key::Default));
        match fitting.or_else(default) {
            Some(live) => {
                let mapped = live.map(answer, exchange, render).transpose()?;
                Some(mapped.map_err(Failure::Configuration))
            }
            None => Some(Err(Failure::Configuration(format!(
                "no AWS::ApiGatewayV2::IntegrationResponse matches the status {status}; add one with the key $default"
            )))),
        }
    }
}

impl Live {
    fn map(
        &self,
        answer: &BackendResponse,
        exchange: &Exchange<'_>,
        render: Render,
    ) -> Result<Option<Backend>, String> {
        let response = &self.response;
        let mut headers = Vec::new();
        let json = OnceCell::<Value>::new();
        for (name, source) in &response.headers {
            let value = match source {
                ResponseSource::Literal(literal) => Some(literal.clone()),
                ResponseSource::Header(name) => answer.headers(name).last().map(str::to_owned),
                ResponseSource::Body(path) => {
                    let found = {
                        let parse = || serde_json::from_slice(&answer.body).unwrap_or_default();
                        JsonPath::parse(path)?.find(json.get_or_init(parse))?
                    };
                    found.map(|found| as_text(&found).into_owned())
                }
            };
            headers.extend(value.map(|value| (name.clone(), value)));
        }
        let status = answer.status;
        let selected = response
            .selection
            .as_deref()
            .map(|expression| selection::evaluate(expression, exchange.json(), Some(answer)));
        let body = if response.encodes_base64 {
            STANDARD.encode(&answer.body)
        } else {
            text(answer.body.clone())
        };
        let body = match choose(&self.parsed, selected.as_deref()) {
            None => {
                if selected.is_some() && !self.parsed.is_empty() {
                    self.missed.note();
                }
                body
            }
            Some((key, template)) => {
                let parameters = exchange.parameters();
                let mut context = exchange.context.clone();
                context["status"] = status.to_string().into();
                let inputs = exchange.inputs(&body, &parameters).with_context(&context);
                let rendered = match template {
                    Ok(template) => render(template, &inputs),
                    Err(fault) => Some(Err(fault.clone())),
                };
                let Some(rendered) = rendered else {
                    return Ok(None);
                };
                let id = &response.logical_id;
                rendered.map_err(|fault| format!("response template `{key}` of `{id}`, {fault}"))?
            }
        };
        Ok(Some(Backend {
            status,
            headers,
            body,
        }))
    }
}
