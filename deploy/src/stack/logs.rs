//! Parses the log lines of functions, from either target.

use serde_json::{Map, Value};

/// One line that a function wrote, or the platform on its behalf.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// Milliseconds since the Unix epoch; 0 if the line has no time.
    pub at: i64,
    /// The function's logical id.
    pub function: String,
    /// The log stream, one for each process.
    pub stream: String,
    /// Whether Lambda wrote the line, not the function.
    pub platform: bool,
    /// Its level, if the line has one.
    pub level: Option<Level>,
    /// What was logged, without its frame.
    pub message: String,
    /// The fields of a JSON line besides level, time and message.
    pub fields: Map<String, Value>,
}

/// The level of a line, in Lambda's terms
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `DEBUG`
    Debug,
    /// `INFO`
    Info,
    /// `WARN`
    Warn,
    /// `ERROR`
    Error,
}

impl Level {
    /// `TRACE` is `DEBUG` here, `FATAL` is `ERROR`.
    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "TRACE" | "DEBUG" => Some(Self::Debug),
            "INFO" => Some(Self::Info),
            "WARN" | "WARNING" => Some(Self::Warn),
            "ERROR" | "FATAL" => Some(Self::Error),
            _ => None,
        }
    }

    /// The level as log lines have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

impl LogEntry {
    /// Parses `text`: a JSON object of a structured logger, or plain text.
    pub fn parse(at: i64, function: &str, stream: &str, text: &str) -> Self {
        let text = text.trim_end();
        let mut entry = Self {
            at,
            function: function.to_owned(),
            stream: stream.to_owned(),
            platform: is_platform(text),
            level: None,
            message: text.to_owned(),
            fields: Map::new(),
        };
        if let Ok(Value::Object(object)) = serde_json::from_str(text) {
            entry.take(object);
        } else if is_failure(text) {
            (entry.platform, entry.level) = (true, Some(Level::Error));
        } else if text.contains("panicked at") {
            entry.level = Some(Level::Error);
        }
        entry
    }

    /// A line of the platform, unchanged.
    pub fn from_platform(at: i64, function: &str, stream: &str, text: &str) -> Self {
        Self {
            platform: true,
            ..Self::parse(at, function, stream, text)
        }
    }

    /// The function's short name: `Direct` for `DirectFunction`.
    pub fn name(&self) -> &str {
        short(&self.function)
    }

    fn take(&mut self, mut object: Map<String, Value>) {
        // Lambda's system log in JSON: `{"time": …, "type": "platform.report", "record": {…}}`.
        let kind = object.get("type").and_then(Value::as_str);
        if let Some(kind) = kind.filter(|kind| kind.starts_with("platform.")) {
            (self.platform, self.message) = (true, kind.to_owned());
            if let Some(Value::Object(record)) = object.remove("record") {
                self.fields = record;
            }
            return;
        }
        self.level = object
            .get("level")
            .and_then(Value::as_str)
            .and_then(Level::parse);
        // The `tracing` crate puts the message among the fields.
        if let Some(Value::Object(inner)) = object.remove("fields") {
            object.extend(inner);
        }
        let message = ["message", "msg"]
            .into_iter()
            .find(|name| object.get(*name).is_some_and(Value::is_string));
        // An object without a message is data, and stays unchanged.
        let Some(name) = message else { return };
        if let Some(Value::String(message)) = object.shift_remove(name) {
            self.message = message;
        }
        for known in ["level", "time", "timestamp"] {
            object.shift_remove(known);
        }
        self.fields = object;
    }
}

/// `Direct` for `DirectFunction`.
pub fn short(function: &str) -> &str {
    match function.strip_suffix("Function") {
        Some(name) if !name.is_empty() => name,
        _ => function,
    }
}

/// Whether `asked` names `function`, by its logical id or by its short name, in any case.
pub fn names(asked: &str, function: &str) -> bool {
    asked.eq_ignore_ascii_case(function) || asked.eq_ignore_ascii_case(short(function))
}

/// Lambda's system log as plain text
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html>).
fn is_platform(text: &str) -> bool {
    let heads = [
        "START RequestId:",
        "END RequestId:",
        "REPORT RequestId:",
        "INIT_START ",
        "INIT_REPORT ",
        "EXTENSION\tName:",
    ];
    heads.iter().any(|head| text.starts_with(head))
}

/// What Lambda writes in plain text about an invocation that it ended: `RequestId: ID Error: Runtime exited …` and
/// `TIME ID Task timed out after 3.00 seconds`
/// (<https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html>).
fn is_failure(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let is_id = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
    match words.next() {
        Some("RequestId:") => words.next().is_some_and(is_id) && words.next() == Some("Error:"),
        Some(_) => words.next().is_some_and(is_id) && words.take(3).eq(["Task", "timed", "out"]),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn parsed(text: &str) -> LogEntry {
        LogEntry::parse(1, "DirectFunction", "s", text)
    }

    #[test]
    fn level_and_message_of_a_json_line_are_found() {
        let entry = parsed(
            r#"{"level":"warn","message":"refused","timestamp":"t","connectionId":"c","delivered":2}"#,
        );
        assert_eq!(
            (entry.level, entry.message.as_str(), entry.name()),
            (Some(Level::Warn), "refused", "Direct")
        );
        assert_eq!(
            Value::Object(entry.fields),
            json!({"connectionId": "c", "delivered": 2})
        );
    }

    #[test]
    fn a_message_among_the_fields_is_found_too() {
        let entry = parsed(r#"{"level":"INFO","fields":{"message":"up","port":1},"target":"x"}"#);
        assert_eq!(entry.message, "up");
        assert_eq!(
            Value::Object(entry.fields),
            json!({"target": "x", "port": 1})
        );
    }

    #[test]
    fn lambda_s_own_lines_are_recognised_in_both_formats() {
        let text = parsed("REPORT RequestId: 1 Duration: 2 ms");
        let json = parsed(r#"{"time":"t","type":"platform.report","record":{"status":"timeout"}}"#);
        assert!(text.platform && json.platform);
        assert_eq!(json.message, "platform.report");
        assert_eq!(json.fields["status"], "timeout");
    }

    /// For functions without `LoggingConfig`, the log has the functions' lines between Lambda's.
    #[test]
    fn a_log_in_plain_text_is_parsed_too() {
        let id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";
        for (text, platform, level, message) in [
            (
                format!("START RequestId: {id} Version: $LATEST\n"),
                true,
                None,
                None,
            ),
            (format!("END RequestId: {id}\n"), true, None, None),
            (
                "{\"level\":\"WARN\",\"message\":\"refused\"}\n".to_owned(),
                false,
                Some(Level::Warn),
                Some("refused"),
            ),
            (
                format!("2026-01-31T12:00:00.000Z {id} Task timed out after 29.03 seconds\n\n"),
                true,
                Some(Level::Error),
                None,
            ),
            (
                format!(
                    "RequestId: {id} Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n"
                ),
                true,
                Some(Level::Error),
                None,
            ),
            (
                "EXTENSION\tName: x\tState: Ready\tEvents: [INVOKE]\n".to_owned(),
                true,
                None,
                None,
            ),
            (
                "words with RequestId: in them\n".to_owned(),
                false,
                None,
                None,
            ),
        ] {
            let entry = parsed(&text);
            assert_eq!((entry.platform, entry.level), (platform, level), "{text}");
            assert_eq!(entry.message, message.unwrap_or(text.trim_end()));
        }
    }

    #[test]
    fn json_without_a_message_and_plain_text_stay_unchanged() {
        for text in ["{\"a\":1}", "[1]", "hello", "{broken", ""] {
            let entry = parsed(text);
            assert_eq!((entry.message.as_str(), entry.level), (text, None));
            assert!(entry.fields.is_empty() && !entry.platform);
        }
        assert_eq!(
            parsed("thread 'main' panicked at src/main.rs:1:2:").level,
            Some(Level::Error)
        );
    }

    #[test]
    fn a_function_is_named_by_its_short_name_or_its_logical_id() {
        for asked in ["direct", "Direct", "DirectFunction"] {
            assert!(names(asked, "DirectFunction"), "{asked}");
        }
        assert!(!names("dir", "DirectFunction") && !names("", "Function"));
    }

    proptest! {
        #[test]
        fn any_text_is_a_line(text in ".*") {
            let entry = parsed(&text);
            prop_assert!(entry.message.len() <= text.len());
        }
    }
}
