//! Puts one handler behind the Lambda Runtime API.

use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aws::{CallbackDelivery, Clients, DynamoStore, LambdaDispatch, Patience};
use crate::dispatch::ShardMessage;
use crate::environment::{Environment, EnvironmentError, Handler};
use crate::event::SocketEvent;
use crate::handlers::{self, HandlerError, Invocation};
use crate::log::{Log, reasons};

/// Why the function stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It could not start.
    #[error("the function cannot start")]
    Environment(#[from] EnvironmentError),
    /// The Runtime API could not be used any more.
    #[error("the Lambda Runtime API failed")]
    Runtime(#[source] lambda_runtime::Error),
}

/// Runs the handler that `environment` names, one invocation after another, for as long as Lambda asks.
///
/// Clients are made here, before the first invocation, and only those that the handler uses.
///
/// # Errors
/// [`ServeError`]
///
/// # Panics
/// When the variables are missing that every Lambda environment has, such as `AWS_LAMBDA_RUNTIME_API`.
pub async fn serve(environment: Environment<'_>, log: Log) -> Result<(), ServeError> {
    let ended = match environment.handler()? {
        Handler::Authorize => {
            let names = environment.names()?;
            run(log, async |event: &SocketEvent, invocation| {
                handlers::authorize(event, names, invocation)
            })
            .await
        }
        Handler::Connect => {
            let store = store(environment)?;
            let policy = (environment.names()?, environment.index()?);
            run(log, async |event: &SocketEvent, invocation| {
                handlers::connect(event, &store, policy, invocation).await
            })
            .await
        }
        Handler::Disconnect => {
            let store = store(environment)?;
            let index = environment.index()?;
            run(log, async |event: &SocketEvent, invocation| {
                handlers::disconnect(event, &store, index, invocation).await
            })
            .await
        }
        Handler::Direct => {
            let (store, delivery) = store_and_delivery(environment, Clients::delivery)?;
            let routes = environment.routes()?;
            run(log, async |event: &SocketEvent, invocation| {
                handlers::direct(event, &store, &delivery, &routes, invocation).await
            })
            .await
        }
        Handler::Broadcast => {
            let (store, delivery, dispatch) = all_clients(environment)?;
            let routes = environment.routes()?;
            run(log, async |event: &SocketEvent, invocation| {
                let ways = (&store, &delivery);
                handlers::broadcast(event, ways, &dispatch, &routes, invocation).await
            })
            .await
        }
        Handler::Deliver => {
            let (store, delivery) = store_and_delivery(environment, Clients::crowd_delivery)?;
            run(log, async |message: &ShardMessage, invocation| {
                handlers::deliver(message, (&store, &delivery), invocation).await
            })
            .await
        }
    };
    ended.map_err(ServeError::Runtime)
}

fn store(environment: Environment<'_>) -> Result<DynamoStore, EnvironmentError> {
    let table = environment.table()?;
    let clients = Clients::new(environment.identity()?, &[table.endpoint.as_deref()]);
    Ok(clients.table(table, Patience::TABLE))
}

/// `deliver` is one of [`Clients`]' ways back to clients: to a friend's devices, or to a crowd.
fn store_and_delivery(
    environment: Environment<'_>,
    deliver: fn(&Clients, String, Patience) -> CallbackDelivery,
) -> Result<(DynamoStore, CallbackDelivery), EnvironmentError> {
    let table = environment.table()?;
    let endpoint = environment.connections_endpoint()?;
    let endpoints = [table.endpoint.as_deref(), Some(endpoint.as_str())];
    let clients = Clients::new(environment.identity()?, &endpoints);
    Ok((
        clients.table(table, Patience::TABLE),
        deliver(&clients, endpoint, Patience::POST),
    ))
}

fn all_clients(
    environment: Environment<'_>,
) -> Result<(DynamoStore, CallbackDelivery, LambdaDispatch), EnvironmentError> {
    let table = environment.table()?;
    let endpoint = environment.connections_endpoint()?;
    let function = environment.deliver_function()?;
    let endpoints = [
        table.endpoint.as_deref(),
        Some(endpoint.as_str()),
        function.endpoint.as_deref(),
    ];
    let clients = Clients::new(environment.identity()?, &endpoints);
    Ok((
        clients.table(table, Patience::TABLE),
        clients.crowd_delivery(endpoint, Patience::POST),
        clients.dispatch(function, Patience::POST),
    ))
}

/// A post may take this long, and what follows from it must be logged.
const LAST_POST: Duration = Duration::from_secs(4);

/// When to begin nothing new, for a function that is ended at `deadline`, in milliseconds since the epoch.
fn until(deadline: u64, now: SystemTime) -> Instant {
    let deadline = SystemTime::UNIX_EPOCH + Duration::from_millis(deadline);
    let left = deadline.duration_since(now).unwrap_or_default();
    // A function with little time uses half of it, so that it does anything at all.
    Instant::now() + left.saturating_sub(LAST_POST).max(left / 2)
}

async fn run<E, A: Serialize>(
    log: Log,
    handler: impl AsyncFn(&E, &Invocation) -> Result<A, HandlerError>,
) -> Result<(), lambda_runtime::Error>
where
    E: for<'de> Deserialize<'de>,
{
    let (log, handler) = (&log, &handler);
    lambda_runtime::run(service_fn(|event: LambdaEvent<E>| async move {
        let invocation = Invocation {
            now: epoch_seconds(),
            until: until(event.context.deadline, SystemTime::now()),
            log: log.of_request(&event.context.request_id),
        };
        // Boxed, because the compiler gives up on a future that holds the whole SDK by value.
        let outcome = Box::pin(handler(&event.payload, &invocation)).await;
        if let Err(error) = &outcome {
            let reason = json!(reasons(error));
            match error {
                // Why somebody is not let in was logged where it was decided.
                HandlerError::Unauthorized => {}
                _ => invocation
                    .log
                    .error("invocation failed", [("reason", reason)]),
            }
        }
        outcome
    }))
    .await
}

fn epoch_seconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map(|since| since.as_secs()).unwrap_or_default()
}

/// How a failed invocation is reported to Lambda. For [`HandlerError::Unauthorized`] the message is what API Gateway looks at.
impl From<HandlerError> for Diagnostic {
    fn from(error: HandlerError) -> Self {
        let error_type = match error {
            HandlerError::Unauthorized => "Unauthorized",
            HandlerError::UnexpectedEvent(_) => "UnexpectedEvent",
            HandlerError::Store(_) => "StoreError",
        };
        Self {
            error_type: error_type.to_owned(),
            error_message: reasons(&error),
        }
    }
}
