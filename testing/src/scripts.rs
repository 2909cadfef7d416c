//! Programs that stand in for others: shell scripts.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes the executable shell script `text`, without its first line, to `path`.
///
/// Another process writes it. A file that this one had open for writing cannot be run ("Text file busy") while another
/// test starts a program: between its fork and its start, that program has a copy of the descriptor.
pub fn write(path: &Path, text: &str) {
    let mut writer = Command::new("sh")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = writer.stdin.take().unwrap();
    write!(input, "#!/bin/sh\n{text}\n").unwrap();
    drop(input);
    assert!(
        writer.wait().unwrap().success(),
        "{} is written",
        path.display()
    );
}
