//! Log lines as people and scripts read them, the same for every command and target.

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::gate::Text;
use super::printable::printable;
use super::wrap::{columns, cut};
use chatctl_deploy::stack::logs::{Level, LogEntry, short};
use chatctl_deploy::stack::moment::rfc3339;

/// Log lines in columns: time (UTC), function, level, text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogColumns {
    /// How wide the column of names is.
    names: usize,
}

/// On a terminal, a warning has no more columns than these.
const MAX_WARNING: usize = 4_000;

/// A name longer than this is not aligned for.
const WIDEST_NAME: usize = 18;

/// Colours that are readable on light and dark, and mean nothing else here.
const COLOURS: [AnsiColor; 5] = [
    AnsiColor::Cyan,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::Green,
    AnsiColor::BrightBlue,
];

impl LogColumns {
    /// Columns for these functions.
    pub(crate) fn new<'a>(functions: impl IntoIterator<Item = &'a str>) -> Self {
        let names = functions.into_iter().map(short);
        let widest = names.map(|name| name.chars().count()).max();
        Self {
            names: widest.unwrap_or(0).min(WIDEST_NAME),
        }
    }

    /// `entry` as a person reads it, coloured, on one line. On a terminal of `width`, lines that are no warning are cut
    /// there, and warnings where no reader would read on.
    pub(super) fn line(&self, entry: &LogEntry, width: Option<usize>) -> Text {
        let dim = Style::new().dimmed();
        let time = clock(entry.at);
        let name = printable(entry.name());
        let level = entry.level.map_or("", Level::word);
        let mut text = match width {
            Some(_) if entry.platform => without_request_id(&entry.message),
            _ => entry.message.clone(),
        };
        for (field, value) in &entry.fields {
            // It separates invocations, which a reader does by eye; `--output json` has it.
            if field == "requestId" {
                continue;
            }
            let value = match value {
                Value::String(value) => value.clone(),
                other => other.to_string(),
            };
            text.push_str(&format!(" {field}={value}"));
        }
        let text = printable(text.trim_end());
        let head = time.len() + 1 + columns(&name).max(self.names) + 1 + 5 + 1;
        let urgent = entry.level >= Some(Level::Warn);
        let text = match width {
            Some(width) if !urgent => cut(&text, width.saturating_sub(head).max(20)),
            Some(_) => cut(&text, MAX_WARNING),
            None => text,
        };
        let colour = colour(&name).on_default();
        let of_level = match entry.level {
            Some(Level::Error) => AnsiColor::Red.on_default().bold(),
            Some(Level::Warn) => AnsiColor::Yellow.on_default().bold(),
            _ => dim,
        };
        let of_text = if entry.platform { dim } else { Style::new() };
        let names = self.names;
        Text::default()
            .styled(dim, time)
            .plain(" ")
            .styled(colour, format!("{name:<names$}"))
            .plain(" ")
            .styled(of_level, format!("{level:<5}"))
            .plain(" ")
            .styled(of_text, text)
    }
}

/// `entry` as scripts read it.
pub(super) fn json_line(entry: &LogEntry) -> Value {
    json!({
        "type": "log",
        "time": rfc3339(entry.at),
        "function": entry.function,
        "stream": entry.stream,
        "source": if entry.platform { "platform" } else { "function" },
        "level": entry.level.map(Level::word),
        "message": entry.message,
        "fields": entry.fields,
    })
}

/// A platform's line without its request id, which takes half of the line and hides what it is about.
fn without_request_id(text: &str) -> String {
    match text.split_once("RequestId: ") {
        Some((before, after)) => {
            let (_id, rest) = after.split_once([' ', '\t']).unwrap_or((after, ""));
            format!("{before}{rest}")
        }
        None => text.to_owned(),
    }
}

/// `12:34:56Z`
fn clock(at: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000);
    let (hour, minute, second) = moment.map_or((0, 0, 0), |moment| moment.to_hms());
    format!("{hour:02}:{minute:02}:{second:02}Z")
}

/// Always the same one for the same name.
fn colour(name: &str) -> AnsiColor {
    let sum = name.bytes().fold(0usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(byte))
    });
    COLOURS[sum % COLOURS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const AT: i64 = 1_700_000_000_123;

    fn entries() -> Vec<LogEntry> {
        let long = format!(r#"{{"level":"INFO","message":"{}"}}"#, "x".repeat(90));
        let urgent = format!(r#"{{"level":"ERROR","message":"{}"}}"#, "y".repeat(90));
        vec![
            LogEntry::parse(
                AT,
                "ConnectFunction",
                "s",
                r#"{"level":"INFO","message":"connected","connectionId":"c1","requestId":"r","durationMs":2}"#,
            ),
            LogEntry::parse(
                AT,
                "DirectFunction",
                "s",
                "\u{1b}[31mplain words\u{1b}[0m\u{9b}2J",
            ),
            LogEntry::from_platform(AT, "DirectFunction", "s", "the process ended"),
            LogEntry::from_platform(
                AT,
                "DirectFunction",
                "s",
                "REPORT RequestId: 00000000-0000-4000-8000-000000000000 Duration: 1.68 ms Billed Duration: 2 ms",
            ),
            LogEntry::parse(AT, "DirectFunction", "s", &long),
            LogEntry::parse(AT, "DirectFunction", "s", &urgent),
        ]
    }

    fn plain(width: Option<usize>) -> String {
        let columns = LogColumns::new(["ConnectFunction", "DirectFunction"]);
        let lines = entries();
        let lines = lines.iter().map(|entry| columns.line(entry, width).shown());
        lines.map(|line| line.without_colours() + "\n").collect()
    }

    #[test]
    fn columns_are_aligned_and_only_urgent_lines_are_longer_than_the_terminal() {
        expect![[r#"
            22:13:20Z Connect INFO  connected connectionId=c1 durationMs=2
            22:13:20Z Direct        ␛[31mplain words␛[0m�2J
            22:13:20Z Direct        the process ended
            22:13:20Z Direct        REPORT Duration: 1.68 ms Billed Duration: 2 ms
            22:13:20Z Direct  INFO  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
            22:13:20Z Direct  ERROR yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
        "#]]
        .assert_eq(&plain(Some(80)));
    }

    #[test]
    fn into_a_pipe_nothing_is_cut() {
        assert!(plain(None).contains(&"x".repeat(90)));
    }

    #[test]
    fn a_line_in_a_wide_script_fits_the_terminal_too() {
        let wide = LogEntry::parse(AT, "DirectFunction", "s", &"漢字".repeat(60));
        let line = LogColumns::new(["DirectFunction"]).line(&wide, Some(80));
        let line = line.shown().without_colours();
        assert!(columns(&line) <= 80 && line.ends_with('…'), "{line}");
    }

    #[test]
    fn a_warning_of_megabytes_is_cut_on_a_terminal_only() {
        let text = format!(
            r#"{{"level":"ERROR","message":"{}"}}"#,
            "é".repeat(1_000_000)
        );
        let entry = LogEntry::parse(AT, "DirectFunction", "s", &text);
        let line = |width| {
            let line = LogColumns::new(["DirectFunction"]).line(&entry, width);
            line.shown().without_colours().chars().count()
        };
        assert!(line(Some(80)) < 5_000 && line(None) > 1_000_000);
    }

    #[test]
    fn times_are_of_one_length() {
        assert_eq!(rfc3339(0).unwrap(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn scripts_get_stable_names() {
        expect![[r#"{"type":"log","time":"2023-11-14T22:13:20.123Z","function":"ConnectFunction","stream":"s","source":"function","level":"INFO","message":"connected","fields":{"connectionId":"c1","requestId":"r","durationMs":2}}"#]]
            .assert_eq(&json_line(&entries()[0]).to_string());
    }
}
