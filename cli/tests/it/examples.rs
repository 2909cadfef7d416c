//! Every example, deployed to this machine and driven with wscat as its README says, then torn down.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project::{ExampleBackend, Project, eventually, finished};
use crate::wscat::Terminal;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(name)
}

fn read(name: &str, file: &str) -> String {
    std::fs::read_to_string(folder(name).join(file)).unwrap()
}

/// What a page shows of terminals, a line an element.
pub(crate) fn session(page: &str) -> Vec<String> {
    let block = page.split("```console\n").nth(1).expect("a session");
    let block = block.split("```").next().unwrap();
    block.lines().map(str::to_owned).collect()
}

/// Plays `session` at `url`. Each terminal may show only what the session shows.
pub(crate) fn play(session: &[String], project: &Project, url: &str) {
    let mut terminals: Vec<Option<Terminal>> = Vec::new();
    for line in session {
        let (number, rest) = line.split_at(1);
        let at = number.parse::<usize>().unwrap() - 1;
        let (sign, text) = rest.split_at(1);
        let text = text.trim_start();
        match sign {
            "$" => {
                assert_eq!(terminals.len(), at, "{line}: terminals are opened in order");
                let command = text.replace("URL", url);
                terminals.push(Some(Terminal::paste(&command, project, at + 1)));
            }
            ">" => terminals[at].as_mut().unwrap().types(text),
            "<" => terminals[at].as_ref().unwrap().sees_next(text),
            "^" => {
                terminals[at] = None;
                let left = terminals.iter().flatten().count();
                eventually("the stack has noticed that somebody went", || {
                    project.status()["connections"] == left
                });
            }
            _ => panic!("{line}: no such line"),
        }
    }
    for terminal in terminals.iter().flatten() {
        terminal.saw_nothing_else();
    }
}

fn torn_down(name: &str, project: &Project) {
    let gone = project.run(&["teardown", "--local", "--yes"]);
    assert_eq!(gone.code, 0, "{}", gone.stderr);
    assert!(!project.path().join(".chatctl").join(name).exists());
}

/// An example that needs nothing but its config.
fn check(name: &str) {
    let project = Project::new(&read(name, "chatctl.toml"));
    let url = project.deployed(&[]);
    play(&session(&read(name, "README.md")), &project, &url);
    torn_down(name, &project);
}

#[test]
fn direct() {
    check("direct");
}

#[test]
fn broadcast() {
    check("broadcast");
}

#[test]
fn relay() {
    check("relay");
}

#[test]
fn broadcast_cleanup() {
    check("broadcast-cleanup");
}

#[test]
fn custom_handler() {
    let name = "custom-handler";
    let crate_folder = folder(name).join("roll");
    assert!(read(name, "roll/src/main.rs").lines().count() < 50);
    // The debug profile is what the other tests have built already.
    let config = read(name, "chatctl.toml")
        .replace("\"roll\"\nreply", &format!("{crate_folder:?}\nreply"))
        + "\n[handlers]\nprofile = \"dev\"\n";
    let project = Project::new(&config);
    let deployed = project.deploy(&[]);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    deployed.explains("not tried: `roll`");
    let url = deployed
        .stdout
        .lines()
        .next()
        .unwrap()
        .rsplit(' ')
        .next()
        .unwrap();
    play(&session(&read(name, "README.md")), &project, url);
    let again = project.deploy(&["--no-probe"]);
    again.explains("nothing has changed");
    torn_down(name, &project);
}

#[test]
fn team_chat() {
    let name = "team-chat";
    let review = folder("review").join("mask");
    let config = read(name, "chatctl.toml").replace("\"../review/mask\"", &format!("{review:?}"))
        + "\n[handlers]\nprofile = \"dev\"\n";
    let project = Project::new(&config);
    let run = |words: &[&str]| {
        let mut command = project.command(words);
        command.env("XDG_CONFIG_HOME", project.path());
        let done = finished(command.output().unwrap());
        assert_eq!(done.code, 0, "{words:?}: {}", done.stderr);
        done.stdout.trim_end().to_owned()
    };
    run(&["keys", "new"]);
    let mut command = project.deployment(&[]);
    command.env("XDG_CONFIG_HOME", project.path());
    let deployed = finished(command.output().unwrap());
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    let endpoint = project.status()["endpoint"].as_str().unwrap().to_owned();
    // The shell of the session is not in the project's folder.
    let lines = session(&read(name, "README.md")).into_iter().map(|line| {
        let Some((before, rest)) = line.split_once("$(chatctl ") else {
            return line;
        };
        let (words, after) = rest.split_once(')').unwrap();
        let words: Vec<_> = words.split(' ').collect();
        format!("{before}{}{after}", run(&words))
    });
    play(&lines.collect::<Vec<_>>(), &project, &endpoint);
    torn_down(name, &project);
}

#[test]
fn own_authorizer() {
    let name = "own-authorizer";
    let crate_folder = folder(name).join("door");
    let code = read(name, "door/src/main.rs");
    let without_test = code.split("#[cfg(test)]").next().unwrap();
    assert!(without_test.lines().count() < 32);
    let config = read(name, "chatctl.toml").replace("\"door\"", &format!("{crate_folder:?}"))
        + "\n[handlers]\nprofile = \"dev\"\n";
    let project = Project::new(&config);
    let deployed = project.deploy(&[]);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    deployed.explains("your authorizer refuses clients that only claim a name (403)");
    deployed.explains("Your authorizer decides who may connect");
    let first = deployed.stdout.lines().next().unwrap();
    let url = first.rsplit(' ').next().unwrap();
    play(&session(&read(name, "README.md")), &project, url);
    for headers in [
        vec![],
        vec![("x-invitation", "guessed")],
        vec![("x-invitation", "tom-7391"), ("msgfrom", "Jerry")],
    ] {
        let refused = testing::blocking::Client::open(url, headers.iter().copied());
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("403"), "{headers:?}: {refused}");
    }
    let logs = || {
        project
            .run(&["logs", "--local", "--function", "Authorize"])
            .stdout
    };
    eventually("the reasons are logged", || {
        ["without an invitation", "is unknown", "`msgfrom` is not"]
            .iter()
            .all(|reason| logs().contains(reason))
    });
    assert!(!logs().contains("tom-7391"));
    torn_down(name, &project);
}

#[test]
fn review() {
    let name = "review";
    let crate_folder = folder(name).join("mask");
    let code = read(name, "mask/src/main.rs");
    let without_test = code.split("#[cfg(test)]").next().unwrap();
    assert!(without_test.trim_end().lines().count() <= 30);
    let config = read(name, "chatctl.toml").replace("\"mask\"", &format!("{crate_folder:?}"))
        + "\n[handlers]\nprofile = \"dev\"\n";
    let project = Project::new(&config);
    let deployed = project.deploy(&[]);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    deployed.explains("not tried: `$default`");
    let first = deployed.stdout.lines().next().unwrap();
    let url = first.rsplit(' ').next().unwrap();
    play(&session(&read(name, "README.md")), &project, url);
    torn_down(name, &project);
}

/// What the example's backend checks.
const SECRET: &str = "only-the-backend-and-the-stack";

#[test]
fn http_backend() {
    let name = "http-backend";
    let config = read(name, "chatctl.toml");
    // What API Gateway cannot reach is no reason not to deploy.
    let project = Project::new(&config.replace(":3000/", ":65535/"));
    let unset = project.deploy(&[]);
    assert_eq!(unset.code, 2, "{}", unset.stderr);
    unset.explains("export BACKEND_SECRET=");
    let deploy = |secret: &str| {
        let mut command = project.deployment(&[]);
        let command = command.env("BACKEND_SECRET", secret);
        finished(command.output().expect("chatctl starts"))
    };
    let first = deploy(SECRET);
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert!(!first.stderr.contains("build"), "{}", first.stderr);
    first.explains("does not run");
    let outputs = project
        .run(&["outputs", "--local", "--output", "json"])
        .stdout;
    let outputs: serde_json::Value = serde_json::from_str(&outputs).unwrap();
    let backend = ExampleBackend::start(SECRET, outputs["ConnectionsUrl"].as_str().unwrap());
    project.configure(&config.replace("127.0.0.1:3000", &backend.address));
    let wrong = deploy("guessed");
    assert_eq!(wrong.code, 0, "{}", wrong.stderr);
    wrong.explains("the backend refuses");
    let deployed = deploy(SECRET);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    deployed.explains("the backend accepts connections");
    let printed = project.run(&["print-connect-commands", "--local"]);
    assert_eq!(printed.stdout, deployed.stdout);
    let session = session(&read(name, "README.md"));
    play(&session, &project, outputs["Url"].as_str().unwrap());
    let gone = project.run(&["teardown", "--local", "--yes"]);
    assert_eq!(gone.code, 0, "{}", gone.stderr);
    assert!(!gone.stderr.contains("data"), "{}", gone.stderr);
}

#[test]
fn every_example_is_tested_and_explained_on_one_screen() {
    let mut examples: Vec<_> = std::fs::read_dir(folder(""))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("chatctl.toml").exists())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    examples.sort();
    let source = include_str!("examples.rs");
    for example in &examples {
        let test = example.replace('-', "_");
        assert!(
            source.contains(&format!("fn {test}()")),
            "no test plays {example}"
        );
        assert!(read(example, "chatctl.toml").contains(&format!("stack = \"{example}\"")));
        let rows: usize = read(example, "README.md").lines().map(rows).sum();
        assert!(rows <= 40, "the README of {example} has {rows} lines");
    }
    assert!(examples.len() >= 7, "{examples:?}");
}

#[test]
fn the_crates_of_examples_can_be_copied_to_another_place() {
    for manifest in [
        "custom-handler/roll",
        "http-backend",
        "own-authorizer/door",
        "review/mask",
    ] {
        let copy = tempfile::tempdir().unwrap();
        std::fs::create_dir(copy.path().join("src")).unwrap();
        for file in ["Cargo.toml", "src/main.rs"] {
            std::fs::copy(folder(manifest).join(file), copy.path().join(file)).unwrap();
        }
        // As the manifest says: the one path in it leads to the clone.
        let text = std::fs::read_to_string(copy.path().join("Cargo.toml")).unwrap();
        let text = text.replace("\"../../../sdk\"", &format!("{:?}", folder("../sdk")));
        assert!(!text.contains("\"../"), "{text}");
        std::fs::write(copy.path().join("Cargo.toml"), text).unwrap();
        // The versions of the workspace are at hand; without them cargo would ask the registry for newer ones.
        std::fs::copy(folder("../Cargo.lock"), copy.path().join("Cargo.lock")).unwrap();
        let read = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--offline"])
            .arg("--manifest-path")
            .arg(copy.path().join("Cargo.toml"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&read.stderr);
        assert!(read.status.success(), "{manifest}: {said}");
    }
}

/// How many lines `line` takes where there are 80 columns.
fn rows(line: &str) -> usize {
    let (mut rows, mut column) = (1, 0);
    for word in line.split(' ').map(|word| word.chars().count()) {
        if column > 0 && column + word > 80 {
            (rows, column) = (rows + 1, 0);
        }
        column += word + 1;
    }
    rows
}
