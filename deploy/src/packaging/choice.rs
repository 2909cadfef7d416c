//! Decides what to build and with which tools, as a value with its reason. Pure.

use super::PackagingError;
use super::target::triple;
use super::toolchain::Toolchain;
use crate::config::Architecture;

/// Whether a target's standard library must be in its usual place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetCheck {
    /// The target must be installed.
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
    /// Plain cargo, with the same result.
    Cargo,
}

/// What to build, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) architecture: Architecture,
    /// The reason for this processor.
    pub(super) reason: &'static str,
    pub(super) builder: Builder,
}

/// The wanted processor, and the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    /// The required processor.
    fixed: Option<(Architecture, &'static str)>,
    /// The processor of the deployed functions. It is kept if it can be built: a stack that is deployed from several
    /// machines must not change its processor each time.
    deployed: Option<Architecture>,
}

impl Wanted {
    /// Combines the config's and the deployed processor.
    pub(super) fn new(config: Option<Architecture>, deployed: Option<Architecture>) -> Self {
        Self {
            fixed: config.map(|architecture| (architecture, "set in the config")),
            deployed,
        }
    }

    /// Requires `architecture`, for which one function was built: all functions of a stack run on the same processor.
    pub(super) fn like_the_others(self, architecture: Architecture) -> Self {
        let reason = "as the other functions";
        Self {
            fixed: self.fixed.or(Some((architecture, reason))),
            ..self
        }
    }

    pub(super) fn fixed(self) -> Option<Architecture> {
        self.fixed.map(|(architecture, _)| architecture)
    }

    pub(super) fn deployed(self) -> Option<Architecture> {
        self.deployed
    }
}

/// One line about an installed tool, or one missing prerequisite.
pub(super) type Finding = (&'static str, Result<String, PackagingError>);

/// Decides what to build, and how.
///
/// # Errors
/// The first problem of [`findings`].
pub(super) fn choose(
    toolchain: &Toolchain,
    wanted: Wanted,
    check: TargetCheck,
) -> Result<Choice, PackagingError> {
    for (_, finding) in findings(toolchain, wanted, check) {
        finding?;
    }
    let (architecture, reason) = architecture(toolchain, wanted, check);
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

/// Every prerequisite of a build, each with a keyword; all problems, not only the first.
pub(super) fn findings(toolchain: &Toolchain, wanted: Wanted, check: TargetCheck) -> Vec<Finding> {
    let (architecture, reason) = architecture(toolchain, wanted, check);
    let is_native = toolchain.is_native(architecture);
    let native = [Architecture::Arm64, Architecture::X86_64]
        .into_iter()
        .find(|one| toolchain.is_native(*one));
    let word = architecture.word();
    let is_missing = check == TargetCheck::Installed && !toolchain.has(architecture);
    let cargo_lambda = match &toolchain.cargo_lambda {
        Some(version) => Ok(format!("cargo-lambda {version}")),
        None if is_native => Ok("no cargo-lambda: using plain cargo".into()),
        None => Err(PackagingError::NoCargoLambda {
            architecture,
            native,
        }),
    };
    let zig = match (&toolchain.zig, &toolchain.cargo_lambda) {
        (Some(version), _) => Ok(format!("zig {version}")),
        (None, None) if is_native => Ok("no zig: not needed".into()),
        (None, Some(_)) if is_native => Ok("no zig: using this machine's linker".into()),
        (None, _) => Err(PackagingError::NoZig {
            architecture,
            native,
        }),
    };
    let targets: Vec<_> = toolchain.targets.iter().map(|one| one.word()).collect();
    let targets = match is_missing {
        true => Err(PackagingError::NoTarget { architecture }),
        false if !toolchain.has(architecture) => Ok(format!(
            "Rust target {} not checked (--skip-target-check)",
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

/// The processor that the config sets; else the stack's current one, if it can be built; else arm64, if its target is
/// installed, because it costs a fifth less for the same time (<https://aws.amazon.com/lambda/pricing/>); else x86_64.
fn architecture(
    toolchain: &Toolchain,
    wanted: Wanted,
    check: TargetCheck,
) -> (Architecture, &'static str) {
    if let Some(fixed) = wanted.fixed {
        return fixed;
    }
    match wanted.deployed {
        Some(deployed) if can_build(toolchain, deployed, check) => {
            (deployed, "the stack's functions run on it")
        }
        _ if toolchain.has(Architecture::Arm64) => {
            (Architecture::Arm64, "its Rust target is installed")
        }
        _ => (
            Architecture::X86_64,
            "the Rust target of arm64 is not installed",
        ),
    }
}

/// Whether [`findings`] would have no problem.
fn can_build(toolchain: &Toolchain, architecture: Architecture, check: TargetCheck) -> bool {
    let has_tools = toolchain.cargo_lambda.is_some() && toolchain.zig.is_some();
    let has_target = check == TargetCheck::Skipped || toolchain.has(architecture);
    has_target && (has_tools || toolchain.is_native(architecture))
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
        let wanted = Wanted::new(wanted, None);
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
    fn the_machine_s_own_processor_needs_no_further_tools_and_the_substitute_is_named() {
        check(
            &machine(&[X86_64], true, false),
            None,
            expect![[r#"
                ok  cargo: cargo 1.95.0
                ok  cargo-lambda: cargo-lambda 1.9.2
                ok  zig: no zig: using this machine's linker
                ok  targets: Rust targets for x86_64
                ok  architecture: builds for x86_64 (the Rust target of arm64 is not installed)
            "#]],
        );
        check(
            &machine(&[X86_64], false, false),
            None,
            expect![[r#"
                ok  cargo: cargo 1.95.0
                ok  cargo-lambda: no cargo-lambda: using plain cargo
                ok  zig: no zig: not needed
                ok  targets: Rust targets for x86_64
                ok  architecture: builds for x86_64 (the Rust target of arm64 is not installed)
            "#]],
        );
    }

    #[test]
    fn everything_missing_is_listed_at_once_with_the_command_to_run() {
        check(
            &machine(&[X86_64], false, false),
            Some(Arm64),
            expect![[r#"
                ok  cargo: cargo 1.95.0
                bad cargo-lambda: cargo-lambda is missing, but required to build for arm64 here
                    `pip install cargo-lambda` installs it with zig, `cargo install cargo-lambda` alone; or set `architecture = "x86_64"` under `[aws]`, which does not need it here
                bad zig: zig is missing, but cargo-lambda needs it to link for arm64 here
                    `pip install ziglang`, for the python3 on PATH, or add `zig` to PATH (ziglang.org/download); or set `architecture = "x86_64"` under `[aws]`, which does not need it here
                bad targets: the Rust target aarch64-unknown-linux-gnu is not installed
                    `rustup target add aarch64-unknown-linux-gnu`; if targets are not installed by rustup, pass `--skip-target-check`
                ok  architecture: builds for arm64 (set in the config)
            "#]],
        );
    }

    #[test]
    fn the_config_decides_over_what_is_installed() {
        let choice = choose(
            &machine(&[Arm64, X86_64], true, true),
            Wanted::new(Some(X86_64), Some(Arm64)),
            TargetCheck::Installed,
        );
        assert_eq!(choice.unwrap().architecture, X86_64);
    }

    #[test]
    fn the_processor_of_a_deployed_stack_is_kept_if_it_can_be_built() {
        let chosen = |targets: &[Architecture], tools: bool, deployed| {
            let machine = machine(targets, tools, tools);
            let wanted = Wanted::new(None, Some(deployed));
            let choice = choose(&machine, wanted, TargetCheck::Installed).unwrap();
            (choice.architecture, choice.reason)
        };
        let stays = "the stack's functions run on it";
        // A laptop with both targets, after a deployment from a machine with only one.
        assert_eq!(chosen(&[Arm64, X86_64], true, X86_64), (X86_64, stays));
        assert_eq!(chosen(&[Arm64, X86_64], true, Arm64), (Arm64, stays));
        // In the other direction, it cannot be kept.
        let (moved, _) = chosen(&[X86_64], true, Arm64);
        assert_eq!(moved, X86_64);
        assert_eq!(chosen(&[Arm64, X86_64], false, X86_64), (X86_64, stays));
    }

    #[test]
    fn the_installed_tools_decide_how_it_is_built() {
        let builder = |cargo_lambda, zig| {
            let machine = machine(&[X86_64], cargo_lambda, zig);
            choose(&machine, Wanted::default(), TargetCheck::Installed)
                .unwrap()
                .builder
        };
        assert_eq!(builder(true, true), Builder::Zig);
        assert_eq!(builder(true, false), Builder::CargoLambda);
        // zig alone links nothing, because cargo-lambda calls it.
        assert_eq!(builder(false, true), Builder::Cargo);
        assert_eq!(builder(false, false), Builder::Cargo);
    }

    #[test]
    fn for_another_processor_both_tools_are_needed() {
        let chosen = |cargo_lambda, zig| {
            choose(
                &machine(&[Arm64, X86_64], cargo_lambda, zig),
                Wanted::new(Some(Arm64), None),
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
            let chosen = choose(&machine, Wanted::default(), TargetCheck::Installed);
            assert!(
                matches!(chosen, Err(PackagingError::NoCargoLambda { .. })),
                "{host}"
            );
        }
    }

    #[test]
    fn a_missing_target_is_tried_when_the_check_is_skipped() {
        let machine = machine(&[], true, true);
        let wanted = Wanted::new(Some(Arm64), None);
        let refused = choose(&machine, wanted, TargetCheck::Installed);
        assert!(matches!(refused, Err(PackagingError::NoTarget { .. })));
        let skipped = findings(&machine, wanted, TargetCheck::Skipped);
        let reported = skipped
            .into_iter()
            .find_map(|(_, found)| found.ok().filter(|text| text.contains("target")));
        assert_eq!(
            reported.unwrap(),
            "Rust target aarch64-unknown-linux-gnu not checked (--skip-target-check)"
        );
        let chosen = choose(&machine, wanted, TargetCheck::Skipped).unwrap();
        assert_eq!((chosen.architecture, chosen.builder), (Arm64, Builder::Zig));
    }
}
