//! The built command: where it is, what its environment is in tests and benchmarks, and how it ended.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// What a finished command left.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on stdout"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on stderr"),
        }
    }
}

impl Finished {
    /// Panics with everything that was printed unless the command ended with `code`.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        let (stdout, stderr) = (&self.stdout, &self.stderr);
        assert_eq!(self.code, code, "stdout:\n{stdout}\nstderr:\n{stderr}");
        self
    }

    /// Panics unless standard error contains `text`.
    #[track_caller]
    pub fn explains(&self, text: &str) -> &Self {
        assert!(
            self.stderr.contains(text),
            "no {text:?} in\n{}",
            self.stderr
        );
        self
    }

    /// The endpoint in the printed connect commands.
    #[track_caller]
    #[must_use]
    pub fn url(&self) -> String {
        let first = self.stdout.lines().next().unwrap_or_default();
        let url = first.rsplit_once(" -c ");
        url.unwrap_or_else(|| panic!("{self:?}")).1.to_owned()
    }
}

/// The command as cargo has built it together with the tests that run.
#[must_use]
pub fn chatctl() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("chatctl");
    assert!(program.is_file(), "{} is not built", program.display());
    program
}

/// `program` in `folder`, with the environment that this process has, except for settings of chatctl, of AWS's tools,
/// of proxies and of colours.
#[must_use]
pub fn in_folder(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
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
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_ascii_uppercase();
        if text.starts_with("AWS_") || text.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    command
}

/// `program` in `folder`, which is its user's home, and with nothing else in its environment.
#[must_use]
pub fn bare(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// [`bare`], with a Region and an access key, for the AWS that answers at `url`.
#[must_use]
pub fn against(program: &Path, folder: &Path, url: &str) -> Command {
    let mut command = bare(program, folder);
    command
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test");
    command
}

/// The handlers, built once without optimisation; or those that `CHATCTL_TEST_HANDLERS` names, such as those for
/// another processor.
pub fn handlers() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| match std::env::var_os("CHATCTL_TEST_HANDLERS") {
        Some(given) => given.into(),
        None => built("chat-lambdas", "chat"),
    })
}

/// Packs the command and the handlers that tests run as `cargo xtask dist` packs a release, unpacks the archive into
/// `folder`, which is empty, as a user would, and answers the path of the command there.
pub fn unpacked(folder: &Path) -> PathBuf {
    let packed = folder.join("packed");
    let archive = packed_into(&packed);
    let done = Command::new("tar")
        .arg("-xzf")
        .arg(&archive)
        .current_dir(folder)
        .status();
    assert!(done.expect("tar starts").success());
    std::fs::remove_dir_all(&packed).unwrap();
    let name = archive.file_name().unwrap().to_string_lossy().into_owned();
    folder
        .join(name.trim_end_matches(".tar.gz"))
        .join("bin/chatctl")
}

/// The archive of that command and those handlers, in `out`, which is made.
pub fn packed_into(out: &Path) -> PathBuf {
    let place = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "aarch64") => "arm64",
        ("linux", other) => other,
        _ => "local",
    };
    let done = Command::new(built("xtask", "xtask"))
        .args(["dist", "--fast", "--out"])
        .arg(out)
        .arg("--command")
        .arg(chatctl())
        .arg("--handlers")
        .arg(format!("{place}={}", handlers().display()))
        .output()
        .expect("xtask starts");
    assert!(done.status.success(), "{done:?}");
    let entries = std::fs::read_dir(out).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    paths
        .find(|path| path.to_string_lossy().ends_with(".tar.gz"))
        .expect("an archive")
}

/// The `binary` of `package` in this workspace, built without optimisation.
#[must_use]
pub fn built(package: &str, binary: &str) -> PathBuf {
    built_target(package, "--bin", binary)
}

/// The same of an example.
#[must_use]
pub fn built_example(package: &str, example: &str) -> PathBuf {
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

/// A third-party program that `cargo xtask test` installs, by the variable that names it.
#[must_use]
pub fn peer(variable: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => path.into(),
        None => panic!(
            "{variable} is not set: run the tests with `cargo xtask test`, which installs their peers"
        ),
    }
}
