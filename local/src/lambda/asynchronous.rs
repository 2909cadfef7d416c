//! Asynchronous invocations: accepted at once, run in the background, retried as Lambda does.
//!
//! See <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>. Each is a separate task, so
//! they run concurrently, up to the function's processes. They run in the order of their arrival only as long as none
//! fails.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::watch;

use super::event_queue::{QueueFull, QueueSlot};
use super::functions::Functions;
use super::job::{Event, Failure, Invocation, Outcome};
use crate::budget::Share;
use crate::ids;

/// The pauses between the first and the second attempt, and between the second and the third.
const PAUSES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];

/// One asynchronous invocation.
#[derive(Debug)]
struct QueuedEvent {
    arn: String,
    request_id: String,
    payload: Bytes,
    trace: String,
}

impl Functions {
    /// Accepts an asynchronous invocation and returns its request id. The outcome is only visible in the function's
    /// log.
    pub(crate) fn accept(
        self: &Arc<Self>,
        arn: &str,
        payload: Bytes,
        trace: &str,
    ) -> Result<String, QueueFull> {
        let room = (&self.limits, &self.budget);
        let slot = QueueSlot::take(&self.events, room, arn, payload.len())?;
        let request_id = ids::invocation_id();
        let event = QueuedEvent {
            arn: arn.to_owned(),
            request_id: request_id.clone(),
            payload,
            trace: trace.to_owned(),
        };
        let functions = Arc::clone(self);
        self.events.spawn(async move {
            functions.run_event(event, slot.held.share()).await;
            drop(slot);
        });
        Ok(request_id)
    }

    /// Waits until no asynchronous invocation runs, for at most `timeout`. Then it drops the remaining ones and logs
    /// their number.
    pub(crate) async fn settle_events(&self, timeout: Duration) {
        let mut trying = self.events.trying.subscribe();
        let quiet = trying.wait_for(|trying| *trying == 0);
        // Invocations that still run end with their process.
        let _quiet = tokio::time::timeout(timeout, quiet).await;
        let lost = self.events.unfinished();
        if lost > 0 {
            self.observer.warn(format!(
                "{lost} asynchronous invocations were unfinished when the stack stopped, and are lost; Lambda would have kept them"
            ));
        }
        self.events.abandon();
    }

    /// `share` is the queue's, which already holds the event.
    async fn run_event(&self, event: QueuedEvent, share: &Arc<Share>) {
        let accepted = self.clock.elapsed();
        let mut tries = 0;
        while let Some(policy) = self.event_policy(&event.arn) {
            let outcome = {
                let _trying = Trying::begin(&self.events.trying);
                let again = Event {
                    request_id: event.request_id.clone(),
                    payload: event.payload.clone(),
                    trace: event.trace.clone(),
                    client_context: None,
                };
                let invocation = Invocation {
                    event: again,
                    held: share.take_anyway(0),
                };
                self.run(&event.arn, invocation).await
            };
            tries += 1;
            let Outcome::Failed(failure) = outcome else {
                return;
            };
            let pause = PAUSES
                .get(tries - 1)
                .filter(|_| tries <= policy.retries as usize && !failure.is_throttle());
            let Some(pause) = pause else {
                return self.report_drop(&event, tries, &failure);
            };
            let next = self.clock.elapsed() + *pause;
            if next.saturating_sub(accepted) > policy.longest_age {
                return self.report_drop(&event, tries, &failure);
            }
            self.platform_log(
                &event.arn,
                format!(
                    "RequestId: {} failed ({}); retrying in {} seconds",
                    event.request_id,
                    failure.error_type,
                    pause.as_secs()
                ),
            );
            self.clock.until(next).await;
            // The machine may have slept longer.
            if self.clock.elapsed().saturating_sub(accepted) > policy.longest_age {
                return self.report_drop(&event, tries, &failure);
            }
        }
    }

    fn report_drop(&self, event: &QueuedEvent, tries: usize, failure: &Failure) {
        let Failure {
            error_type,
            message,
        } = failure;
        let name = event.arn.rsplit(':').next().unwrap_or_default();
        let times = match tries {
            1 => "once",
            2 => "twice",
            _ => "3 times",
        };
        self.observer.warn(format!(
            "an asynchronous invocation of `{name}` failed {times} and is dropped: {error_type}: {message}"
        ));
    }
}

struct Trying<'w>(&'w watch::Sender<usize>);

impl<'w> Trying<'w> {
    fn begin(trying: &'w watch::Sender<usize>) -> Self {
        trying.send_modify(|trying| *trying += 1);
        Self(trying)
    }
}

impl Drop for Trying<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|trying| *trying -= 1);
    }
}
