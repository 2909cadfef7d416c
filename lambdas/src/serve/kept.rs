//! Runs the handlers of requests about messages that are kept.

use std::convert::Infallible;

use chat_protocol::{Answers, Handler};

use super::{ServeError, run, store_and_delivery};
use crate::environment::Environment;
use crate::event::SocketEvent;
use crate::handlers::{self, Gate};
use crate::history::Reader;
use crate::log::Log;
use crate::runtime::{RuntimeApi, Trace};

/// Runs `handler`, which is one of them.
pub(super) async fn handle(
    environment: Environment<'_>,
    log: &Log,
    (api, trace): (&mut RuntimeApi, &Trace),
    handler: Handler,
) -> Result<Infallible, ServeError> {
    let (store, delivery) = store_and_delivery(environment, log, trace)?;
    let reader = Reader {
        mode: environment.mode()?,
        index: environment.index()?,
    };
    let right = match handler {
        Handler::Delete => Answers::Delete.right(),
        _ => Answers::History.right(),
    };
    let gate = Gate::new(environment)?.for_requests(handlers::rule_of_requests(), right);
    let seconds = environment.history_seconds()?;
    let ended = run(api, trace, log, async |event: &SocketEvent, invocation| {
        let ways = (&store, &delivery);
        if let Some(refusal) = gate.refusal(event, ways, invocation).await? {
            return Ok(refusal);
        }
        match handler {
            Handler::Delete => handlers::delete(event, ways, reader, invocation).await,
            _ => handlers::history(event, ways, (reader, seconds), invocation).await,
        }
    });
    Ok(ended.await?)
}
