//! Which code is built and started, and that chatctl names it beforehand.

use std::path::{Path, PathBuf};

use testing::command::{chatctl, in_folder};

use crate::project::{Finished, Project, finished};

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// An executable that leaves a mark and fails.
fn plant(path: &Path, mark: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text = format!("pwd >> '{}'\nexit 101", mark.display());
    testing::scripts::write(path, &text);
}

/// A crate of our handlers' name.
fn write_crate(folder: &Path) {
    let manifest = "[package]\nname = \"chat-lambdas\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
    write(&folder.join("Cargo.toml"), manifest);
    write(&folder.join("src/main.rs"), "fn main() {}");
}

/// Where the command unpacks the crate that it carries along.
fn own_crate(project: &Project) -> PathBuf {
    let cache = project.path().canonicalize().unwrap().join("cache");
    let sources = cache.join("chatctl/handlers").join(chat_sources::ID);
    sources.join("lambdas")
}

/// What `words` say in `below` of the project, with a command that no built handlers lie beside, and with a cargo that
/// only notes where it is started.
fn with_a_noting_cargo(project: &Project, below: &str, words: &[&str]) -> (Finished, String) {
    let (cargo, notes) = (project.path().join("cargo"), project.path().join("notes"));
    plant(&cargo, &notes);
    let folder = project.path().join(below);
    std::fs::create_dir_all(&folder).unwrap();
    let alone = project.path().join("alone/chatctl");
    if !alone.exists() {
        std::fs::create_dir(alone.parent().unwrap()).unwrap();
        if std::fs::hard_link(chatctl(), &alone).is_err() {
            std::fs::copy(chatctl(), &alone).unwrap();
        }
    }
    let mut command = in_folder(&alone, &folder);
    let cache = project.path().join("cache");
    let command = command.args(words).env("XDG_CACHE_HOME", cache);
    let output = command.env("CARGO", cargo).output();
    let said = finished(output.unwrap());
    (said, std::fs::read_to_string(notes).unwrap())
}

#[test]
fn the_crate_that_is_built_is_named_and_is_none_above_the_project() {
    let project = Project::new("");
    write_crate(&project.path().join("lambdas"));
    for words in [&["deploy", "--local"][..], &["dev"]] {
        let (said, notes) = with_a_noting_cargo(&project, "deep/project", words);
        assert_eq!(said.code, 1, "{}", said.stderr);
        let own = own_crate(&project).display().to_string();
        said.explains(&format!("plan build {own}; build scripts run as you"));
        said.explains(&format!("build handlers from {own}\n"));
        assert!(notes.lines().all(|folder| folder == own), "{notes}");
    }
    // In the same repository it is the project's own.
    std::fs::create_dir(project.path().join(".git")).unwrap();
    let words = ["deploy", "--local", "--output", "json"];
    let (said, notes) = with_a_noting_cargo(&project, "deep/project", &words);
    let above = project.path().canonicalize().unwrap().join("lambdas");
    let named = format!("\"build\":[{{\"name\":\"handlers\",\"crate\":{above:?}}}]");
    assert!(said.stdout.contains(&named), "{}", said.stdout);
    let named = format!("{{\"type\":\"building\",\"name\":\"handlers\",\"crate\":{above:?}}}");
    assert!(said.stdout.contains(&named), "{}", said.stdout);
    assert_eq!(notes.lines().last(), above.to_str());
}

#[test]
fn programs_and_modules_that_lie_in_the_crate_are_not_taken_for_the_installed_ones() {
    let project = Project::new("[handlers]\npath = \"lambdas\"\n");
    let (folder, mark) = (project.path().join("lambdas"), project.path().join("mark"));
    write_crate(&folder);
    for name in ["cargo", "cargo-lambda", "rustc", "python3", "zig"] {
        plant(&folder.join(name), &mark);
    }
    let module = format!("open({:?}, 'a').write('ziglang')", mark.to_str().unwrap());
    write(&folder.join("ziglang.py"), &module);
    let installed = std::env::var("PATH").unwrap();
    for path in [
        format!(":{installed}"),
        format!(".:{installed}"),
        format!("{installed}:"),
    ] {
        let mut command = project.command(&["doctor"]);
        for variable in [
            "CARGO",
            "RUSTC",
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
            "AWS_PROFILE",
        ] {
            command.env_remove(variable);
        }
        command.env("AWS_CONFIG_FILE", "/nowhere").env("PATH", path);
        let said = finished(command.output().unwrap());
        assert!(
            said.stdout.contains("ok  cargo        cargo 1."),
            "{}",
            said.stdout
        );
        assert!(!mark.exists(), "{:?}", std::fs::read_to_string(&mark));
    }
}

#[test]
fn what_is_built_and_run_is_reported_whenever_the_stack_does_not_run_and_not_again() {
    let project = Project::new("");
    // A state folder that a clone brings along says nothing.
    std::fs::create_dir_all(project.state()).unwrap();
    let first = project.deploy(&[]);
    let state = project.state();
    first.explains(&format!(
        "     plan start stack `chat` here, in the background; its functions run {}, as you; its state lies in {}\n",
        crate::project::handlers().display(),
        state.display()
    ));
    let again = project.deploy(&[]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(!again.stderr.contains(" plan "), "{}", again.stderr);
}
