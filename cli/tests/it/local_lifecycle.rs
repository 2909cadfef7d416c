//! `deploy --local`, again and again, and `teardown --local`.

use std::net::TcpListener;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use testing::ports::own_port;

use crate::conversations::Chat;
use crate::project::{Project, children, eventually, is_alive};

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

fn port(endpoint: &str) -> u16 {
    endpoint
        .trim_end_matches("/v1")
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

#[test]
fn a_first_deployment_prints_the_two_commands_and_nothing_else_on_stdout() {
    let project = Project::new("");
    let deployed = project.deploy(&[]);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    let port = port(
        deployed
            .stdout
            .lines()
            .next()
            .unwrap()
            .rsplit(' ')
            .next()
            .unwrap(),
    );
    assert_eq!(
        deployed.stdout,
        format!(
            "wscat -H msgfrom:Tom -H msgto:Jerry -c ws://127.0.0.1:{port}/v1\n\
             wscat -H msgfrom:Jerry -H msgto:Tom -c ws://127.0.0.1:{port}/v1\n"
        )
    );
    for text in [
        "route answers both ways",
        "Or without wscat: `chatctl chat --as Tom --to Jerry --local`",
        "Connections created",
    ] {
        assert!(deployed.stderr.contains(text), "{}", deployed.stderr);
    }
}

#[test]
fn connect_commands_can_be_printed_again_for_other_users() {
    let project = Project::new("");
    let endpoint = project.deployed(&[]);
    let printed = project.run(&[
        "print-connect-commands",
        "--local",
        "--from",
        "Ann Lee",
        "--to",
        "Bob",
    ]);
    assert_eq!(
        printed.stdout,
        format!(
            "wscat -H 'msgfrom:Ann Lee' -H msgto:Bob -c {endpoint}\nwscat -H msgfrom:Bob -H 'msgto:Ann Lee' -c {endpoint}\n"
        )
    );
    let json = project.run(&["print-connect-commands", "--local", "--output", "json"]);
    let commands: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(commands[0]["from"], "Tom");
    assert_eq!(
        commands[1]["command"],
        format!("wscat -H msgfrom:Jerry -H msgto:Tom -c {endpoint}")
    );
}

#[test]
fn connect_commands_fit_what_runs_whatever_the_config_says_by_now() {
    let room = "[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n";
    let project = Project::new(room);
    let deployed = project.deploy(&["--no-probe"]);
    let printed = |words: &[&str]| project.run(&[words, &["--local"]].concat()).stdout;
    let links = printed(&["web"]);
    assert!(links.contains("?from=Tom\n"), "{links}");
    project.configure("");
    assert_eq!(printed(&["print-connect-commands"]), deployed.stdout);
    assert_eq!(printed(&["web"]), links);
    // A refused update leaves what it asked for, which does not run either.
    let asked_for = project.state().join("request.json");
    let mut request: Value = serde_json::from_slice(&std::fs::read(&asked_for).unwrap()).unwrap();
    request["template"] = project.run(&["render", "--format", "json"]).stdout.into();
    std::fs::write(&asked_for, request.to_string()).unwrap();
    assert_eq!(printed(&["print-connect-commands"]), deployed.stdout);
    assert_eq!(project.status()["differences"].as_array().unwrap().len(), 1);
}

#[test]
fn deploying_again_with_nothing_changed_says_so_and_keeps_process_and_connections() {
    let project = Project::new("");
    let endpoint = project.deployed(&[]);
    let mut tom = Chat::open(&endpoint, "Tom", "Tom");
    let before = project.pid();
    let again = project.deploy(&[]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    again.explains("nothing has changed");
    assert!(again.stdout.contains(&endpoint));
    assert_eq!(project.pid(), before);
    tom.say("still here");
    assert_eq!(tom.receive(), "still here");
}

#[test]
fn a_changed_config_updates_the_running_stack_and_open_connections_stay_open() {
    let project = Project::new("");
    let endpoint = project.deployed(&[]);
    let mut tom = Chat::open(&endpoint, "Tom", "Tom");
    let before = project.pid();
    assert_eq!(project.status()["differences"], json!([]));
    project.configure("[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"send\"\n");
    let differs = "the config describes another template; `chatctl deploy --local` applies it";
    assert_eq!(project.status()["differences"], json!([differs]));
    let reported = project.run(&["status", "--local"]).stdout;
    assert!(reported.contains(differs), "{reported}");
    let updated = project.deploy(&[]);
    assert_eq!(updated.code, 0, "{}", updated.stderr);
    updated.explains("RouteSend created");
    updated.explains("2 routes answer both ways");
    assert_eq!(project.pid(), before);
    tom.say(r#"{"action":"send"}"#);
    assert_eq!(tom.receive(), r#"{"action":"send"}"#);
}

#[test]
fn changed_handlers_take_over_while_connections_stay_open() {
    let project = Project::new("");
    let endpoint = project.deployed(&[]);
    let mut tom = Chat::open(&endpoint, "Tom", "Tom");
    // The same program in other bytes: what follows an ELF file's sections is not looked at.
    let mut bytes = std::fs::read(crate::project::handlers()).unwrap();
    bytes.extend_from_slice(b"another build");
    let other = project.path().join("bootstrap");
    std::fs::write(&other, bytes).unwrap();
    std::fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let updated = project.run(&["deploy", "--local", "--handlers", other.to_str().unwrap()]);
    assert_eq!(updated.code, 0, "{}", updated.stderr);
    updated.explains("4 to change");
    tom.say("still here");
    assert_eq!(tom.receive(), "still here");
}

#[test]
fn a_killed_stack_leaves_no_processes_and_comes_back_on_its_port_with_its_data() {
    let project = Project::new("");
    let endpoint = project.deployed(&[]);
    let before = project.pid();
    let functions = children(before);
    assert!(!functions.is_empty());
    signal(before, Signal::KILL);
    eventually("its functions are gone", || {
        !functions.iter().any(|pid| is_alive(*pid))
    });
    let status = project.noticed_as_dead();
    status.explains("was deployed but does not run");
    let again = project.deploy(&[]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    again.explains("it starts with its data");
    assert!(again.stdout.contains(&endpoint), "the port is kept");
    assert_ne!(project.pid(), before);
}

#[test]
fn a_process_id_that_now_belongs_to_a_stranger_is_left_alone() {
    let project = Project::new("");
    project.deployed(&[]);
    let before = project.pid();
    signal(before, Signal::KILL);
    project.noticed_as_dead();
    let mut stranger = std::process::Command::new("sleep")
        .arg("600")
        .spawn()
        .unwrap();
    let file = project.state().join("running.json");
    let stale = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        stale.replace(&before.to_string(), &stranger.id().to_string()),
    )
    .unwrap();
    assert_eq!(project.run(&["teardown", "--local", "--yes"]).code, 0);
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger lives");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn a_taken_port_is_an_error_that_names_it_and_leaves_nothing_running() {
    // Nothing else gets this port when it is free again.
    let taken = TcpListener::bind(("127.0.0.1", own_port())).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let project = Project::new("");
    let refused = project.deploy(&["--port", &port]);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(
        refused
            .stderr
            .contains(&format!("error: stack `chat` settled as CREATE_FAILED\n  the stack could not be created: port {port} is taken")),
        "the cause is reported: {}",
        refused.stderr
    );
    let hint = "hint: once that is put right, `chatctl deploy --local` tries again";
    assert!(refused.stderr.contains(hint), "{}", refused.stderr);
    assert_eq!(project.run(&["status", "--local"]).code, 2);
    drop(taken);
    let again = project.deploy(&["--port", &port]);
    assert!(!again.stderr.contains("its data"), "{}", again.stderr);
    let endpoint = format!("-c ws://127.0.0.1:{port}/v1\n");
    assert!(again.stdout.contains(&endpoint), "{}", again.stderr);
}

/// Only Linux lists a process's sockets in a file.
#[cfg(target_os = "linux")]
#[test]
fn it_listens_on_loopback_only() {
    let project = Project::new("");
    let port = port(&project.deployed(&[]));
    let pid = project.pid();
    // /proc/net/tcp: the second column is the local address in hexadecimal, little endian; 0A means listening.
    let own: Vec<_> = ["tcp", "tcp6"]
        .iter()
        .flat_map(|table| {
            std::fs::read_to_string(format!("/proc/{pid}/net/{table}"))
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|line| line.contains(&format!(":{port:04X} ")) && line.contains(" 0A "))
        .collect();
    assert_eq!(own.len(), 1, "{own:?}");
    assert!(own[0].contains(" 0100007F:"), "{own:?}");
}

#[test]
fn teardown_removes_everything_and_twice_is_fine() {
    let project = Project::new("");
    let endpoint = project.deployed(&[]);
    let pid = project.pid();
    let gone = project.run(&["teardown", "--local", "--yes"]);
    assert_eq!(gone.code, 0, "{}", gone.stderr);
    gone.explains("goes:  table data");
    assert!(!is_alive(pid) && !project.path().join(".chatctl").exists());
    assert!(std::net::TcpStream::connect(("127.0.0.1", port(&endpoint))).is_err());
    let again = project.run(&["teardown", "--local", "--yes"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    again.explains("there is no local stack `chat`");
}

#[test]
fn teardown_can_keep_the_data_and_the_next_deployment_finds_it() {
    let project = Project::new("");
    let endpoint = project.deployed(&[]);
    let kept = project.run(&["teardown", "--local", "--yes", "--keep-data"]);
    assert_eq!(kept.code, 0, "{}", kept.stderr);
    assert!(project.state().join("tables.db").exists());
    assert_eq!(project.deployed(&[]), endpoint);
}

#[test]
fn teardown_without_an_answer_changes_nothing() {
    let project = Project::new("");
    project.deployed(&[]);
    let refused = project.run(&["teardown", "--local"]);
    assert_eq!(refused.code, 2);
    refused.explains("--yes");
    assert_eq!(project.run(&["status", "--local"]).code, 0);
}

#[test]
fn the_state_is_private_to_the_user() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new("");
    project.deployed(&[]);
    let mut folders = vec![project.path().join(".chatctl")];
    while let Some(folder) = folders.pop() {
        assert_eq!(
            folder.metadata().unwrap().permissions().mode() & 0o077,
            0,
            "{}",
            folder.display()
        );
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(
                path.metadata().unwrap().permissions().mode() & 0o077,
                0,
                "{}",
                path.display()
            );
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
}

#[test]
fn git_leaves_the_state_alone() {
    let project = Project::new("");
    project.deployed(&[]);
    let ignored = std::fs::read_to_string(project.path().join(".chatctl/.gitignore")).unwrap();
    assert_eq!(ignored, "*\n");
}

#[test]
fn two_stacks_of_one_project_run_side_by_side() {
    let project = Project::new("");
    let (one, other) = (
        project.deployed(&[]),
        project.deployed(&["--stack", "other"]),
    );
    assert_ne!(one, other);
    assert_eq!(project.run(&["teardown", "--local", "--yes"]).code, 0);
    let status = project.run(&["status", "--local", "--stack", "other"]);
    assert!(status.stdout.contains(&other), "{}", status.stdout);
}

#[test]
fn a_script_gets_json_lines_that_end_with_the_result() {
    let project = Project::new("");
    let deployed = project.deploy(&["--output", "json"]);
    assert_eq!((deployed.code, deployed.stderr.as_str()), (0, ""));
    let lines: Vec<Value> = deployed
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let types: Vec<_> = lines
        .iter()
        .map(|line| line["type"].as_str().unwrap())
        .collect();
    assert_eq!((types[0], types[types.len() - 1]), ("plan", "result"));
    assert!(types.contains(&"stackEvent"));
    let endpoint = lines[lines.len() - 1]["endpoint"].as_str().unwrap();
    assert!(
        endpoint.starts_with("ws://127.0.0.1:") && endpoint.ends_with("/v1"),
        "{endpoint}"
    );
}

#[test]
fn an_interrupted_deployment_leaves_nothing_running() {
    let project = Project::new("");
    let handlers = crate::project::handlers().to_str().unwrap();
    for _ in 0..5 {
        let mut child = project
            .command(&["deploy", "--local", "--handlers", handlers])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("the deployment has begun", || {
            project.state().join("request.json").exists()
        });
        signal(child.id(), Signal::INT);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let status = project.run(&["status", "--local"]);
        assert!(
            // It came after the stack was up, while it was probed: then the stack is whole.
            status.code == 0 || status.code == 2,
            "{}{}",
            status.stdout,
            status.stderr
        );
        assert_eq!(project.run(&["teardown", "--local", "--yes"]).code, 0);
    }
}

#[test]
fn a_stack_that_fails_to_start_is_explained_and_can_be_deployed_again() {
    let project = Project::new("");
    let broken = project.path().join("bootstrap");
    testing::scripts::write(&broken, "exit 7");
    let refused = project.run(&["deploy", "--local", "--handlers", broken.to_str().unwrap()]);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    refused.explains("error: ");
    project.deployed(&[]);
}
