//! Runs a handler as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;

use chat_lambdas::environment::{Environment, EnvironmentError};
use chat_lambdas::event::SocketEvent;
use chat_lambdas::handlers::{Answer, HandlerError, Invocation, refusal};
use chat_lambdas::log::{Log, reasons};
use chat_lambdas::routes::Routes;
use chat_lambdas::serve::serve_messages;

use crate::chat::About;
use crate::ways::{Ways, over};
use crate::{Chat, Error, Message, Reply};

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
    let lookup = |variable: &str| std::env::var(variable).ok();
    let environment = Environment::new(&lookup);
    let log = Log::to_stdout(environment.log_level());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let stopped = match runtime {
        Ok(runtime) => match runtime.block_on(serve(handler, environment, log.clone())) {
            Ok(never) => match never {},
            Err(error) => reasons(&error),
        },
        Err(error) => reasons(&error),
    };
    log.error("function stopped", [("reason", stopped.into())]);
    ExitCode::FAILURE
}

async fn serve<H, R, E>(
    handler: H,
    environment: Environment<'_>,
    log: Log,
) -> Result<std::convert::Infallible, chat_lambdas::serve::ServeError>
where
    H: AsyncFn(&Chat, &Message) -> Result<R, E>,
    R: Into<Reply>,
    E: Into<Error>,
{
    let replies = environment.replies();
    serve_messages(environment, log, |trace| {
        let mode = environment.mode()?;
        // Custom handlers answer in their own form, so no route has envelopes here.
        let routes = Routes::default();
        let ways = Ways::from_environment(environment, trace)?;
        let about = Arc::new(About::from_environment(environment)?);
        Ok(async move |event: &SocketEvent, invocation: &Invocation| {
            let chat = Chat {
                ways: ways.clone(),
                invocation: invocation.clone(),
                about: Arc::clone(&about),
            };
            let refusal = over!(&ways, |_, _, delivery, _| {
                refusal(event, (mode, &routes), delivery, invocation).await?
            });
            if let Some(refusal) = refusal {
                return Ok(refusal);
            }
            let message = Message::read(event)?;
            let handled = handler(&chat, &message).await;
            let reply = handled.map_err(|error| HandlerError::Own(error.into()))?;
            Ok(answer(reply.into(), replies, invocation))
        })
    })
    .await
}

fn answer(reply: Reply, replies: bool, invocation: &Invocation) -> Answer {
    match reply.into_text() {
        None => Answer::status(200),
        Some(text) => {
            if !replies {
                let lost = "the reply is lost: in chatctl.toml the route needs `reply = true`";
                invocation.log.warn(lost, []);
            }
            Answer::because(200, text)
        }
    }
}

impl About {
    fn from_environment(environment: Environment<'_>) -> Result<Self, EnvironmentError> {
        Ok(Self {
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
