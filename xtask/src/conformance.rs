//! `cargo xtask conformance`: runs the tests of the checklist and prints each statement with its result.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::run::{StepError, cargo, finish, root};

/// The file with the statements.
const CHECKLIST: &str = "local/tests/conformance/checklist.toml";

/// The tests of the statements: arguments of `cargo test`, and the prefix of `TOPIC_N_…` in their names.
const RUNS: [(&[&str], &str); 2] = [
    (&["--test=conformance", "--test=template"], "::"),
    (&["--test=it"], "conformance::"),
];

/// The functions of those tests. `cargo test` builds examples only if no test is named.
const FUNCTIONS: [&str; 2] = ["--example=scripted", "--locked"];

#[derive(Debug, Deserialize)]
struct Checklist {
    statement: Vec<Statement>,
}

#[derive(Debug, Deserialize)]
struct Statement {
    /// `handshake.3`
    id: String,
    text: String,
    /// What AWS does not document.
    unknown: Option<String>,
    /// Our choice.
    choice: Option<String>,
}

/// The results of the tests of one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    Failed,
}

pub(crate) fn check() -> Result<(), StepError> {
    let path = root().join(CHECKLIST);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| StepError::Other(format!("could not read {CHECKLIST}: {error}")))?;
    let checklist: Checklist = toml::from_str(&text)
        .map_err(|error| StepError::Other(format!("could not read {CHECKLIST}: {error}")))?;
    let mut build = Command::new(cargo());
    build.args(["build", "--workspace"]).args(FUNCTIONS);
    finish(build, "install a Rust toolchain", "cargo build")?;
    let mut verdicts = BTreeMap::new();
    for (arguments, before) in RUNS {
        let filters = filters(&checklist.statement, before);
        collect(&tests(arguments, &filters)?, &mut verdicts);
    }
    print(&table(&checklist.statement, &verdicts));
    let is_ok = |one: &Statement| verdicts.get(&one.id) == Some(&Verdict::Ok);
    let held = checklist.statement.iter().filter(|one| is_ok(one)).count();
    match checklist.statement.len() - held {
        0 => Ok(()),
        rest => Err(StepError::Other(format!(
            "{rest} of {} statements do not hold, or have no test",
            checklist.statement.len()
        ))),
    }
}

/// Filters for the tests' names, by topic.
fn filters(statements: &[Statement], before: &str) -> Vec<String> {
    let topics = statements.iter().filter_map(|one| one.id.split_once('.'));
    let mut filters: Vec<_> = topics
        .map(|(topic, _)| format!("{before}{topic}_"))
        .collect();
    filters.dedup();
    filters
}

/// The output of `cargo test`. Failed tests are no error here, but compile errors are.
fn tests(arguments: &[&str], filters: &[String]) -> Result<String, StepError> {
    let output = Command::new(cargo())
        .args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .args(arguments)
        .arg("--")
        .args(filters)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|_| StepError::Missing {
            program: cargo(),
            cure: "install a Rust toolchain",
        })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() || text.contains("test result:") {
        Ok(text)
    } else {
        Err(StepError::Failed {
            what: format!("cargo test {}", arguments.join(" ")),
        })
    }
}

/// Parses libtest's lines: `test MODULE::TOPIC_N_NAME ... ok`. One failure of several decides.
fn collect(text: &str, verdicts: &mut BTreeMap<String, Verdict>) {
    for line in text.lines() {
        let Some((name, result)) = line
            .strip_prefix("test ")
            .and_then(|line| line.split_once(" ... "))
        else {
            continue;
        };
        if let Some(id) = name.rsplit("::").next().and_then(id) {
            let verdict = if result.starts_with("ok") {
                Verdict::Ok
            } else {
                Verdict::Failed
            };
            let reported = verdicts.entry(id).or_insert(verdict);
            if verdict == Verdict::Failed {
                *reported = verdict;
            }
        }
    }
}

/// `handshake.3` from `handshake_3_no_101`.
fn id(name: &str) -> Option<String> {
    let (topic, rest) = name.split_once('_')?;
    let number: u32 = rest.split_once('_')?.0.parse().ok()?;
    Some(format!("{topic}.{number}"))
}

fn table(statements: &[Statement], verdicts: &BTreeMap<String, Verdict>) -> String {
    let mut table = String::new();
    let widths = statements.iter().map(|one| one.id.chars().count());
    let width = widths.max().unwrap_or_default();
    for one in statements {
        let verdict = match verdicts.get(&one.id) {
            Some(Verdict::Ok) => "ok",
            Some(Verdict::Failed) => "FAILED",
            None => "NO TEST",
        };
        let _infallible = writeln!(table, "{:<width$}  {verdict:<7}  {}", one.id, one.text);
        if let (Some(unknown), Some(choice)) = (&one.unknown, &one.choice) {
            let note = format!("AWS: unknown ({unknown}), our choice: {choice}");
            let _infallible = writeln!(table, "{:width$}           {note}", "");
        }
    }
    table
}

#[expect(clippy::print_stdout, reason = "the table is the command's output")]
fn print(text: &str) {
    print!("{}", crate::printable(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_tests_with_an_id_are_parsed_and_a_failure_decides() {
        let mut verdicts = BTreeMap::new();
        collect(
            "running 4 tests\ntest frames::limits_1_binary ... ok\ntest frames::handshake_7_slow ... FAILED\n\
             test frames::handshake_7_slower ... ok\ntest callee::others ... ok\ntest checklist::limits_no_number ... ok\n",
            &mut verdicts,
        );
        assert_eq!(
            verdicts,
            BTreeMap::from([
                ("handshake.7".to_owned(), Verdict::Failed),
                ("limits.1".to_owned(), Verdict::Ok)
            ])
        );
    }

    #[test]
    fn the_table_shows_missing_tests_and_gaps_in_aws_s_documentation() {
        let statement = |id: &str, unknown: Option<&str>| Statement {
            id: id.to_owned(),
            text: "something".to_owned(),
            unknown: unknown.map(str::to_owned),
            choice: unknown.map(|_| "yes".to_owned()),
        };
        let table = table(
            &[
                statement("limits.1", Some("whether")),
                statement("bounds.2", None),
            ],
            &BTreeMap::from([("limits.1".to_owned(), Verdict::Ok)]),
        );
        assert_eq!(
            table,
            "limits.1  ok       something\n                   AWS: unknown (whether), our choice: yes\nbounds.2  NO TEST  something\n"
        );
    }
}
