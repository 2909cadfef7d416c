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
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) use self::answer::Backend;
use self::answer::{Answer, Responses};
pub(crate) use self::client::Client;
pub(crate) use self::exchange::Exchange;
use self::request::{Outgoing, Templates};
pub(crate) use self::validation::Validator;
use super::Gateway;
use super::answers::Answered;
use super::beside::Beside;
use crate::budget::Share;
use crate::mapping::{Fault, Scene, Template};
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
    Http(HttpRequest, Arc<Templates>, Arc<Responses>),
    Mock(Arc<Templates>, Arc<Responses>),
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
                Arc::new(Templates::of(&mapping)),
                Arc::new(Responses::of(&mapping.responses)),
            ),
            IntegrationKind::Mock(mapping) => Kind::Mock(
                Arc::new(Templates::of(&mapping)),
                Arc::new(Responses::of(&mapping.responses)),
            ),
        };
        Ok(Self {
            logical_id: integration.logical_id,
            kind,
        })
    }

    /// What its selection expressions have not found, each told once. Not the key itself: it may be a message's text.
    fn missed(&self) -> Vec<String> {
        let (Kind::Http(_, templates, responses) | Kind::Mock(templates, responses)) = &self.kind
        else {
            return Vec::new();
        };
        let text = |whose: &str, expression: &str| {
            format!(
                "the TemplateSelectionExpression `{expression}` of `{whose}` yields a key that none of its templates has, and none has the key $default, so what came is passed on as it is"
            )
        };
        let of_request = templates.missed();
        let of_request = of_request.map(|expression| text(&self.logical_id, expression));
        let of_answers = responses
            .missed()
            .map(|(id, expression)| text(id, expression));
        of_request.into_iter().chain(of_answers).collect()
    }

    async fn run(
        &self,
        client: &Client,
        beside: &Beside,
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
                let body = body(templates, beside, exchange).await?;
                let outgoing = Outgoing::mapped(request, exchange, body);
                let answer = client
                    .send(outgoing.map_err(Failure::Configuration)?, share)
                    .await?;
                mapped(responses, beside, answer, exchange).await
            }
            Kind::Mock(templates, responses) => {
                let body = body(templates, beside, exchange).await?;
                mapped(responses, beside, answer::mocked(&body)?, exchange).await
            }
        }
    }
}

/// What a backend's body is made, beside the gateway's thread if that takes its time.
async fn body(
    templates: &Arc<Templates>,
    beside: &Beside,
    exchange: &Exchange<'_>,
) -> Result<Vec<u8>, Failure> {
    if let Some(body) = templates.body(exchange, render_in_passing) {
        return body;
    }
    let (templates, exchange) = (Arc::clone(templates), exchange.to_owned());
    let whole = move || templates.body(&exchange, render_wholly);
    beside.run(whole).await.unwrap_or_else(|| Err(endless()))
}

/// What is made of a backend's answer, beside the gateway's thread if that takes its time.
async fn mapped(
    responses: &Arc<Responses>,
    beside: &Beside,
    answer: Answer,
    exchange: &Exchange<'_>,
) -> Result<Backend, Failure> {
    if answer.body.len() <= ANSWER_IN_PASSING
        && let Some(backend) = responses.map(&answer, exchange, render_in_passing)
    {
        return backend;
    }
    let (responses, exchange) = (Arc::clone(responses), exchange.to_owned());
    let whole = move || responses.map(&answer, &exchange, render_wholly);
    beside.run(whole).await.unwrap_or_else(|| Err(endless()))
}

/// The largest answer of a backend, in bytes, that is read on the gateway's thread.
const ANSWER_IN_PASSING: usize = 256 * 1024;

/// How a template is rendered: `None` if that would take too long where it is done.
type Render = fn(&Template, &Scene<'_>) -> Option<Result<String, Fault>>;

fn render_in_passing(template: &Template, scene: &Scene<'_>) -> Option<Result<String, Fault>> {
    template.render_in_passing(scene, &over_in(TIME_IN_PASSING))
}

fn render_wholly(template: &Template, scene: &Scene<'_>) -> Option<Result<String, Fault>> {
    Some(template.render(scene, &over_in(TIME)))
}

/// How long a rendering may take, where others wait for it and where they do not. Steps end it earlier in most cases.
const TIME_IN_PASSING: Duration = Duration::from_millis(20);
const TIME: Duration = Duration::from_secs(10);

fn over_in(time: Duration) -> impl Fn() -> bool {
    let end = Instant::now() + time;
    move || Instant::now() >= end
}

fn endless() -> Failure {
    Failure::Configuration("the template could not be rendered".to_owned())
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
        let running = integration.run(&self.backends, &self.beside, exchange, share);
        let ran = self.clock.patiently(timeout, running).await;
        for missed in integration.missed() {
            self.observer.warn(missed);
        }
        let failure = match ran {
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
            let found = exchange.json().map(|body| path.find(body)).transpose()?;
            text(found.flatten().as_ref())
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
