//! What is promised to scripts and readers: help texts, exit codes, messages.

use expect_test::{Expect, expect, expect_file};

use crate::project::Project;

fn help(words: &[&str], file: &str) {
    let shown = Project::new("").run(&[words, &["--help"]].concat());
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""));
    expect_file![format!(
        "{}/tests/it/help/{file}.txt",
        env!("CARGO_MANIFEST_DIR")
    )]
    .assert_eq(&shown.stdout);
}

fn refused(words: &[&str], code: i32, expected: Expect) {
    let refused = Project::new("").run(words);
    assert_eq!(
        (refused.code, refused.stdout.as_str()),
        (code, ""),
        "{}",
        refused.stderr
    );
    expected.assert_eq(&refused.stderr);
}

#[test]
fn the_help_of_every_command_is_as_recorded() {
    help(&[], "chatctl");
    for command in [
        "chat",
        "completions",
        "connections",
        "cost",
        "deploy",
        "diff",
        "doctor",
        "dev",
        "eject",
        "init",
        "keys",
        "kick",
        "logs",
        "outputs",
        "policy",
        "print-connect-commands",
        "render",
        "send",
        "status",
        "teardown",
        "token",
        "web",
    ] {
        help(&[command], command);
    }
    for verb in ["add", "list", "new", "retire"] {
        help(&["keys", verb], &format!("keys-{verb}"));
    }
}

#[test]
fn each_shell_gets_completions_and_each_command_a_man_page() {
    let project = Project::new("");
    for (shell, word) in [
        ("bash", "complete -F _chatctl"),
        ("zsh", "#compdef chatctl"),
        ("fish", "complete -c chatctl"),
    ] {
        let script = project.run(&["completions", shell]);
        assert_eq!((script.code, script.stderr.as_str()), (0, ""));
        assert!(script.stdout.contains(word), "{}", script.stdout);
        assert!(script.stdout.contains("print-connect-commands"));
        for hidden in ["man-pages", "man__pages", "endpoint-template"] {
            assert!(!script.stdout.contains(hidden), "{shell}: {hidden}");
        }
    }
    let folder = project.path().join("man");
    assert_eq!(project.run(&["man-pages", "man"]).code, 2);
    std::fs::create_dir(&folder).unwrap();
    assert_eq!(project.run(&["man-pages", "man"]).code, 0);
    let page = std::fs::read_to_string(folder.join("chatctl-deploy.1")).unwrap();
    assert!(page.contains("\\-\\-hotswap"), "{page}");
    assert!(!folder.join("chatctl-guard.1").exists());
}

#[test]
fn the_hidden_command_is_the_only_one_without_a_recorded_help() {
    let shown = Project::new("").run(&["--help"]).stdout;
    let commands = shown
        .split("Commands:\n")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    let named = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/help");
    for command in named.map(|line| line.split_whitespace().next().unwrap()) {
        assert!(
            folder.join(format!("{command}.txt")).exists(),
            "the help of {command} is not recorded"
        );
    }
}

#[test]
fn without_a_stack_there_are_no_connect_commands() {
    refused(
        &["print-connect-commands", "--local"],
        2,
        expect![[r#"
            error: there is no local stack `chat`
            hint: `chatctl deploy --local` starts it
        "#]],
    );
}

#[test]
fn a_name_that_cannot_be_one_is_refused_at_the_flag() {
    refused(
        &["deploy", "--local", "--from", "Tom\nJerry"],
        2,
        expect![[r#"
            error: invalid value 'Tom
            Jerry' for '--from <NAME>': "Tom\nJerry" is not a name for a person: '\n' is not allowed, only ASCII letters, digits, spaces and any of `. _ @ + ' -`

            For more information, try '--help'.
        "#]],
    );
}

#[test]
fn a_config_that_is_wrong_is_shown_with_its_line_and_exits_with_2() {
    let refused = Project::new("stage = \"a/b\"\n").run(&["render"]);
    assert_eq!(refused.code, 2);
    expect![[r#"
        error: chatctl.toml:1:9: "a/b" is not a stage name: '/' is not allowed, only letters, digits, `-` and `_`
            |
          1 | stage = "a/b"
            |         ^^^^^
        hint: `chatctl init --print` shows every key with its meaning
    "#]]
    .assert_eq(&refused.stderr);
}

#[test]
fn an_error_is_one_json_object_when_json_was_asked_for() {
    let refused = Project::new("").run(&["status", "--local", "--output", "json"]);
    assert_eq!((refused.code, refused.stderr.as_str()), (2, ""));
    expect![[r#"
        {"type":"error","exitCode":2,"message":"there is no local stack `chat`","hint":"`chatctl deploy --local` starts it"}
    "#]]
    .assert_eq(&refused.stdout);
}

#[test]
fn a_template_is_json_when_json_was_asked_for_and_never_both_notations_at_once() {
    let project = Project::new("");
    let shown = project.run(&["render", "--output", "json"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let template: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(template["AWSTemplateFormatVersion"], "2010-09-09");
    assert_eq!(
        shown.stdout,
        project.run(&["render", "--format", "json"]).stdout
    );
    assert!(project.run(&["render"]).stdout.starts_with("AWSTemplate"));
    let both = project.run(&["render", "--output", "json", "--format", "yaml"]);
    assert_eq!(both.code, 2, "{}", both.stdout);
}

#[test]
fn init_writes_a_config_once_and_only_once() {
    let project = Project::new("");
    std::fs::remove_file(project.path().join("chatctl.toml")).unwrap();
    assert_eq!(project.run(&["init"]).code, 0);
    assert_eq!(project.run(&["render"]).code, 0);
    let again = project.run(&["init"]);
    assert_eq!(again.code, 2);
    again.explains("chatctl.toml is already there");
    assert_eq!(project.run(&["init", "--force"]).code, 0);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::process::Stdio;
    let project = Project::new("");
    let mut child = project
        .command(&["render"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
