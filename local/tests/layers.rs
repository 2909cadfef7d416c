//! Checks what parts of this crate touch. In which order they name one another, the table of ARCHITECTURE.md says, to
//! which the tests of the command hold the sources.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails at the first unexpected value"
)]

use std::path::{Path, PathBuf};

fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).unwrap();
        return entries
            .flat_map(|entry| sources(&entry.unwrap().path()))
            .collect();
    }
    let is_source = path.extension().is_some_and(|extension| extension == "rs");
    Vec::from_iter(is_source.then(|| path.to_owned()))
}

/// So that its decisions can be tested without processes, sockets and callers.
#[test]
fn the_process_pool_names_neither_processes_nor_http_nor_channels() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lambda");
    let pool = ["pool", "fair_queue.rs", "lanes.rs"].map(|name| sources(&folder.join(name)));
    assert!(pool.iter().all(|files| !files.is_empty()));
    let tests = folder.join("pool/tests");
    let files = pool.into_iter().flatten();
    for file in files.filter(|file| !file.starts_with(&tests)) {
        let text = std::fs::read_to_string(&file).unwrap();
        for outside in [
            "std::fs",
            "std::net",
            "std::process",
            "tokio::net",
            "tokio::process",
            "tokio::spawn",
            "tokio::sync",
            "oneshot",
            "mpsc",
            "Mutex",
            "budget",
            "Reservation",
            "payload",
            "job::Job",
            "Job,",
            "Job}",
            "Instant::now",
            "async fn",
            "hyper",
            "super::process",
            ".send(",
            "runtime_api",
            "http::",
        ] {
            assert!(
                !text.contains(outside),
                "{} names `{outside}`",
                file.display()
            );
        }
    }
}
