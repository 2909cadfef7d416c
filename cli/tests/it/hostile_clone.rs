//! A repository or an archive that brings a `.chatctl`: nothing outside of it is read, written, run or removed.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use sha2::{Digest, Sha256};

use crate::project::{Finished, Project, eventually, finished, handlers};

/// What a user has elsewhere. Much of it is named as chatctl names its own files, to be found through a link.
struct Canary {
    folder: tempfile::TempDir,
    before: BTreeMap<PathBuf, (u32, Vec<u8>)>,
}

impl Canary {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let digest = "0123456789abcdef".repeat(4);
        let own = [
            "request.json",
            "running.json",
            "identity.json",
            "events.jsonl",
            "stack.log",
            "lock",
            "command.lock",
            "tables.db",
            "tables.db-wal",
            ".gitignore",
            "bootstrap",
            "bootstrap.0123456789abcdef0123456789abcdef.part",
            "logs/DirectFunction.log",
            "DirectFunction.log",
            "DirectFunction.log.1",
            "notes.txt",
        ];
        let code = format!("code/{digest}/bootstrap");
        let here = format!("{digest}/bootstrap");
        for stack in ["", "chat/"] {
            for name in own.iter().chain([&code.as_str(), &here.as_str()]) {
                let path = folder.path().join(format!("{stack}{name}"));
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, format!("{stack}{name}")).unwrap();
                std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            }
        }
        let before = tree(folder.path());
        Self { folder, before }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    #[track_caller]
    fn is_untouched(&self, after: &str) {
        assert_eq!(tree(self.folder.path()), self.before, "{after}");
    }
}

/// Every path below `top`, with mode and content; what a link leads to is its content.
fn tree(top: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            let content = if metadata.is_symlink() {
                let target = std::fs::read_link(&path).unwrap();
                target.into_os_string().into_encoded_bytes()
            } else if metadata.is_file() {
                Sha256::digest(std::fs::read(&path).unwrap()).to_vec()
            } else {
                Vec::new()
            };
            if metadata.is_dir() {
                folders.push(path.clone());
            }
            found.insert(path, (metadata.permissions().mode(), content));
        }
    }
    found
}

/// What all commands do that have to do with a stack on this machine.
fn verbs(project: &Project) -> Vec<Vec<String>> {
    let state = project.state();
    let handlers = handlers().to_str().unwrap();
    [
        "deploy --local --no-probe --handlers",
        "teardown --local --yes",
        "teardown --local --yes --keep-data",
        "status --local",
        "logs --local",
        "outputs --local",
        "print-connect-commands --local",
        "web --local",
        "chat --local",
        "local-stack",
    ]
    .map(|line| {
        let words = line.split(' ').map(str::to_owned);
        let rest: &[&str] = match line {
            "local-stack" => &[state.to_str().unwrap(), "chat"],
            _ if line.ends_with("--handlers") => &[handlers],
            _ => &[],
        };
        words
            .chain(rest.iter().map(|it| (*it).to_owned()))
            .collect()
    })
    .into()
}

/// Runs `words`; a command that waits for something that never comes is a failure of the test.
fn run(project: &Project, words: &[String]) -> Finished {
    let mut command = Command::new("timeout");
    let inner = project.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
    command
        .arg("60")
        .arg(inner.get_program())
        .args(inner.get_args());
    command.current_dir(project.path());
    command.stdin(std::process::Stdio::null());
    finished(command.output().unwrap())
}

/// A stack that was deployed and whose process is gone, so that nothing but its files decides.
fn stopped() -> Project {
    let project = Project::new("");
    project.deployed(&[]);
    let pid = i32::try_from(project.pid()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    project.noticed_as_dead();
    project
}

/// Every path that a local stack can consist of; those that end with `/` are folders.
fn paths(project: &Project) -> Vec<String> {
    let root = project.path().join(".chatctl");
    let mut paths: Vec<_> = tree(&root)
        .into_iter()
        .map(|(path, (mode, _))| {
            let end = if mode & 0o040_000 == 0 { "" } else { "/" };
            let path = path.strip_prefix(project.path()).unwrap();
            format!("{}{end}", path.display())
        })
        .collect();
    paths.push(".chatctl/".into());
    for name in [
        "tables.db-wal",
        "tables.db-shm",
        "tables.db-journal",
        "logs/DirectFunction.log.1",
    ] {
        paths.push(format!(".chatctl/chat/{name}"));
    }
    paths.sort();
    paths.dedup();
    paths
}

#[test]
fn a_link_in_the_place_of_any_path_is_refused_by_every_command_and_leads_nowhere() {
    let (project, canary) = (stopped(), Canary::new());
    let (verbs, paths) = (verbs(&project), paths(&project));
    assert!(paths.len() > 20, "{paths:?}");
    let aside = tempfile::tempdir_in(project.path()).unwrap();
    for path in paths {
        let link = project.path().join(path.trim_end_matches('/'));
        let kept = aside.path().join("kept");
        let was_there = std::fs::rename(&link, &kept).is_ok();
        let name = link.file_name().unwrap().to_str().unwrap();
        // What is there already, and what could be made.
        let targets: &[&str] = if path.ends_with('/') {
            &[""]
        } else {
            &[name, "made"]
        };
        for target in targets {
            symlink(canary.path(target), &link).unwrap();
            let state = tree(&project.path().join(".chatctl"));
            for words in &verbs {
                let refused = run(&project, words);
                let reported = format!("{path} -> {target}: {words:?}: {}", refused.stderr);
                canary.is_untouched(&reported);
                assert_eq!(refused.code, 2, "{reported}");
                assert!(
                    refused.stderr.contains("it is a symbolic link"),
                    "{reported}"
                );
            }
            let after = tree(&project.path().join(".chatctl"));
            assert_eq!(after, state, "{path} -> {target}");
            std::fs::remove_file(&link).unwrap();
        }
        if was_there {
            std::fs::rename(&kept, &link).unwrap();
        }
    }
    project.deployed(&[]);
}

#[test]
fn commands_that_need_no_state_follow_nothing_either() {
    let (project, canary) = (Project::new(""), Canary::new());
    symlink(canary.path(""), project.path().join(".chatctl")).unwrap();
    let config = project.path().join("chatctl.toml");
    std::fs::remove_file(&config).unwrap();
    symlink(canary.path("notes.txt"), &config).unwrap();
    for words in ["init", "init --force", "dev --handlers /nowhere", "render"] {
        let words: Vec<_> = words.split(' ').map(str::to_owned).collect();
        let outcome = run(&project, &words);
        assert_eq!(outcome.code, 2, "{words:?}: {}", outcome.stderr);
        canary.is_untouched(&format!("{words:?}"));
    }
    std::fs::remove_file(project.path().join(".chatctl")).unwrap();
}

#[test]
fn a_stack_named_like_a_folder_of_the_user_does_not_remove_it() {
    let (project, canary) = (Project::new("stack = \"chat\""), Canary::new());
    symlink(canary.path(""), project.path().join(".chatctl")).unwrap();
    for words in verbs(&project) {
        let refused = run(&project, &words);
        assert_eq!(refused.code, 2, "{words:?}: {}", refused.stderr);
        refused.explains(".chatctl\n  because: it is a symbolic link");
        canary.is_untouched(&format!("{words:?}"));
    }
    std::fs::remove_file(project.path().join(".chatctl")).unwrap();
}

#[test]
fn what_chatctl_has_not_made_stays_and_is_named() {
    let (project, canary) = (stopped(), Canary::new());
    let state = project.state();
    let links = [
        "identity.json.0123456789abcdef0123456789abcdef.part",
        "request.json.0123456789abcdef0123456789abcdef.part",
        "code/Documents",
        "code/bootstrap.0123456789abcdef0123456789abcdef.part",
        "logs/notes",
    ];
    for name in links {
        symlink(canary.path("Documents"), state.join(name)).unwrap();
        symlink(canary.path("notes.txt"), state.join(format!("{name}.txt"))).unwrap();
    }
    project.deployed(&[]);
    canary.is_untouched("deploy");
    let gone = project.run(&["teardown", "--local", "--yes", "--output", "json"]);
    assert_eq!(gone.code, 0, "{}", gone.stdout);
    canary.is_untouched("teardown");
    let last = gone.stdout.lines().last().unwrap();
    let last: serde_json::Value = serde_json::from_str(last).unwrap();
    let mut left: Vec<_> = links
        .iter()
        .flat_map(|name| [format!("{name}.txt"), (*name).to_owned()])
        .map(|name| state.join(name).display().to_string())
        .collect();
    left.sort();
    let mut named: Vec<_> = last["left"].as_array().unwrap().iter().collect();
    named.sort_by_key(|path| path.as_str());
    assert_eq!(named, left.iter().collect::<Vec<_>>());
    assert_eq!(std::fs::read_dir(&state).unwrap().count(), 6, "{left:?}");
}

#[test]
fn code_that_was_planted_under_the_right_digest_does_not_run() {
    let project = Project::new("");
    let digest = Sha256::digest(std::fs::read(handlers()).unwrap());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = project.state().join("code").join(digest);
    std::fs::create_dir_all(&folder).unwrap();
    let (planted, ran) = (folder.join("bootstrap"), project.path().join("ran"));
    let script = format!("#!/bin/sh\ntouch {}\nsleep 60\n", ran.display());
    std::fs::write(&planted, script).unwrap();
    std::fs::set_permissions(&planted, PermissionsExt::from_mode(0o755)).unwrap();
    for path in [".chatctl", ".chatctl/chat", ".chatctl/chat/code"] {
        let path = project.path().join(path);
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
    let deployed = project.deploy(&[]);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    deployed.explains("route answers both ways");
    assert!(!ran.exists());
    assert_eq!(
        std::fs::read(&planted).unwrap(),
        std::fs::read(handlers()).unwrap()
    );
}

#[test]
fn a_state_folder_that_git_tracks_is_refused_whatever_is_in_it() {
    let project = Project::new("");
    // As git 2.47 writes it: it tracks `.chatctl/chat/identity.json` and more.
    let index = include_bytes!("../../../deploy/src/local/folder/git/made_by_git/v2.index");
    std::fs::create_dir(project.path().join(".git")).unwrap();
    std::fs::write(project.path().join(".git/index"), index).unwrap();
    std::fs::create_dir_all(project.state()).unwrap();
    let planted = project.state().join("identity.json");
    std::fs::write(&planted, r#"{"seed":"known","port":4711}"#).unwrap();
    let before = tree(project.path());
    for words in verbs(&project) {
        let refused = run(&project, &words);
        assert_eq!(refused.code, 2, "{words:?}: {}", refused.stderr);
        refused.explains("git tracks it, so it came with the repository");
        refused.explains("git rm -r");
        assert_eq!(tree(project.path()), before, "{words:?}");
    }
    std::fs::write(project.path().join(".git/index"), "DIRC and nothing else").unwrap();
    project
        .run(&["status", "--local"])
        .explains("could not find out whether git tracks");
    std::fs::remove_dir_all(project.path().join(".git")).unwrap();
    project.deployed(&[]);
}

#[test]
fn pipes_files_and_open_folders_are_refused_at_once_and_in_words() {
    let project = Project::new("");
    let root = project.path().join(".chatctl");
    let refused = |reason: &str| {
        for words in verbs(&project) {
            let refused = run(&project, &words);
            assert_eq!(refused.code, 2, "{words:?}: {}", refused.stderr);
            refused.explains(reason);
        }
    };
    std::fs::write(&root, "").unwrap();
    refused("it is not a folder");
    std::fs::remove_file(&root).unwrap();
    std::fs::create_dir_all(project.state()).unwrap();
    std::fs::set_permissions(&root, PermissionsExt::from_mode(0o770)).unwrap();
    refused("other users may write to it (mode 770)");
    for path in [root, project.state()] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o700)).unwrap();
    }
    for name in ["lock", "request.json", "stack.log", "tables.db"] {
        let pipe = project.state().join(name);
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
        refused("it is not a regular file");
        std::fs::remove_file(pipe).unwrap();
    }
}

#[test]
fn a_deployment_right_after_one_that_was_killed_waits_for_what_that_has_started() {
    let project = Project::new("");
    let handlers = handlers().to_str().unwrap();
    // Each is made later than the one before.
    for made in [
        "command.lock",
        "lock",
        "request.json",
        "events.jsonl",
        "running.json",
    ] {
        let words = ["deploy", "--local", "--no-probe", "--handlers", handlers];
        let mut killed = project.command(&words);
        killed.stdout(std::process::Stdio::null());
        killed.stderr(std::process::Stdio::null());
        let mut killed = killed.spawn().unwrap();
        eventually("the deployment has begun", || {
            project.state().join(made).exists()
        });
        killed.kill().unwrap();
        killed.wait().unwrap();
        let again = project.deploy(&[]);
        assert_eq!(again.code, 0, "{}", again.stderr);
        again.explains("route answers both ways");
        assert_eq!(project.run(&["teardown", "--local", "--yes"]).code, 0);
    }
}
