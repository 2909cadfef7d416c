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

/// Sources of every package, tests included.
fn all_sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let packages = [
        "bench",
        "cli",
        "conversations",
        "emulator",
        "examples/custom-handler/roll",
        "examples/http-backend",
        "lambdas",
        "local",
        "xtask",
    ];
    let folders = packages
        .iter()
        .flat_map(|package| ["src", "tests"].map(|folder| root.join(package).join(folder)));
    folders
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| sources(&folder))
        .collect()
}

#[test]
fn no_file_is_longer_than_anybody_reads() {
    for file in all_sources() {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(
            lines <= 400,
            "{} has {lines} lines: split it by noun",
            file.display()
        );
    }
}

#[test]
fn no_sdk_type_leaves_the_folders_that_are_for_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for package in ["cli", "lambdas", "local"] {
        let source = root.join(package).join("src");
        for file in sources(&source) {
            let text = std::fs::read_to_string(&file).unwrap();
            let names = ["aws_config::", "aws_sdk_", "aws_smithy_"];
            assert!(
                file.starts_with(source.join("aws"))
                    || !names.iter().any(|name| text.contains(name)),
                "{} names the AWS SDK",
                file.display()
            );
        }
    }
}

#[test]
fn what_is_pure_asks_neither_the_system_nor_a_clock() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = sources(&root.join("cli/src/stack"));
    files.extend(sources(&root.join("local/src/mapping")));
    for file in [
        "local/src/jsonpath.rs",
        "local/src/regexes.rs",
        "local/src/schema.rs",
    ] {
        files.push(root.join(file));
    }
    for file in ["event", "session", "routes", "protocol", "shard"] {
        files.push(root.join(format!("lambdas/src/{file}.rs")));
    }
    files.retain(|file| !file.ends_with("tests.rs"));
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for outside in [
            "std::fs",
            "std::env",
            "std::net",
            "std::time",
            "tokio",
            "async fn",
        ] {
            assert!(
                !code.contains(outside),
                "{} is pure and names `{outside}`",
                file.display()
            );
        }
    }
}
