//! Checks the licences, origins and versions of everything that is built, by the rules of `deny.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::metadata::{Metadata, Package, workspaces};
use crate::run::{StepError, root};
use crate::say;

/// The rules of `deny.toml` that are checked here.
#[derive(Deserialize)]
struct Rules {
    graph: Graph,
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Bans {
    multiple_versions: Level,
    wildcards: Level,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Allow,
    Warn,
    Deny,
}

/// The only registry; a mirror in cargo's configuration does not change this name.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Lists every unacceptable package of the workspaces.
pub(crate) fn check() -> Result<(), StepError> {
    let rules = rules()?;
    // A licence is checked on every platform, several versions only where they are built.
    let packages = all_packages(&[])?;
    let targets = rules.graph.targets.iter();
    let built: Vec<_> = targets
        .flat_map(|target| ["--filter-platform", target])
        .collect();
    let mut faults: Vec<String> = packages.iter().filter_map(|it| rules.fault(it)).collect();
    for (level, found) in [
        (rules.bans.wildcards, wildcards(&packages)),
        (
            rules.bans.multiple_versions,
            several_versions(&all_packages(&built)?),
        ),
    ] {
        match level {
            Level::Allow => {}
            Level::Warn if found.is_empty() => {}
            Level::Warn => say(&format!("licences: warning: {}", found.join(", "))),
            Level::Deny => faults.extend(found),
        }
    }
    say(&format!(
        "licences: {} packages, {} not acceptable",
        packages.len(),
        faults.len()
    ));
    if faults.is_empty() {
        Ok(())
    } else {
        Err(StepError::Other(faults.join("\n")))
    }
}

/// The packages of all workspaces, each once, by name and version; `more` are options of `cargo metadata`.
fn all_packages(more: &[&str]) -> Result<Vec<Package>, StepError> {
    let mut packages = BTreeMap::new();
    for folder in workspaces() {
        for package in Metadata::read(&folder, more)?.packages {
            let key = (package.name.clone(), package.version.clone());
            packages.insert((key, package.id.clone()), package);
        }
    }
    Ok(packages.into_values().collect())
}

fn rules() -> Result<Rules, StepError> {
    let unreadable = |error: String| StepError::Other(format!("deny.toml: {error}"));
    let text = std::fs::read_to_string(root().join("deny.toml"));
    let text = text.map_err(|error| unreadable(error.to_string()))?;
    toml::from_str(&text).map_err(|error| unreadable(error.to_string()))
}

impl Rules {
    /// Why `package` may not be used; `None` if it may.
    fn fault(&self, package: &Package) -> Option<String> {
        let Package { name, version, .. } = package;
        // Our own packages have no source; all others must come from the registry.
        if package.source.as_ref().is_some_and(|it| it != REGISTRY) {
            return Some(format!("{name} {version} is not from the registry"));
        }
        let license = package.license.as_deref();
        match license.map(|license| self.accept(license)) {
            Some(Ok(true)) => None,
            Some(Ok(false)) => Some(format!(
                "{name} {version} is under {}",
                license.unwrap_or_default()
            )),
            Some(Err(error)) => Some(format!("{name} {version}: {error}")),
            None => Some(format!("{name} {version} has no licence")),
        }
    }

    fn accept(&self, license: &str) -> Result<bool, String> {
        let expression = spdx::Expression::parse_mode(license, spdx::ParseMode::LAX)
            .map_err(|error| error.to_string())?;
        Ok(expression.evaluate(|requirement| {
            requirement
                .license
                .id()
                .is_some_and(|id| self.licenses.allow.iter().any(|allowed| allowed == id.name))
        }))
    }
}

/// Our requirements of any version at all, other than of what lies beside the package.
fn wildcards(packages: &[Package]) -> Vec<String> {
    let ours = packages.iter().filter(|package| package.source.is_none());
    let wild = ours.flat_map(|package| {
        let requirements = package.dependencies.iter();
        let wild = requirements.filter(|it| it.req == "*" && it.path.is_none());
        wild.map(|it| format!("{} takes any version of {}", package.name, it.name))
    });
    wild.collect()
}

/// The packages that are there in more than one version.
fn several_versions(packages: &[Package]) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        versions
            .entry(&package.name)
            .or_default()
            .push(&package.version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    let several = versions.iter();
    several
        .map(|(name, versions)| format!("{name} has the versions {}", versions.join(" and ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_acceptable_alternative_is_enough_and_every_part_of_a_conjunction_is_needed() {
        let rules = rules().unwrap();
        let accepts = |license| rules.accept(license);
        assert!(accepts("MIT OR GPL-3.0-only").unwrap());
        assert!(accepts("Apache-2.0/MIT").unwrap());
        assert!(!accepts("MIT AND GPL-3.0-only").unwrap());
        assert!(accepts("not a licence").is_err());
    }

    fn package(version: &str, source: Option<&str>) -> Package {
        Package {
            name: "x".into(),
            version: version.into(),
            source: source.map(str::to_owned),
            ..Package::default()
        }
    }

    #[test]
    fn a_package_from_a_git_repository_is_refused() {
        let package = Package {
            license: Some("MIT".into()),
            ..package("1", Some("git+https://example.invalid/x"))
        };
        let fault = rules().unwrap().fault(&package);
        assert_eq!(fault.unwrap(), "x 1 is not from the registry");
    }

    #[test]
    fn several_versions_and_requirements_of_any_version_are_found() {
        let mut ours = package("1", None);
        ours.dependencies = serde_json::from_str(
            r#"[{"name": "wild", "req": "*"}, {"name": "beside", "req": "*", "path": "/beside"}, {"name": "y", "req": "^1"}]"#,
        )
        .unwrap();
        assert_eq!(
            wildcards(&[ours, package("2", Some(REGISTRY))]),
            ["x takes any version of wild"]
        );
        let packages = [package("1", None), package("2", Some(REGISTRY))];
        assert_eq!(several_versions(&packages), ["x has the versions 1 and 2"]);
        assert_eq!(several_versions(&packages[..1]), [""; 0]);
    }
}
