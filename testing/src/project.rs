//! A user's folder: a config file, and chatctl run inside it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub use crate::blocking::eventually;
pub use crate::command::{Finished, built, built_example, handlers, peer};
pub use crate::processes::{children, is_alive, started_with};
pub use crate::until::TIMEOUT;

use crate::command::{chatctl, in_folder};
use crate::running::Running;

/// A temporary folder; what runs in it is torn down at the end.
#[derive(Debug)]
pub struct Project {
    folder: tempfile::TempDir,
    program: PathBuf,
    /// In place of those of the tests, which are built when they are first needed.
    handlers: Option<PathBuf>,
}

impl Project {
    /// A folder whose `chatctl.toml` says `config`.
    pub fn new(config: &str) -> Self {
        Self::from_parts(config, chatctl(), None)
    }

    /// The same for other builds of chatctl and of the handlers than those of the tests.
    #[must_use]
    pub fn with_programs(config: &str, program: &Path, handlers: &Path) -> Self {
        Self::from_parts(config, program.to_owned(), Some(handlers.to_owned()))
    }

    fn from_parts(config: &str, program: PathBuf, handlers: Option<PathBuf>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let project = Self {
            folder,
            program,
            handlers,
        };
        project.configure(config);
        project
    }

    /// Writes `chatctl.toml` anew.
    pub fn configure(&self, config: &str) {
        std::fs::write(self.path().join("chatctl.toml"), config).expect("the config is written");
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The state folder of the stack with the default name.
    pub fn state(&self) -> PathBuf {
        self.path().join(".chatctl/chat")
    }

    /// chatctl with `words` in this folder, without settings of the environment.
    #[must_use]
    pub fn command(&self, words: &[&str]) -> Command {
        self.with_words(in_folder(&self.program, self.path()), words)
    }

    /// The same from a shell that has run `first` before.
    #[must_use]
    pub fn command_after(&self, first: &str, words: &[&str]) -> Command {
        let mut shell = in_folder(Path::new("sh"), self.path());
        let script = format!("{first} && exec \"$0\" \"$@\"");
        shell.args(["-c", &script]).arg(&self.program);
        self.with_words(shell, words)
    }

    fn with_words(&self, mut command: Command, words: &[&str]) -> Command {
        // In a container the clone may belong to another user than the one who runs the tests.
        let clone = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        command
            .args(words)
            .env("CHATCTL_SAFE_FOLDERS", clone.expect("it lies in the clone"));
        command
    }

    /// Runs chatctl with `words` to its end.
    pub fn run(&self, words: &[&str]) -> Finished {
        finished(self.command(words).output().expect("chatctl starts"))
    }

    /// `deploy --local` with handlers that are built already.
    pub fn deploy(&self, more: &[&str]) -> Finished {
        finished(self.deployment(more).output().expect("chatctl starts"))
    }

    /// The command of [`Project::deploy`], not started yet.
    pub fn deployment(&self, more: &[&str]) -> Command {
        let handlers = self.handlers.as_deref().unwrap_or_else(|| handlers());
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
    pub fn deployed(&self, more: &[&str]) -> String {
        let deployed = self.deploy(more);
        assert_eq!(deployed.code, 0, "{}", deployed.stderr);
        let line = deployed.stdout.lines().next().expect("a connect command");
        line.rsplit(' ').next().expect("a URL").to_owned()
    }

    /// Waits until the death of the stack's process has been noticed; answers what `status` says then.
    pub fn noticed_as_dead(&self) -> Finished {
        let mut last = None;
        eventually("the process has let go of its files", || {
            let status = self.run(&["status", "--local"]);
            let noticed = status.code == 2;
            last = Some(status);
            noticed
        });
        last.expect("it was asked at least once")
    }

    /// The output of `status`, as JSON.
    pub fn status(&self) -> serde_json::Value {
        let status = self.run(&["status", "--local", "--output", "json"]);
        assert_eq!(status.code, 0, "{}", status.stdout);
        serde_json::from_str(&status.stdout).expect("status answers JSON")
    }

    /// The process that runs the stack, by `status`.
    pub fn pid(&self) -> u32 {
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

/// What a command left that has run to its end.
#[must_use]
pub fn finished(output: Output) -> Finished {
    output.into()
}

/// The backend of `examples/http-backend`, as its README starts it.
#[derive(Debug)]
pub struct ExampleBackend {
    /// Where it listens.
    pub address: String,
    _program: Running,
}

impl ExampleBackend {
    /// Starts it with the secret that it checks and the address of the stack's @connections API.
    #[must_use]
    pub fn start(secret: &str, connections_url: &str) -> Self {
        let mut command = Command::new(built("http-backend", "http-backend"));
        command
            .env("CONNECTIONS_URL", connections_url)
            .env("LISTEN", "127.0.0.1:0")
            .env("BACKEND_SECRET", secret)
            .env("AWS_REGION", "local")
            .env("AWS_ACCESS_KEY_ID", "any")
            .env("AWS_SECRET_ACCESS_KEY", "any")
            .stdout(Stdio::piped());
        let mut program = Running::start(&mut command);
        let line = program.first_line();
        let address = line.strip_prefix("listening on ");
        Self {
            address: address.expect("its address").to_owned(),
            _program: program,
        }
    }
}
