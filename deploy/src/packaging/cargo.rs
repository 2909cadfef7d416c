//! Runs a build by cargo, directly or through cargo-lambda, and reads its output while it runs.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use super::PackagingError;
use super::manifest::Crate;
use crate::engine::{DeployEvent, Reporter};
use crate::guard;

/// Builds `source` for this machine with plain cargo; returns the binary's path.
///
/// `more` are further arguments of `cargo build`.
///
/// # Errors
/// [`PackagingError`]: cargo does not start, the build fails, or it builds another binary.
pub(super) async fn build(
    cargo: &OsStr,
    source: &Crate,
    profile: &str,
    more: &[&str],
    reporter: &mut impl Reporter,
) -> Result<PathBuf, PackagingError> {
    let mut command = crate::programs::command(cargo);
    command.args(["build", "--bin", &source.binary, "--profile", profile]);
    command.args(more).args(&source.more);
    run(command, source, reporter)
        .await?
        .ok_or_else(|| PackagingError::NoBinary {
            folder: source.folder.clone(),
            binary: source.binary.clone(),
        })
}

/// Runs `command`, a build of `source`, inside its folder; returns the path of the binary that cargo built.
///
/// The working folder matters, because cargo looks for `rust-toolchain.toml` and `.cargo/config.toml` from there, not
/// from the manifest's path. If the future is dropped, the build and its children are ended.
///
/// # Errors
/// [`PackagingError::NoCargo`], [`PackagingError::Compile`] and [`PackagingError::NotBuilt`].
pub(super) async fn run(
    mut command: Command,
    source: &Crate,
    reporter: &mut impl Reporter,
) -> Result<Option<PathBuf>, PackagingError> {
    let cargo = command.as_std().get_program().display().to_string();
    let not_started = |source| PackagingError::NoCargo {
        cargo: cargo.clone(),
        source,
    };
    let starting = Starting::new();
    // `cargo run` sets its own package's variables; they must not leak into another build, whose build scripts would
    // run again because of them.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    let mut child = command
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(&source.folder)
        .envs(source.profile.iter().copied())
        .envs(source.flags.clone())
        .env("CARGO_TERM_COLOR", colour())
        .env(Starting::VARIABLE, &starting.0)
        // The build has no input to ask for.
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(not_started)?;
    let mut group = Group::new(&child);
    drop(starting);
    let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
    let mut stderr = child.stderr.take().expect("stderr is piped");
    // Read while the build runs, because a full pipe would block it.
    let diagnostics = tokio::spawn(async move {
        let mut text = Vec::new();
        stderr
            .read_to_end(&mut text)
            .await
            .map(|_| String::from_utf8_lossy(&text).into_owned())
    });
    let mut progress = Progress::new(&source.binary);
    while let Ok(Some(line)) = lines.next_line().await {
        // Lines that are not messages of cargo are ignored.
        if let Ok(message) = serde_json::from_str(&line) {
            progress.take(message, reporter);
        }
    }
    let status = child.wait().await.map_err(not_started)?;
    group.over();
    if status.success() {
        return Ok(progress.executable);
    }
    let diagnostics = diagnostics.await.ok().and_then(Result::ok);
    let diagnostics = without_progress(&diagnostics.unwrap_or_default());
    Err(failure(&command, status, diagnostics, progress.compiled))
}

/// Cargo writes to a pipe, but the user may read at a terminal.
fn colour() -> &'static str {
    match anstream::AutoStream::choice(&std::io::stderr()) {
        anstream::ColorChoice::Never => "never",
        _ => "always",
    }
}

/// Whether the compiler failed, or cargo before it.
fn failure(
    command: &Command,
    status: ExitStatus,
    diagnostics: String,
    compiled: bool,
) -> PackagingError {
    if compiled {
        return PackagingError::Compile { diagnostics };
    }
    let words = command
        .as_std()
        .get_args()
        .take_while(|word| *word != "--bin");
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    PackagingError::NotBuilt {
        command: format!("cargo {}", words.join(" ")),
        status,
        diagnostics,
    }
}

/// A build that is about to start. It is registered to be ended with this process until its group is known, but no
/// longer: a build may leave a process for the next one, such as a compiler's cache.
struct Starting(String);

impl Starting {
    const VARIABLE: &str = "CHATCTL_BUILD";

    fn new() -> Self {
        // Without random numbers, the build is only guarded once its group is known.
        let starting =
            Self(getrandom::u64().map_or_else(|_| String::new(), |it| format!("{it:016x}")));
        guard::process_starts(&starting.mark());
        starting
    }

    fn mark(&self) -> String {
        match self.0.as_str() {
            "" => String::new(),
            id => format!("{}={id}", Self::VARIABLE),
        }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        guard::process_starts_no_more(&self.mark());
    }
}

/// A build's process group. It is ended with the future that waits for the build, or with this process.
struct Group(Option<u32>);

impl Group {
    fn new(child: &Child) -> Self {
        let group = child.id();
        if let Some(group) = group {
            guard::group_started(group, "");
        }
        Self(group)
    }

    /// The build has ended by itself.
    fn over(&mut self) {
        if let Some(group) = self.0.take() {
            guard::group_ended(group);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let group = self.0.and_then(|group| i32::try_from(group).ok());
        if let Some(group) = group.and_then(Pid::from_raw) {
            // It may just have ended. Otherwise the guard waits for it, because this command is about to end.
            kill_process_group(group, Signal::TERM).ok();
        }
    }
}

/// One line of cargo's `--message-format json`, with the fields that are used here
/// (<https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>).
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    executable: Option<PathBuf>,
    /// Whether it was built before and is unchanged.
    #[serde(default)]
    fresh: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

struct Progress<'a> {
    binary: &'a str,
    count: usize,
    executable: Option<PathBuf>,
    /// Whether the compiler ran, so that cargo itself had no objection.
    compiled: bool,
}

impl<'a> Progress<'a> {
    fn new(binary: &'a str) -> Self {
        Self {
            binary,
            count: 0,
            executable: None,
            compiled: false,
        }
    }

    fn take(&mut self, message: Message, reporter: &mut impl Reporter) {
        match (message.reason.as_str(), message.target) {
            ("build-finished", _) => self.compiled = true,
            ("compiler-artifact", Some(target)) => {
                if target.name == self.binary && target.kind.iter().any(|kind| kind == "bin") {
                    self.executable = message.executable;
                }
                if !message.fresh {
                    self.count += 1;
                    reporter.report(&DeployEvent::Compiling {
                        unit: target.name,
                        count: self.count,
                    });
                }
            }
            _ => {}
        }
    }
}

/// Cargo's output without the progress lines.
fn without_progress(text: &str) -> String {
    let is_progress = |line: &&str| {
        let plain = anstream::adapter::strip_str(line).to_string();
        let word = plain.split_whitespace().next().unwrap_or_default();
        matches!(
            word,
            "Compiling"
                | "Checking"
                | "Downloading"
                | "Downloaded"
                | "Updating"
                | "Blocking"
                | "Locking"
        )
    };
    text.lines()
        .filter(|line| !is_progress(line))
        .collect::<Vec<_>>()
        .join("\n")
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use testing::until::eventually;

    use super::*;
    use crate::packaging::sample::{Recorder, Scripts, ours, plain_cargo, write_crate};

    #[tokio::test]
    async fn unchanged_sources_are_not_compiled_again() {
        let scripts = Scripts::new();
        let cargo = plain_cargo(&scripts);
        let folder = tempfile::tempdir().unwrap();
        write_crate(folder.path(), "fn main() {}");
        let (mut first, mut second, mut third) = Default::default();
        let mut built = Vec::new();
        for recorder in [&mut first, &mut second] {
            built.push(
                build(&cargo, &ours(folder.path()), "dev", &[], recorder)
                    .await
                    .unwrap(),
            );
        }
        assert_eq!(built[0], built[1]);
        write_crate(folder.path(), "fn main() { std::process::exit(1) }");
        build(&cargo, &ours(folder.path()), "dev", &[], &mut third)
            .await
            .unwrap();
        let compiled = |recorder: Recorder| recorder.compiled;
        assert_eq!(
            [first, second, third].map(compiled),
            [vec!["chat"], vec![], vec!["chat"]]
        );
    }

    #[tokio::test]
    async fn a_compile_error_is_shown_in_the_compiler_s_own_form() {
        let scripts = Scripts::new();
        let cargo = plain_cargo(&scripts);
        let folder = tempfile::tempdir().unwrap();
        write_crate(folder.path(), "fn main() { missing() }");
        let built = build(
            &cargo,
            &ours(folder.path()),
            "dev",
            &[],
            &mut Recorder::default(),
        )
        .await;
        let error = built.unwrap_err();
        assert!(matches!(error, PackagingError::Compile { .. }), "{error}");
        let error = error.to_string();
        assert!(error.contains("cannot find function `missing`"), "{error}");
        assert!(!error.contains("Compiling"), "{error}");
    }

    #[tokio::test]
    async fn an_outdated_lock_file_is_not_reported_as_a_compile_error() {
        let scripts = Scripts::new();
        let cargo = plain_cargo(&scripts);
        let folder = tempfile::tempdir().unwrap();
        write_crate(folder.path(), "fn main() {}");
        std::fs::remove_file(folder.path().join("Cargo.lock")).unwrap();
        let mut recorder = Recorder::default();
        let built = build(
            &cargo,
            &ours(folder.path()),
            "dev",
            &["--locked"],
            &mut recorder,
        )
        .await;
        let error = built.unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("`cargo build` failed (exit status: 101)\n\n"),
            "{error}"
        );
        assert!(
            error.hint().unwrap().contains("cargo generate-lockfile"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_dropped_build_is_ended_with_all_its_children() {
        let scripts = Scripts::new();
        let started = scripts.folder().join("started");
        let script = format!(
            "sleep 600 & echo $! > {0}.new; mv {0}.new {0}; wait",
            started.display()
        );
        let cargo = scripts.write("cargo", &script);
        let mut recorder = Recorder::default();
        let crate_ = ours(scripts.folder());
        let building = build(&cargo, &crate_, "dev", &[], &mut recorder);
        tokio::select! {
            built = building => panic!("it was over too soon: {built:?}"),
            () = eventually("the script starts", async || started.exists()) => {}
        }
        let pid = std::fs::read_to_string(&started).unwrap();
        let status = format!("/proc/{}/stat", pid.trim());
        // Gone, or dead and not reaped yet.
        let is_there = || std::fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z "));
        eventually("the script's child is gone", async || !is_there()).await;
    }
}
