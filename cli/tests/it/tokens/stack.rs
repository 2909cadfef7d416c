//! A deployed local stack in token mode, and everything of chatctl that connects to it.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use chatctl_deploy::engine::Token;

use serde_json::Value;

use super::interop::Library;
use super::{Owner, TOKEN_MODE};
use crate::project::{Finished, eventually, finished};
use crate::wscat::Terminal;

/// Deploys the owner's stack, which must succeed.
pub(super) fn deployed(owner: &Owner, more: &[&str]) -> Finished {
    let mut command = owner.own(owner.project.deployment(more));
    let deployed = finished(command.output().unwrap());
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    deployed
}

/// What is said in a pipe, and what came in.
pub(super) fn chat(owner: &Owner, words: &[&str], input: &str, token: Option<&str>) -> Finished {
    let mut command = owner.command(&[&["chat", "--local"], words].concat());
    if let Some(token) = token {
        command.env("CHATCTL_TOKEN", token);
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let written = child.stdin.take().unwrap().write_all(input.as_bytes());
    // It may have ended before it has read anything.
    drop(written);
    finished(child.wait_with_output().unwrap())
}

/// `command` with this user's private keys.
fn pasted(owner: &Owner, command: &str) -> String {
    let folder = owner.settings_folder();
    let folder = shell_words::quote(folder.to_str().unwrap()).into_owned();
    let command = shell_words::quote(command).into_owned();
    format!("env XDG_CONFIG_HOME={folder} sh -c {command}")
}

#[test]
fn the_printed_commands_make_their_tokens_themselves_and_hold_none() {
    let owner = Owner::with_key(&format!(
        "from = \"Ann Lee\"\nto = \"O'Neil\"\n{TOKEN_MODE}"
    ));
    let reported = deployed(&owner, &[]);
    reported.explains("1 route answers both ways");
    reported.explains("a client without a token is refused");
    let commands: Vec<_> = reported.stdout.lines().map(str::to_owned).collect();
    for command in &commands {
        assert!(command.contains("authorization: Bearer $("), "{command}");
        assert!(
            command.contains("msgfrom:") && !command.contains("eyJ"),
            "{command}"
        );
    }
    assert!(!reported.stderr.contains("eyJ"), "{}", reported.stderr);
    let mut ann = Terminal::paste(&pasted(&owner, &commands[0]), &owner.project, 1);
    let neil = Terminal::paste(&pasted(&owner, &commands[1]), &owner.project, 2);
    ann.types("hi there");
    neil.sees_next("hi there");
    let printed = owner.done(&["print-connect-commands", "--local", "--with-tokens"]);
    for command in printed.lines() {
        assert!(command.contains("'authorization: Bearer eyJ"), "{command}");
    }
    let printed = owner.run(&["print-connect-commands", "--local"]);
    assert_eq!(printed.stdout.lines().collect::<Vec<_>>(), commands);
    printed.explains("which ask for a token");
}

#[test]
fn a_chat_makes_its_token_or_takes_it_from_a_variable_a_file_or_stdin() {
    let owner = Owner::with_key(TOKEN_MODE);
    deployed(&owner, &[]);
    let oneself = ["--as", "Tom", "--to", "Tom"];
    let said = chat(&owner, &oneself, "made here\n", None);
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (0, "made here\n"),
        "{}",
        said.stderr
    );
    // The name is the token's; the config's does not count.
    let ann = owner.done(&["token", "--as", "Ann"]);
    let said = chat(&owner, &["--to", "Ann"], "from a variable\n", Some(&ann));
    assert_eq!(said.stdout, "from a variable\n", "{}", said.stderr);
    let path = owner.project.path().join("ann.token");
    std::fs::write(&path, format!("{ann}\n")).unwrap();
    let words = ["--to", "Ann", "--token-file", "ann.token"];
    let said = chat(&owner, &words, "from a file\n", None);
    assert_eq!(said.stdout, "from a file\n", "{}", said.stderr);
    let words = ["--to", "Ann", "--token-file", "-"];
    let said = chat(&owner, &words, &format!("{ann}\nfrom stdin\n"), None);
    assert_eq!(said.stdout, "from stdin\n", "{}", said.stderr);
    // A handshake with another name than the token's is refused, and one without a good token.
    let said = chat(&owner, &["--as", "Tom"], "x\n", Some(&ann));
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (3, ""),
        "{}",
        said.stderr
    );
    said.explains("refuses the connection");
    assert!(!said.stderr.contains(&ann));
    let said = chat(&owner, &[], "x\n", Some("no token"));
    assert_eq!(said.code, 2);
    assert!(!said.stderr.contains("no token\n"), "{}", said.stderr);
    let stranger = Owner::with_key(TOKEN_MODE).done(&["token", "--as", "Tom"]);
    let said = chat(&owner, &[], "x\n", Some(&stranger));
    assert_eq!(said.code, 3, "{}", said.stderr);
    // Nor where no private key is.
    std::fs::remove_dir_all(owner.settings_folder()).unwrap();
    let said = chat(&owner, &[], "x\n", None);
    assert_eq!(said.code, 2);
    said.explains("no private key");
}

#[test]
fn a_chat_outlives_its_token_and_what_was_refused_arrives() {
    let owner = Owner::with_key(TOKEN_MODE);
    deployed(&owner, &[]);
    let path = owner.project.path().join("tom.token");
    let token = |lifetime| owner.done(&["token", "--as", "Tom", "--expires", lifetime]);
    let short = token("2s");
    std::fs::write(&path, &short).unwrap();
    let mut child = owner
        .command(&[
            "chat",
            "--local",
            "--to",
            "Tom",
            "--token-file",
            "tom.token",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut received = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut keyboard = child.stdin.take().unwrap();
    writeln!(keyboard, "in time").unwrap();
    assert_eq!(received.next().unwrap().unwrap(), "in time");
    let expires = Token::parse(&short).unwrap().expires_at().unwrap();
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    eventually("the token has expired", || now().as_secs() > expires);
    std::fs::write(&path, token("1h")).unwrap();
    writeln!(keyboard, "too late").unwrap();
    assert_eq!(received.next().unwrap().unwrap(), "too late");
    drop(keyboard);
    let ended = finished(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("open").count(), 1, "{}", ended.stderr);
}

#[test]
fn the_running_stack_accepts_tokens_of_other_libraries_and_none_of_a_retired_key() {
    let owner = Owner::with_key(TOKEN_MODE);
    let made: Vec<_> = Library::ALL.into_iter().flat_map(Library::makes).collect();
    let own = owner.done(&["token", "--as", "Tom", "--expires", "1h"]);
    for one in &made {
        std::fs::write(owner.project.path().join("key.json"), &one.jwk).unwrap();
        owner.done(&["keys", "add", "key.json"]);
    }
    deployed(&owner, &[]);
    let accepts = |token: &str| {
        let said = chat(&owner, &["--to", "Jerry"], "", Some(token));
        match said.code {
            0 => true,
            3 => false,
            code => panic!("{code}: {}", said.stderr),
        }
    };
    for one in &made {
        assert!(accepts(&one.token), "{}", one.algorithm);
    }
    assert!(accepts(&own));
    owner.done(&["keys", "retire", &made[0].id]);
    deployed(&owner, &[]);
    assert!(!accepts(&made[0].token));
    assert!(accepts(&made[1].token));
}

#[test]
fn a_deployment_without_a_private_key_says_what_it_could_not_try() {
    let owner = Owner::with_key(TOKEN_MODE);
    std::fs::remove_dir_all(owner.settings_folder()).unwrap();
    let reported = deployed(&owner, &[]);
    reported.explains("a client without a token is refused (401)");
    reported.explains("messages were not tried");
    reported.explains("export CHATCTL_TOKEN=");
    for command in reported.stdout.lines() {
        assert!(
            command.contains(r#""authorization: Bearer $CHATCTL_TOKEN""#),
            "{command}"
        );
    }
    let refused = owner.run(&["print-connect-commands", "--local", "--with-tokens"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    let web = owner.done(&["web", "--local", "--output", "json"]);
    let web: Value = serde_json::from_str(&web).unwrap();
    assert!(!web["links"].to_string().contains('#'), "{web}");
}
