//! Checks the licences and origins of everything that is linked.

use std::process::Command;

use serde::Deserialize;

use crate::run::{StepError, cargo};
use crate::say;

/// Permissive licences that only require naming the authors.
const ACCEPTED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

/// Reads `cargo metadata` and lists every unacceptable package.
pub(crate) fn check() -> Result<(), StepError> {
    let output = Command::new(cargo())
        .args(["metadata", "--format-version", "1", "--locked"])
        .output();
    let output = output.map_err(|error| StepError::Other(format!("cargo metadata: {error}")))?;
    if !output.status.success() {
        return Err(StepError::Failed {
            what: "cargo metadata --locked".into(),
        });
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)
        .map_err(|error| StepError::Other(format!("cargo metadata: {error}")))?;
    let faults: Vec<String> = metadata.packages.iter().filter_map(fault).collect();
    say(&format!(
        "licences: {} packages, {} not acceptable",
        metadata.packages.len(),
        faults.len()
    ));
    if faults.is_empty() {
        Ok(())
    } else {
        Err(StepError::Other(faults.join("\n")))
    }
}

fn fault(package: &Package) -> Option<String> {
    let Package {
        name,
        version,
        license,
        source,
    } = package;
    // Our own packages have no source; all others must come from the registry.
    if source
        .as_ref()
        .is_some_and(|source| !source.starts_with("registry+"))
    {
        return Some(format!("{name} {version} is not from the registry"));
    }
    match license.as_deref().map(accepts) {
        Some(Ok(true)) => None,
        Some(Ok(false)) => Some(format!(
            "{name} {version} is under {}",
            license.as_deref().unwrap_or_default()
        )),
        Some(Err(error)) => Some(format!("{name} {version}: {error}")),
        None => Some(format!("{name} {version} has no licence")),
    }
}

fn accepts(license: &str) -> Result<bool, String> {
    let expression = spdx::Expression::parse_mode(license, spdx::ParseMode::LAX)
        .map_err(|error| error.to_string())?;
    Ok(expression.evaluate(|requirement| {
        requirement
            .license
            .id()
            .is_some_and(|id| ACCEPTED.contains(&id.name))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_acceptable_alternative_is_enough_and_every_part_of_a_conjunction_is_needed() {
        assert!(accepts("MIT OR GPL-3.0-only").unwrap());
        assert!(accepts("Apache-2.0/MIT").unwrap());
        assert!(!accepts("MIT AND GPL-3.0-only").unwrap());
        assert!(accepts("not a licence").is_err());
    }

    #[test]
    fn a_package_from_a_git_repository_is_refused() {
        let package = Package {
            name: "x".into(),
            version: "1".into(),
            license: Some("MIT".into()),
            source: Some("git+https://example.invalid/x".into()),
        };
        assert_eq!(fault(&package).unwrap(), "x 1 is not from the registry");
    }
}
