//! Compares dependencies with known advisories, if RustSec's database is available.
//!
//! The database (<https://rustsec.org>) is a git repository and in no package registry, so not every machine has it. If
//! it is missing, that is printed and the step succeeds: a skipped check must not look like a passed one, nor fail a
//! build without network.

use std::path::{Path, PathBuf};

use rustsec::advisory::Informational;
use rustsec::report::{Report, Settings};
use rustsec::{Database, Lockfile};

use crate::metadata::workspaces;
use crate::run::StepError;
use crate::say;

/// The variable for the database's folder. A folder that is set but missing is an error.
const VARIABLE: &str = "CHATCTL_ADVISORY_DB";

/// Known advisories that do not apply, each with the reason.
const ACCEPTED: &[(&str, &str)] = &[];

/// Compares each workspace's Cargo.lock with the database, if there is one.
pub(crate) fn check() -> Result<(), StepError> {
    let Some(folder) = database()? else {
        say(&format!(
            "advisories: NOT CHECKED, no database here. Clone https://github.com/RustSec/advisory-db to \
             $CARGO_HOME/advisory-db, or set {VARIABLE} to its folder"
        ));
        return Ok(());
    };
    let mut faults = Vec::new();
    for workspace in workspaces() {
        let file = workspace.join("Cargo.lock");
        let lock = Lockfile::load(&file).map_err(other)?;
        let found = judge(&folder, &lock)?;
        for remark in &found.remarks {
            say(&format!("advisories: {remark}"));
        }
        say(&format!(
            "advisories: {} packages of {} against {} advisories in {}, the newest of {}: {} apply",
            lock.packages.len(),
            file.display(),
            found.advisories,
            folder.display(),
            found.newest,
            found.faults.len()
        ));
        faults.extend(found.faults);
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(StepError::Other(faults.join("\n")))
    }
}

/// The folder in the variable; else that of cargo-audit or cargo-deny.
fn database() -> Result<Option<PathBuf>, StepError> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        let named = PathBuf::from(named);
        return match is_database(&named) {
            true => Ok(Some(named)),
            false => Err(StepError::Other(format!(
                "{VARIABLE} is {}, which is not an advisory database: it has no folder `crates`",
                named.display()
            ))),
        };
    }
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let Some(home) = home else { return Ok(None) };
    let several = std::fs::read_dir(home.join("advisory-dbs"));
    let several = several
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let mut places = std::iter::once(home.join("advisory-db")).chain(several);
    Ok(places.find(|place| is_database(place)))
}

fn is_database(folder: &Path) -> bool {
    folder.join("crates").is_dir()
}

struct Findings {
    /// The number of advisories in the database.
    advisories: usize,
    /// The date of the newest one.
    newest: String,
    /// Advisories that must be fixed.
    faults: Vec<String>,
    /// Notices about unmaintained packages and the like.
    remarks: Vec<String>,
}

fn judge(database: &Path, lock: &Lockfile) -> Result<Findings, StepError> {
    let database = Database::open(database).map_err(other)?;
    let ignore = ACCEPTED.iter().map(|(id, _)| id.parse().map_err(other));
    let settings = Settings {
        ignore: ignore.collect::<Result<_, _>>()?,
        informational_warnings: vec![
            Informational::Notice,
            Informational::Unmaintained,
            Informational::Unsound,
        ],
        ..Settings::default()
    };
    let report = Report::generate(&database, lock, &settings);
    let faults = report.vulnerabilities.list.iter().map(|found| {
        format!(
            "{} {}: {}, {}",
            found.package.name, found.package.version, found.advisory.id, found.advisory.title
        )
    });
    let remarks = report.warnings.values().flatten().map(|warning| {
        let reported = warning
            .advisory
            .as_ref()
            .map(|advisory| format!(", {}, {}", advisory.id, advisory.title));
        format!(
            "{} {} is {}{}",
            warning.package.name,
            warning.package.version,
            warning.kind.as_str(),
            reported.unwrap_or_default()
        )
    });
    let dates = database.iter().map(|advisory| &advisory.metadata.date);
    Ok(Findings {
        advisories: database.iter().count(),
        newest: dates.max().map_or("-".into(), |date| date.to_string()),
        faults: faults.collect(),
        remarks: remarks.collect(),
    })
}

fn other(error: impl std::fmt::Display) -> StepError {
    StepError::Other(format!("advisories: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The findings of a database with one advisory about `leaky` before 1.2.4, for a lock file with `version` of it.
    fn found(version: &str, more: &str) -> Findings {
        let folder = tempfile::tempdir().unwrap();
        let about = folder.path().join("crates/leaky");
        std::fs::create_dir_all(&about).unwrap();
        let advisory = format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2026-0001\"\npackage = \"leaky\"\ndate = \"2026-01-02\"\n{more}\n\
             [versions]\npatched = [\">= 1.2.4\"]\n```\n\n# Leaks everything\n\nIt does.\n"
        );
        std::fs::write(about.join("RUSTSEC-2026-0001.md"), advisory).unwrap();
        // Advisories are about packages of the same registry.
        let ours = include_str!("../../Cargo.lock");
        let mut lines = ours.lines();
        let source = lines.find(|line| line.starts_with("source = \"registry+"));
        let source = source.expect("some package is from the registry");
        let lock = format!(
            "version = 4\n[[package]]\nname = \"leaky\"\nversion = \"{version}\"\n{source}\n"
        );
        judge(folder.path(), &lock.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_version_with_an_advisory_is_a_fault_and_the_patched_one_is_not() {
        let affected = found("1.2.3", "");
        assert_eq!(
            affected.faults,
            ["leaky 1.2.3: RUSTSEC-2026-0001, Leaks everything"]
        );
        assert_eq!((affected.advisories, &*affected.newest), (1, "2026-01-02"));
        assert_eq!(found("1.2.4", "").faults, [""; 0]);
    }

    #[test]
    fn an_unmaintained_package_is_reported_and_is_no_failure() {
        let found = found("1.2.3", "informational = \"unmaintained\"");
        assert_eq!(found.faults, [""; 0]);
        assert_eq!(
            found.remarks,
            ["leaky 1.2.3 is unmaintained, RUSTSEC-2026-0001, Leaks everything"]
        );
    }
}
