//! Converts a message to the request for the backend.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::exchange::{Exchange, Failure};
use super::rendering::Render;
use super::selection;
use crate::stack::{HttpRequest, Mapping, ParameterTarget, Passthrough};
use apigw_mapping::{Template, TemplateError};

/// The characters that need no escape in a URI's path segment or query.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Templates by key, each parsed or with its error.
pub(super) type Parsed = BTreeMap<String, Result<Template, TemplateError>>;

/// Parses templates in advance. An invalid one is only an error when it is used, as on AWS.
pub(super) fn parsed(templates: &BTreeMap<String, String>) -> Parsed {
    templates
        .iter()
        .map(|(key, text)| (key.clone(), Template::parse(text)))
        .collect()
}

/// Selects a template: the one with the selected key, else the default. Templates for content types have the key
/// `application/json`.
pub(super) fn choose<'t>(
    templates: &'t Parsed,
    selected: Option<&str>,
) -> Option<(&'t str, &'t Result<Template, TemplateError>)> {
    let keys = selected.into_iter().chain(["$default", "application/json"]);
    keys.into_iter().find_map(|key| {
        let found = templates.get_key_value(key)?;
        Some((found.0.as_str(), found.1))
    })
}

/// Whether an expression has selected a key without a template, and whether that was reported.
#[derive(Debug, Default)]
pub(super) struct Missed(AtomicU8);

impl Missed {
    pub(super) fn note(&self) {
        // It may already be noted, or reported.
        let _known = self
            .0
            .compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Returns `true` once after it was noted.
    pub(super) fn take(&self) -> bool {
        self.0
            .compare_exchange(1, 2, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

/// Makes the backend's request body.
#[derive(Debug)]
pub(super) struct Templates {
    parsed: Parsed,
    selection: Option<String>,
    passthrough: Passthrough,
    decodes_base64: bool,
    missed: Missed,
}

impl Templates {
    pub(super) fn new(mapping: &Mapping) -> Self {
        Self {
            parsed: parsed(&mapping.request_templates),
            selection: mapping.selection.clone(),
            passthrough: mapping.passthrough,
            decodes_base64: mapping.decodes_base64,
            missed: Missed::default(),
        }
    }

    /// The expression that has selected a key without a template, returned once.
    pub(super) fn missed(&self) -> Option<&str> {
        self.selection.as_deref().filter(|_| self.missed.take())
    }

    /// Returns `None` if `render` would take too long.
    pub(super) fn body(
        &self,
        exchange: &Exchange<'_>,
        render: Render,
    ) -> Option<Result<Vec<u8>, Failure>> {
        let selected = self
            .selection
            .as_deref()
            .map(|expression| selection::evaluate(expression, exchange.json(), None));
        let body = match choose(&self.parsed, selected.as_deref()) {
            Some((key, template)) => {
                let parameters = exchange.parameters();
                let inputs = exchange.inputs(&exchange.body, &parameters);
                let rendered = match template {
                    Ok(template) => render(template, &inputs)?,
                    Err(fault) => Err(fault.clone()),
                };
                match rendered {
                    Ok(body) => body,
                    Err(fault) => {
                        let why = format!("request template `{key}`, {fault}");
                        return Some(Err(Failure::Configuration(why)));
                    }
                }
            }
            None if self.passthrough.lets_pass(!self.parsed.is_empty()) => {
                if selected.is_some() && !self.parsed.is_empty() {
                    self.missed.note();
                }
                exchange.body.clone().into_owned()
            }
            None => return Some(Err(Failure::UnsupportedMediaType)),
        };
        if !self.decodes_base64 {
            return Some(Ok(body.into_bytes()));
        }
        let decoded = STANDARD.decode(body.trim());
        Some(decoded.map_err(|error| {
            Failure::Configuration(format!("CONVERT_TO_BINARY needs base64, but {error}"))
        }))
    }
}

/// A request for a backend.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Outgoing {
    /// For `HTTP`: only the mapped parts of the handshake's query.
    pub(super) fn mapped(
        request: &HttpRequest,
        exchange: &Exchange<'_>,
        body: Vec<u8>,
    ) -> Result<Self, String> {
        Self::new(request, exchange, body, &[])
    }

    /// For `HTTP_PROXY`: the whole query of the handshake.
    pub(super) fn proxied(
        request: &HttpRequest,
        exchange: &Exchange<'_>,
        body: Vec<u8>,
    ) -> Result<Self, String> {
        Self::new(request, exchange, body, &exchange.query)
    }

    fn new(
        request: &HttpRequest,
        exchange: &Exchange<'_>,
        body: Vec<u8>,
        query: &[(String, String)],
    ) -> Result<Self, String> {
        let mut outgoing = Self {
            // AWS does not document what ANY means for a message, which has no method; a body requires POST.
            method: match request.method.as_str() {
                "ANY" => "POST".to_owned(),
                method => method.to_owned(),
            },
            uri: request.uri.clone(),
            headers: forwarded(exchange),
            body,
        };
        let mut query = query.to_vec();
        for mapping in &request.parameters {
            let Some(value) = exchange.parameter(&mapping.source)? else {
                continue;
            };
            match mapping.target {
                ParameterTarget::Header => set(&mut outgoing.headers, &mapping.name, value),
                ParameterTarget::QueryString => {
                    query.retain(|(name, _)| *name != mapping.name);
                    query.push((mapping.name.clone(), value));
                }
                ParameterTarget::Path => {
                    let value = utf8_percent_encode(&value, UNRESERVED).to_string();
                    let place = format!("{{{}}}", mapping.name);
                    outgoing.uri = outgoing.uri.replace(&place, &value);
                }
            }
        }
        for (name, value) in query {
            outgoing
                .uri
                .push(if outgoing.uri.contains('?') { '&' } else { '?' });
            outgoing.uri.extend(utf8_percent_encode(&name, UNRESERVED));
            outgoing.uri.push('=');
            outgoing.uri.extend(utf8_percent_encode(&value, UNRESERVED));
        }
        Ok(outgoing)
    }
}

/// The handshake's headers without `Host`, but with its `Sec-WebSocket-*`; for messages only those that identify the
/// connection.
fn forwarded(exchange: &Exchange<'_>) -> Vec<(String, String)> {
    let api = exchange.context["apiId"].as_str().unwrap_or_default();
    let client = exchange.headers.iter();
    let mut headers: Vec<_> = client
        .filter(|(name, _)| !name.eq_ignore_ascii_case("host") && !is_of_the_wire(name))
        .cloned()
        .collect();
    for (name, value) in [
        ("Content-Type", "application/json"),
        ("User-Agent", &format!("AmazonAPIGateway_{api}")),
        ("X-Amzn-Apigateway-Api-Id", api),
        ("X-Amzn-Trace-Id", &exchange.trace),
    ] {
        if !headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    headers
}

/// Headers that belong to one connection only; the backend's connection has its own.
fn is_of_the_wire(name: &str) -> bool {
    [
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "expect",
    ]
    .iter()
    .any(|known| known.eq_ignore_ascii_case(name))
}

fn set(headers: &mut Vec<(String, String)>, name: &str, value: String) {
    headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    headers.push((name.to_owned(), value));
}
