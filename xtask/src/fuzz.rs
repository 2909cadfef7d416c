//! Fuzzing: builds the targets in `fuzz/` with coverage counters, then runs each for a while.
//!
//! A stable compiler suffices: LLVM's pass is asked for by name, and `libfuzzer-sys` brings the engine, which a C++ compiler
//! builds (<https://llvm.org/docs/LibFuzzer.html>).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::{StepError, cargo, finish, root, target};
use crate::say;

/// What has LLVM count which edges an input takes, and what it compares.
const COVERAGE: [&str; 7] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// An input may take this long, and this much memory, before it is a find.
const SECONDS_AN_INPUT: u32 = 10;
const MEGABYTES: u32 = 2048;

/// Runs every target whose name is in `only`, or every target there is, for `seconds` each.
pub(crate) fn run(seconds: u64, only: &[String]) -> Result<(), StepError> {
    let targets = targets()?;
    if let Some(unknown) = only.iter().find(|name| !targets.contains(name)) {
        let known = targets.join(", ");
        let why = format!("there is no target `{unknown}`; there are {known}");
        return Err(StepError::Other(why));
    }
    let place = FuzzFolders {
        binaries: build()?,
        kept: root().join("target/fuzz"),
    };
    let chosen = |name: &&String| only.is_empty() || only.contains(name);
    let mut finds = Vec::new();
    for target in targets.iter().filter(chosen) {
        finds.extend(place.run(target, seconds)?);
    }
    match finds.is_empty() {
        true => Ok(()),
        false => Err(StepError::Other(format!(
            "these inputs are finds; each line runs one again\n{}",
            finds.join("\n")
        ))),
    }
}

/// Checks that every target compiles.
///
/// The engine is not built: nothing is linked, so a library that is only named will do.
pub(crate) fn check() -> Result<(), StepError> {
    let mut command = Command::new(cargo());
    // As in `build`. What has no flags is shared with the workspace's own builds, in the same folder.
    command
        .args(["check", "--bins", "--locked", "--quiet", "--target"])
        .arg(host()?)
        .current_dir(root().join("fuzz"))
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_ENCODED_RUSTFLAGS", COVERAGE[0])
        .env("CUSTOM_LIBFUZZER_PATH", "/not/linked/libfuzzer.a");
    let cure = "install a Rust toolchain";
    finish(command, cure, "cargo check of the fuzz targets")
}

/// The targets' names.
fn targets() -> Result<Vec<String>, StepError> {
    let folder = root().join("fuzz/fuzz_targets");
    let unreadable = |error| StepError::Other(format!("{}: {error}", folder.display()));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        names.extend(name.map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Builds all targets; answers where they lie.
fn build() -> Result<PathBuf, StepError> {
    let host = host()?;
    let target = root().join("target/fuzz");
    let mut command = Command::new(cargo());
    // For a named target, build scripts and procedural macros, which have no fuzzing engine, get none of the flags.
    command
        .args([
            "build",
            "--release",
            "--bins",
            "--locked",
            "--target",
            &host,
        ])
        .current_dir(root().join("fuzz"))
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\u{1f}"));
    let cure = "install a Rust toolchain and a C++ compiler";
    finish(command, cure, "the build of the fuzz targets")?;
    Ok(target.join(host).join("release"))
}

/// This machine, in the compiler's words.
fn host() -> Result<String, StepError> {
    let output = Command::new("rustc").arg("-vV").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let host = text.ok().and_then(|text| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
    });
    host.ok_or_else(|| StepError::Missing {
        program: "rustc".into(),
        cure: "install a Rust toolchain",
    })
}

struct FuzzFolders {
    binaries: PathBuf,
    /// New inputs, finds and logs.
    kept: PathBuf,
}

impl FuzzFolders {
    /// Runs one target; answers how to run again what it has found.
    fn run(&self, target: &str, seconds: u64) -> Result<Option<String>, StepError> {
        let (inputs, finds) = (
            self.kept.join("corpus").join(target),
            self.kept.join("finds").join(target),
        );
        let log = self.kept.join(format!("{target}.log"));
        let failed = |path: &Path| {
            let path = path.display().to_string();
            move |error| StepError::Other(format!("{path}: {error}"))
        };
        for folder in [&inputs, &finds] {
            std::fs::create_dir_all(folder).map_err(failed(folder))?;
        }
        let before = files(&inputs);
        let written = std::fs::File::create(&log).map_err(failed(&log))?;
        let binary = self.binaries.join(target);
        let mut command = Command::new(&binary);
        command
            .arg(&inputs)
            .arg(root().join("fuzz/corpus").join(target))
            .arg(format!("-artifact_prefix={}/", finds.display()))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-timeout={SECONDS_AN_INPUT}"))
            .arg(format!("-rss_limit_mb={MEGABYTES}"))
            .arg("-print_final_stats=1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(written);
        let words = root().join(format!("fuzz/dictionaries/{target}.dict"));
        if words.exists() {
            command.arg(format!("-dict={}", words.display()));
        }
        let status = command.status().map_err(failed(&binary))?;
        let text = std::fs::read(&log).map_err(failed(&log))?;
        let text = String::from_utf8_lossy(&text);
        let runs = statistic(&text, "stat::number_of_executed_units:").unwrap_or("?");
        let new = files(&inputs).saturating_sub(before);
        if status.success() {
            say(&format!("{target}: {runs} executions, {new} new inputs"));
            return Ok(None);
        }
        let again = again(&text, &binary, &log);
        say(&format!(
            "{target}: a find after {runs} executions: {again}"
        ));
        Ok(Some(again))
    }
}

/// How many files a folder has.
fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// The value of a line of the engine's final statistics.
fn statistic<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines()
        .find_map(|line| line.strip_prefix(name).map(str::trim))
}

/// The command that runs the input of a log again; without an input, the log's place.
fn again(text: &str, binary: &Path, log: &Path) -> String {
    let written = text
        .lines()
        .find_map(|line| line.split_once("Test unit written to "));
    match written.map(|(_, input)| input.trim()) {
        Some(input) => format!("{} {input}", binary.display()),
        None => format!("no input was written; see {}", log.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_built_has_inputs_and_is_run_by_the_ordinary_tests() {
        let targets = targets().unwrap();
        let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
        let manifest: toml::Table = read("fuzz/Cargo.toml").parse().unwrap();
        let bins = manifest["bin"].as_array().unwrap().iter();
        let mut bins: Vec<_> = bins.map(|bin| bin["name"].as_str().unwrap()).collect();
        bins.sort_unstable();
        assert_eq!(bins, targets);
        let crates = ["deploy", "identity", "local", "mapping", "yaml"];
        let tested = crates
            .map(|it| read(&format!("{it}/src/fuzzing.rs")))
            .concat();
        for target in &targets {
            let corpus = root().join("fuzz/corpus").join(target);
            assert!(files(&corpus) > 0, "{target} has no inputs");
            assert!(tested.contains(&format!("(\"{target}\", {target})")));
        }
        assert_eq!(files(&root().join("fuzz/corpus")), targets.len());
    }

    #[test]
    fn a_find_is_named_with_the_command_that_runs_it_again() {
        let log = "==1== ERROR: libFuzzer: deadly signal\nartifact_prefix='/k/'; Test unit written to /k/crash-1\nBase64: AA==\nstat::number_of_executed_units: 12\n";
        let (binary, path) = (Path::new("/b/zip"), Path::new("/k/zip.log"));
        assert_eq!(again(log, binary, path), "/b/zip /k/crash-1");
        assert!(again("", binary, path).ends_with("/k/zip.log"));
        assert_eq!(
            statistic(log, "stat::number_of_executed_units:"),
            Some("12")
        );
    }
}
