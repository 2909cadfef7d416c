//! Runs a handler as a Lambda function.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;

use chat_lambdas::environment::{Environment, EnvironmentError};
use chat_lambdas::event::SocketEvent;
use chat_lambdas::handlers::{
    Admission, Gate, HandlerError, Invocation, Policy, ProxyResponse, decided, not_admitted,
};
use chat_lambdas::log::Log;
use chat_lambdas::runtime::Trace;
use chat_lambdas::serve::{ServeError, serve_events, until_it_stops};

use crate::chat::About;
use crate::error::HandlerKind;
use crate::services::{Services, over};
use crate::{Chat, Decision, Error, Handshake, Message, Reply, Review, Verdict};

/// Runs `handler` for one message after another, as long as Lambda sends events: the complete `main` of a handler's
/// crate.
///
/// An error or a panic of the handler is logged, and its sender gets API Gateway's `Internal server error`; then the
/// next message is handled.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use chat_sdk::{Chat, Error, Message, Reply, run};
///
/// fn main() -> ExitCode {
///     run(echo)
/// }
///
/// async fn echo(_: &Chat, message: &Message) -> Result<Reply, Error> {
///     Ok(message.text().into())
/// }
/// ```
pub fn run<H, R, E>(handler: H) -> ExitCode
where
    H: AsyncFn(&Chat, &Message) -> Result<R, E>,
    R: Into<Reply>,
    E: Into<Error>,
{
    until_it_stops(async |environment, log| serve(handler, environment, log).await)
}

/// Runs `decide` for one handshake after another, as long as Lambda sends events: the complete `main` of the crate that
/// `handler` under `[auth]` names.
///
/// A connection is opened only if `decide` allows it. An error or a panic refuses the handshake with 500 and is logged. A
/// handshake of a page whose origin is not in `origins` is refused before `decide` is called.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use chat_sdk::{Chat, Decision, Error, Handshake, allow, deny, run_authorizer};
///
/// fn main() -> ExitCode {
///     run_authorizer(decide)
/// }
///
/// async fn decide(chat: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
///     let Some(code) = handshake.header("x-invitation") else {
///         return Ok(deny("it comes without an invitation"));
///     };
///     match chat.table().read(&format!("invitation {code}")).await? {
///         Some(name) => Ok(allow(name)),
///         None => Ok(deny("its invitation is unknown")),
///     }
/// }
/// ```
pub fn run_authorizer<H, E>(decide: H) -> ExitCode
where
    H: AsyncFn(&Chat, &Handshake) -> Result<Decision, E>,
    E: Into<Error>,
{
    until_it_stops(async |environment, log| serve_handshakes(decide, environment, log).await)
}

/// Runs `review` for one message after another, as long as Lambda sends events: the complete `main` of the crate that `review`
/// of a route names.
///
/// The message waits for the verdict, up to the route's `review-timeout`. An error or a panic is logged; then the route's
/// `review-fallback` decides, as it does for a verdict that breaks a limit. Lambda may run `review` twice for one message.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use chat_sdk::{Chat, Error, Review, Verdict, run_review};
///
/// fn main() -> ExitCode {
///     run_review(review)
/// }
///
/// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
///     match review.text().contains("http://") {
///         true => Ok(Verdict::refuse("no links, please")),
///         false => Ok(Verdict::Allow),
///     }
/// }
/// ```
pub fn run_review<H, E>(review: H) -> ExitCode
where
    H: AsyncFn(&Chat, &Review) -> Result<Verdict, E>,
    E: Into<Error>,
{
    until_it_stops(async |environment, log| serve_reviews(review, environment, log).await)
}

async fn serve_reviews<H, E>(
    review: H,
    environment: Environment<'_>,
    log: Log,
) -> Result<Infallible, ServeError>
where
    H: AsyncFn(&Chat, &Review) -> Result<Verdict, E>,
    E: Into<Error>,
{
    serve_events::<Review, _, _>(environment, log, |trace| {
        let chats = Chats::from_environment(environment, trace, HandlerKind::Review)?;
        Ok(async move |asked: &Review, invocation: &Invocation| {
            let chat = chats.during(invocation);
            let verdict = review(&chat, asked)
                .await
                .map_err(|error| HandlerError::Own(error.into()))?;
            Ok(verdict.into_answer())
        })
    })
    .await
}

async fn serve_handshakes<H, E>(
    decide: H,
    environment: Environment<'_>,
    log: Log,
) -> Result<Infallible, ServeError>
where
    H: AsyncFn(&Chat, &Handshake) -> Result<Decision, E>,
    E: Into<Error>,
{
    serve_events::<SocketEvent, _, _>(environment, log, |trace| {
        let admission = Admission::from_environment(environment)?;
        let chats = Chats::from_environment(environment, trace, HandlerKind::Authorizer)?;
        Ok(async move |event: &SocketEvent, invocation: &Invocation| {
            let chat = chats.during(invocation);
            judged(event, &admission, &chat, &decide).await
        })
    })
    .await
}

/// The answer to API Gateway about the handshake in `event`.
pub(crate) async fn judged<H, E>(
    event: &SocketEvent,
    admission: &Admission,
    chat: &Chat,
    decide: &H,
) -> Result<Policy, HandlerError>
where
    H: AsyncFn(&Chat, &Handshake) -> Result<Decision, E>,
    E: Into<Error>,
{
    let invocation = &chat.invocation;
    if let Some(denied) = not_admitted(event, admission, invocation)? {
        return Ok(denied);
    }
    let decision = decide(chat, &Handshake::new(event.clone()))
        .await
        .map_err(|error| HandlerError::Own(error.into()))?;
    decided(event, admission, decision.into_parts(), invocation)
}

async fn serve<H, R, E>(
    handler: H,
    environment: Environment<'_>,
    log: Log,
) -> Result<Infallible, ServeError>
where
    H: AsyncFn(&Chat, &Message) -> Result<R, E>,
    R: Into<Reply>,
    E: Into<Error>,
{
    let replies = environment.replies();
    serve_events::<SocketEvent, _, _>(environment, log, |trace| {
        let gate = Gate::new(environment)?;
        let chats = Chats::from_environment(environment, trace, HandlerKind::Route)?;
        Ok(async move |event: &SocketEvent, invocation: &Invocation| {
            let chat = chats.during(invocation);
            Ok(match handled(event, &gate, &chat, &handler).await? {
                Ok(reply) => response(reply, replies, invocation),
                Err(refusal) => refusal,
            })
        })
    })
    .await
}

/// The reply of `handler` to the message in `event`, or the answer of `gate`, which keeps the message from it.
pub(crate) async fn handled<H, R, E>(
    event: &SocketEvent,
    gate: &Gate,
    chat: &Chat,
    handler: &H,
) -> Result<Result<Reply, ProxyResponse>, HandlerError>
where
    H: AsyncFn(&Chat, &Message) -> Result<R, E>,
    R: Into<Reply>,
    E: Into<Error>,
{
    if let Some(refusal) = refused(event, gate, chat).await? {
        return Ok(Err(refusal));
    }
    let message = Message::read(event)?;
    let handled = handler(chat, &message).await;
    let reply = handled.map_err(|error| HandlerError::Own(error.into()))?;
    Ok(Ok(reply.into()))
}

/// The answer of `gate` to the message in `event`, if it does not pass. Its sender gets an error frame.
pub(crate) async fn refused(
    event: &SocketEvent,
    gate: &Gate,
    chat: &Chat,
) -> Result<Option<ProxyResponse>, HandlerError> {
    over!(&chat.services, |store, _, delivery, _| {
        let services = (store, delivery);
        gate.refusal(event, services, &chat.invocation).await
    })
}

fn response(reply: Reply, replies: bool, invocation: &Invocation) -> ProxyResponse {
    match reply.into_text() {
        None => ProxyResponse::status(200),
        Some(text) => {
            if !replies {
                let lost = "the reply is lost: in chatctl.toml the route needs `reply = true`";
                invocation.log.warn(lost, []);
            }
            ProxyResponse::because(200, text)
        }
    }
}

/// What the chats of all invocations of a function share.
struct Chats {
    services: Services,
    about: Arc<About>,
}

impl Chats {
    fn from_environment(
        environment: Environment<'_>,
        trace: &Trace,
        kind: HandlerKind,
    ) -> Result<Self, EnvironmentError> {
        Ok(Self {
            services: Services::from_environment(environment, trace)?,
            about: Arc::new(About::from_environment(environment, kind)?),
        })
    }

    fn during(&self, invocation: &Invocation) -> Chat {
        Chat {
            services: self.services.clone(),
            invocation: invocation.clone(),
            about: Arc::clone(&self.about),
        }
    }
}

impl About {
    fn from_environment(
        environment: Environment<'_>,
        kind: HandlerKind,
    ) -> Result<Self, EnvironmentError> {
        Ok(Self {
            kind,
            index: environment.index()?,
            table: environment.table()?.name,
            connections_endpoint: environment.connections_endpoint()?,
            // A variable whose name or value is not Unicode counts as not set.
            variables: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        })
    }
}
