//! Notices of a running stack: stack events, log lines, warnings.

use std::fmt;
use std::sync::Arc;

use crate::stack::LogicalId;

/// A cheap, cloneable sink for [`StackNotice`]s.
///
/// The sink is called on the runtime's threads, between two messages of a chat: it must return at once and never block.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(StackNotice) + Send + Sync>);

impl Observer {
    /// Sends every notice to `sink`.
    pub fn new(sink: impl Fn(StackNotice) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Discards every notice.
    pub fn silent() -> Self {
        Self::new(|_| {})
    }

    pub(crate) fn event(&self, event: StackEvent) {
        (self.0)(StackNotice::Event(event));
    }

    pub(crate) fn log(&self, line: LogLine) {
        (self.0)(StackNotice::Log(line));
    }

    pub(crate) fn process_starts(&self, log_stream: &str) {
        let log_stream = log_stream.to_owned();
        (self.0)(StackNotice::ProcessStarts { log_stream });
    }

    pub(crate) fn process_did_not_start(&self, log_stream: &str) {
        let log_stream = log_stream.to_owned();
        (self.0)(StackNotice::ProcessDidNotStart { log_stream });
    }

    pub(crate) fn process_started(&self, pid: u32, log_stream: &str) {
        let log_stream = log_stream.to_owned();
        (self.0)(StackNotice::ProcessStarted { pid, log_stream });
    }

    pub(crate) fn process_ended(&self, pid: u32) {
        (self.0)(StackNotice::ProcessEnded { pid });
    }

    /// Reports one line. Control characters, which may come from clients or backends, are escaped.
    pub(crate) fn warn(&self, text: impl Into<String>) {
        let mut text = text.into();
        if text.contains(char::is_control) {
            text = text.chars().flat_map(shown).collect();
        }
        (self.0)(StackNotice::Warning(text));
    }
}

/// `\n` and the like for a control character, any other unchanged.
fn shown(character: char) -> impl Iterator<Item = char> {
    let (escape, itself) = match character.is_control() {
        true => (Some(character.escape_default()), None),
        false => (None, Some(character)),
    };
    escape.into_iter().flatten().chain(itself)
}

impl fmt::Debug for Observer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Observer")
    }
}

/// A notice of a local stack.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StackNotice {
    /// A resource, or the stack itself, changed its status.
    Event(StackEvent),
    /// A function, or the platform on its behalf, wrote a line.
    Log(LogLine),
    /// The gateway noticed a mistake of a template or a function.
    Warning(String),
    /// A process of a function is about to start. [`StackNotice::ProcessStarted`] or
    /// [`StackNotice::ProcessDidNotStart`] follows, unless the program is killed in between.
    ProcessStarts {
        /// Its `AWS_LAMBDA_LOG_STREAM_NAME`, by which [`end_stragglers`](crate::end_stragglers) finds it.
        log_stream: String,
    },
    /// The process that was about to start does not exist.
    ProcessDidNotStart {
        /// As in [`StackNotice::ProcessStarts`].
        log_stream: String,
    },
    /// A process of a function has started. It leads its own process group, which must not outlive the program that
    /// runs the stack: if that program is killed, another one must end the group.
    ProcessStarted {
        /// The process, and its group.
        pid: u32,
        /// Its `AWS_LAMBDA_LOG_STREAM_NAME`, by which [`end_stragglers`](crate::end_stragglers) finds it.
        log_stream: String,
    },
    /// A process of a function has ended, with its group.
    ProcessEnded {
        /// The process.
        pid: u32,
    },
}

/// A status change, in CloudFormation's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackEvent {
    /// The resource's name in the template; the stack's name for the stack itself.
    pub logical_id: LogicalId,
    /// For example `AWS::DynamoDB::Table`.
    pub resource_type: String,
    /// The value of `Ref`.
    pub physical_id: String,
    /// For example `CREATE_COMPLETE`.
    pub status: String,
    /// The reason, if there is one.
    pub reason: Option<String>,
}

/// One line that a function wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// The function's name in the template.
    pub function: LogicalId,
    /// The log group that would contain it on AWS.
    pub log_group: String,
    /// Identifies the process, like a log stream on AWS.
    pub stream: String,
    /// The writer of the line.
    pub source: LogSource,
    /// The line without its end, cut at 16 KB.
    pub text: String,
}

/// The writer of a [`LogLine`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogSource {
    /// The process, on its standard output.
    Stdout,
    /// The process, on its standard error.
    Stderr,
    /// The Lambda service: reports, timeouts, exits.
    Platform,
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_warning_is_one_line_without_control_characters() {
        let received = Arc::new(Mutex::new(None));
        let reported = Arc::clone(&received);
        Observer::new(move |notice| *reported.lock().unwrap() = Some(notice))
            .warn("ü.\u{1b}[2J\nx");
        let warning = StackNotice::Warning(r"ü.\u{1b}[2J\nx".to_owned());
        assert_eq!(received.lock().unwrap().take(), Some(warning));
    }
}
