//! The port of a local stack, and what becomes of the stack when another one is asked for.

use std::net::TcpListener;

use testing::ports::own_port;

use crate::conversations::Chat;
use crate::project::Project;

#[test]
fn another_port_ends_the_connections_says_so_and_serves_afterwards() {
    let project = Project::new("");
    project.deployed(&[]);
    let port = own_port().to_string();
    let moved = project.deploy(&["--port", &port]);
    assert_eq!(moved.code, 0, "{}", moved.stderr);
    assert!(
        moved.stderr.contains("changes its port") && !moved.stderr.contains("does not run"),
        "{}",
        moved.stderr
    );
    let mut tom = Chat::open(&format!("ws://127.0.0.1:{port}/v1"), "Tom", "Tom");
    tom.say("here now");
    assert_eq!(tom.receive(), "here now");
}

#[test]
fn a_stack_is_not_ended_for_a_port_that_is_taken() {
    let project = Project::new("");
    let endpoint = project.deployed(&[]);
    let mut tom = Chat::open(&endpoint, "Tom", "Tom");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let refused = project.deploy(&["--port", &port]);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(
        refused.stderr.contains(&port) && refused.stderr.contains("still serves"),
        "{}",
        refused.stderr
    );
    tom.say("still here");
    assert_eq!(tom.receive(), "still here");
    assert_eq!(project.deployed(&[]), endpoint);
}
