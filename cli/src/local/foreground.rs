//! A local stack inside this very process, for `dev`.

use std::num::NonZeroU32;

use chatctl_local::{Clock, LocalStack, LogSource, Observer, Options, StackNotice};

pub(crate) use chatctl_local::StackRequest as Request;

use crate::engine::{Refusal, TargetError};

/// A running stack.
#[derive(Debug)]
pub(crate) struct Foreground(LocalStack);

/// Starts `request` on `port`; tables are kept in memory. Limits pass `clock_speed` times faster. `log` is told whose line it is, and the line.
///
/// # Errors
/// What is wrong with the template, its parameters or its code; a port that is taken.
pub(crate) async fn start(
    request: Request,
    port: u16,
    clock_speed: NonZeroU32,
    log: impl Fn(&str, &str) + Send + Sync + 'static,
) -> Result<Foreground, TargetError> {
    let observer = Observer::new(move |notice| match notice {
        StackNotice::Log(line) if line.source == LogSource::Platform => {
            log(&line.function, &format!("({})", line.text))
        }
        StackNotice::Log(line) => log(&line.function, &line.text),
        StackNotice::Warning(text) => log("warning", &text),
        _ => {}
    });
    let options = Options {
        port,
        clock: Clock::faster(clock_speed),
        ..Options::default()
    };
    let stack = LocalStack::start(request, options, observer).await;
    stack.map(Foreground).map_err(|error| TargetError {
        source: std::error::Error::source(&error).map(|source| source.to_string().into()),
        ..TargetError::new(Refusal::Usage, error.to_string())
    })
}

impl Foreground {
    /// `ws://127.0.0.1:PORT/STAGE`
    pub(crate) fn endpoint(&self) -> String {
        self.0.endpoint()
    }

    /// Stops everything that was started.
    pub(crate) async fn stop(self) {
        self.0.stop().await;
    }
}
