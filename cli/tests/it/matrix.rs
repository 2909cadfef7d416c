//! Every option with every example: rendered, linted, and run on this machine. The options are in one list,
//! `testing::choices`.

use std::collections::BTreeSet;
use std::process::Command;

use testing::choices::{Case, alone, together};

use crate::project::{Project, finished, peer};

/// The renderings of `cases`, each once, in a folder.
fn rendered(cases: &[Case]) -> (tempfile::TempDir, usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = BTreeSet::new();
    for case in cases {
        let project = Project::new("");
        case.write(project.path(), "");
        let printed = project.run(&["render", "--region", "eu-west-1"]);
        match case.refusal {
            Some(reason) => {
                assert_eq!(
                    (printed.code, printed.stdout.as_str()),
                    (2, ""),
                    "{}",
                    case.name
                );
                assert!(
                    printed.stderr.contains("chatctl.toml:"),
                    "{}: {}",
                    case.name,
                    printed.stderr
                );
                printed.explains(reason);
            }
            None => {
                assert_eq!(printed.code, 0, "{}: {}", case.name, printed.stderr);
                if seen.insert(printed.stdout.clone()) {
                    let path = folder.path().join(format!("t{}.yaml", seen.len()));
                    std::fs::write(path, &printed.stdout).unwrap();
                }
            }
        }
    }
    (folder, seen.len())
}

/// One process for all files: it takes a quarter of a second for each, and more than a second to start.
fn lint(folder: &tempfile::TempDir) {
    let files = std::fs::read_dir(folder.path()).unwrap();
    let linted = finished(
        Command::new(peer("CHATCTL_CFN_LINT"))
            .args(["--regions", "eu-west-1", "--"])
            .args(files.map(|entry| entry.unwrap().path()))
            .output()
            .unwrap(),
    );
    assert_eq!(
        (linted.code, linted.stdout.trim()),
        (0, ""),
        "{}",
        linted.stderr
    );
}

#[test]
fn every_choice_with_every_example_passes_cfn_lint_or_is_refused_with_its_line() {
    let (folder, count) = rendered(&alone());
    assert!(count > 60, "{count} renderings");
    lint(&folder);
}

#[test]
fn all_choices_that_go_together_pass_cfn_lint_and_checkov() {
    let (folder, count) = rendered(&together(|_| false));
    assert!(count > 20, "{count} renderings");
    lint(&folder);
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../templates/checkov.yaml");
    let mut checkov = Command::new(peer("CHATCTL_CHECKOV"));
    checkov
        .args(["--config-file", config, "--directory"])
        .arg(folder.path());
    let checked = finished(checkov.output().unwrap());
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
}

/// Two chains, because the start of a stack waits more than it works.
#[test]
fn all_choices_that_go_together_run_on_this_machine() {
    let cases = together(|_| false);
    let (some, others) = cases.split_at(cases.len() / 2);
    let run = |cases: &[Case]| {
        for case in cases {
            let project = Project::new("");
            case.write(project.path(), "[handlers]\nprofile = \"dev\"\n");
            let mut command = project.deployment(&["--no-probe"]);
            command.env("BACKEND_SECRET", "secret");
            let deployed = finished(command.output().unwrap());
            assert_eq!(deployed.code, 0, "{}: {}", case.name, deployed.stderr);
            if case.has_overlay() {
                deployed.explains("no effect on this machine: Queue (AWS::SQS::Queue)");
            }
            let status = project.run(&["status", "--local"]);
            assert_eq!(status.code, 0, "{}: {}", case.name, status.stderr);
            assert!(
                !status.stdout.contains("differs"),
                "{}: {}",
                case.name,
                status.stdout
            );
            let gone = project.run(&["teardown", "--local", "--yes"]);
            assert_eq!(gone.code, 0, "{}: {}", case.name, gone.stderr);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| run(some));
        run(others);
    });
}
