//! Runs one handler behind the Lambda Runtime API.

mod clients;
mod reviewed;

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use chat_identity::Verifier;
use chat_protocol::{Answers, Handler, Mode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::aws::{HttpDocuments, Timeouts};
use crate::delivery::Delivery;
use crate::dispatch::ShardMessage;
use crate::environment::{Environment, EnvironmentError};
use crate::event::SocketEvent;
use crate::handlers::{self, Admission, Gate, HandlerError, Invocation, ProxyResponse};
use crate::history::Reader;
use crate::issuer::IssuerTokens;
use crate::log::{Log, reasons};
use crate::presence::AnnounceEvent;
use crate::runtime::{self, Event, Failure, RuntimeApi, RuntimeError, Trace};
use crate::store::ConnectionStore;
use crate::tokens::Tokens;
use clients::{ServiceClients, all_clients, store, store_and_delivery};

/// Why the function stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It could not start.
    #[error("the function cannot start")]
    Environment(#[from] EnvironmentError),
    /// The Runtime API can no longer be used.
    #[error("the Lambda Runtime API failed")]
    Runtime(#[from] RuntimeError),
}

/// Runs `serving` in the environment of this process. It only ends by an error, which is logged.
pub fn until_it_stops(
    serving: impl AsyncFnOnce(Environment<'_>, Log) -> Result<Infallible, ServeError>,
) -> ExitCode {
    let lookup = |variable: &str| std::env::var(variable).ok();
    let environment = Environment::new(&lookup);
    let log = Log::to_stdout(environment.log_level());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let reason = match runtime.map(|runtime| runtime.block_on(serving(environment, log.clone()))) {
        Ok(Ok(never)) => match never {},
        Ok(Err(error)) => reasons(&error),
        Err(error) => reasons(&error),
    };
    log.error("function stopped", [("reason", json!(reason))]);
    ExitCode::FAILURE
}

/// The timeout of the report that the function cannot start.
const INIT_ERROR_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs the handler that `environment` selects, one invocation after another, as long as Lambda sends events.
///
/// The clients that the handler uses are created before the first invocation. An error that prevents the start is
/// reported to Lambda, which passes it to the caller.
///
/// # Errors
/// [`ServeError`]
pub async fn serve(environment: Environment<'_>, log: Log) -> Result<Infallible, ServeError> {
    start(environment, &log, async |api, trace| {
        handle(environment, &log, api, trace).await
    })
    .await
}

/// Runs a user's handler, one event after another, as long as Lambda sends events: of API Gateway, or of another function.
///
/// `make` creates it with its clients, which send the trace id that they are given.
///
/// # Errors
/// [`ServeError`]
pub async fn serve_events<E, H, A>(
    environment: Environment<'_>,
    log: Log,
    make: impl FnOnce(&Trace) -> Result<H, EnvironmentError>,
) -> Result<Infallible, ServeError>
where
    E: for<'de> Deserialize<'de>,
    H: AsyncFn(&E, &Invocation) -> Result<A, HandlerError>,
    A: Serialize,
{
    start(
        environment,
        &log,
        async |api: &mut RuntimeApi, trace: &Trace| {
            let handler = make(trace)?;
            Ok(run(api, trace, &log, handler).await?)
        },
    )
    .await
}

/// Runs `work` on the Runtime API, and reports an error that prevents the start to Lambda.
async fn start(
    environment: Environment<'_>,
    log: &Log,
    work: impl AsyncFnOnce(&mut RuntimeApi, &Trace) -> Result<Infallible, ServeError>,
) -> Result<Infallible, ServeError> {
    let mut api = RuntimeApi::new(environment.runtime_api()?);
    if environment.is_concurrency_declared() {
        let message = "AWS_LAMBDA_MAX_CONCURRENCY is set, but events are handled one after another";
        log.warn(message, []);
    }
    let ended = work(&mut api, &Trace::default()).await;
    if let Err(ServeError::Environment(error)) = &ended {
        let failure = Failure {
            error_type: "Runtime.InitError".to_owned(),
            error_message: reasons(error),
        };
        // If it cannot be reported, it is still in the log.
        let _reported = timeout(INIT_ERROR_TIMEOUT, api.cannot_start(&failure)).await;
    }
    ended
}

async fn handle(
    environment: Environment<'_>,
    log: &Log,
    api: &mut RuntimeApi,
    trace: &Trace,
) -> Result<Infallible, ServeError> {
    let ended = match environment.handler()? {
        Handler::Authorize => {
            let admission = Admission::from_environment(environment)?;
            match environment.mode()? {
                Mode::Claimed => {
                    run(api, trace, log, async |event: &SocketEvent, invocation| {
                        handlers::authorize(event, &admission, invocation)
                    })
                    .await
                }
                Mode::Token => {
                    let tokens = Verifier::new(environment.keys()?, environment.rules(None)?);
                    prove(api, trace, log, (&admission, &tokens)).await
                }
                Mode::Jwt => {
                    let issuer = environment.issuer()?;
                    let rules = environment.rules(Some(issuer.clone()))?;
                    let documents = HttpDocuments::new(&issuer);
                    let tokens = IssuerTokens::new(issuer, rules, documents);
                    tokens.start(epoch_seconds(), log).await;
                    prove(api, trace, log, (&admission, &tokens)).await
                }
                // A crate of the user's is the authorizer then.
                Mode::Handler => return Err(environment.not_ours().into()),
            }
        }
        Handler::Connect => {
            let store = store(environment, log, trace)?;
            let (recording, mode) = (environment.recording()?, environment.mode()?);
            run(
                api,
                trace,
                log,
                async |event: &SocketEvent, invocation| match mode.proves_names() {
                    true => handlers::connect_proven(event, &store, recording, invocation).await,
                    false => handlers::connect(event, &store, recording, invocation).await,
                },
            )
            .await
        }
        Handler::Disconnect => {
            let store = store(environment, log, trace)?;
            let index = environment.index()?;
            run(api, trace, log, async |event: &SocketEvent, invocation| {
                handlers::disconnect(event, &store, index, invocation).await
            })
            .await
        }
        Handler::Direct => {
            let (store, delivery) = store_and_delivery(environment, log, trace)?;
            let (gate, clients) = (Gate::new(environment)?, (&store, &delivery));
            let rules = reviewed::rules(environment, trace, gate.routes())?;
            let direct = async |event: &SocketEvent, invocation: &Invocation| {
                handlers::direct(event, &store, &delivery, &rules, invocation).await
            };
            run_gated(api, trace, log, (&gate, clients), direct).await
        }
        Handler::Broadcast => {
            let function = environment.deliver_function()?;
            let (store, delivery, dispatch) = all_clients(environment, log, trace, function)?;
            let (gate, clients) = (Gate::new(environment)?, (&store, &delivery));
            let rules = reviewed::rules(environment, trace, gate.routes())?;
            let broadcast = async |event: &SocketEvent, invocation: &Invocation| {
                handlers::broadcast(event, clients, &dispatch, &rules, invocation).await
            };
            run_gated(api, trace, log, (&gate, clients), broadcast).await
        }
        Handler::Who => {
            let (store, delivery) = store_and_delivery(environment, log, trace)?;
            let (gate, clients) = (gate_of(Answers::Who, environment)?, (&store, &delivery));
            let who = async |event: &SocketEvent, invocation: &Invocation| {
                handlers::who(event, clients, invocation).await
            };
            run_gated(api, trace, log, (&gate, clients), who).await
        }
        Handler::Kick => {
            let (store, delivery) = store_and_delivery(environment, log, trace)?;
            let (gate, clients) = (gate_of(Answers::Kick, environment)?, (&store, &delivery));
            let index = environment.index()?;
            let kick = async |event: &SocketEvent, invocation: &Invocation| {
                handlers::kick(event, clients, index, invocation).await
            };
            run_gated(api, trace, log, (&gate, clients), kick).await
        }
        Handler::History => {
            let (store, delivery) = store_and_delivery(environment, log, trace)?;
            let (gate, clients) = (gate_of(Answers::History, environment)?, (&store, &delivery));
            let kept = (reader(environment)?, environment.history_seconds()?);
            let history = async |event: &SocketEvent, invocation: &Invocation| {
                handlers::history(event, clients, kept, invocation).await
            };
            run_gated(api, trace, log, (&gate, clients), history).await
        }
        Handler::Delete => {
            let (store, delivery) = store_and_delivery(environment, log, trace)?;
            let (gate, clients) = (gate_of(Answers::Delete, environment)?, (&store, &delivery));
            let reader = reader(environment)?;
            let delete = async |event: &SocketEvent, invocation: &Invocation| {
                handlers::delete(event, clients, reader, invocation).await
            };
            run_gated(api, trace, log, (&gate, clients), delete).await
        }
        Handler::Deliver => {
            let function = environment.own_function()?;
            let (store, delivery, dispatch) = all_clients(environment, log, trace, function)?;
            run(
                api,
                trace,
                log,
                async |message: &ShardMessage, invocation| {
                    let clients = (&store, &delivery);
                    handlers::deliver(message, clients, &dispatch, invocation).await
                },
            )
            .await
        }
        Handler::Announce => {
            let endpoint = environment.connections_endpoint()?;
            let clients = ServiceClients::new(environment, log, trace, &[Some(&endpoint)])?;
            // A member whom it finds gone is its own to announce.
            let store = clients.table();
            let delivery = clients.clients.crowd_delivery(endpoint, Timeouts::POST);
            run(
                api,
                trace,
                log,
                async |announce_event: &AnnounceEvent, invocation| {
                    handlers::announce(announce_event, (&store, &delivery), invocation).await
                },
            )
            .await
        }
    };
    Ok(ended?)
}

/// What stands before the handler of such requests.
fn gate_of(answers: Answers, environment: Environment<'_>) -> Result<Gate, EnvironmentError> {
    let gate = Gate::new(environment)?;
    Ok(gate.for_requests(handlers::rule_of_requests(), answers.right()))
}

fn reader(environment: Environment<'_>) -> Result<Reader, EnvironmentError> {
    Ok(Reader {
        mode: environment.mode()?,
        index: environment.index()?,
    })
}

/// Runs a handler of clients' frames, each of which must pass `gate` first.
async fn run_gated(
    api: &mut RuntimeApi,
    trace: &Trace,
    log: &Log,
    (gate, clients): (&Gate, (&impl ConnectionStore, &impl Delivery)),
    handler: impl AsyncFn(&SocketEvent, &Invocation) -> Result<ProxyResponse, HandlerError>,
) -> Result<Infallible, RuntimeError> {
    run(
        api,
        trace,
        log,
        async |event: &SocketEvent, invocation| match gate
            .refusal(event, clients, invocation)
            .await?
        {
            Some(refusal) => Ok(refusal),
            None => handler(event, invocation).await,
        },
    )
    .await
}

/// Runs the authorizer that asks for tokens.
async fn prove(
    api: &mut RuntimeApi,
    trace: &Trace,
    log: &Log,
    (admission, tokens): (&Admission, &impl Tokens),
) -> Result<Infallible, RuntimeError> {
    run(api, trace, log, async |event: &SocketEvent, invocation| {
        handlers::prove(event, admission, tokens, invocation).await
    })
    .await
}

/// The time reserved for the last post and its logging.
const LAST_POST: Duration = Duration::from_secs(4);

/// When to begin no new work, for a function that is ended at `deadline`, in milliseconds since the epoch.
fn until(deadline: u64, now: SystemTime) -> Instant {
    let deadline = SystemTime::UNIX_EPOCH + Duration::from_millis(deadline);
    let left = deadline.duration_since(now).unwrap_or_default();
    // With little time left, half of it is used, so that at least some work is done.
    Instant::now() + left.saturating_sub(LAST_POST).max(left / 2)
}

async fn run<E, A: Serialize>(
    api: &mut RuntimeApi,
    trace: &Trace,
    log: &Log,
    handler: impl AsyncFn(&E, &Invocation) -> Result<A, HandlerError>,
) -> Result<Infallible, RuntimeError>
where
    E: for<'de> Deserialize<'de>,
{
    runtime::run(api, trace, log, async |payload: E, event: &Event| {
        let invocation = Invocation {
            now: epoch_seconds(),
            until: until(event.deadline, SystemTime::now()),
            log: log.for_request(&event.request_id),
        };
        let outcome = handler(&payload, &invocation).await;
        if let Err(error) = &outcome {
            let reason = json!(reasons(error));
            match error {
                // The reason for the refusal was logged where it was decided.
                HandlerError::Unauthorized => {}
                _ => invocation
                    .log
                    .error("invocation failed", [("reason", reason)]),
            }
        }
        outcome.map_err(Failure::from)
    })
    .await
}

fn epoch_seconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map(|since| since.as_secs()).unwrap_or_default()
}

/// The report of a failed invocation to Lambda. API Gateway interprets the message of [`HandlerError::Unauthorized`].
impl From<HandlerError> for Failure {
    fn from(error: HandlerError) -> Self {
        let error_type = match error {
            HandlerError::Unauthorized => "Unauthorized",
            HandlerError::UnexpectedEvent(_) => "UnexpectedEvent",
            HandlerError::Store(_) => "StoreError",
            HandlerError::Busy => "AnnouncerBusy",
            HandlerError::Tokens(_) => "TokensUnavailable",
            HandlerError::Own(_) => "HandlerError",
        };
        Self {
            error_type: error_type.to_owned(),
            error_message: reasons(&error),
        }
    }
}
