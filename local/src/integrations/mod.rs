//! Integrations without a function: `HTTP`, `HTTP_PROXY` and `MOCK`.
//!
//! See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html>
//! and
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-responses.html>.
//! Where AWS documents nothing for WebSocket APIs, this follows its REST APIs: which template key counts, what is
//! forwarded, and that an unreachable backend is a status of 504.

mod backend;
mod client;
pub(crate) mod events;
mod exchange;
pub(crate) mod incoming;
pub(crate) mod json_size;
mod rendering;
mod request;
mod responses;
pub(crate) mod selection;
pub(crate) mod validation;
pub(crate) mod variables;

use std::sync::Arc;
use std::time::Duration;

use self::backend::{Backend, BackendResponse};
use self::client::Client;
use self::exchange::{Exchange, Failure};
use self::incoming::{Incoming, IncomingKind};
use self::json_size::size_in_json;
use self::rendering::{render_in_passing, render_wholly};
use self::request::{Outgoing, Templates};
use self::responses::Responses;
pub(crate) use self::validation::Validator;
use crate::budget::{Reservation, Share};
use crate::clock::Clock;
use crate::lambda::{Functions, Outcome};
use crate::observer::Observer;
use crate::stack::{HttpRequest, Integration, IntegrationKind, Passthrough};
use crate::worker_threads::WorkerThreads;

/// The target of a route or an authorizer.
#[derive(Debug)]
pub(crate) enum Target {
    /// The function with this ARN.
    Function(String),
    /// An integration without a function. Authorizers have none.
    Integration(LiveIntegration),
    /// Nothing, for the reason given.
    Nothing(String),
}

/// The outcome of an integration.
#[derive(Debug)]
pub(crate) enum IntegrationOutcome {
    /// The function ended, with or without an error.
    Function(Outcome),
    /// The integration's timeout has passed. The function may still be running.
    TimedOut,
    /// The gateway may not invoke the function, or there is none.
    NotInvoked,
    /// An integration without a function responded.
    Backend(Backend),
    /// An integration without a function failed before it responded.
    Refused { status: u16, message: &'static str },
}

/// The shared parts of all integrations.
#[derive(Debug)]
pub(crate) struct Integrations {
    functions: Arc<Functions>,
    client: Client,
    worker_threads: WorkerThreads,
    clock: Clock,
    observer: Observer,
}

impl Integrations {
    pub(crate) fn new(functions: Arc<Functions>, clock: Clock, observer: Observer) -> Self {
        Self {
            functions,
            client: Client::default(),
            worker_threads: WorkerThreads::default(),
            clock,
            observer,
        }
    }

    pub(crate) fn worker_threads(&self) -> &WorkerThreads {
        &self.worker_threads
    }

    /// Passes a request to the target of its route, for at most `timeout`. `held` is the request's part of the budget,
    /// which its event takes over.
    pub(crate) async fn pass(
        &self,
        target: &Target,
        timeout: Duration,
        incoming: Incoming<'_>,
        mut held: Reservation,
    ) -> IntegrationOutcome {
        if let Target::Integration(integration) = target {
            let exchange = Exchange::new(&incoming);
            // Boxed, because 64 messages of each connection may wait for a function, and each would keep room for this,
            // which is larger than all else.
            return Box::pin(self.integrate(integration, timeout, &exchange, held.share())).await;
        }
        if let IncomingKind::Message { body, .. } = &incoming.kind {
            // Quotes and control characters make the event larger than the message, the latter six times.
            let room = held.grow_when_free(size_in_json(body));
            if self.clock.timeout(timeout, room).await.is_none() {
                return IntegrationOutcome::TimedOut;
            }
        }
        let event = events::event(&incoming);
        let trace = incoming.trace;
        // The message is in the event now.
        drop(incoming);
        self.invoke(target, timeout, event, trace, held).await
    }

    /// Invokes the target of a route or an authorizer, for at most `timeout`. `held` is the event's part of the budget,
    /// until a process has responded.
    pub(crate) async fn invoke(
        &self,
        target: &Target,
        timeout: Duration,
        event: Vec<u8>,
        trace: &str,
        mut held: Reservation,
    ) -> IntegrationOutcome {
        let arn = match target {
            Target::Function(arn) => arn,
            Target::Nothing(why) => {
                self.observer.warn(why.clone());
                return IntegrationOutcome::NotInvoked;
            }
            Target::Integration(_) => return IntegrationOutcome::NotInvoked,
        };
        held.resize(event.len());
        let invocation = self.functions.invoke(arn, event, trace, held);
        match self.clock.timeout(timeout, invocation).await {
            Some(outcome) => IntegrationOutcome::Function(outcome),
            None => IntegrationOutcome::TimedOut,
        }
    }

    /// Runs an integration without a function for at most `timeout`. Failures are reported as warnings. `share` holds
    /// the request to a backend and its response.
    async fn integrate(
        &self,
        integration: &LiveIntegration,
        timeout: Duration,
        exchange: &Exchange<'_>,
        share: &Arc<Share>,
    ) -> IntegrationOutcome {
        let running = integration.run(&self.client, &self.worker_threads, exchange, share);
        let ran = self.clock.timeout(timeout, running).await;
        for missed in integration.missed() {
            self.observer.warn(missed);
        }
        let failure = match ran {
            Some(Ok(answer)) => return IntegrationOutcome::Backend(answer),
            None => return IntegrationOutcome::TimedOut,
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
                "no request template matches, and `PassthroughBehavior` refuses requests without one"
                    .to_owned(),
            ),
        };
        self.observer.warn(format!(
            "integration `{id}` of route `{route}` failed: {why}"
        ));
        IntegrationOutcome::Refused { status, message }
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
    pub(crate) fn from_integration(integration: Integration) -> Result<Self, String> {
        let kind = match integration.kind {
            IntegrationKind::Function { arn } => return Err(arn),
            IntegrationKind::HttpProxy(request) => Kind::HttpProxy(request),
            IntegrationKind::Http(request, mapping) => Kind::Http(
                request,
                Arc::new(Templates::new(&mapping)),
                Arc::new(Responses::new(&mapping.responses)),
            ),
            IntegrationKind::Mock(mapping) => Kind::Mock(
                Arc::new(Templates::new(&mapping)),
                Arc::new(Responses::new(&mapping.responses)),
            ),
        };
        Ok(Self {
            logical_id: integration.logical_id,
            kind,
        })
    }

    /// Warnings about selection expressions without a matching template, each returned once. The key itself is not
    /// shown, because it may be a message.
    fn missed(&self) -> Vec<String> {
        let (Kind::Http(_, templates, responses) | Kind::Mock(templates, responses)) = &self.kind
        else {
            return Vec::new();
        };
        let text = |whose: &str, expression: &str| {
            format!(
                "the TemplateSelectionExpression `{expression}` of `{whose}` yields a key without a template, and there is no template $default, so the body is passed on unchanged"
            )
        };
        let of_request = templates
            .missed()
            .map(|expression| text(&self.logical_id, expression));
        let of_answers = responses
            .missed()
            .map(|(id, expression)| text(id, expression));
        of_request.into_iter().chain(of_answers).collect()
    }

    async fn run(
        &self,
        client: &Client,
        worker_threads: &WorkerThreads,
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
                let body = body(templates, worker_threads, exchange).await?;
                let outgoing = Outgoing::mapped(request, exchange, body);
                let answer = client
                    .send(outgoing.map_err(Failure::Configuration)?, share)
                    .await?;
                mapped(responses, worker_threads, answer, exchange).await
            }
            Kind::Mock(templates, responses) => {
                let body = body(templates, worker_threads, exchange).await?;
                mapped(
                    responses,
                    worker_threads,
                    responses::mocked(&body)?,
                    exchange,
                )
                .await
            }
        }
    }
}

/// Renders the request's body, on another thread if that takes long.
async fn body(
    templates: &Arc<Templates>,
    worker_threads: &WorkerThreads,
    exchange: &Exchange<'_>,
) -> Result<Vec<u8>, Failure> {
    if let Some(body) = templates.body(exchange, render_in_passing) {
        return body;
    }
    let (templates, exchange) = (Arc::clone(templates), exchange.to_owned());
    let whole = move || templates.body(&exchange, render_wholly);
    worker_threads
        .run(whole)
        .await
        .unwrap_or_else(|| Err(endless()))
}

/// Converts a backend's response, on another thread if that takes long.
async fn mapped(
    responses: &Arc<Responses>,
    worker_threads: &WorkerThreads,
    answer: BackendResponse,
    exchange: &Exchange<'_>,
) -> Result<Backend, Failure> {
    if answer.body.len() <= MAX_BYTES_READ_ON_THE_THREAD
        && let Some(backend) = responses.map(&answer, exchange, render_in_passing)
    {
        return backend;
    }
    let (responses, exchange) = (Arc::clone(responses), exchange.to_owned());
    let whole = move || responses.map(&answer, &exchange, render_wholly);
    worker_threads
        .run(whole)
        .await
        .unwrap_or_else(|| Err(endless()))
}

/// The largest response of a backend, in bytes, that is converted on the gateway's thread.
const MAX_BYTES_READ_ON_THE_THREAD: usize = 256 * 1024;

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
