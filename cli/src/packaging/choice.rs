//! What is built, and with what: a decision as a value, with its reason. Pure.

use super::PackagingError;
use super::toolchain::{Toolchain, triple};
use crate::config::Architecture;

/// Whether a target's standard library must be where we look for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TargetCheck {
    Installed,
    /// For toolchains that keep it elsewhere.
    Skipped,
}

/// How a binary for Lambda is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Builder {
    /// cargo-lambda with zig as the linker: for any processor, against an old glibc.
    Zig,
    /// cargo-lambda with this machine's linker: for its own processor, against its own glibc.
    CargoLambda,
    /// Plain cargo, which comes to the same.
    Cargo,
}

/// What will be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) architecture: Architecture,
    /// Why this processor.
    pub(super) reason: &'static str,
    pub(super) builder: Builder,
}

/// One line of what was found, or one thing that is missing.
pub(super) type Finding = (&'static str, Result<String, PackagingError>);

/// Decides what to build.
///
/// # Errors
/// The first of the problems that [`findings`] tells.
pub(super) fn choose(
    toolchain: &Toolchain,
    wanted: Option<Architecture>,
    check: TargetCheck,
) -> Result<Choice, PackagingError> {
    for (_, finding) in findings(toolchain, wanted, check) {
        finding?;
    }
    let (architecture, reason) = architecture(toolchain, wanted);
    let builder = match (&toolchain.cargo_lambda, &toolchain.zig) {
        (Some(_), Some(_)) => Builder::Zig,
        (Some(_), None) => Builder::CargoLambda,
        (None, _) => Builder::Cargo,
    };
    Ok(Choice {
        architecture,
        reason,
        builder,
    })
}

/// Everything that matters to a build, each with a word for it; all problems, not only the first.
pub(super) fn findings(
    toolchain: &Toolchain,
    wanted: Option<Architecture>,
    check: TargetCheck,
) -> Vec<Finding> {
    let (architecture, reason) = architecture(toolchain, wanted);
    let is_native = toolchain.is_native(architecture);
    let native = [Architecture::Arm64, Architecture::X86_64]
        .into_iter()
        .find(|one| toolchain.is_native(*one));
    let word = architecture.word();
    let is_missing = check == TargetCheck::Installed && !toolchain.has(architecture);
    let cargo_lambda = match &toolchain.cargo_lambda {
        Some(version) => Ok(format!("cargo-lambda {version}")),
        None if is_native => Ok("no cargo-lambda: plain cargo instead".into()),
        None => Err(PackagingError::NoCargoLambda {
            architecture,
            native,
        }),
    };
    let zig = match (&toolchain.zig, &toolchain.cargo_lambda) {
        (Some(version), _) => Ok(format!("zig {version}")),
        (None, None) if is_native => Ok("no zig, none needed".into()),
        (None, Some(_)) if is_native => Ok("no zig: this machine's linker instead".into()),
        (None, _) => Err(PackagingError::NoZig {
            architecture,
            native,
        }),
    };
    let targets: Vec<_> = toolchain.targets.iter().map(|one| one.word()).collect();
    let targets = match is_missing {
        true => Err(PackagingError::NoTarget { architecture }),
        false if !toolchain.has(architecture) => Ok(format!(
            "Rust target {} not checked, as asked",
            triple(architecture)
        )),
        false => Ok(format!("Rust targets for {}", targets.join(" and "))),
    };
    vec![
        ("cargo", Ok(format!("cargo {}", toolchain.cargo))),
        ("cargo-lambda", cargo_lambda),
        ("zig", zig),
        ("targets", targets),
        ("architecture", Ok(format!("builds for {word} ({reason})"))),
    ]
}

/// The config decides; else arm64, which costs a fifth less for the same time
/// (<https://aws.amazon.com/lambda/pricing/>), where it can be built; else x86_64.
fn architecture(
    toolchain: &Toolchain,
    wanted: Option<Architecture>,
) -> (Architecture, &'static str) {
    match wanted {
        Some(wanted) => (wanted, "the config says so"),
        None if toolchain.has(Architecture::Arm64) => {
            (Architecture::Arm64, "its Rust target is installed")
        }
        None => (
            Architecture::X86_64,
            "the Rust target of arm64 is not installed",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Architecture::{Arm64, X86_64};
    use expect_test::{Expect, expect};

    /// An x86_64 machine with these targets and tools.
    fn machine(targets: &[Architecture], cargo_lambda: bool, zig: bool) -> Toolchain {
        Toolchain {
            cargo: "1.95.0".into(),
            host: "x86_64-unknown-linux-gnu".into(),
            targets: targets.to_vec(),
            cargo_lambda: cargo_lambda.then(|| "1.9.2".into()),
            zig: zig.then(|| "0.17.0".into()),
        }
    }

    fn check(toolchain: &Toolchain, wanted: Option<Architecture>, expected: Expect) {
        let mut text = String::new();
        for (subject, finding) in findings(toolchain, wanted, TargetCheck::Installed) {
            match finding {
                Ok(found) => text.push_str(&format!("ok  {subject}: {found}\n")),
                Err(error) => text.push_str(&format!(
                    "bad {subject}: {error}\n    {}\n",
                    error.hint().unwrap_or_default()
                )),
            }
        }
        expected.assert_eq(&text);
    }

    #[test]
    fn arm64_is_built_where_its_target_is_installed() {
        check(
            &machine(&[Arm64, X86_64], true, true),
            None,
            expect![[r#"
                ok  cargo: cargo 1.95.0
                ok  cargo-lambda: cargo-lambda 1.9.2
                ok  zig: zig 0.17.0
                ok  targets: Rust targets for arm64 and x86_64
                ok  architecture: builds for arm64 (its Rust target is installed)
            "#]],
        );
    }

    #[test]
    fn x86_64_is_built_where_the_target_of_arm64_is_not_installed() {
        check(
            &machine(&[X86_64], true, true),
            None,
            expect![[r#"
                ok  cargo: cargo 1.95.0
                ok  cargo-lambda: cargo-lambda 1.9.2
                ok  zig: zig 0.17.0
                ok  targets: Rust targets for x86_64
                ok  architecture: builds for x86_64 (the Rust target of arm64 is not installed)
            "#]],
        );
    }

    #[test]
    fn a_missing_tool_is_no_problem_for_this_machines_own_processor_and_it_is_said_what_follows() {
        check(
            &machine(&[X86_64], true, false),
            None,
            expect![[r#"
                ok  cargo: cargo 1.95.0
                ok  cargo-lambda: cargo-lambda 1.9.2
                ok  zig: no zig: this machine's linker instead
                ok  targets: Rust targets for x86_64
                ok  architecture: builds for x86_64 (the Rust target of arm64 is not installed)
            "#]],
        );
        check(
            &machine(&[X86_64], false, false),
            None,
            expect![[r#"
                ok  cargo: cargo 1.95.0
                ok  cargo-lambda: no cargo-lambda: plain cargo instead
                ok  zig: no zig, none needed
                ok  targets: Rust targets for x86_64
                ok  architecture: builds for x86_64 (the Rust target of arm64 is not installed)
            "#]],
        );
    }

    #[test]
    fn everything_that_is_missing_is_told_at_once_with_the_command_to_run() {
        check(
            &machine(&[X86_64], false, false),
            Some(Arm64),
            expect![[r#"
                ok  cargo: cargo 1.95.0
                bad cargo-lambda: cargo-lambda is missing, and only it can build for arm64 here
                    `pip install cargo-lambda` brings it and zig, `cargo install cargo-lambda` it alone; or set `architecture = "x86_64"` under `[aws]`, which needs neither here
                bad zig: zig is missing, and cargo-lambda needs it to link for arm64 here
                    `pip install ziglang`, for the python3 on PATH, or put `zig` on PATH (ziglang.org/download); or set `architecture = "x86_64"` under `[aws]`, which needs neither here
                bad targets: the Rust target aarch64-unknown-linux-gnu is not installed
                    `rustup target add aarch64-unknown-linux-gnu`; or, where it is not rustup that installs targets, `--skip-target-check`
                ok  architecture: builds for arm64 (the config says so)
            "#]],
        );
    }

    #[test]
    fn the_config_decides_over_what_is_installed() {
        let choice = choose(
            &machine(&[Arm64, X86_64], true, true),
            Some(X86_64),
            TargetCheck::Installed,
        );
        assert_eq!(choice.unwrap().architecture, X86_64);
    }

    #[test]
    fn what_is_there_decides_how_it_is_built() {
        let builder = |cargo_lambda, zig| {
            let machine = machine(&[X86_64], cargo_lambda, zig);
            choose(&machine, None, TargetCheck::Installed)
                .unwrap()
                .builder
        };
        assert_eq!(builder(true, true), Builder::Zig);
        assert_eq!(builder(true, false), Builder::CargoLambda);
        // zig alone links nothing: it is cargo-lambda that calls it.
        assert_eq!(builder(false, true), Builder::Cargo);
        assert_eq!(builder(false, false), Builder::Cargo);
    }

    #[test]
    fn for_another_processor_both_tools_are_needed() {
        let chosen = |cargo_lambda, zig| {
            choose(
                &machine(&[Arm64, X86_64], cargo_lambda, zig),
                Some(Arm64),
                TargetCheck::Installed,
            )
        };
        assert!(chosen(true, true).is_ok());
        assert!(matches!(
            chosen(true, false),
            Err(PackagingError::NoZig { .. })
        ));
        assert!(matches!(
            chosen(false, true),
            Err(PackagingError::NoCargoLambda { .. })
        ));
    }

    #[test]
    fn an_own_processor_with_another_c_library_or_system_is_another_target() {
        for host in ["x86_64-unknown-linux-musl", "x86_64-apple-darwin"] {
            let machine = Toolchain {
                host: host.into(),
                ..machine(&[X86_64], false, false)
            };
            let chosen = choose(&machine, None, TargetCheck::Installed);
            assert!(
                matches!(chosen, Err(PackagingError::NoCargoLambda { .. })),
                "{host}"
            );
        }
    }

    #[test]
    fn a_target_that_we_do_not_see_is_tried_when_the_check_is_skipped() {
        let machine = machine(&[], true, true);
        let refused = choose(&machine, Some(Arm64), TargetCheck::Installed);
        assert!(matches!(refused, Err(PackagingError::NoTarget { .. })));
        let skipped = findings(&machine, Some(Arm64), TargetCheck::Skipped);
        let told = skipped
            .into_iter()
            .find_map(|(_, found)| found.ok().filter(|text| text.contains("target")));
        assert_eq!(
            told.unwrap(),
            "Rust target aarch64-unknown-linux-gnu not checked, as asked"
        );
        let chosen = choose(&machine, Some(Arm64), TargetCheck::Skipped).unwrap();
        assert_eq!((chosen.architecture, chosen.builder), (Arm64, Builder::Zig));
    }
}
