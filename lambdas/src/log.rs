//! Writes one JSON object per line, which CloudWatch Logs can search.
//!
//! Each line begins with the time: without a valid `timestamp` (RFC 3339) Lambda ignores a line's level and treats it
//! as `INFO` (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>).
//!
//! By default, a line contains ids, counts and reasons. Names only appear at [`Level::Debug`], messages never.

use std::error::Error;
use std::fmt;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// The level of a line, by the names of Lambda's log level controls.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For debugging one connection; the only level that shows names.
    Debug,
    /// An event. The default.
    Info,
    /// A failure that was handled.
    Warn,
    /// An invocation failed.
    Error,
}

impl Level {
    /// Parses a level in any case. `TRACE` is `DEBUG` here, `FATAL` is `ERROR`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "TRACE" | "DEBUG" => Some(Self::Debug),
            "INFO" => Some(Self::Info),
            "WARN" => Some(Self::Warn),
            "ERROR" | "FATAL" => Some(Self::Error),
            _ => None,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// A log: its sink, its least level, and the fields of every line.
#[derive(Clone)]
pub struct Log {
    threshold: Level,
    sink: Sink,
    fields: Map<String, Value>,
    began: Option<Instant>,
}

impl fmt::Debug for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Log")
            .field("threshold", &self.threshold)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

impl Log {
    /// Passes each line of at least `threshold` to `sink`, without a line break.
    pub fn new(threshold: Level, sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            threshold,
            sink: Arc::new(sink),
            fields: Map::new(),
            began: None,
        }
    }

    /// Writes lines to standard output, where Lambda collects them.
    #[must_use]
    pub fn to_stdout(threshold: Level) -> Self {
        Self::new(threshold, |line| {
            // If standard output is closed, the line cannot be reported anywhere.
            writeln!(std::io::stdout().lock(), "{line}").unwrap_or_default();
        })
    }

    /// The same log with one more field in each line.
    #[must_use]
    pub fn with(&self, field: &str, value: impl Into<Value>) -> Self {
        let mut log = self.clone();
        log.fields.insert(field.to_owned(), value.into());
        log
    }

    /// The same log for one invocation: each line has `requestId`, and in `durationMs` the time since now.
    #[must_use]
    pub fn for_request(&self, request_id: &str) -> Self {
        let mut log = self.with("requestId", request_id);
        log.began = Some(Instant::now());
        log
    }

    /// Writes a line for debugging one connection.
    pub fn debug<const N: usize>(&self, message: &str, fields: [(&str, Value); N]) {
        self.write(Level::Debug, message, fields);
    }

    /// Writes a line about an event.
    pub fn info<const N: usize>(&self, message: &str, fields: [(&str, Value); N]) {
        self.write(Level::Info, message, fields);
    }

    /// Writes a line about a failure that was handled.
    pub fn warn<const N: usize>(&self, message: &str, fields: [(&str, Value); N]) {
        self.write(Level::Warn, message, fields);
    }

    /// Writes a line about an invocation that failed.
    pub fn error<const N: usize>(&self, message: &str, fields: [(&str, Value); N]) {
        self.write(Level::Error, message, fields);
    }

    fn write<const N: usize>(&self, level: Level, message: &str, fields: [(&str, Value); N]) {
        if level < self.threshold {
            return;
        }
        let mut line = Map::new();
        let now = rfc3339(OffsetDateTime::now_utc());
        line.insert("timestamp".to_owned(), json!(now));
        line.insert("level".to_owned(), json!(level.as_str()));
        line.insert("message".to_owned(), json!(message));
        line.extend(self.fields.clone());
        line.extend(fields.map(|(field, value)| (field.to_owned(), value)));
        if let Some(began) = self.began {
            let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            line.insert("durationMs".to_owned(), json!(milliseconds));
        }
        (self.sink)(&Value::Object(line).to_string());
    }
}

const RFC_3339: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// `at`, which is in UTC, to the millisecond.
fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&RFC_3339).expect("a time has all of these parts")
}

/// An error and all its causes, on one line.
#[must_use]
pub fn reasons(error: &dyn Error) -> String {
    let mut reasons = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some causes repeat the error that they caused; repetitions are dropped.
        if !reasons.ends_with(&cause_text) {
            reasons.push_str(": ");
            reasons.push_str(&cause_text);
        }
        source = cause.source();
    }
    reasons
}

/// A moment, in milliseconds since the epoch, as RFC 3339 in UTC. One that no calendar has counts as the epoch.
pub(crate) fn rfc3339_of(milliseconds: u64) -> String {
    let nanoseconds = i128::from(milliseconds) * 1_000_000;
    let moment = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds);
    rfc3339(moment.unwrap_or(OffsetDateTime::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::json;

    use time::OffsetDateTime;

    use super::{Level, Log, reasons, rfc3339};

    #[test]
    fn a_line_is_one_json_object_with_every_field() {
        let (log, lines) = captured(Level::Info);
        log.with("connectionId", "c1")
            .warn("post \"refused\"\n", [("delivered", json!(2))]);
        let lines = lines.lock().unwrap();
        let (time, rest) = lines[0].split_at(r#"{"timestamp":"2023-11-14T22:13:20.123Z","#.len());
        assert!(time.starts_with(r#"{"timestamp":""#), "{time}");
        assert_eq!(
            rest,
            r#""level":"WARN","message":"post \"refused\"\n","connectionId":"c1","delivered":2}"#
        );
    }

    #[test]
    fn a_line_has_its_time_in_lambda_s_format() {
        let (log, lines) = captured(Level::Info);
        let before = rfc3339(OffsetDateTime::now_utc());
        log.error("failed", []);
        let after = rfc3339(OffsetDateTime::now_utc());
        let line: serde_json::Value = serde_json::from_str(&lines.lock().unwrap()[0]).unwrap();
        let reported = line["timestamp"].as_str().unwrap();
        assert!(
            before.as_str() <= reported && reported <= after.as_str(),
            "{reported}"
        );
        assert_eq!(line["level"], "ERROR");

        let moment = OffsetDateTime::from_unix_timestamp_nanos(1_700_000_000_123_456_789);
        assert_eq!(rfc3339(moment.unwrap()), "2023-11-14T22:13:20.123Z");
        let whole = OffsetDateTime::from_unix_timestamp(1_709_164_800).unwrap();
        assert_eq!(rfc3339(whole), "2024-02-29T00:00:00.000Z");
    }

    #[test]
    fn lines_below_the_threshold_are_not_written() {
        let (log, lines) = captured(Level::Warn);
        log.debug("a", []);
        log.info("b", []);
        log.warn("c", []);
        log.error("d", []);
        assert_eq!(lines.lock().unwrap().len(), 2);
    }

    #[test]
    fn the_lines_of_a_request_carry_its_id_and_its_time() {
        let (log, lines) = captured(Level::Info);
        log.for_request("r1").info("done", []);
        let line: serde_json::Value = serde_json::from_str(&lines.lock().unwrap()[0]).unwrap();
        assert_eq!(line["requestId"], "r1");
        assert!(line["durationMs"].is_u64(), "{line}");
    }

    #[test]
    fn levels_are_read_in_any_case() {
        assert_eq!(Level::parse("warn"), Some(Level::Warn));
        assert_eq!(Level::parse("FATAL"), Some(Level::Error));
        assert_eq!(Level::parse("Trace"), Some(Level::Debug));
        assert_eq!(Level::parse("loud"), None);
    }

    #[test]
    fn reasons_are_listed_once_each() {
        #[derive(Debug, thiserror::Error)]
        #[error("{text}")]
        struct Layer {
            text: &'static str,
            source: Option<Box<Layer>>,
        }
        let layer = |text, source: Option<Layer>| Layer {
            text,
            source: source.map(Box::new),
        };
        let error = layer(
            "a",
            Some(layer("b", Some(layer("b", Some(layer("c", None)))))),
        );
        assert_eq!(reasons(&error), "a: b: c");
    }

    fn captured(threshold: Level) -> (Log, Arc<Mutex<Vec<String>>>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let log = Log::new(threshold, move |line| {
            sink.lock().unwrap().push(line.to_owned());
        });
        (log, lines)
    }
}
