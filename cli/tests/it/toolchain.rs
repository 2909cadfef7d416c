//! `doctor` on machines with other tools than this one.

use expect_test::expect;

use crate::project::{Finished, Project, finished};

/// What `doctor` says where cargo, rustc and python3 do what these scripts do, and nothing is known of AWS.
fn doctor(project: &Project, tools: [(&str, &str); 3]) -> Finished {
    let mut command = project.command(&["doctor"]);
    for (variable, script) in tools {
        let path = project.path().join(variable);
        testing::scripts::write(&path, script);
        command.env(variable, path);
    }
    command.env("CARGO_ZIGBUILD_ZIG_PATH", "/nowhere/zig");
    for variable in ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"] {
        command.env_remove(variable);
    }
    command.env("AWS_CONFIG_FILE", "/nowhere/config");
    command.env("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    finished(command.output().expect("chatctl starts"))
}

const RUSTC: &str = "case $1 in -vV) echo 'host: x86_64-unknown-linux-gnu';;\n\
                     --print) case $4 in x86_64*) echo /;; *) echo /nowhere/lib;; esac;; esac";

#[test]
fn doctor_tells_every_tool_that_a_configured_processor_needs_and_what_to_run() {
    let project = Project::new("[aws]\narchitecture = \"arm64\"\n");
    let tools = [
        (
            "CARGO",
            "[ \"$1\" = lambda ] && exit 101; echo 'cargo 1.95.0'",
        ),
        ("RUSTC", RUSTC),
        ("CARGO_ZIGBUILD_PYTHON_PATH", "exit 1"),
    ];
    let reported = doctor(&project, tools);
    assert_eq!(reported.code, 2, "{}", reported.stderr);
    expect![[r#"
        ok  network      no proxy; this machine's certificates
        ok  cargo        cargo 1.95.0
        bad cargo-lambda cargo-lambda is missing, but required to build for arm64 here
                         `pip install cargo-lambda` installs it with zig, `cargo install cargo-lambda` alone; or set `architecture = "x86_64"` under `[aws]`, which does not need it here
        bad zig          zig is missing, but cargo-lambda needs it to link for arm64 here
                         `pip install ziglang`, for the python3 on PATH, or add `zig` to PATH (ziglang.org/download); or set `architecture = "x86_64"` under `[aws]`, which does not need it here
        bad targets      the Rust target aarch64-unknown-linux-gnu is not installed
                         `rustup target add aarch64-unknown-linux-gnu`; if targets are not installed by rustup, pass `--skip-target-check`
        ok  architecture builds for arm64 (set in the config)
        bad region       no AWS Region is set
                         add `--region eu-west-1`, set AWS_REGION, or set `region` under `[aws]` in chatctl.toml
    "#]].assert_eq(&reported.stdout);
}

#[test]
fn doctor_tells_what_is_built_where_everything_is_installed() {
    let project = Project::new("");
    let tools = [
        (
            "CARGO",
            "case $1 in lambda) echo 'cargo-lambda 1.9.2';; *) echo 'cargo 1.95.0';; esac",
        ),
        (
            "RUSTC",
            "case $1 in -vV) echo 'host: x86_64-unknown-linux-gnu';; *) echo /;; esac",
        ),
        ("CARGO_ZIGBUILD_PYTHON_PATH", "echo 0.17.0"),
    ];
    let reported = doctor(&project, tools);
    expect![[r#"
        ok  network      no proxy; this machine's certificates
        ok  cargo        cargo 1.95.0
        ok  cargo-lambda cargo-lambda 1.9.2
        ok  zig          zig 0.17.0
        ok  targets      Rust targets for arm64 and x86_64
        ok  architecture builds for arm64 (its Rust target is installed)
        bad region       no AWS Region is set
                         add `--region eu-west-1`, set AWS_REGION, or set `region` under `[aws]` in chatctl.toml
    "#]].assert_eq(&reported.stdout);
}
