//! Integrations without a function: `HTTP`, `HTTP_PROXY` and `MOCK`.
//!
//! See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html> and
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-responses.html>.
//! What AWS does not say about WebSocket APIs follows its REST APIs: which template key counts, what is forwarded, and
//! that a backend which cannot be reached is a status of 504.

mod answer;
mod client;
mod exchange;
mod request;
mod selection;
pub(crate) mod validation;
pub(crate) mod variables;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

pub(crate) use self::answer::Backend;
use self::answer::Responses;
pub(crate) use self::client::Client;
pub(crate) use self::exchange::Exchange;
use self::request::{Outgoing, Templates};
pub(crate) use self::validation::Validator;
use super::Gateway;
use super::answers::Answered;
use crate::budget::Share;
use crate::stack::{HttpRequest, Integration, IntegrationKind, ParameterSource, Passthrough};

/// An integration without a function, ready to run.
#[derive(Debug)]
pub(crate) struct LiveIntegration {
    logical_id: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    HttpProxy(HttpRequest),
    Http(HttpRequest, Templates, Responses),
    Mock(Templates, Responses),
}

/// Why an integration gave no answer.
#[derive(Debug)]
enum Failure {
    /// The template or its settings are wrong: the client learns no more than that.
    Configuration(String),
    /// The backend cannot be reached, or what it sends is no answer.
    Backend(String),
    /// There is no template, and nothing may pass without one.
    UnsupportedMediaType,
}

impl LiveIntegration {
    /// An `Err` is the ARN of the function that `integration` has instead.
    pub(crate) fn of(integration: Integration) -> Result<Self, String> {
        let kind = match integration.kind {
            IntegrationKind::Function { arn } => return Err(arn),
            IntegrationKind::HttpProxy(request) => Kind::HttpProxy(request),
            IntegrationKind::Http(request, mapping) => Kind::Http(
                request,
                Templates::of(&mapping),
                Responses::of(&mapping.responses),
            ),
            IntegrationKind::Mock(mapping) => {
                Kind::Mock(Templates::of(&mapping), Responses::of(&mapping.responses))
            }
        };
        Ok(Self {
            logical_id: integration.logical_id,
            kind,
        })
    }

    async fn run(
        &self,
        client: &Client,
        exchange: &Exchange<'_>,
        share: &Arc<Share>,
    ) -> Result<Backend, Failure> {
        match &self.kind {
            Kind::HttpProxy(request) => {
                let body = exchange.body.as_bytes().to_vec();
                let outgoing = Outgoing::proxied(request, exchange, body);
                let answer = client
                    .send(outgoing.map_err(Failure::Configuration)?, share)
                    .await?;
                Ok(answer.passed_on())
            }
            Kind::Http(request, templates, responses) => {
                let body = templates.body(exchange)?;
                let outgoing = Outgoing::mapped(request, exchange, body);
                let answer = client
                    .send(outgoing.map_err(Failure::Configuration)?, share)
                    .await?;
                responses.map(answer, exchange)
            }
            Kind::Mock(templates, responses) => {
                let body = templates.body(exchange)?;
                responses.map(answer::mocked(&body)?, exchange)
            }
        }
    }
}

impl Gateway {
    /// Runs an integration without a function for no longer than `timeout`. What went wrong is told as a warning.
    /// `share` holds what is sent to a backend and what it answers.
    pub(super) async fn integrate(
        &self,
        integration: &LiveIntegration,
        timeout: Duration,
        exchange: &Exchange<'_>,
        share: &Arc<Share>,
    ) -> Answered {
        let running = integration.run(&self.backends, exchange, share);
        let failure = match self.clock.patiently(timeout, running).await {
            Some(Ok(answer)) => return Answered::Backend(answer),
            None => return Answered::TimedOut,
            Some(Err(failure)) => failure,
        };
        let route = exchange.route_key();
        let id = &integration.logical_id;
        let (status, message, why) = match failure {
            Failure::Configuration(why) => (500, "Internal server error", why),
            Failure::Backend(why) => (504, "Internal server error", why),
            Failure::UnsupportedMediaType => (
                415,
                "Unsupported Media Type",
                "no request template fits, and `PassthroughBehavior` lets nothing pass without one"
                    .to_owned(),
            ),
        };
        self.observer.warn(format!(
            "integration `{id}` of route `{route}` failed: {why}"
        ));
        Answered::Refused { status, message }
    }
}

/// The value of a request parameter; `None` if there is none.
fn parameter(source: &ParameterSource, exchange: &Exchange<'_>) -> Result<Option<String>, String> {
    let text = |value: Option<&Value>| {
        value
            .filter(|value| !value.is_null())
            .map(|value| crate::mapping::as_text(value).into_owned())
    };
    Ok(match source {
        ParameterSource::Literal(literal) => Some(literal.clone()),
        ParameterSource::Header(name) => exchange.headers(name).last().map(str::to_owned),
        ParameterSource::AllHeaders(name) => joined(exchange.headers(name).collect()),
        ParameterSource::QueryString(name) => exchange.queries(name).last().map(str::to_owned),
        ParameterSource::AllQueryStrings(name) => joined(exchange.queries(name).collect()),
        ParameterSource::Body(path) => {
            let path = crate::jsonpath::JsonPath::parse(path)?;
            text(exchange.json().and_then(|body| path.find(body)).as_ref())
        }
        ParameterSource::StageVariable(name) => text(exchange.variables.get(name)),
        ParameterSource::Context(path) => {
            let mut names = path.split('.');
            text(names.try_fold(&exchange.context, |value, name| value.get(name)))
        }
    })
}

fn joined(values: Vec<&str>) -> Option<String> {
    (!values.is_empty()).then(|| values.join(","))
}

impl Passthrough {
    fn lets_pass(self, has_templates: bool) -> bool {
        match self {
            Self::WhenNoMatch => true,
            Self::WhenNoTemplates => !has_templates,
            Self::Never => false,
        }
    }
}
