//! Checks that each part of this crate only names parts before it.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails at the first unexpected value"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// From the lowest layer up. `lib.rs` names all of them.
const PARTS: [&str; 25] = [
    "worker_threads",
    "budget",
    "ids",
    "moments",
    "clock",
    "http",
    "iam",
    "schema",
    "stack",
    "observer",
    "options",
    "status",
    "dynamodb",
    "lambda",
    "template",
    "integrations",
    "transition",
    "websocket",
    "connections_api",
    "secrets_api",
    "front",
    "local_stack",
    "fuzzing",
    "unstable",
    "lib",
];

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

/// The files of each part.
fn parts() -> BTreeMap<String, Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut parts: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        parts.entry(name).or_default().extend(sources(&path));
    }
    // A checkout may leave empty folders behind.
    parts.retain(|_, files| !files.is_empty());
    parts
}

/// The parts that a file names, except in comments.
fn named(text: &str) -> Vec<String> {
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let mut names = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let names_here = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default(),
            None => rest,
        };
        let is_group = rest.starts_with('{');
        let listed = names_here
            .split(',')
            .take(if is_group { usize::MAX } else { 1 });
        names.extend(listed.map(|name| {
            let letters = name.trim_start().chars();
            letters
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect::<String>()
        }));
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn names_are_found_alone_and_in_groups() {
    let text = "use crate::{ids, moments::iso};\n// crate::no\nfn f() { crate::http::serve() }";
    assert_eq!(named(text), ["ids", "moments", "http"]);
}

#[test]
fn every_part_has_its_layer() {
    let mut floors = PARTS.map(str::to_owned).to_vec();
    floors.sort();
    assert_eq!(parts().into_keys().collect::<Vec<_>>(), floors);
}

#[test]
fn a_part_only_names_lower_layers() {
    let floor = |name: &str| PARTS.iter().position(|part| *part == name);
    for (part, files) in parts() {
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for name in named(&text) {
                assert!(
                    name == part || floor(&name) < floor(&part),
                    "{} names `{name}`, which is not below `{part}`",
                    file.display()
                );
            }
        }
    }
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
