//! A user's folder: a config file, and chatctl run inside it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A temporary folder; what runs in it is torn down at the end.
pub(crate) struct Project {
    folder: tempfile::TempDir,
}

/// What a finished command left.
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// It said `text` on stderr.
    #[track_caller]
    pub(crate) fn explains(&self, text: &str) {
        assert!(self.stderr.contains(text), "{}", self.stderr);
    }
}

impl Project {
    /// A folder whose `chatctl.toml` says `config`.
    pub(crate) fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let project = Self { folder };
        project.configure(config);
        project
    }

    pub(crate) fn configure(&self, config: &str) {
        std::fs::write(self.path().join("chatctl.toml"), config).expect("the config is written");
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The state folder of the stack with the default name.
    pub(crate) fn state(&self) -> PathBuf {
        self.path().join(".chatctl/chat")
    }

    /// chatctl in this folder, without the surroundings' colours and settings.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        self.surrounded(Command::new(env!("CARGO_BIN_EXE_chatctl")), words)
    }

    /// The same from a shell that has run `first` before.
    pub(crate) fn command_after(&self, first: &str, words: &[&str]) -> Command {
        let mut shell = Command::new("sh");
        let script = format!("{first} && exec \"$0\" \"$@\"");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_chatctl")]);
        self.surrounded(shell, words)
    }

    fn surrounded(&self, mut command: Command, words: &[&str]) -> Command {
        command
            .args(words)
            .current_dir(self.path())
            .stdin(Stdio::null());
        for name in [
            "CHATCTL_STACK",
            "CHATCTL_STAGE",
            "CHATCTL_CONFIG",
            "CLICOLOR_FORCE",
            "CARGO_MANIFEST_DIR",
            "COLUMNS",
        ] {
            command.env_remove(name);
        }
        // Nor those of AWS's tools and of a proxy, which this machine may need.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy().to_ascii_uppercase();
            if text.starts_with("AWS_") || text.ends_with("_PROXY") {
                command.env_remove(name);
            }
        }
        // In a container the clone may belong to another user than the one who runs the tests.
        let clone = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        command.env("CHATCTL_SAFE_FOLDERS", clone.expect("it lies in the clone"));
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Finished {
        finished(self.command(words).output().expect("chatctl starts"))
    }

    /// `deploy --local` with handlers that are built already.
    pub(crate) fn deploy(&self, more: &[&str]) -> Finished {
        finished(self.deployment(more).output().expect("chatctl starts"))
    }

    /// The command of [`Project::deploy`], not started yet.
    pub(crate) fn deployment(&self, more: &[&str]) -> Command {
        let handlers = handlers();
        let words = [
            &[
                "deploy",
                "--local",
                "--handlers",
                handlers.to_str().expect("a path in UTF-8"),
            ],
            more,
        ]
        .concat();
        self.command(&words)
    }

    /// [`Project::deploy`], which must succeed; answers the endpoint.
    pub(crate) fn deployed(&self, more: &[&str]) -> String {
        let deployed = self.deploy(more);
        assert_eq!(deployed.code, 0, "{}", deployed.stderr);
        let line = deployed.stdout.lines().next().expect("a connect command");
        line.rsplit(' ').next().expect("a URL").to_owned()
    }

    /// Waits until the death of the stack's process has been noticed; answers what `status` says then.
    pub(crate) fn noticed_as_dead(&self) -> Finished {
        let mut last = None;
        eventually("the process has let go of its files", || {
            let status = self.run(&["status", "--local"]);
            let noticed = status.code == 2;
            last = Some(status);
            noticed
        });
        last.expect("it was asked at least once")
    }

    /// What `status` tells, as JSON.
    pub(crate) fn status(&self) -> serde_json::Value {
        let status = self.run(&["status", "--local", "--output", "json"]);
        assert_eq!(status.code, 0, "{}", status.stdout);
        serde_json::from_str(&status.stdout).expect("status answers JSON")
    }

    /// The process that runs the stack, as `status` tells.
    pub(crate) fn pid(&self) -> u32 {
        let status = self.status();
        u32::try_from(status["pid"].as_u64().expect("a process id")).expect("a process id")
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // Every stack that a test may have named.
        for entry in std::fs::read_dir(self.path().join(".chatctl"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            // A config that a test broke would stop the teardown; where none can be written, none is in its way.
            let _gone = std::fs::write(self.path().join("chatctl.toml"), "");
            self.run(&["teardown", "--local", "--yes", "--stack", &name]);
        }
    }
}

pub(crate) fn finished(output: Output) -> Finished {
    Finished {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("UTF-8 on stdout"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8 on stderr"),
    }
}

/// The handlers, built once without optimisation.
pub(crate) fn handlers() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("chat-lambdas", "chat"))
}

/// The `binary` of `package` in this workspace, built without optimisation.
pub(crate) fn built(package: &str, binary: &str) -> PathBuf {
    built_target(package, "--bin", binary)
}

/// The same of an example.
pub(crate) fn built_example(package: &str, example: &str) -> PathBuf {
    built_target(package, "--example", example)
}

fn built_target(package: &str, kind: &str, binary: &str) -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut command = Command::new(cargo);
    // These tell of the crate whose tests run. Build scripts that look at them would run again, and what depends on
    // them would be compiled again, now and after the tests.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    let output = command
        .args(["build", "--quiet", "--package", package])
        .args([kind, binary, "--message-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    let text = String::from_utf8(output.stdout).expect("cargo speaks UTF-8");
    let messages = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let executable = messages
        .filter(|message| message["target"]["name"] == binary)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from));
    executable.unwrap_or_else(|| panic!("cargo builds {package}"))
}

/// A peer that `cargo xtask test` installs.
pub(crate) fn peer(variable: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => path.into(),
        None => panic!(
            "{variable} is not set: run the tests with `cargo xtask test`, which installs their peers"
        ),
    }
}

/// Waits until `condition` holds.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(
            Instant::now() < deadline,
            "it did not happen within {PATIENCE:?}: {what}"
        );
        // Whoever looks without a pause takes the processor from those who make it happen.
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Whether a process is alive (and not merely a zombie that nobody has waited for).
pub(crate) fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with('Z'))
    })
}

/// The processes whose parent is `pid`.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let text =
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect()
}
