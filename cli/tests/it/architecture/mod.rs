//! What ARCHITECTURE.md says of the sources, where the compiler does not keep it.

mod circles;
mod doctests;
mod files;
mod layers;
mod modules;
mod names;
mod protocol;
mod spelled;
#[path = "../../../../xtask/src/tokens.rs"]
mod tokens;
#[path = "../../../../xtask/src/words.rs"]
mod words;

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

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Whether `file` has tests alone.
fn is_test(file: &Path) -> bool {
    let file = file.strip_prefix(root()).unwrap_or(file);
    file.ends_with("tests.rs") || file.iter().any(|part| part == "tests")
}

/// The files of the command and of the library behind it, each with its path in its crate's `src`.
fn command_and_library() -> Vec<(PathBuf, String)> {
    let folders = ["cli/src", "deploy/src"].map(|folder| root().join(folder));
    let files = folders.iter().flat_map(|folder| {
        let named = move |file: PathBuf| {
            let name = file.strip_prefix(folder).unwrap().to_str().unwrap();
            (file.clone(), name.to_owned())
        };
        sources(folder).into_iter().map(named)
    });
    files.collect()
}

#[test]
fn only_the_command_has_flags_and_a_terminal() {
    let manifest = std::fs::read_to_string(root().join("deploy/Cargo.toml")).unwrap();
    for library in ["clap", "indicatif", "anstyle", "rustyline"] {
        assert!(!manifest.contains(library), "deploy depends on {library}");
    }
}

/// The folders of every package: the workspace's members, and the fuzz targets.
fn packages() -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, members) = manifest.split_once("\nmembers = [").unwrap();
    let (members, _) = members.split_once(']').unwrap();
    let members = members.split('"').skip(1).step_by(2).map(str::to_owned);
    members.chain(["fuzz".to_owned()]).collect()
}

/// Sources of every package, tests included.
fn all_sources() -> Vec<PathBuf> {
    let folders = packages().into_iter().flat_map(|package| {
        ["src", "tests", "examples", "fuzz_targets"]
            .map(|folder| root().join(&package).join(folder))
    });
    folders
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| sources(&folder))
        .collect()
}

#[test]
fn functions_have_no_generated_client() {
    for package in ["lambdas", "sdk"] {
        let manifest = root().join(package).join("Cargo.toml");
        let manifest = std::fs::read_to_string(manifest).unwrap();
        // The tests compare their requests with those of the generated clients.
        let (built, _tests) = manifest.split_once("[dev-dependencies]").unwrap();
        for name in ["aws-config", "aws-sdk-", "aws-smithy-", "lambda_runtime"] {
            assert!(!built.contains(name), "{package} depends on {name}");
        }
    }
}

#[test]
fn no_sdk_type_leaves_the_folders_that_are_for_it() {
    let root = root();
    for package in ["cli", "deploy", "lambdas", "local", "sdk"] {
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

/// A relative entry of PATH would have a program of a clone's started; one file leaves these out.
#[test]
fn programs_are_looked_for_in_one_place_only() {
    // The others start chatctl itself, by an absolute path; the last is a test of the action's script.
    let excepted = [
        "programs.rs",
        "local/process.rs",
        "guard.rs",
        "commands/workflows.rs",
    ];
    for (file, name) in command_and_library() {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(
            excepted.contains(&name.as_str()) || !text.contains("Command::new("),
            "{} starts a program by itself",
            file.display()
        );
    }
}

#[test]
fn what_is_pure_asks_neither_the_system_nor_a_clock() {
    let root = root();
    let mut files = sources(&root.join("deploy/src/stack"));
    files.extend(sources(&root.join("mapping/src")));
    files.extend(sources(&root.join("yaml/src")));
    files.extend(sources(&root.join("protocol/src")));
    files.extend(sources(&root.join("identity/src")));
    files.extend(sources(&root.join("local/src/schema")));
    files.extend(sources(&root.join("lambdas/src/event")));
    for file in ["session", "routes", "members", "protocol", "shard"] {
        files.push(root.join(format!("lambdas/src/{file}.rs")));
    }
    files.retain(|file| !is_test(file));
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

/// What can write to a terminal, or hands something over that does.
const WRITERS: [&str; 15] = [
    "println!",
    "print!",
    "dbg!",
    "stdout()",
    "stderr()",
    "Stdio::inherit",
    "ExecutableCommand",
    "SharedWriter",
    "Readline::new",
    "MultiProgress",
    "ProgressBar",
    ".print()",
    ".exit()",
    "set_hook",
    "/dev/",
];

/// The files that may have one, and why.
const AT_THE_GATE: [(&str, &[&str], &str); 5] = [
    (
        "terminal/gate.rs",
        &["stdout()", "stderr()", "set_hook"],
        "it is the gate",
    ),
    (
        "terminal/bars.rs",
        &["stderr()", "MultiProgress", "ProgressBar"],
        "bars draw themselves, with texts that have passed the gate",
    ),
    (
        "terminal/editor.rs",
        &["SharedWriter", "Readline::new"],
        "the line editor draws itself, with texts that have passed the gate",
    ),
    (
        "packaging/cargo.rs",
        &["stderr()"],
        "it asks whether colours are wanted",
    ),
    (
        "local/open_files.rs",
        &["/dev/"],
        "it holds /dev/null open, as file descriptors in reserve",
    ),
];

#[test]
fn nothing_writes_to_a_terminal_beside_the_gate() {
    let (mut used, mut beside) = (Vec::new(), Vec::new());
    for (file, name) in command_and_library() {
        if is_test(Path::new(&name)) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        // To ask what it is writes nothing.
        let code = code
            .replace("std::io::stdout().is_terminal()", "")
            .replace("is_terminal(&std::io::stdout())", "")
            .replace("is_terminal(&std::io::stderr())", "")
            .replace(".use_stderr()", "");
        for writer in WRITERS.iter().filter(|writer| code.contains(**writer)) {
            let mut gate = AT_THE_GATE.iter();
            match gate.find(|(file, writers, _)| *file == name && writers.contains(writer)) {
                Some((file, _, _)) => used.push((*file, *writer)),
                None => beside.push(format!("{name}: {writer}")),
            }
        }
    }
    assert!(
        beside.is_empty(),
        "print through `Terminal`: {beside:#?} may write what others wrote"
    );
    for (file, writers, why) in AT_THE_GATE {
        for writer in writers {
            assert!(
                used.contains(&(file, writer)),
                "{file} has no `{writer}` any more ({why})"
            );
        }
    }
}

#[test]
fn only_the_gate_lets_the_lint_against_printing_rest() {
    let root = root();
    for package in [
        "cli", "deploy", "identity", "local", "lambdas", "mapping", "protocol", "sdk", "yaml",
    ] {
        for file in sources(&root.join(package).join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(
                !text.contains("clippy::print_std"),
                "{} prints",
                file.display()
            );
        }
    }
}

#[test]
fn whatever_opens_a_connection_limits_its_time() {
    for (file, _) in command_and_library() {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let opens = ["TcpStream::connect(", "connect_async"];
        let limits = ["tokio::time::timeout", "timeout_at("];
        let is_limited = limits.iter().any(|limit| code.contains(limit));
        assert!(
            is_limited || !opens.iter().any(|open| code.contains(open)),
            "{} opens connections without a limit",
            file.display()
        );
        // Its requests have limits, and its silence is reported.
        assert!(
            !code.contains("aws_smithy_http_client") || file.ends_with("aws/http.rs"),
            "{} makes an HTTP client of its own",
            file.display()
        );
    }
}
