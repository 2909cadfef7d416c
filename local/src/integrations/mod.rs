//! Integrations without a function: `HTTP`, `HTTP_PROXY` and `MOCK`.
//!
//! See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html> and
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-responses.html>.
//! What AWS does not say about WebSocket APIs follows its REST APIs: which template key counts, what is forwarded, and
//! that a backend which cannot be reached is a status of 504.

mod answer;
mod backend;
mod client;
pub(crate) mod events;
mod exchange;
mod rendering;
mod request;
mod selection;
pub(crate) mod validation;
pub(crate) mod variables;

use std::sync::Arc;
use std::time::Duration;

use self::answer::Responses;
use self::backend::{Answer, Backend};
use self::client::Client;
pub(crate) use self::exchange::Exchange;
use self::exchange::Failure;
use self::rendering::{render_in_passing, render_wholly};
use self::request::{Outgoing, Templates};
pub(crate) use self::validation::Validator;
use crate::beside::Beside;
use crate::budget::{Held, Share};
use crate::clock::Clock;
use crate::lambda::{Functions, Outcome};
use crate::observer::Observer;
use crate::stack::{HttpRequest, Integration, IntegrationKind, Passthrough};

/// What a route or an authorizer invokes.
#[derive(Debug)]
pub(crate) enum Target {
    /// The function with this ARN.
    Function(String),
    /// An integration without a function; authorizers have none.
    Integration(LiveIntegration),
    /// Nothing, for the reason given.
    Nothing(String),
}

/// What came of an integration.
#[derive(Debug)]
pub(crate) enum Answered {
    /// The function ended, well or not.
    Function(Outcome),
    /// It took longer than the integration's timeout. It may still be running.
    TimedOut,
    /// The gateway may not invoke it, or there is nothing to invoke.
    NotInvoked,
    /// An integration without a function answered.
    Backend(Backend),
    /// An integration without a function did not get as far.
    Refused { status: u16, message: &'static str },
}

/// Everything that integrations need.
#[derive(Debug)]
pub(crate) struct Integrations {
    functions: Arc<Functions>,
    client: Client,
    beside: Beside,
    clock: Clock,
    observer: Observer,
}

impl Integrations {
    pub(crate) fn new(functions: Arc<Functions>, clock: Clock, observer: Observer) -> Self {
        Self {
            functions,
            client: Client::default(),
            beside: Beside::default(),
            clock,
            observer,
        }
    }

    pub(crate) fn beside(&self) -> &Beside {
        &self.beside
    }

    /// Invokes what a route or an authorizer points at, for no longer than `timeout`. `held` is what the event takes of
    /// the budget, until a process has answered.
    pub(crate) async fn invoke(
        &self,
        target: &Target,
        timeout: Duration,
        event: Vec<u8>,
        trace: &str,
        mut held: Held,
    ) -> Answered {
        let arn = match target {
            Target::Function(arn) => arn,
            Target::Nothing(why) => {
                self.observer.warn(why.clone());
                return Answered::NotInvoked;
            }
            Target::Integration(_) => return Answered::NotInvoked,
        };
        held.resize(event.len());
        let invocation = self.functions.invoke(arn, event, trace, held);
        match self.clock.patiently(timeout, invocation).await {
            Some(outcome) => Answered::Function(outcome),
            None => Answered::TimedOut,
        }
    }

    /// Runs an integration without a function for no longer than `timeout`. What went wrong is told as a warning.
    /// `share` holds what is sent to a backend and what it answers.
    pub(crate) async fn integrate(
        &self,
        integration: &LiveIntegration,
        timeout: Duration,
        exchange: &Exchange<'_>,
        share: &Arc<Share>,
    ) -> Answered {
        let running = integration.run(&self.client, &self.beside, exchange, share);
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

fn endless() -> Failure {
    Failure::Configuration("the template could not be rendered".to_owned())
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
