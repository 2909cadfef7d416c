//! The forms in which a look is shown. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::duration;
use chatctl_deploy::aws::{metrics, rfc3339};
use chatctl_deploy::engine::vitals::{FunctionVitals, Vitals};

/// What stands above the numbers.
#[derive(Debug)]
pub(super) enum Head<'a> {
    Local {
        stack: &'a str,
        pid: u32,
        /// Seconds since the start.
        running: u64,
        pause: Duration,
    },
    Aws {
        stack: &'a str,
        region: &'a str,
        pause: Duration,
        /// The number of metrics that a look asks for.
        asked: usize,
        /// What they cost at most, in US dollars.
        price: f64,
    },
}

/// What has been counted since a moment: counts of two seconds would be gone before they are read.
#[derive(Debug)]
pub(super) struct Since {
    at: u64,
    /// Without a look of its own to add, counts are those of the look that is shown.
    is_empty: bool,
    client_errors: u64,
    throttled: u64,
    integration_errors: u64,
    execution_errors: u64,
    functions: BTreeMap<String, (u64, u64)>,
}

impl Since {
    pub(super) fn new(at: u64) -> Self {
        Self {
            at,
            is_empty: true,
            client_errors: 0,
            throttled: 0,
            integration_errors: 0,
            execution_errors: 0,
            functions: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, seen: &Vitals) {
        self.is_empty = false;
        self.client_errors += seen.client_errors;
        self.throttled += seen.throttled.unwrap_or(0);
        self.integration_errors += seen.integration_errors;
        self.execution_errors += seen.execution_errors;
        for (id, function) in &seen.functions {
            let (errors, throttles) = self.functions.entry(id.clone()).or_default();
            *errors += function.errors;
            *throttles += function.throttles;
        }
    }

    /// These, or those of `seen` alone.
    fn or(&self, seen: &Vitals) -> Self {
        let mut own = Self::new(self.at);
        match self.is_empty {
            true => own.add(seen),
            false => {
                own.client_errors = self.client_errors;
                own.throttled = self.throttled;
                own.integration_errors = self.integration_errors;
                own.execution_errors = self.execution_errors;
                own.functions.clone_from(&self.functions);
            }
        }
        own
    }
}

/// The columns behind a function's name, and all that a line may have.
const HEADS: [&str; 5] = ["CALLS/S", "ERRORS", "THROTTLES", "P50 MS", "P99 MS"];
const COLUMNS: usize = 79;

/// The whole screen, at most 79 columns wide. Its last line says how it ends.
pub(super) fn lines(head: &Head<'_>, seen: Option<&Vitals>, since: &Since) -> Vec<String> {
    let mut lines = Vec::new();
    match head {
        Head::Local {
            stack,
            pid,
            running,
            pause,
        } => {
            let every = pause.as_secs();
            let how = format!("local, process {pid}, running for {}", duration(*running));
            lines.push(format!("stack        {stack} ({how}); every {every} s"));
        }
        Head::Aws {
            stack,
            region,
            pause,
            asked,
            price,
        } => {
            let every = pause.as_secs();
            lines.push(format!("stack        {stack} ({region}); every {every} s"));
            lines.push(format!(
                "cost         {asked} metrics a look, ${price:.5} at most, ${:.2} a day",
                price * 86_400.0 / pause.as_secs_f64(),
            ));
        }
    }
    let Some(seen) = seen else {
        let minutes = metrics::LOOK_BACK / metrics::MINUTE;
        lines.push(format!(
            "metrics      CloudWatch has none of the last {minutes} minutes: nothing was sent, or"
        ));
        lines.push("             they have not arrived, which takes some minutes".to_owned());
        lines.push("Ctrl-C ends it".to_owned());
        return lines;
    };
    let all = since.or(seen);
    let counted = match head {
        Head::Local { .. } => format!("since {}", clock(all.at)),
        Head::Aws { .. } => {
            let (from, to) = (seen.until.saturating_sub(metrics::MINUTE), seen.until);
            lines.push(format!(
                "metrics      of {} to {}, the latest that CloudWatch has",
                clock(from),
                clock(to)
            ));
            "in that minute".to_owned()
        }
    };
    lines.push(connections(seen));
    lines.push(match (seen.received, seen.sent) {
        (Some(received), Some(sent)) => format!(
            "messages     {}/s received, {}/s sent",
            rate(received, seen),
            rate(sent, seen)
        ),
        _ => format!(
            "messages     {}/s, received and sent together",
            rate(seen.messages, seen)
        ),
    });
    let throttled = seen
        .throttled
        .map_or_else(String::new, |_| format!(" ({} throttled)", all.throttled));
    lines.push(format!(
        "errors       {} of clients{throttled}, {} of integrations, {} executing",
        all.client_errors, all.integration_errors, all.execution_errors
    ));
    if let Some(throttles) = seen.table_throttles {
        lines.push(format!(
            "table        {throttles} throttled reads and writes"
        ));
    }
    lines.push(String::new());
    lines.extend(table(seen, &all));
    lines.push(String::new());
    lines.push(format!("Errors and throttles {counted}; Ctrl-C ends it"));
    lines
}

fn connections(seen: &Vitals) -> String {
    let handshakes = format!("{} handshakes/s", rate(seen.handshakes, seen));
    match seen.connections {
        Some(open) => format!("connections  {open} open, {handshakes}"),
        None => format!("connections  {handshakes}; `chatctl connections` counts the open ones"),
    }
}

fn table(seen: &Vitals, all: &Since) -> Vec<String> {
    let widths = HEADS.map(|head| head.chars().count().max(7));
    let behind: usize = widths.iter().map(|width| width + 2).sum();
    let longest = seen.functions.keys().map(|id| id.chars().count()).max();
    let room = COLUMNS - behind;
    let width = longest.unwrap_or(0).max("FUNCTION".len()).min(room);
    let line = |name: &str, cells: [String; 5]| {
        let mut line = format!("{:<width$}", shortened(name, width));
        for (cell, width) in cells.iter().zip(widths) {
            line.push_str(&format!("  {cell:>width$}"));
        }
        line
    };
    let head = line("FUNCTION", HEADS.map(str::to_owned));
    let rows = seen.functions.iter().map(|(id, function)| {
        let (errors, throttles) = all.functions.get(id).copied().unwrap_or_default();
        let cells = [
            rate(function.invocations, seen),
            errors.to_string(),
            throttles.to_string(),
            milliseconds(function.p50),
            milliseconds(function.p99),
        ];
        line(id, cells)
    });
    std::iter::once(head).chain(rows).collect()
}

/// `name` within so many columns.
fn shortened(name: &str, columns: usize) -> String {
    if name.chars().count() <= columns {
        return name.to_owned();
    }
    let kept: String = name.chars().take(columns.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// One look on one line, for a file or a pipe.
pub(super) fn line(seen: Option<&Vitals>) -> String {
    let Some(seen) = seen else {
        let minutes = metrics::LOOK_BACK / metrics::MINUTE;
        return format!("CloudWatch has no metrics of the last {minutes} minutes");
    };
    let mut line = moment(seen.until);
    if let Some(open) = seen.connections {
        line.push_str(&format!(" connections {open},"));
    }
    line.push_str(&format!(" handshakes {}/s,", rate(seen.handshakes, seen)));
    line.push_str(&match (seen.received, seen.sent) {
        (Some(received), Some(sent)) => {
            format!(
                " received {}/s, sent {}/s",
                rate(received, seen),
                rate(sent, seen)
            )
        }
        _ => format!(" messages {}/s", rate(seen.messages, seen)),
    });
    let errors: u64 = seen
        .functions
        .values()
        .map(|function| function.errors)
        .sum();
    line.push_str(&format!(
        ", gateway errors {}, function errors {errors}, throttles {}",
        seen.gateway_errors(),
        seen.all_throttles()
    ));
    if let Some((id, slowest)) = seen.slowest() {
        let (p50, p99) = (milliseconds(slowest.p50), milliseconds(slowest.p99));
        line.push_str(&format!(", slowest {id} p50 {p50} ms p99 {p99} ms"));
    }
    line
}

/// One look for scripts. The counts are those of its period.
pub(super) fn json(seen: Option<&Vitals>) -> Value {
    let Some(seen) = seen else {
        return json!({ "at": null });
    };
    let functions = seen.functions.iter().map(|(id, function)| {
        let FunctionVitals {
            invocations,
            errors,
            throttles,
            p50,
            p99,
        } = function;
        let value = json!({
            "invocations": invocations, "errors": errors, "throttles": throttles,
            "p50Milliseconds": p50.map(in_milliseconds), "p99Milliseconds": p99.map(in_milliseconds),
        });
        (id.clone(), value)
    });
    let functions: serde_json::Map<_, _> = functions.collect();
    json!({
        "at": moment(seen.until),
        "seconds": seen.period.as_secs_f64(),
        "connections": seen.connections,
        "handshakes": seen.handshakes,
        "messages": seen.messages, "received": seen.received, "sent": seen.sent,
        "clientErrors": seen.client_errors, "throttled": seen.throttled,
        "integrationErrors": seen.integration_errors, "executionErrors": seen.execution_errors,
        "tableThrottles": seen.table_throttles,
        "functions": functions,
    })
}

fn in_milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// At most seven columns.
fn milliseconds(duration: Option<Duration>) -> String {
    match duration.map(in_milliseconds) {
        None => "–".to_owned(),
        Some(long) if long >= 100.0 => format!("{long:.0}"),
        Some(short) => format!("{short:.1}"),
    }
}

/// `count` in a second.
fn rate(count: u64, seen: &Vitals) -> String {
    let seconds = seen.period.as_secs_f64();
    let rate = match seconds > 0.0 {
        true => count as f64 / seconds,
        false => 0.0,
    };
    match rate >= 100.0 {
        true => format!("{rate:.0}"),
        false => format!("{rate:.1}"),
    }
}

fn moment(seconds: u64) -> String {
    rfc3339(seconds as f64).unwrap_or_default()
}

/// `12:00:00Z`
fn clock(seconds: u64) -> String {
    let moment = moment(seconds);
    moment
        .split_once('T')
        .map(|(_, clock)| clock.to_owned())
        .unwrap_or(moment)
}

#[cfg(test)]
mod tests;
