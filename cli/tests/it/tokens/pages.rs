//! Pages that a chat refuses because of `origins`: each command that shows one says so, and which line is missing.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::stack::deployed;
use super::{Owner, TOKEN_MODE};
use crate::project::Finished;

const REFUSED: &str = "`origins` under `[auth]` does not list it";

/// `stderr` on one line, as terminals break it anywhere.
fn reported(finished: &Finished) -> String {
    finished
        .stderr
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_page_that_the_chat_refuses_is_shown_with_the_line_that_is_missing() {
    let origins = |listed: &str| format!("[auth]\norigins = [\"https://chat.example\"{listed}]\n");
    let owner = Owner::new(&origins(""));
    let first = reported(&deployed(&owner, &[]));
    let endpoint = owner.project.status()["endpoint"]
        .as_str()
        .unwrap()
        .to_owned();
    let authority = endpoint.split('/').nth(2).unwrap();
    let line = format!("add \"http://{authority}\" there");
    let printed = reported(&owner.run(&["print-connect-commands", "--local"]));
    for reported in [&first, &printed] {
        assert!(
            reported.contains(REFUSED) && reported.contains(&line),
            "{reported}"
        );
        assert!(!reported.contains("browser windows"), "{reported}");
    }
    let web = owner.run(&["web", "--local"]);
    assert_eq!(web.code, 0);
    assert!(web.stdout.contains(authority), "{}", web.stdout);
    assert!(reported(&web).contains(&line), "{}", web.stderr);
    // What counts is what is deployed.
    owner
        .project
        .configure(&origins(&format!(", \"http://{authority}\"")));
    assert!(reported(&owner.run(&["web", "--local"])).contains(&line));
    let again = reported(&deployed(&owner, &[]));
    assert!(
        again.contains("browser windows") && !again.contains(REFUSED),
        "{again}"
    );
    assert_eq!(reported(&owner.run(&["web", "--local"])), "");
}

#[test]
fn a_page_that_the_command_itself_serves_is_refused_by_its_own_port() {
    let owner = Owner::with_key(&format!(
        "{TOKEN_MODE}origins = [\"https://chat.example\"]\n"
    ));
    deployed(&owner, &[]);
    let mut web = owner
        .command(&["web", "--local"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let links = BufReader::new(web.stdout.take().unwrap());
    let link = links.lines().next().unwrap().unwrap();
    let port = link["http://127.0.0.1:".len()..].split('/').next().unwrap();
    let mut said = String::new();
    for line in BufReader::new(web.stderr.take().unwrap()).lines() {
        said += &format!("{} ", line.unwrap().trim());
        if said.contains("--port") && said.contains("the same") {
            break;
        }
    }
    web.kill().unwrap();
    web.wait().unwrap();
    assert!(said.contains(REFUSED), "{said}");
    assert!(
        said.contains(&format!("add \"http://127.0.0.1:{port}\"")),
        "{said}"
    );
    assert!(said.contains(&format!("--port {port}")), "{said}");
}
