//! `chatctl dev`: any template, in the foreground.

use std::io::Read;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use testing::running::Running;

use crate::conversations::Chat;
use crate::project::{Project, children, handlers, is_alive};

struct Dev {
    child: Running,
    endpoint: String,
}

fn dev(project: &Project, words: &[&str]) -> Dev {
    received(project, words, Stdio::null())
}

/// The same, with what it says going to `stderr`.
fn received(project: &Project, words: &[&str], stderr: Stdio) -> Dev {
    let mut command = project.command(&[&["dev"], words].concat());
    command.stdout(Stdio::piped()).stderr(stderr);
    let mut child = Running::start(&mut command);
    let endpoint = child.first_line();
    Dev { child, endpoint }
}

#[test]
fn without_a_template_it_runs_the_projects_own_chat_until_ctrl_c() {
    let project = Project::new("stage = \"beta\"\n");
    let mut running = dev(&project, &["--handlers", handlers().to_str().unwrap()]);
    assert!(running.endpoint.starts_with("ws://127.0.0.1:") && running.endpoint.ends_with("/beta"));
    let mut tom = Chat::open(&running.endpoint, "Tom", "Tom");
    tom.say("hello");
    assert_eq!(tom.receive(), "hello");
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
fn a_script_receives_warnings_too() {
    let project = Project::new("");
    let template = include_str!("templates/accept.yaml").replace(
        "AutoDeploy: true",
        "AutoDeploy: true, DefaultRouteSettings: { ThrottlingRateLimit: 0, ThrottlingBurstLimit: 0 }",
    );
    std::fs::write(project.path().join("echo.yaml"), template).unwrap();
    let code = format!("Accept={}", handlers().display());
    let words = ["--template", "echo.yaml", "--parameter", "Stage=mine"];
    let words = [&["dev", "--output", "json", "--code", &code][..], &words].concat();
    let mut command = project.command(&words);
    let mut child = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
    let mut reported = child
        .lines()
        .into_iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap())
        .take_while(|value| value["type"] != "ready");
    let warning = reported.find(|value| value["type"] == "warning");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    child.wait().unwrap();
    let text = warning.expect("a warning before it is ready")["message"].to_string();
    assert!(text.contains("limit"), "{text}");
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
fn a_faster_clock_closes_an_idle_connection_early_and_says_so() {
    let project = Project::new("");
    let handlers = handlers().to_str().unwrap();
    let words = ["--clock-speed", "1000", "--handlers", handlers];
    let Dev {
        mut child,
        endpoint,
    } = received(&project, &words, Stdio::piped());
    // By AWS's own clock this would take ten minutes, and the test would give up.
    let tom = Chat::open(&endpoint, "Tom", "Jerry");
    assert_eq!(tom.closed_with(), 1001);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut stderr = String::new();
    let written = child.stderr.as_mut().unwrap();
    written.read_to_string(&mut stderr).unwrap();
    let hint = "the clock runs 1000 times faster: idle connections are closed after 0.6 s, all after 7.2 s; functions have their usual time";
    assert!(stderr.contains(hint), "{stderr}");
}

#[test]
fn the_end_of_the_first_build_is_reported_with_the_size_and_the_time() {
    let project = Project::new("");
    let words = ["--handlers", handlers().to_str().unwrap()];
    let Dev { mut child, .. } = received(&project, &words, Stdio::piped());
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut stderr = String::new();
    let written = child.stderr.as_mut().unwrap();
    written.read_to_string(&mut stderr).unwrap();
    let is_end = |line: &str| line.trim_start().starts_with("build ") && line.contains(" MB, ");
    assert_eq!(
        stderr.lines().filter(|line| is_end(line)).count(),
        1,
        "{stderr}"
    );
}

#[test]
fn a_clock_that_stands_still_or_races_is_refused() {
    let project = Project::new("");
    for speed in ["0", "-1", "1001", "fast"] {
        let refused = project.run(&["dev", &format!("--clock-speed={speed}")]);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        let reason = "it must be a whole number from 1 to 1000";
        refused.explains(reason);
    }
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
    assert_eq!(tom.receive(), "hello");
    assert_eq!(project.status()["connections"], 0);
    kill_process(Pid::from_child(&beside.child), Signal::INT).unwrap();
    assert_eq!(beside.child.wait().unwrap().code(), Some(0));
    assert_eq!(project.status()["connections"], 0, "it runs on");
}
