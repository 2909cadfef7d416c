//! Bills of materials of the command and the handlers, as CycloneDX 1.6 (<https://cyclonedx.org/docs/1.6/json/>).
//!
//! Rendered here because a tool would have to be installed first, and cargo already has all the data. The same
//! Cargo.lock gives the same bytes: no time, no serial number.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use rustsec::Lockfile;
use serde_json::{Value, json};

use crate::metadata::{Metadata, Package};
use crate::run::{StepError, cargo, root};
use crate::say;

/// The described packages.
const ROOTS: [&str; 2] = ["chatctl", "chat-lambdas"];

/// Dependencies differ by platform; this is the one of the tests and of Lambda.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// A package's name and version.
pub(crate) type Key = (String, String);

/// Writes a document for each of the two to `target/sbom`.
pub(crate) fn write() -> Result<(), StepError> {
    let folder = root().join("target/sbom");
    std::fs::create_dir_all(&folder).map_err(|error| unwritten(&folder, error))?;
    for Described { name, text, counts } in documents(TARGET)? {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| unwritten(&path, error))?;
        let [used, linked] = counts;
        say(&format!(
            "{}: {used} packages, {linked} of them in the binary",
            path.display()
        ));
    }
    Ok(())
}

/// A document.
#[derive(Debug)]
pub(crate) struct Described {
    /// Its file's name.
    pub(crate) name: String,
    pub(crate) text: String,
    /// How many packages it describes, and how many of them are in the binary.
    counts: [usize; 2],
}

/// A document for each of the two programs, as built for `target`.
pub(crate) fn documents(target: &str) -> Result<Vec<Described>, StepError> {
    let metadata = Metadata::read(root(), &[])?;
    let lock = Lockfile::load(root().join("Cargo.lock"));
    let lock = lock.map_err(|error| StepError::Other(format!("Cargo.lock: {error}")))?;
    let checksums: BTreeMap<Key, String> = lock
        .packages
        .iter()
        .filter_map(|package| {
            let key = (package.name.to_string(), package.version.to_string());
            Some((key, package.checksum.as_ref()?.to_string()))
        })
        .collect();
    let described = ROOTS.into_iter().map(|name| {
        let linked = tree(name, "normal", target)?;
        let used = tree(name, "normal,build", target)?;
        let document = document(name, target, &metadata, &checksums, &linked, &used)?;
        Ok(Described {
            name: format!("{name}.cdx.json"),
            text: format!("{document:#}\n"),
            counts: [used.len(), linked.len()],
        })
    });
    described.collect()
}

/// The packages that are in the command or the handlers, as built for `target`: names and versions.
pub(crate) fn linked(target: &str) -> Result<BTreeSet<Key>, StepError> {
    let mut all = BTreeSet::new();
    for name in ROOTS {
        all.extend(tree(name, "normal", target)?);
    }
    Ok(all)
}

fn unwritten(path: &Path, error: std::io::Error) -> StepError {
    StepError::Other(format!("could not write {}: {error}", path.display()))
}

fn output(words: &[&str]) -> Result<Vec<u8>, StepError> {
    let output = Command::new(cargo())
        .args(words)
        .current_dir(root())
        .output();
    let output = output.map_err(|error| StepError::Other(format!("cargo: {error}")))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(StepError::Failed {
            what: format!("cargo {}", words.join(" ")),
        }),
    }
}

/// The packages that `root` is built from over `edges`, with its own features.
fn tree(root: &str, edges: &str, target: &str) -> Result<BTreeSet<Key>, StepError> {
    let words = ["tree", "--locked", "--package", root, "--target", target];
    let more = ["--edges", edges, "--prefix", "none", "--format", "{p}"];
    let text = output(&[&words[..], &more[..]].concat())?;
    let text = String::from_utf8_lossy(&text);
    Ok(text.lines().filter_map(key).collect())
}

/// `serde v1.0.229 (*)` → `serde`, `1.0.229`.
fn key(line: &str) -> Option<Key> {
    let mut words = line.split_whitespace();
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    Some((name.to_owned(), version.to_owned()))
}

fn document(
    name: &str,
    target: &str,
    metadata: &Metadata,
    checksums: &BTreeMap<Key, String>,
    linked: &BTreeSet<Key>,
    used: &BTreeSet<Key>,
) -> Result<Value, StepError> {
    let packages: BTreeMap<&str, &Package> = metadata
        .packages
        .iter()
        .filter(|package| used.contains(&package.key()))
        .map(|package| (package.id.as_str(), package))
        .collect();
    let subject = packages.values().find(|package| package.name == name);
    let subject = subject
        .ok_or_else(|| StepError::Other(format!("there is no package {name} in this workspace")))?;
    let mut others: Vec<_> = packages
        .values()
        .filter(|package| package.id != subject.id)
        .collect();
    others.sort_by_key(|package| package.key());
    let components: Vec<_> = others
        .into_iter()
        .map(|package| {
            let scope = match linked.contains(&package.key()) {
                true => "required",
                // It is part of the build but not of the binary.
                false => "excluded",
            };
            let mut component = package.component("library", checksums);
            component["scope"] = scope.into();
            component
        })
        .collect();
    let mut dependencies: Vec<_> = metadata
        .nodes()
        .iter()
        .filter_map(|node| {
            let on = node.dependencies.iter();
            let on = on.filter_map(|id| packages.get(id.as_str()));
            let on: BTreeSet<_> = on.map(|package| package.purl()).collect();
            let package = packages.get(node.id.as_str())?;
            Some((package.purl(), on))
        })
        .collect();
    dependencies.sort();
    let dependencies: Vec<_> = dependencies
        .into_iter()
        .map(|(package, on)| json!({"ref": package, "dependsOn": on}))
        .collect();
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": subject.component("application", checksums),
            "properties": [{"name": "cargo:target", "value": target}],
        },
        "components": components,
        "dependencies": dependencies,
    }))
}

impl Package {
    fn key(&self) -> Key {
        (self.name.clone(), self.version.clone())
    }

    /// The package's URL (<https://github.com/package-url/purl-spec>).
    fn purl(&self) -> String {
        let version = self.version.replace('+', "%2B");
        format!("pkg:cargo/{}@{version}", self.name)
    }

    fn component(&self, kind: &str, checksums: &BTreeMap<Key, String>) -> Value {
        let mut component = json!({
            "type": kind,
            "bom-ref": self.purl(),
            "name": self.name,
            "version": self.version,
            "purl": self.purl(),
        });
        let mut add = |name: &str, value: Value| component[name] = value;
        if let Some(text) = &self.description {
            let words: Vec<_> = text.split_whitespace().collect();
            add("description", words.join(" ").into());
        }
        if let Some(licence) = &self.license {
            // Older packages write `MIT/Apache-2.0`, which is not a valid expression.
            let expression = spdx::Expression::canonicalize(licence).ok().flatten();
            let expression = expression.unwrap_or_else(|| licence.clone());
            add("licenses", json!([{ "expression": expression }]));
        }
        if let Some(checksum) = checksums.get(&self.key()).filter(|_| self.source.is_some()) {
            add("hashes", json!([{"alg": "SHA-256", "content": checksum}]));
        }
        if let Some(repository) = &self.repository {
            add(
                "externalReferences",
                json!([{"type": "vcs", "url": repository}]),
            );
        }
        component
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{
        "packages": [
            {"id": "p+app", "name": "app", "version": "0.1.0", "license": "MIT", "source": null},
            {"id": "r+old", "name": "old", "version": "1.2.3+sqlite-3", "license": "MIT/Apache-2.0",
             "description": "Two\n lines", "repository": "https://example.invalid/old", "source": "registry+x"},
            {"id": "r+maker", "name": "maker", "version": "2.0.0", "license": "MIT", "source": "registry+x"},
            {"id": "r+test", "name": "only-for-tests", "version": "1.0.0", "license": "MIT", "source": "registry+x"}
        ],
        "resolve": {"nodes": [
            {"id": "p+app", "dependencies": ["r+old", "r+test"]},
            {"id": "r+old", "dependencies": ["r+maker"]},
            {"id": "r+maker", "dependencies": []},
            {"id": "r+test", "dependencies": []}
        ]}
    }"#;

    fn keys(lines: &[&str]) -> BTreeSet<Key> {
        lines.iter().filter_map(|line| key(line)).collect()
    }

    #[test]
    fn a_document_lists_packages_with_version_url_licence_and_checksum() {
        let linked = keys(&["app v0.1.0 (/somewhere/app)", "old v1.2.3+sqlite-3 (*)"]);
        let mut used = linked.clone();
        used.extend(keys(&["maker v2.0.0"]));
        let checksums = [(("old".into(), "1.2.3+sqlite-3".into()), "ab12".into())].into();
        let metadata = serde_json::from_str(METADATA).unwrap();
        let document = document("app", TARGET, &metadata, &checksums, &linked, &used).unwrap();
        let old = "pkg:cargo/old@1.2.3%2Bsqlite-3";
        assert_eq!(
            document,
            json!({
                "bomFormat": "CycloneDX",
                "specVersion": "1.6",
                "version": 1,
                "metadata": {
                    "component": {
                        "type": "application", "bom-ref": "pkg:cargo/app@0.1.0", "name": "app", "version": "0.1.0",
                        "purl": "pkg:cargo/app@0.1.0", "licenses": [{"expression": "MIT"}],
                    },
                    "properties": [{"name": "cargo:target", "value": TARGET}],
                },
                "components": [
                    {
                        "type": "library", "bom-ref": "pkg:cargo/maker@2.0.0", "name": "maker", "version": "2.0.0",
                        "purl": "pkg:cargo/maker@2.0.0", "licenses": [{"expression": "MIT"}], "scope": "excluded",
                    },
                    {
                        "type": "library", "bom-ref": old, "name": "old", "version": "1.2.3+sqlite-3", "purl": old,
                        "description": "Two lines",
                        "licenses": [{"expression": "MIT OR Apache-2.0"}],
                        "hashes": [{"alg": "SHA-256", "content": "ab12"}],
                        "externalReferences": [{"type": "vcs", "url": "https://example.invalid/old"}],
                        "scope": "required",
                    },
                ],
                "dependencies": [
                    {"ref": "pkg:cargo/app@0.1.0", "dependsOn": [old]},
                    {"ref": "pkg:cargo/maker@2.0.0", "dependsOn": []},
                    {"ref": old, "dependsOn": ["pkg:cargo/maker@2.0.0"]},
                ],
            })
        );
    }
}
