//! `cargo xtask conformance`: runs the tests of the checklist and prints what it says beside how they ended.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::run::{StepError, cargo, root};

/// Where the statements are.
const CHECKLIST: &str = "local/tests/conformance/checklist.toml";

/// Which tests hold them, as arguments of `cargo test`; every name is `…::cNN_…`.
const RUNS: [&[&str]; 2] = [
    &[
        "--package=chatctl-local",
        "--test=conformance",
        "--test=template",
        "--",
        "::c",
    ],
    &["--package=chatctl", "--test=it", "--", "conformance::c"],
];

#[derive(Debug, Deserialize)]
struct Checklist {
    statement: Vec<Statement>,
}

#[derive(Debug, Deserialize)]
struct Statement {
    number: u32,
    text: String,
    /// What AWS does not say.
    unknown: Option<String>,
    /// What is done about it.
    choice: Option<String>,
}

/// How the tests of one number ended.
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
    let mut verdicts = BTreeMap::new();
    for run in RUNS {
        collect(&tests(run)?, &mut verdicts);
    }
    print(&table(&checklist.statement, &verdicts));
    let is_ok = |one: &Statement| verdicts.get(&one.number) == Some(&Verdict::Ok);
    let held = checklist.statement.iter().filter(|one| is_ok(one)).count();
    match checklist.statement.len() - held {
        0 => Ok(()),
        rest => Err(StepError::Other(format!(
            "{rest} of {} statements do not hold, or have no test",
            checklist.statement.len()
        ))),
    }
}

/// What `cargo test` prints on stdout; that tests fail is no error here, that they do not compile is.
fn tests(arguments: &[&str]) -> Result<String, StepError> {
    let output = Command::new(cargo())
        .args(["test", "--locked", "--no-fail-fast"])
        .args(arguments)
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

/// Reads libtest's lines: `test MODULE::cNN_NAME ... ok`. One failure of several decides.
fn collect(text: &str, verdicts: &mut BTreeMap<u32, Verdict>) {
    for line in text.lines() {
        let Some((name, result)) = line
            .strip_prefix("test ")
            .and_then(|line| line.split_once(" ... "))
        else {
            continue;
        };
        let number = name
            .rsplit("::")
            .next()
            .and_then(|name| name.strip_prefix('c')?.split_once('_')?.0.parse().ok());
        if let Some(number) = number {
            let verdict = if result.starts_with("ok") {
                Verdict::Ok
            } else {
                Verdict::Failed
            };
            let told = verdicts.entry(number).or_insert(verdict);
            if verdict == Verdict::Failed {
                *told = verdict;
            }
        }
    }
}

fn table(statements: &[Statement], verdicts: &BTreeMap<u32, Verdict>) -> String {
    let mut table = String::new();
    for one in statements {
        let verdict = match verdicts.get(&one.number) {
            Some(Verdict::Ok) => "ok",
            Some(Verdict::Failed) => "FAILED",
            None => "NO TEST",
        };
        let _infallible = writeln!(table, "{:>2}  {verdict:<7}  {}", one.number, one.text);
        if let (Some(unknown), Some(choice)) = (&one.unknown, &one.choice) {
            let note = format!("AWS: unknown ({unknown}), our choice: {choice}");
            let _infallible = writeln!(table, "{:>11}  {note}", "");
        }
    }
    table
}

#[expect(clippy::print_stdout, reason = "the table is what was asked for")]
fn print(text: &str) {
    print!("{}", crate::printable(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_numbered_tests_are_read_and_a_failure_decides() {
        let mut verdicts = BTreeMap::new();
        collect(
            "running 4 tests\ntest frames::c61_binary ... ok\ntest frames::c07_slow ... FAILED\ntest frames::c07_slower ... ok\n\
             test callee::others ... ok\ntest checklist::c_is_no_number ... ok\n",
            &mut verdicts,
        );
        assert_eq!(
            verdicts,
            BTreeMap::from([(7, Verdict::Failed), (61, Verdict::Ok)])
        );
    }

    #[test]
    fn the_table_tells_what_is_missing_and_what_aws_does_not_say() {
        let statement = |number, unknown: Option<&str>| Statement {
            number,
            text: "something".to_owned(),
            unknown: unknown.map(str::to_owned),
            choice: unknown.map(|_| "yes".to_owned()),
        };
        let table = table(
            &[statement(1, Some("whether")), statement(2, None)],
            &BTreeMap::from([(1, Verdict::Ok)]),
        );
        assert_eq!(
            table,
            " 1  ok       something\n             AWS: unknown (whether), our choice: yes\n 2  NO TEST  something\n"
        );
    }
}
