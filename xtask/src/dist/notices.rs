//! The licences of everything that is in the programs, in one text: most of them ask to be handed on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::metadata::{Metadata, Package};
use crate::run::{StepError, at, root};
use crate::sbom::{self, Key};

/// The notices of the packages of others in programs for `target`.
pub(super) fn text(target: &str) -> Result<String, StepError> {
    let linked = sbom::linked(target)?;
    let metadata = Metadata::read(root(), &[])?;
    let mut notices = Notices::default();
    let others = metadata.packages.iter().filter(|package| {
        let key: Key = (package.name.clone(), package.version.clone());
        package.source.is_some() && linked.contains(&key)
    });
    for package in others {
        let folder = package.manifest_path.parent().unwrap_or(Path::new(""));
        notices.add(package, &licences(folder)?);
    }
    Ok(notices.render())
}

/// The licences by their text, with the packages under each: many share one, word for word.
#[derive(Default)]
struct Notices {
    packages: BTreeMap<String, String>,
    by_text: BTreeMap<String, Vec<String>>,
}

impl Notices {
    fn add(&mut self, package: &Package, licences: &[String]) {
        let name = format!("{} {}", package.name, package.version);
        let line = [package.license.as_deref(), package.repository.as_deref()];
        let line: Vec<_> = line.into_iter().flatten().collect();
        for text in licences {
            let under = self.by_text.entry(text.clone()).or_default();
            under.push(name.clone());
        }
        self.packages.insert(name, line.join(", "));
    }

    fn render(&self) -> String {
        let mut text = String::from(
            "The programs in this archive contain these packages, each under the licence that its line names.\n\n",
        );
        for (name, line) in &self.packages {
            let _infallible = writeln!(text, "{name}: {line}");
        }
        // The order of the first package of each, so that a new licence moves no other.
        let mut texts: Vec<_> = self.by_text.iter().collect();
        texts.sort_by_key(|(_, packages)| *packages);
        for (licence, packages) in texts {
            let line = "-".repeat(80);
            let names = packages.join(", ");
            let _infallible = write!(text, "\n{line}\n{names}\n{line}\n\n{licence}\n");
        }
        text
    }
}

/// The texts of the licences in a package's folder, without trailing spaces.
fn licences(folder: &Path) -> Result<Vec<String>, StepError> {
    let mut texts = Vec::new();
    let entries = std::fs::read_dir(folder).map_err(|error| at(folder, error))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| is_licence(path)) {
        let bytes = std::fs::read(&path).map_err(|error| at(&path, error))?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        texts.push(lines.join("\n").trim_matches('\n').to_owned());
    }
    Ok(texts)
}

fn is_licence(path: &Path) -> bool {
    const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_uppercase();
    path.is_file() && NAMES.iter().any(|begin| name.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> Package {
        Package {
            name: name.into(),
            version: "1.0.0".into(),
            license: Some("MIT".into()),
            source: Some("registry".into()),
            ..Package::default()
        }
    }

    #[test]
    fn a_text_that_packages_share_is_there_once_with_the_names_of_both() {
        let mut notices = Notices::default();
        notices.add(&package("a"), &["MIT of Ann".into(), "shared".into()]);
        notices.add(&package("b"), &["shared".into()]);
        let text = notices.render();
        assert!(text.contains("\na 1.0.0: MIT\nb 1.0.0: MIT\n"), "{text}");
        assert!(text.contains("\na 1.0.0, b 1.0.0\n"), "{text}");
        assert_eq!(text.matches("shared").count(), 1, "{text}");
        assert!(text.contains("MIT of Ann"), "{text}");
    }

    #[test]
    fn licences_are_files_by_the_usual_names_only() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["LICENSE-MIT", "license.md", "NOTICE", "README.md"] {
            std::fs::write(folder.path().join(name), format!("{name}  \n")).unwrap();
        }
        std::fs::create_dir(folder.path().join("LICENSES")).unwrap();
        let texts = licences(folder.path()).unwrap();
        assert_eq!(texts, ["LICENSE-MIT", "NOTICE", "license.md"]);
    }
}
