//! Programs that stand in for others: shell scripts.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes the executable shell script `text`, without its first line, to `path`.
///
/// Another process writes it. A file that this one has open for writing is busy for whoever runs it as long as another
/// test's thread is between the fork and the start of a program, which has a copy of the descriptor until then.
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
