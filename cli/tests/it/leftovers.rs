//! However chatctl ends, it leaves no process behind, and no temporary folder for longer than until its next start.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::project::{Project, eventually, is_alive};

/// How it is ended, one signal after another.
const ENDS: [&[Signal]; 6] = [
    &[Signal::HUP],
    &[Signal::QUIT],
    &[Signal::TERM],
    &[Signal::INT],
    &[Signal::INT, Signal::INT],
    &[Signal::KILL],
];

/// A project whose functions ask for no event, heed no signal, and have started something in a session of its own.
struct Scene(Project);

impl Scene {
    fn new() -> Self {
        let scene = Self(Project::new(""));
        std::fs::create_dir(scene.temporary()).unwrap();
        let pids = scene.pid_file();
        let pids = pids.display();
        scene.write_script(
            "bootstrap",
            &format!("trap '' TERM\nsetsid sleep 300 &\necho $! $$ >> {pids}\nsleep 300\n"),
        );
        scene
    }

    fn write_script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        testing::scripts::write(&path, text);
        path
    }

    fn temporary(&self) -> PathBuf {
        self.0.path().join("temporary")
    }

    fn pid_file(&self) -> PathBuf {
        self.0.path().join("pids")
    }

    /// The processes that were started, once there are any.
    fn started(&self) -> Vec<u32> {
        let mut pids = Vec::new();
        eventually("something is started", || {
            let text = std::fs::read_to_string(self.pid_file()).unwrap_or_default();
            let whole = text.ends_with('\n');
            pids = text
                .split_whitespace()
                .map(|pid| pid.parse().unwrap())
                .collect();
            whole
        });
        pids
    }

    /// chatctl, for which no surrounding shell ignores signals.
    fn command(&self, words: &[&str]) -> Command {
        let first = "exec env --default-signal=HUP,INT,QUIT,TERM \"$0\" \"$@\"";
        let mut command = self.0.command_after(first, words);
        command.env("TMPDIR", self.temporary());
        command
    }

    /// A running `dev`, and its endpoint.
    fn dev(&self) -> (Child, String) {
        let mut child = self
            .command(&["dev", "--handlers", "bootstrap"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut endpoint = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut endpoint).unwrap();
        (child, endpoint)
    }

    #[track_caller]
    fn leaves_no_process(&self, pids: &[u32], how: &[Signal]) {
        eventually(
            &format!("nothing of {pids:?} is left after {how:?}"),
            || !pids.iter().any(|pid| is_alive(*pid)),
        );
        std::fs::remove_file(self.pid_file()).unwrap();
    }

    fn folders(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.temporary()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        names
            .filter(|name| name.starts_with("chatctl-dev-"))
            .collect()
    }
}

/// Begins a handshake, for which a function is started that never answers.
fn knock(endpoint: &str) -> TcpStream {
    let address = endpoint.trim().trim_start_matches("ws://");
    let (address, path) = address.split_once('/').unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    let names = "msgfrom: Tom\r\nmsgto: Jerry\r\n";
    let head = testing::upgrade_head(address, &format!("/{path}"), names);
    socket.write_all(head.as_bytes()).unwrap();
    socket
}

fn send(pid: u32, signals: &[Signal]) {
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    for (index, signal) in signals.iter().enumerate() {
        if index > 0 {
            // Two of the same kind that come at once are one.
            std::thread::park_timeout(Duration::from_millis(100));
        }
        // It may be over after the first one.
        let _over = kill_process(pid, *signal);
    }
}

#[test]
fn dev_leaves_nothing_however_it_ends() {
    let scene = Scene::new();
    for end in ENDS {
        let (mut child, endpoint) = scene.dev();
        let _socket = knock(&endpoint);
        let pids = scene.started();
        assert_eq!(scene.folders().len(), 1, "only its own, before {end:?}");
        send(child.id(), end);
        child.wait().unwrap();
        scene.leaves_no_process(&pids, end);
        let killed = end == [Signal::KILL];
        assert_eq!(scene.folders().len(), usize::from(killed), "after {end:?}");
    }
    let left = scene.folders();
    let (mut child, _) = scene.dev();
    assert!(!scene.folders().contains(&left[0]), "the next start sweeps");
    send(child.id(), &[Signal::INT]);
    child.wait().unwrap();
    assert_eq!(scene.folders(), [""; 0]);
}

#[test]
fn a_local_stack_leaves_nothing_however_it_ends() {
    let scene = Scene::new();
    for end in ENDS {
        let words = ["deploy", "--local", "--no-probe", "--handlers", "bootstrap"];
        let deployed = crate::project::finished(scene.command(&words).output().unwrap());
        assert_eq!(deployed.code, 0, "{}", deployed.stderr);
        let line = deployed.stdout.lines().next().unwrap();
        let _socket = knock(line.rsplit(' ').next().unwrap());
        let mut pids = scene.started();
        let stack = scene.0.pid();
        pids.push(stack);
        send(stack, end);
        scene.leaves_no_process(&pids, end);
        scene.0.noticed_as_dead();
    }
}

#[test]
fn a_deployment_that_is_ended_while_it_builds_leaves_no_build_behind() {
    let scene = Scene::new();
    scene.0.configure("[handlers]\npath = \"handlers\"\n");
    let crate_ = scene.0.path().join("handlers");
    std::fs::create_dir_all(crate_.join("src")).unwrap();
    std::fs::write(crate_.join("src/main.rs"), "fn main() {}").unwrap();
    let manifest = "[package]\nname = \"chat-lambdas\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
                    [[bin]]\nname = \"chat\"\npath = \"src/main.rs\"\n[workspace]\n";
    std::fs::write(crate_.join("Cargo.toml"), manifest).unwrap();
    let real = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let pids = scene.pid_file();
    let cargo = scene.write_script(
        "cargo",
        &format!(
            "[ \"$1\" = build ] || exec {real} \"$@\"\ntrap '' TERM\nsleep 300 &\necho $! $$ >> {}\nwait\n",
            pids.display()
        ),
    );
    for end in ENDS {
        let mut child = scene
            .command(&["deploy", "--local"])
            .env("CARGO", &cargo)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pids = scene.started();
        send(child.id(), end);
        child.wait().unwrap();
        scene.leaves_no_process(&pids, end);
    }
}
