//! How many clients a local stack takes: each is an open file.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::conversations::Chat;
use crate::project::{Project, eventually, finished, handlers};

/// Deploys from a shell that has run `first`, a limit; answers the endpoint.
fn deployed_after(project: &Project, first: &str) -> String {
    let handlers = handlers().to_str().unwrap();
    let words = ["deploy", "--local", "--handlers", handlers];
    let deployed = finished(project.command_after(first, &words).output().unwrap());
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    project.status()["endpoint"].as_str().unwrap().to_owned()
}

#[test]
fn a_stack_takes_more_clients_than_its_shell_lets_programs_have_files() {
    let project = Project::new("");
    let url = deployed_after(&project, "ulimit -Sn 64");
    let mut friends: Vec<_> = (0..100).map(|_| Chat::open(&url, "Jerry", "Tom")).collect();
    let mut tom = Chat::open(&url, "Tom", "Jerry");
    tom.say("hello, all of you");
    for friend in &mut friends {
        assert_eq!(friend.receive(), "hello, all of you");
    }
}

/// Of 512 files 192 are not for clients.
#[test]
fn clients_beyond_the_system_s_limit_are_turned_away_and_the_chat_goes_on() {
    let project = Project::new("");
    let url = deployed_after(&project, "ulimit -n 512");
    let mut jerry = Chat::open(&url, "Jerry", "Tom");
    let mut tom = Chat::open(&url, "Tom", "Jerry");
    let crowd: Vec<_> = (2..320).map(|_| Chat::open(&url, "Spike", "Tom")).collect();
    let refused = Chat::try_open(&url, Some("Tyke"), Some("Tom")).err();
    assert_eq!(
        refused.as_deref(),
        Some("HTTP error: 503 Service Unavailable")
    );
    tom.say("crowded, isn't it?");
    assert_eq!(jerry.receive(), "crowded, isn't it?");
    let warnings = project.status()["warnings"]["last"].to_string();
    assert!(warnings.contains("320 clients are connected"), "{warnings}");
    drop(crowd);
    eventually("there is room again", || {
        Chat::try_open(&url, Some("Tyke"), Some("Tom")).is_ok()
    });
}

#[test]
fn kept_http_connections_keep_neither_clients_nor_commands_out() {
    let project = Project::new("");
    let url = deployed_after(&project, "ulimit -n 256");
    let address = url.trim_start_matches("ws://").trim_end_matches("/v1");
    let kept: Vec<TcpStream> = (0..400)
        .map(|_| {
            let mut socket = TcpStream::connect(address).unwrap();
            socket
                .write_all(b"GET /v1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                .unwrap();
            assert_ne!(socket.read(&mut [0; 512]).unwrap(), 0);
            socket
        })
        .collect();
    let mut jerry = Chat::open(&url, "Jerry", "Tom");
    let mut tom = Chat::open(&url, "Tom", "Jerry");
    tom.say("still here?");
    assert_eq!(jerry.receive(), "still here?");
    assert_eq!(project.status()["connections"], 2);
    drop(kept);
}
