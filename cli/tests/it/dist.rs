//! What a release holds, packed of the programs that tests run, on a machine without Rust.

use std::path::Path;
use std::process::Command;

use testing::command::{Finished, bare, packed_into, unpacked};

use crate::conversations::Chat;

/// A command from an archive in a folder of its own, with a home of its own, where no program is found by name.
struct Installed {
    folder: tempfile::TempDir,
    command: std::path::PathBuf,
}

impl Installed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let command = unpacked(folder.path());
        for name in ["empty", "home", "project"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder, command }
    }

    fn run(&self, words: &[&str]) -> Finished {
        let mut command = bare(&self.command, &self.folder.path().join("project"));
        command
            .args(words)
            .env("PATH", self.folder.path().join("empty"))
            .env("HOME", self.folder.path().join("home"));
        command.output().unwrap().into()
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        self.run(&["teardown", "--local", "--yes"]);
    }
}

#[test]
fn an_unpacked_archive_chats_on_a_machine_without_rust() {
    let installed = Installed::new();
    installed.run(&["init"]).exits(0);
    let deployed = installed.run(&["deploy", "--local"]).exits(0);
    let url = deployed.url();
    let mut tom = Chat::open(&url, "Tom", "Jerry");
    let mut jerry = Chat::open(&url, "Jerry", "Tom");
    tom.say("no compiler here");
    assert_eq!(jerry.receive(), "no compiler here");
    jerry.say("and no clone");
    assert_eq!(tom.receive(), "and no clone");
    installed.run(&["teardown", "--local", "--yes"]).exits(0);
    // Nothing was unpacked, built or kept below the user's home.
    let home = installed.folder.path().join("home");
    let left: Vec<_> = std::fs::read_dir(home).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_archive_holds_what_a_release_promises_and_its_sum_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let archive = packed_into(&folder.path().join("out"));
    let text = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let names = text(Command::new("tar").arg("-tzf").arg(&archive));
    let root = archive.file_name().unwrap().to_string_lossy().into_owned();
    let root = root.trim_end_matches(".tar.gz");
    assert!(root.starts_with(&format!("chatctl-{}-", env!("CARGO_PKG_VERSION"))));
    for file in [
        "bin/chatctl",
        "share/bash-completion/completions/chatctl",
        "share/chatctl/handlers/version",
        "share/doc/chatctl/LICENSE-APACHE",
        "share/doc/chatctl/LICENSE-MIT",
        "share/doc/chatctl/README.md",
        "share/doc/chatctl/THIRD-PARTY-LICENSES.txt",
        "share/doc/chatctl/chat-lambdas.cdx.json",
        "share/doc/chatctl/chatctl.cdx.json",
        "share/fish/vendor_completions.d/chatctl.fish",
        "share/man/man1/chatctl-deploy.1",
        "share/man/man1/chatctl.1",
        "share/zsh/site-functions/_chatctl",
    ] {
        let path = format!("{root}/{file}");
        assert!(
            names.lines().any(|name| name == path),
            "no {path} in\n{names}"
        );
    }
    let notices = format!("{root}/share/doc/chatctl/THIRD-PARTY-LICENSES.txt");
    let notices = text(Command::new("tar").arg("-xOzf").arg(&archive).arg(notices));
    for part in ["\nring ", "\ntokio ", "Permission is hereby granted"] {
        assert!(notices.contains(part), "no {part:?}");
    }
    let (program, words): (_, &[&str]) = match Path::new("/usr/bin/sha256sum").exists() {
        true => ("sha256sum", &["--check"]),
        false => ("shasum", &["--algorithm", "256", "--check"]),
    };
    let sum = format!("{root}.tar.gz.sha256");
    text(
        Command::new(program)
            .args(words)
            .arg(sum)
            .current_dir(folder.path().join("out")),
    );
}
