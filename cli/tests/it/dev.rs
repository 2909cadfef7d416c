//! `chatctl dev`: any template, in the foreground.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::conversations::Chat;
use crate::project::{Project, children, handlers, is_alive};

struct Dev {
    child: Child,
    endpoint: String,
}

fn dev(project: &Project, words: &[&str]) -> Dev {
    let mut child = project
        .command(&[&["dev"], words].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut endpoint = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut endpoint)
        .unwrap();
    Dev {
        child,
        endpoint: endpoint.trim_end().to_owned(),
    }
}

#[test]
fn without_a_template_it_runs_the_projects_own_chat_until_ctrl_c() {
    let project = Project::new("stage = \"beta\"\n");
    let mut running = dev(&project, &["--handlers", handlers().to_str().unwrap()]);
    assert!(running.endpoint.starts_with("ws://127.0.0.1:") && running.endpoint.ends_with("/beta"));
    let mut tom = Chat::open(&running.endpoint, "Tom", "Tom");
    tom.say("hello");
    assert_eq!(tom.hear(), "hello");
    let functions = children(running.child.id());
    assert!(!functions.is_empty());
    kill_process(Pid::from_child(&running.child), Signal::INT).unwrap();
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
    assert!(
        functions.iter().all(|pid| !is_alive(*pid)),
        "it stops everything that it started"
    );
    assert!(
        !project.path().join(".chatctl").exists(),
        "and leaves nothing behind"
    );
}

#[test]
fn any_template_runs_with_its_parameters_and_its_own_code() {
    let project = Project::new("");
    std::fs::write(
        project.path().join("echo.yaml"),
        include_str!("templates/accept.yaml"),
    )
    .unwrap();
    let code = format!("Accept={}", handlers().display());
    let mut running = dev(
        &project,
        &[
            "--template",
            "echo.yaml",
            "--parameter",
            "Stage=mine",
            "--code",
            &code,
        ],
    );
    assert!(running.endpoint.ends_with("/mine"), "{}", running.endpoint);
    Chat::open(&running.endpoint, "Tom", "Jerry").close();
    kill_process(Pid::from_child(&running.child), Signal::TERM).unwrap();
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_template_that_cannot_be_run_is_refused_by_resource_and_exits_with_2() {
    let project = Project::new("");
    let template = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n";
    std::fs::write(project.path().join("queue.yaml"), template).unwrap();
    let refused = project.run(&["dev", "--template", "queue.yaml"]);
    assert_eq!(
        (refused.code, refused.stdout.as_str()),
        (2, ""),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("Queue") && refused.stderr.contains("AWS::SQS::Queue"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_stack_that_runs_in_the_background_on_the_same_port_is_left_alone() {
    let project = Project::new("");
    let endpoint = project.deployed(&[]);
    let port = endpoint.split(['/', ':']).nth(4).unwrap();
    let handlers = handlers().to_str().unwrap();
    let refused = project.run(&["dev", "--handlers", handlers, "--port", port]);
    assert_eq!(
        (refused.code, refused.stdout.as_str()),
        (2, ""),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("runs in the background already")
            && refused.stderr.contains("`chatctl dev --port 0`"),
        "{}",
        refused.stderr
    );
    let mut beside = dev(&project, &["--handlers", handlers]);
    let mut tom = Chat::open(&beside.endpoint, "Tom", "Tom");
    tom.say("hello");
    assert_eq!(tom.hear(), "hello");
    assert_eq!(project.status()["connections"], 0);
    kill_process(Pid::from_child(&beside.child), Signal::INT).unwrap();
    assert_eq!(beside.child.wait().unwrap().code(), Some(0));
    assert_eq!(project.status()["connections"], 0, "it runs on");
}
