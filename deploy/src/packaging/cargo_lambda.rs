//! Builds for Lambda through cargo-lambda, which has a linker for any processor.
//!
//! Its behaviour was observed with version 1.9.2: with `--profile` it adds no flags of its own (with `--release` it
//! would set another panic strategy and another link-time optimisation), so only the profile in the crate's workspace
//! counts, the same for every builder.

use super::choice::{Builder, Choice};
use super::manifest::Crate;
use super::toolchain::Programs;
use super::zip::BOOTSTRAP;
use super::{PackagingError, cargo, read};
use crate::config::Architecture;
use crate::engine::Reporter;
use crate::scratch::Scratch;

/// Builds `source` for Lambda, with the tools of `choice`; returns the executable's bytes.
///
/// # Errors
/// [`PackagingError`]: the build fails, or succeeds without a file.
pub(super) async fn build(
    programs: &Programs,
    choice: Choice,
    source: &Crate,
    profile: &str,
    reporter: &mut impl Reporter,
) -> Result<Vec<u8>, PackagingError> {
    let compiler = match choice.builder {
        // Always set, because an environment variable or the crate's manifest could select another one.
        Builder::Zig => "cargo_zigbuild",
        Builder::CargoLambda => "cargo",
        Builder::Cargo => {
            // Without `--target` it is the same build as the local stack's, and is not done twice.
            let built =
                cargo::build(&programs.cargo, source, profile, &["--locked"], reporter).await?;
            return read(&built);
        }
    };
    // A new folder, because cargo-lambda leaves existing files in it, and succeeds without building anything.
    let scratch = Scratch::new("build").map_err(|source| PackagingError::NoRoom { source })?;
    let output = scratch.path().join("lambda");
    std::fs::create_dir(&output).map_err(|source| PackagingError::NoRoom { source })?;
    let mut command = crate::programs::command(&programs.cargo);
    command
        .args([
            "lambda",
            "build",
            "--bin",
            &source.binary,
            "--flatten",
            &source.binary,
        ])
        .args(["--profile", profile, "--locked"])
        .arg(match choice.architecture {
            Architecture::Arm64 => "--arm64",
            Architecture::X86_64 => "--x86-64",
        })
        .args(["--compiler", compiler, "--output-format", "binary"])
        // Its own check would add a missing target to the user's toolchain without asking.
        .arg("--skip-target-check")
        .arg("--lambda-dir")
        .arg(&output);
    cargo::run(command, source, reporter).await?;
    let bootstrap = output.join(BOOTSTRAP);
    if !bootstrap.is_file() {
        return Err(PackagingError::NoBinary {
            folder: source.folder.clone(),
            binary: source.binary.clone(),
        });
    }
    read(&bootstrap)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packaging::sample::{Recorder, Scripts, nothing, ours};
    use expect_test::expect;

    /// Writes its arguments to `bootstrap`, so that the file is the command line.
    const ECHO: &str = "words=\"$*\"; while [ $# -gt 0 ]; do [ \"$1\" = --lambda-dir ] && dir=$2; shift; done\n\
                        printf '%s' \"$words\" | sed \"s|$dir|DIR|\" > \"$dir/bootstrap\"";

    /// Builds with a `cargo` that runs `script`.
    async fn built(
        script: &str,
        architecture: Architecture,
        builder: Builder,
    ) -> Result<Vec<u8>, PackagingError> {
        let scripts = Scripts::new();
        let programs = Programs {
            cargo: scripts.write("cargo", script),
            rustc: nothing(),
            python: nothing(),
            zig: nothing(),
        };
        let choice = Choice {
            architecture,
            reason: "the test says so",
            builder,
        };
        let mut recorder = Recorder::default();
        build(
            &programs,
            choice,
            &ours(scripts.folder()),
            "lambda",
            &mut recorder,
        )
        .await
    }

    #[tokio::test]
    async fn the_command_line_sets_everything_explicitly() {
        let mut lines = String::new();
        for (architecture, builder) in [
            (Architecture::Arm64, Builder::Zig),
            (Architecture::X86_64, Builder::CargoLambda),
        ] {
            let line = built(ECHO, architecture, builder).await.unwrap();
            lines.push_str(&format!("{}\n", String::from_utf8(line).unwrap()));
        }
        expect![[r#"
            lambda build --bin chat --flatten chat --profile lambda --locked --arm64 --compiler cargo_zigbuild --output-format binary --skip-target-check --lambda-dir DIR --message-format json-render-diagnostics
            lambda build --bin chat --flatten chat --profile lambda --locked --x86-64 --compiler cargo --output-format binary --skip-target-check --lambda-dir DIR --message-format json-render-diagnostics
        "#]].assert_eq(&lines);
    }

    #[tokio::test]
    async fn a_build_that_succeeds_without_a_file_is_an_error() {
        let script = "echo 'no binaries found' >&2";
        let error = built(script, Architecture::X86_64, Builder::Zig)
            .await
            .unwrap_err();
        assert!(matches!(error, PackagingError::NoBinary { .. }), "{error}");
    }

    #[tokio::test]
    async fn cargo_lambda_s_error_message_is_quoted() {
        let script = "echo 'Error: too old' >&2; exit 2";
        let error = built(script, Architecture::X86_64, Builder::Zig)
            .await
            .unwrap_err();
        expect![[r#"
            `cargo lambda build` failed (exit status: 2)

            Error: too old"#]]
        .assert_eq(&error.to_string());
    }
}
