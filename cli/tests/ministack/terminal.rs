//! A terminal that a test sits at.

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::Duration;

use crate::cloud::{Said, said};
use crate::pty;

/// Runs `command` with a terminal as its input, and types `answer` once stderr shows `question`.
pub(crate) async fn answered(
    mut command: tokio::process::Command,
    question: &str,
    answer: &str,
) -> Said {
    let (mut master, slave) = pty::open();
    let mut child = command.stdin(Stdio::from(slave)).spawn().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let mut shown = Vec::new();
    let reading = async {
        let mut byte = [0];
        while !String::from_utf8_lossy(&shown).contains(question) {
            let read = tokio::io::AsyncReadExt::read(&mut stderr, &mut byte)
                .await
                .unwrap();
            assert_eq!(
                read,
                1,
                "it ended without asking:\n{}",
                String::from_utf8_lossy(&shown)
            );
            shown.push(byte[0]);
        }
    };
    tokio::time::timeout(Duration::from_secs(120), reading)
        .await
        .expect("it asks");
    master.write_all(answer.as_bytes()).unwrap();
    // What is typed is echoed: read it, so that the terminal never fills.
    let mut echo = [0; 64];
    drop(master.read(&mut echo));
    child.stderr = Some(stderr);
    let mut answered = said(child.wait_with_output().await.unwrap());
    answered
        .stderr
        .insert_str(0, &String::from_utf8_lossy(&shown));
    answered
}
