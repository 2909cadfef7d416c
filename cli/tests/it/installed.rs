//! A command that was moved away from everything that it was built from and beside.

use std::path::{Path, PathBuf};
use std::process::Command;

use testing::command::{bare, chatctl};

use crate::project::{Finished, Project, finished, handlers};

/// The command in a folder of its own, its user's home, and a project.
struct Elsewhere {
    folder: tempfile::TempDir,
    project: Project,
}

impl Elsewhere {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = Self {
            folder,
            project: Project::new(config),
        };
        put(&chatctl(), &elsewhere.command_path());
        elsewhere
    }

    fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    fn command_path(&self) -> PathBuf {
        self.root().join("bin/chatctl")
    }

    /// `words` with an empty environment, but for PATH and the home.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = bare(&self.command_path(), self.project.path());
        command.args(words).env("HOME", self.root());
        command
    }

    /// The carried sources, once they are unpacked.
    fn sources(&self) -> PathBuf {
        let all = self.root().join(".cache/chatctl/handlers");
        let folders = std::fs::read_dir(all).unwrap();
        let mut folders = folders.map(|entry| entry.unwrap().path());
        folders.find(|path| path.is_dir()).unwrap()
    }
}

/// Another name of `file`; a copy on another file system.
fn put(file: &Path, name: &Path) {
    std::fs::create_dir_all(name.parent().unwrap()).unwrap();
    if std::fs::hard_link(file, name).is_err() {
        std::fs::copy(file, name).unwrap();
    }
}

/// `command` with the cargo of these tests, which finds its packages and what is built of them already.
fn with_cargo(mut command: Command) -> Finished {
    let home = std::env::home_dir().unwrap();
    let of = |name: &str, folder: &str| {
        let given = std::env::var_os(name);
        given.unwrap_or_else(|| home.join(folder).into_os_string())
    };
    command
        .env("CARGO", std::env::var_os("CARGO").unwrap_or("cargo".into()))
        .env("CARGO_HOME", of("CARGO_HOME", ".cargo"))
        .env("RUSTUP_HOME", of("RUSTUP_HOME", ".rustup"))
        .env("CARGO_TARGET_DIR", chatctl().ancestors().nth(2).unwrap());
    for name in ["RUSTFLAGS", "RUSTUP_TOOLCHAIN"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    finished(command.output().unwrap())
}

#[test]
fn it_builds_the_sources_that_it_carries_along_and_builds_them_once() {
    let elsewhere = Elsewhere::new("[handlers]\nprofile = \"dev\"\n");
    let first = with_cargo(elsewhere.command(&["deploy", "--local"])).exits(0);
    let sources = elsewhere.sources();
    let lambdas = sources.join("lambdas").display().to_string();
    first.explains(&format!("plan build {lambdas}; build scripts run as you"));
    first.explains(&format!("build handlers from {lambdas}\n"));
    let main = sources.join("lambdas/src/main.rs");
    let written = || main.metadata().unwrap().modified().unwrap();
    let before = written();
    let again = with_cargo(elsewhere.command(&["deploy", "--local"])).exits(0);
    assert!(!again.stderr.contains("compil"), "{}", again.stderr);
    assert_eq!(written(), before);
}

#[test]
fn unpacked_sources_that_were_changed_are_not_built() {
    let elsewhere = Elsewhere::new("");
    let deploy = || {
        let mut command = elsewhere.command(&["deploy", "--local"]);
        finished(command.env("CARGO", "/nowhere/cargo").output().unwrap())
    };
    deploy().exits(2);
    let planted = elsewhere.sources().join("lambdas/build.rs");
    std::fs::write(&planted, "fn main() {}").unwrap();
    let refused = deploy().exits(2);
    refused.explains(&format!(
        "refused to build the handlers: {} is not what chatctl has unpacked",
        planted.display()
    ));
    refused.explains(&format!("`rm -r {}`", elsewhere.sources().display()));
}

#[test]
fn without_cargo_and_without_built_handlers_the_error_says_what_to_install() {
    let elsewhere = Elsewhere::new("");
    let mut command = elsewhere.command(&["deploy", "--local"]);
    let said = finished(command.env("PATH", "/nowhere").output().unwrap()).exits(2);
    said.explains("could not start cargo");
    said.explains("install or repair the Rust toolchain");
    said.explains("the built handlers from an archive of a release");
}

/// The layout of an archive for this machine.
fn install(elsewhere: &Elsewhere, version: &str) -> PathBuf {
    let folder = elsewhere.root().join("share/chatctl/handlers");
    let name = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "aarch64") => "arm64",
        ("linux", other) => other,
        _ => "local",
    };
    let chat = folder.join(name).join("chat");
    put(handlers(), &chat);
    std::fs::write(folder.join("version"), format!("{version}\n")).unwrap();
    chat
}

#[test]
fn built_handlers_that_were_installed_with_it_need_no_cargo() {
    let elsewhere = Elsewhere::new("");
    let chat = install(&elsewhere, env!("CARGO_PKG_VERSION"));
    let mut command = elsewhere.command(&["deploy", "--local"]);
    let deployed = finished(command.env("PATH", "/nowhere").output().unwrap()).exits(0);
    let run = format!("its functions run {}, as you", chat.display());
    deployed.explains(&run);
    assert!(!elsewhere.root().join(".cache").exists());
}

#[test]
fn built_handlers_of_another_version_are_refused() {
    let elsewhere = Elsewhere::new("");
    install(&elsewhere, "0.0.0-old");
    let said = finished(elsewhere.command(&["deploy", "--local"]).output().unwrap()).exits(2);
    said.explains("they are of version 0.0.0-old, but this is chatctl ");
    said.explains("unpack the whole archive of the release again");
}

/// Cargo's own folder is in panics, unless it is replaced (`cargo xtask release`); the folder of the project is nowhere.
#[test]
fn the_command_does_not_name_the_folder_that_it_was_built_in() {
    let clone = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let strings = ["deploy", "cli", "lambdas"].map(|name| clone.join(name));
    let bytes = std::fs::read(chatctl()).unwrap();
    // Debug information has paths, and no such file is handed on.
    let bytes = loaded(&bytes);
    for folder in strings {
        let text = folder.to_str().unwrap().as_bytes();
        let found = bytes.windows(text.len()).any(|window| window == text);
        assert!(!found, "{}", folder.display());
    }
}

/// The part of an executable before its debug information; the whole of another system's.
fn loaded(bytes: &[u8]) -> &[u8] {
    let number = |at: usize, size: usize| {
        let bytes = &bytes[at..at + size];
        bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| sum * 256 + usize::from(*byte))
    };
    if !bytes.starts_with(b"\x7fELF\x02\x01") {
        return bytes;
    }
    // The end of the last segment that is loaded (https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.pheader.html).
    let (start, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    let segments = (0..count).map(|index| start + index * size);
    let loaded = segments.filter(|at| number(*at, 4) == 1);
    let end = loaded
        .map(|at| number(at + 8, 8) + number(at + 32, 8))
        .max();
    &bytes[..end.unwrap_or(bytes.len())]
}
