//! The cost of a load: the stack's processor time per message, and the machine's other load.

use std::time::{Duration, Instant};

use crate::load::Load;
use crate::processes::{self, Usage};
use crate::report::Figure;

/// A reading of every clock, for a later comparison.
#[derive(Debug)]
pub(crate) struct Meter {
    pid: u32,
    at: Instant,
    stack: Usage,
    functions: Usage,
    clients: Usage,
    machine: Duration,
}

impl Meter {
    /// Reads the clocks of the stack `pid`, of its functions, of this process and of the machine.
    pub(crate) fn start(pid: u32) -> Self {
        let (stack, functions) = processes::usage(pid);
        let (clients, _) = processes::usage(std::process::id());
        Self {
            pid,
            at: Instant::now(),
            stack,
            functions,
            clients,
            machine: processes::machine(),
        }
    }

    /// The cost of `load` since then.
    pub(crate) fn stop(self, load: &Load) -> Vec<Figure> {
        let now = Self::start(self.pid);
        let used = |before: Usage, after: Usage| after.processor.saturating_sub(before.processor);
        let stack = used(self.stack, now.stack);
        let functions = used(self.functions, now.functions);
        let clients = used(self.clients, now.clients);
        let others = now.machine.saturating_sub(self.machine);
        let others = others.saturating_sub(stack + functions + clients);
        let cores = std::thread::available_parallelism().map_or(1.0, |it| it.get() as f64);
        let share = others.as_secs_f64() / ((now.at - self.at).as_secs_f64() * cores);
        let each = |used: Duration| used.div_f64(load.messages as f64);
        let how = format!(
            "processor time; others had {:.0} % of the cores meanwhile",
            share * 100.0
        );
        vec![
            Figure::time("  of it, the stack for each message", each(stack), &how),
            Figure::time(
                "  of it, its functions for each message",
                each(functions),
                &how,
            ),
        ]
    }
}
