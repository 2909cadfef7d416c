//! That no statement of `checklist.toml` is without its test, and no number is used twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where tests of statements are: here, in the template reader's tests, and with those of the command line.
const FOLDERS: [&str; 4] = [
    "tests/conformance",
    "tests/template",
    "../cli/tests/it",
    "../cli/src/stack",
];

/// The numbers in the order of the checklist.
fn numbers() -> Vec<u32> {
    let number = |line: &str| line.strip_prefix("number = ")?.parse().ok();
    include_str!("checklist.toml")
        .lines()
        .filter_map(number)
        .collect()
}

/// The names of all test functions that begin with a number, by number.
fn tests() -> BTreeMap<u32, Vec<String>> {
    let mut tests: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for folder in FOLDERS {
        for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) {
            for line in std::fs::read_to_string(file).unwrap().lines() {
                let Some((_, name)) = line.split_once("fn c") else {
                    continue;
                };
                let name = name.split('(').next().unwrap_or_default();
                if let Some((number, _)) = name.split_once('_')
                    && let Ok(number) = number.parse()
                {
                    tests.entry(number).or_default().push(format!("c{name}"));
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
fn every_number_from_1_to_84_has_exactly_one_entry_in_its_place() {
    assert_eq!(numbers(), (1..=84).collect::<Vec<u32>>());
}

#[test]
fn every_statement_has_exactly_one_test() {
    let tests = tests();
    let missing: Vec<u32> = numbers()
        .into_iter()
        .filter(|number| !tests.contains_key(number))
        .collect();
    let several: Vec<&Vec<String>> = tests.values().filter(|names| names.len() > 1).collect();
    let unlisted: Vec<&u32> = tests
        .keys()
        .filter(|number| !numbers().contains(number))
        .collect();
    assert!(
        missing.is_empty() && several.is_empty() && unlisted.is_empty(),
        "statements without a test: {missing:?}; with several: {several:?}; tests of no statement: {unlisted:?}"
    );
}
