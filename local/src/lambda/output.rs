//! A process's standard output and error, line by line.

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Longer lines are cut here, so that a function that writes no line end cannot fill the memory.
const LINE_BYTES: usize = 16 * 1024;

/// Passes every line of `stream` to `sink` until the stream ends.
pub(crate) async fn follow_lines(mut stream: impl AsyncRead + Unpin, sink: impl Fn(String)) {
    let mut line = Vec::new();
    let mut chunk = vec![0; 8 * 1024];
    let mut cut = false;
    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
        for piece in chunk[..read].split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            let room = LINE_BYTES - line.len();
            line.extend_from_slice(&text[..text.len().min(room)]);
            if line.len() == LINE_BYTES && !cut {
                cut = true;
                sink(take(&mut line));
            } else if ends && !cut {
                sink(take(&mut line));
            }
            if ends {
                line.clear();
                cut = false;
            }
        }
    }
    if !line.is_empty() && !cut {
        sink(take(&mut line));
    }
}

fn take(line: &mut Vec<u8>) -> String {
    let text = String::from_utf8_lossy(line)
        .trim_end_matches('\r')
        .to_owned();
    line.clear();
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    async fn lines(text: &[u8]) -> Vec<String> {
        let seen = Mutex::new(Vec::new());
        follow_lines(text, |line| seen.lock().unwrap().push(line)).await;
        seen.into_inner().unwrap()
    }

    #[tokio::test]
    async fn lines_arrive_without_their_ends_and_the_last_one_needs_none() {
        assert_eq!(
            lines(b"one\r\n\ntwo\nthree").await,
            ["one", "", "two", "three"]
        );
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut_once() {
        let long = [b"x".repeat(50_000), b"\nnext\n".to_vec()].concat();
        let lines = lines(&long).await;
        assert_eq!(
            lines.iter().map(String::len).collect::<Vec<_>>(),
            [LINE_BYTES, 4]
        );
    }
}
