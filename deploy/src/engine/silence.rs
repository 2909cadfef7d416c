//! Requests whose answer is late. The adapters record when they ask and when an answer arrives; a long silence is reported.
//!
//! A command runs on one thread, and so does everything that it asks.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use super::event::{DeployEvent, Reporter};
use super::limits;

thread_local! {
    /// What has not answered, and since when.
    static SILENT: Cell<Option<(&'static str, Instant)>> = const { Cell::new(None) };
}

/// Records a request to `who`. An earlier one without an answer still counts.
pub fn asked(who: &'static str) {
    if SILENT.get().is_none() {
        SILENT.set(Some((who, Instant::now())));
    }
}

/// Records an answer, whatever it says.
pub fn answered() {
    SILENT.set(None);
}

/// Does `work`, and reports whenever a target has not answered for a while.
pub fn telling<T>(
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
            } else if let Some((who, since)) = silent
                && since.elapsed() >= after * (reported + 1)
            {
                reported += 1;
                let silence = limits::SILENCE.reported(reported);
                reporter
                    .borrow_mut()
                    .report(&DeployEvent::Silent { who, silence });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::Transcript;
    use super::*;

    #[tokio::test]
    async fn work_that_gets_its_answers_is_done_without_a_word() {
        let transcript = RefCell::new(Transcript::default());
        let work = async {
            asked("AWS");
            tokio::task::yield_now().await;
            answered();
            7
        };
        assert_eq!(telling(&transcript, work).await, 7);
        assert_eq!(transcript.borrow().lines, "");
    }

    #[tokio::test]
    async fn a_silence_lasts_from_the_first_question_to_the_next_answer() {
        asked("AWS");
        let first = SILENT.get();
        asked("AWS");
        assert_eq!(SILENT.get(), first);
        answered();
        assert_eq!(SILENT.get(), None);
    }
}
