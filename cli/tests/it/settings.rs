//! The settings of a handler, on a deployed local stack: what it sees, and where its secret is not.

use std::path::Path;

use crate::conversations::Chat;
use crate::project::{Project, children, eventually, finished, started_with};
use crate::sdk::{asks, deploy, logged, write_crate};

const SECRET: &str = "zebra-crossing-4711";
const OTHER: &str = "yellow-submarine-1966";

const CONFIG: &str = r#"
[[routes]]
key = "$default"
[[routes]]
key = "do"
handler = "do"
reply = true
memory = 256
timeout = 5
log-level = "debug"
reserved-concurrency = 3
environment = { GREETING = "good morning" }
secrets = { KEY = { ssm = "/chat/key", file = "key.secret" }, PASSWORD = { secretsmanager = "chat/db", json-key = "password", variable = "DB_PASSWORD" } }
vpc = { subnets = ["subnet-0123456789abcdef0"], security-groups = ["sg-0123456789abcdef0"] }
[handlers]
profile = "dev"
"#;

fn write_secret(project: &Project, value: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = project.path().join("key.secret");
    std::fs::write(&path, format!("{value}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// `deploy` with the password in the shell's environment.
fn deployed(project: &Project) -> String {
    let mut command = project.deployment(&["--no-probe"]);
    command
        .env("CARGO_TARGET_DIR", project.path().join("target"))
        .env("DB_PASSWORD", OTHER);
    let deployed = finished(command.output().unwrap());
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    for text in [&deployed.stdout, &deployed.stderr] {
        hides(text, "deploy");
    }
    let line = deployed.stdout.lines().next().unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

#[track_caller]
fn hides(text: &str, place: &str) {
    for secret in [SECRET, OTHER] {
        assert!(!text.contains(secret), "{place} shows {secret}");
    }
}

/// Searches every file below `folder`.
fn search(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            search(&path);
        } else if let Ok(bytes) = std::fs::read(&path) {
            hides(&String::from_utf8_lossy(&bytes), &path.to_string_lossy());
        }
    }
}

#[test]
fn a_handler_sees_its_variables_and_secrets_and_no_other_place_has_a_secret() {
    let project = Project::new(CONFIG);
    write_crate(&project);
    write_secret(&project, SECRET);
    let url = deployed(&project);
    let mut tom = Chat::open(&url, "Tom", "Jerry");
    let turned = |secret: &str| secret.chars().rev().collect::<String>();
    for (what, text, expected) in [
        ("variable", "GREETING", "good morning".to_owned()),
        (
            "variable",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            "256".to_owned(),
        ),
        ("variable", "AWS_LAMBDA_LOG_LEVEL", "DEBUG".to_owned()),
        (
            "variable",
            "SECRETS",
            r#"{"KEY":"ssm:/chat/key","PASSWORD":"secretsmanager:chat/db:SecretString:password"}"#
                .to_owned(),
        ),
        ("secret", "KEY", turned(SECRET)),
        ("secret", "PASSWORD", turned(OTHER)),
    ] {
        assert_eq!(
            asks(&mut tom, &format!(r#""{what}","text":"{text}""#)),
            expected
        );
    }
    let refused = asks(&mut tom, r#""secret","text":"TYPO""#);
    assert!(refused.contains("Internal server error"), "{refused}");
    eventually("the error names the line that is missing", || {
        logged(&project).contains("secrets = { TYPO = ")
    });
    // The stack's folder has the template, the request, the logs and the tables.
    search(&project.path().join(".chatctl"));
    for words in [
        &["render"][..],
        &["render", "--output", "json"],
        &["logs", "--local"],
        &["status", "--local", "--output", "json"],
        &["outputs", "--local"],
        &[
            "policy",
            "--account",
            "123456789012",
            "--region",
            "eu-west-1",
        ],
    ] {
        let said = project.run(words);
        assert_eq!(said.code, 0, "{words:?}: {}", said.stderr);
        hides(&said.stdout, &words.join(" "));
        hides(&said.stderr, &words.join(" "));
    }
    let stack = project.pid();
    let functions = children(stack);
    assert!(!functions.is_empty(), "the functions run");
    for process in functions.into_iter().chain([stack]) {
        let shown = started_with(process);
        assert!(!shown.is_empty(), "process {process} was started somehow");
        hides(&shown, &format!("process {process}"));
    }

    // A new value takes effect with the next deployment, while the connection stays open.
    write_secret(&project, "a new one");
    deployed(&project);
    assert_eq!(
        asks(&mut tom, r#""secret","text":"KEY""#),
        turned("a new one")
    );
}

#[test]
fn a_secret_without_a_place_on_this_machine_stops_before_anything_is_built() {
    let config = CONFIG.replace(", file = \"key.secret\"", "");
    let project = Project::new(&config);
    let refused = project.deploy(&[]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    refused.explains("secret `KEY` of route `do`");
    refused.explains("add `variable = \"NAME\"` or `file = \"PATH\"`");
    assert!(!project.state().exists());
    let authorizer = Project::new(
        "[auth]\nhandler = \"door\"\nsecrets = { KEY = { ssm = \"/k\", file = \"no.secret\" } }\n",
    );
    let refused = authorizer.deploy(&[]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    refused.explains("secret `KEY` of `[auth]`: could not read its secret from");
}

#[test]
fn one_of_several_binaries_of_a_crate_is_the_handler() {
    let config = CONFIG.replace("reply = true", "reply = true\nbinary = \"other\"");
    let project = Project::new(&config);
    write_crate(&project);
    write_secret(&project, SECRET);
    let source = project.path().join("do/src");
    std::fs::create_dir(source.join("bin")).unwrap();
    std::fs::rename(source.join("main.rs"), source.join("bin/other.rs")).unwrap();
    std::fs::write(
        source.join("main.rs"),
        "fn main() { panic!(\"not this one\") }",
    )
    .unwrap();
    let mut tom = Chat::open(&deployed(&project), "Tom", "Jerry");
    assert_eq!(asks(&mut tom, r#""reply","text":"so""#), "so");
    project.configure(&CONFIG.replace("reply = true", "reply = true\nbinary = \"third\""));
    let mut command = project.deployment(&[]);
    let refused = finished(command.env("DB_PASSWORD", OTHER).output().unwrap());
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    refused.explains("it has no binary `third`");
}

/// `deploy` of the SDK's tests needs no variable of the shell.
#[test]
fn a_secret_of_a_file_alone_needs_no_variable() {
    let config = CONFIG.replace(
        ", PASSWORD = { secretsmanager = \"chat/db\", json-key = \"password\", variable = \"DB_PASSWORD\" }",
        "",
    );
    let project = Project::new(&config);
    write_crate(&project);
    write_secret(&project, SECRET);
    let mut tom = Chat::open(&deploy(&project), "Tom", "Jerry");
    let secret = asks(&mut tom, r#""secret","text":"KEY""#);
    assert_eq!(secret, SECRET.chars().rev().collect::<String>());
}
