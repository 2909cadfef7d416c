//! Requests whose response is late. The adapters record when a request is sent and when it ends; a long silence is reported.
//!
//! A command runs on one thread, and so do all of its requests.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use super::event::{DeployEvent, Reporter};
use super::limits;

thread_local! {
    /// The service that owes a response, and since when.
    static SILENT: Cell<Option<(&'static str, Instant)>> = const { Cell::new(None) };
}

/// Records a request to `service`. An earlier one without a response still counts.
pub fn request_sent(service: &'static str) {
    if SILENT.get().is_none() {
        SILENT.set(Some((service, Instant::now())));
    }
}

/// Records the end of a request, with a response of any kind or without one.
pub fn request_ended() {
    SILENT.set(None);
}

/// Does `work`, and reports whenever a service has not responded for a while.
pub fn reporting<T>(
    reporter: &RefCell<impl Reporter>,
    work: impl Future<Output = T>,
) -> impl Future<Output = T> {
    // On the heap, for the reason that `limits::within` has.
    let mut work = Box::pin(work);
    async move {
        let after = limits::SILENCE.time();
        let look = after.min(Duration::from_secs(1));
        let mut reported = 0;
        loop {
            tokio::select! {
                biased;
                outcome = &mut work => return outcome,
                () = tokio::time::sleep(look) => {}
            }
            let silent = SILENT.get();
            if silent.is_none_or(|(_, since)| since.elapsed() < after) {
                reported = 0;
            } else if let Some((service, since)) = silent
                && since.elapsed() >= after * (reported + 1)
            {
                reported += 1;
                let silence = limits::SILENCE.reported(reported);
                reporter
                    .borrow_mut()
                    .report(&DeployEvent::Silent { service, silence });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::Transcript;
    use super::*;

    #[tokio::test]
    async fn work_whose_requests_end_is_done_without_a_report() {
        let transcript = RefCell::new(Transcript::default());
        let work = async {
            request_sent("AWS");
            tokio::task::yield_now().await;
            request_ended();
            7
        };
        assert_eq!(reporting(&transcript, work).await, 7);
        assert_eq!(transcript.borrow().lines, "");
    }

    #[tokio::test]
    async fn a_silence_lasts_from_the_first_request_to_the_next_response() {
        request_sent("AWS");
        let first = SILENT.get();
        request_sent("AWS");
        assert_eq!(SILENT.get(), first);
        request_ended();
        assert_eq!(SILENT.get(), None);
    }
}
