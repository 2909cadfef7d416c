//! Foreign text, as it is quoted.

/// Marks line breaks in foreign text, so that it stays on one line.
pub(super) fn on_one_line(words: &str) -> String {
    let lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" \u{240a} ")
}
