//! Where the page is, and who may have it.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::project::{Project, TIMEOUT};

/// The status and the whole answer to `GET target` on the port of `link`, asked for as `host`.
pub(crate) fn get(link: &str, target: &str, host: &str) -> (u16, String) {
    let address = link.split('/').nth(2).unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

#[test]
fn a_deployment_tells_where_the_page_is_and_stdout_stays_the_two_commands() {
    let project = Project::new("");
    let deployed = project.deploy(&["--from", "Ann Lee", "--to", "O'Neil"]);
    assert_eq!(deployed.stdout.lines().count(), 2, "{}", deployed.stdout);
    let status = project.run(&["status", "--local"]).stdout;
    let page = status
        .lines()
        .find_map(|line| line.strip_prefix("page"))
        .unwrap()
        .trim();
    for link in [
        format!("{page}?from=Ann+Lee&to=O%27Neil"),
        format!("{page}?from=O%27Neil&to=Ann+Lee"),
    ] {
        assert!(
            deployed.stderr.lines().any(|line| line == link),
            "{}",
            deployed.stderr
        );
    }
    let again = project.deploy(&["--output", "json"]);
    let result: serde_json::Value =
        serde_json::from_str(again.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(result["page"], page);
}

#[test]
fn web_prints_the_links_of_a_local_stack_whose_page_only_this_machine_may_open() {
    let project = Project::new("[[routes]]\nkey = \"send\"\n");
    let missing = project.run(&["web", "--local"]);
    assert_eq!(
        (missing.code, missing.stdout.as_str()),
        (2, ""),
        "{}",
        missing.stderr
    );
    project.deployed(&[]);
    let web = project.run(&["web", "--local", "--output", "json"]);
    let ready: serde_json::Value = serde_json::from_str(&web.stdout).unwrap();
    let page = ready["page"].as_str().unwrap();
    assert_eq!(ready["links"][0], format!("{page}?from=Tom&to=Jerry"));
    let (status, answer) = get(page, "/?from=Tom", "127.0.0.1");
    assert_eq!(status, 200);
    assert!(answer.contains(r#""key":"send""#), "{answer}");
    assert!(answer.contains("content-security-policy: default-src 'none'; script-src 'sha256-"));
    let (status, answer) = get(page, "/", "rebound.example");
    assert_eq!(status, 421);
    assert!(!answer.contains("settings"), "{answer}");
    assert_eq!(get(page, "/index.html", "127.0.0.1").0, 403);
}

#[test]
fn an_update_of_the_stack_reaches_its_page() {
    let project = Project::new("");
    project.deployed(&[]);
    project.configure("[[routes]]\nkey = \"later\"\n");
    project.deployed(&["--no-probe"]);
    let links = project.run(&["web", "--local"]).stdout;
    let (_, answer) = get(links.lines().next().unwrap(), "/", "localhost");
    assert!(answer.contains(r#""key":"later""#), "{answer}");
}
