//! What goes wrong in the stack meanwhile: processes of functions are killed at work, and so is the whole stack.

use std::cell::Cell;
use std::time::Duration;

use super::chance::RandomNumbers;
use super::{Counts, KeptError, more};
use crate::chatctl::{Deployed, kill};
use crate::processes;

/// How often the processes are looked at.
const LOOK: Duration = Duration::from_millis(5);

/// What happens, and how often.
pub(super) struct Chaos<'a> {
    pub(super) stack: &'a Deployed<'a>,
    /// The milliseconds between two kills of a function's process, at most; 0 for none.
    pub(super) function_life: u64,
    /// After how many messages the stack is killed, the next one first.
    pub(super) restarts: Vec<usize>,
    pub(super) chance: RandomNumbers,
    pub(super) counts: &'a Counts,
}

impl Chaos<'_> {
    /// Goes on until it `is_over`.
    pub(super) async fn rage(mut self, is_over: &Cell<bool>) -> Result<(), KeptError> {
        let mut pid = self.stack.status()?.pid;
        let mut next = self.chance.moment(self.function_life);
        while !is_over.get() {
            tokio::time::sleep(LOOK).await;
            if self
                .restarts
                .first()
                .is_some_and(|after| self.counts.sent.get() >= *after)
            {
                self.restarts.remove(0);
                self.stack.restart(pid).await?;
                pid = self.stack.status()?.pid;
                more(&self.counts.restarts);
                crate::say(&format!(
                    "stack killed and started again after {} messages",
                    self.counts.sent.get()
                ));
            }
            if self.function_life > 0 && tokio::time::Instant::now() >= next {
                next = self.chance.moment(self.function_life);
                let processes = processes::functions(pid);
                if let Some(place) = (processes.len() as u64).checked_sub(1) {
                    let place = self.chance.below(place + 1) as usize;
                    kill(processes[place]);
                    more(&self.counts.functions);
                }
            }
        }
        Ok(())
    }
}
