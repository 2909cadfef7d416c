//! Who may name whom inside the command, and what the three crates may know of one another.

use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files = Vec::new();
    for path in entries {
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The modules of this crate that the files of `module` name, tests excepted.
fn named_by(module: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (folder, file) = (root.join(module), root.join(format!("{module}.rs")));
    let files = if folder.is_dir() {
        sources(&folder)
    } else {
        vec![file]
    };
    assert!(!files.is_empty());
    let mut named = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for rest in code.split("crate::").skip(1) {
            let name: String = rest
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            named.push((file.clone(), name));
        }
    }
    named
}

fn check(module: &str, allowed: &[&str]) {
    for (file, name) in named_by(module) {
        assert!(
            name == module || allowed.contains(&name.as_str()),
            "{} names `{name}`, but `{module}` may only name {allowed:?}",
            file.display()
        );
    }
}

#[test]
fn the_stack_is_pure_and_knows_the_config_only() {
    check("stack", &["config"]);
}

#[test]
fn the_engine_knows_no_shell() {
    check("engine", &["stack", "config", "packaging", "interrupt"]);
}

#[test]
fn the_shells_do_not_name_one_another() {
    check(
        "local",
        &["stack", "config", "engine", "packaging", "interrupt"],
    );
    check("terminal", &["stack", "engine", "error", "interrupt"]);
    check(
        "aws",
        &["stack", "config", "engine", "packaging", "interrupt"],
    );
}

#[test]
fn watching_files_knows_nobody() {
    check("watch", &[]);
}

#[test]
fn the_config_knows_nobody() {
    check("config", &[]);
}

#[test]
fn handlers_and_local_stack_do_not_depend_on_each_other_or_on_the_command() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (package, forbidden) in [
        ("lambdas", "chatctl"),
        ("local", "chat-lambdas"),
        ("cli", "chat-lambdas"),
    ] {
        let manifest = std::fs::read_to_string(root.join(package).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("dependencies]").skip(1).collect::<String>();
        assert!(
            !dependencies.contains(forbidden),
            "{package} depends on {forbidden}"
        );
    }
}
