//! Checks that every statement of `checklist.toml` has its test, and that ids are unique.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const CHECKLIST: &str = include_str!("checklist.toml");

/// The folders with tests of statements: here, the template reader's tests, and those of the command line.
const FOLDERS: [&str; 4] = [
    "tests/conformance",
    "tests/template",
    "../cli/tests/it",
    "../deploy/src/stack",
];

/// The topics in order, with the number of statements of each.
fn topics() -> Vec<(&'static str, usize)> {
    let (topics, _) = CHECKLIST
        .split_once("[[statement]]")
        .expect("it begins with the table of topics");
    let row = |line: &'static str| {
        let (topic, count) = line.split_once(" = ")?;
        Some((topic, count.parse().ok()?))
    };
    topics.lines().filter_map(row).collect()
}

/// The id of a statement: `handshake.3`.
type Id = (String, usize);

/// The ids in the order of the checklist.
fn ids() -> Vec<Id> {
    let id = |line: &str| {
        let id = line.strip_prefix("id = \"")?.strip_suffix('"')?;
        let (topic, number) = id.split_once('.')?;
        Some((topic.to_owned(), number.parse().ok()?))
    };
    CHECKLIST.lines().filter_map(id).collect()
}

/// The names of all test functions that begin with an id, by id.
fn tests() -> BTreeMap<Id, Vec<String>> {
    let known = topics();
    let mut tests: BTreeMap<Id, Vec<String>> = BTreeMap::new();
    for folder in FOLDERS {
        for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) {
            for line in std::fs::read_to_string(file).unwrap().lines() {
                let Some((_, name)) = line.split_once("fn ") else {
                    continue;
                };
                let name = name.split('(').next().unwrap_or_default();
                if let [topic, number, _] = name.splitn(3, '_').collect::<Vec<_>>()[..]
                    && let Ok(number) = number.parse()
                    && known.iter().any(|(known, _)| *known == topic)
                {
                    let names = tests.entry((topic.to_owned(), number)).or_default();
                    names.push(name.to_owned());
                }
            }
        }
    }
    tests
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_topic_is_contiguous_and_has_each_number_once() {
    let ids = ids();
    let mut topics: Vec<&str> = ids.iter().map(|(topic, _)| topic.as_str()).collect();
    topics.dedup();
    let known: Vec<&str> = self::topics().iter().map(|(topic, _)| *topic).collect();
    assert_eq!(topics, known);
    for (topic, count) in self::topics() {
        let of_topic = ids.iter().filter(|(of, _)| of == topic);
        let mut numbers: Vec<usize> = of_topic.map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "{topic}");
    }
    let statements = CHECKLIST.matches("[[statement]]");
    assert_eq!(ids.len(), statements.count(), "a statement has no valid id");
}

#[test]
fn every_statement_has_exactly_one_test() {
    let (ids, tests) = (ids(), tests());
    let missing: Vec<&Id> = ids.iter().filter(|id| !tests.contains_key(id)).collect();
    let several: Vec<&Vec<String>> = tests.values().filter(|names| names.len() > 1).collect();
    let unlisted: Vec<&Id> = tests.keys().filter(|id| !ids.contains(id)).collect();
    assert!(
        missing.is_empty() && several.is_empty() && unlisted.is_empty(),
        "statements without a test: {missing:?}; with several: {several:?}; tests of no statement: {unlisted:?}"
    );
}
