//! Words of others, as they are quoted.

/// `words` with line breaks that are seen and not obeyed.
pub(super) fn on_one_line(words: &str) -> String {
    let lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" \u{240a} ")
}
