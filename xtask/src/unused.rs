//! Finds dependencies that no source uses.
//!
//! A check of our own, because a tool would have to be built first. Cargo provides the names of dependencies in code;
//! this looks for `name::` and `use name`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::metadata::{Dependency, Metadata, Package, workspaces};
use crate::run::{StepError, root};
use crate::say;
use crate::tokens::{all, tokens};

/// Lists every dependency of a workspace that no source of its package uses, and every one that the main workspace
/// declares but no package uses.
pub(crate) fn check() -> Result<(), StepError> {
    let (mut checked, mut faults) = (0, Vec::new());
    let mut manifests = Vec::new();
    for workspace in workspaces() {
        let metadata = Metadata::read(&workspace, &[])?;
        let is_ours =
            |it: &&Package| it.source.is_none() && it.manifest_path.starts_with(&workspace);
        for package in metadata.packages.iter().filter(is_ours) {
            let node = metadata.nodes().iter().find(|it| it.id == package.id);
            let dependencies = node.map(|node| &node.deps[..]).unwrap_or_default();
            let sources = Sources::read(package)?;
            checked += dependencies.len();
            faults.extend(unused(&package.name, dependencies, &sources));
            manifests.push(text(&package.manifest_path)?);
        }
    }
    faults.extend(not_taken(&text(&root().join("Cargo.toml"))?, &manifests)?);
    say(&format!(
        "unused: {checked} dependencies, {} not used",
        faults.len()
    ));
    match faults.is_empty() {
        true => Ok(()),
        false => Err(StepError::Other(faults.join("\n"))),
    }
}

/// The tokens of a package's code, by the dependencies that it may use.
#[derive(Default)]
struct Sources {
    /// What the product is compiled from: neither modules nor items that only tests have.
    product: Vec<String>,
    build_script: Vec<String>,
    /// Everything but the build script: the product with its tests, examples and benchmarks.
    all: Vec<String>,
}

impl Sources {
    fn read(package: &Package) -> Result<Self, StepError> {
        let folder = package.manifest_path.parent().unwrap_or(Path::new(""));
        let mut sources = Self::default();
        for target in &package.targets {
            let file = &target.src_path;
            let is = |kind: &str| target.kind.iter().any(|it| it == kind);
            if is("custom-build") {
                sources.build_script = tokens(&text(file)?);
            } else if !(is("test") || is("example") || is("bench")) {
                let below = file.parent().unwrap_or(folder);
                add_modules(&text(file)?, below, &mut sources.product)?;
            }
        }
        for file in rust_files(folder)? {
            if file != folder.join("build.rs") {
                sources.all.extend(all(&text(&file)?));
            }
        }
        Ok(sources)
    }
}

/// Adds the tokens of a module with `source`, and of its modules, which are files in `folder`; tests are left out.
fn add_modules(source: &str, folder: &Path, product: &mut Vec<String>) -> Result<(), StepError> {
    let tokens = tokens(source);
    for declared in tokens.windows(3) {
        if let [word, name, end] = declared
            && word == "mod"
            && end == ";"
        {
            let below = folder.join(name);
            let (file, inner) = (below.with_extension("rs"), below.join("mod.rs"));
            let file = if file.exists() { file } else { inner };
            add_modules(&text(&file)?, &below, product)?;
        }
    }
    product.extend(tokens);
    Ok(())
}

/// The dependencies of `package` that no code uses.
fn unused(package: &str, dependencies: &[Dependency], sources: &Sources) -> Vec<String> {
    let mut faults = Vec::new();
    for Dependency { name, dep_kinds } in dependencies {
        let kinds: BTreeSet<_> = dep_kinds.iter().map(|it| it.kind.as_deref()).collect();
        for kind in kinds {
            let (is_used, section) = match kind {
                Some("dev") => (names(&sources.all, name), "dev-dependency"),
                Some("build") => (names(&sources.build_script, name), "build-dependency"),
                _ => (names(&sources.product, name), "dependency"),
            };
            if !is_used {
                faults.push(format!("{package} does not use its {section} `{name}`"));
            }
        }
    }
    faults
}

/// Dependencies of the workspace's manifest that none of `manifests` uses.
fn not_taken(workspace: &str, manifests: &[String]) -> Result<Vec<String>, StepError> {
    let table = |text: &str| {
        text.parse::<toml::Table>()
            .map_err(|error| StepError::Other(format!("Cargo.toml: {error}")))
    };
    let mut taken = BTreeSet::new();
    for manifest in manifests {
        let manifest = table(manifest)?;
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let section = manifest.get(section).and_then(toml::Value::as_table);
            taken.extend(section.into_iter().flat_map(|it| it.keys().cloned()));
        }
    }
    let workspace = table(workspace)?;
    let declared = workspace
        .get("workspace")
        .and_then(|it| it.get("dependencies"));
    let declared = declared.and_then(toml::Value::as_table).into_iter();
    let declared = declared.flat_map(|it| it.keys());
    let unused = declared.filter(|name| !taken.contains(*name));
    Ok(unused
        .map(|name| format!("the workspace declares `{name}`, but no package uses it"))
        .collect())
}

/// Whether `code` uses the crate `name`: at the beginning of a path, or in a `use` or `extern crate`.
fn names(code: &[String], name: &str) -> bool {
    let is_name = |token: &String| token.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (0..code.len()).filter(|at| code[*at] == name).any(|at| {
        let (mut before, after) = (&code[..at], code.get(at + 1));
        if let Some((_, outer)) = before.split_last().filter(|(last, _)| *last == "::") {
            // `other::name::` is a module of another crate; `::name::` is the crate.
            let is_outer = |token: &String| token == ">" || (is_name(token) && token != "use");
            if outer.last().is_some_and(is_outer) {
                return false;
            }
            before = outer;
        }
        let is_use = match before {
            [.., first, second] if first == "extern" => second == "crate",
            _ => before.last().is_some_and(|it| it == "use"),
        };
        is_use || after.is_some_and(|it| it == "::")
    })
}

/// The Rust files below `folder`, except those of packages inside it.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, StepError> {
    let unreadable = |error| StepError::Other(format!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            let is_other = path.join("Cargo.toml").exists() || path.ends_with("target");
            if !is_other {
                files.extend(rust_files(&path)?);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

fn text(path: &Path) -> Result<String, StepError> {
    std::fs::read_to_string(path)
        .map_err(|error| StepError::Other(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{DependencyKind, Target};

    #[test]
    fn a_crate_is_used_by_a_path_or_a_use_and_not_by_a_word_or_a_comment() {
        for used in [
            "use time;",
            "use time::Duration;",
            "    let now = time::now();",
            "#[time::main]",
            "extern crate time;",
            "use ::time::Duration;",
            "pub use time as clock;",
            "Vec<time::Date>",
        ] {
            assert!(names(&tokens(used), "time"), "{used}");
        }
        for unused in [
            "let time = 1;",
            "use std::time::Duration;",
            "tokio::time::sleep(time)",
            "use times::x;",
            "mod time {}",
            "use my_time::x;",
            "use crate::time::x;",
            "let text = \"time::now\";",
        ] {
            assert!(!names(&tokens(unused), "time"), "{unused}");
        }
        assert!(!names(
            &tokens("// see time::now\n    /// [`time::Date`]\n"),
            "time"
        ));
    }

    fn dependency(name: &str, kinds: &[Option<&str>]) -> Dependency {
        let kinds = kinds.iter().map(|kind| DependencyKind {
            kind: kind.map(str::to_owned),
        });
        Dependency {
            name: name.to_owned(),
            dep_kinds: kinds.collect(),
        }
    }

    #[test]
    fn each_kind_of_dependency_must_be_used_where_it_can_be() {
        let sources = Sources {
            product: tokens("use hyper::Uri;"),
            build_script: tokens("fn main() { cc::Build::new() }"),
            all: tokens(
                "use hyper::Uri; use proptest::prelude::*; use tempfile::tempdir; use serde_json::json;",
            ),
        };
        let dependencies = [
            dependency("hyper", &[None]),
            dependency("cc", &[Some("build")]),
            dependency("proptest", &[Some("dev")]),
            dependency("tempfile", &[Some("dev")]),
            dependency("serde_json", &[None, Some("dev")]),
            dependency("trycmd", &[Some("dev")]),
        ];
        assert_eq!(
            unused("app", &dependencies, &sources),
            [
                "app does not use its dependency `serde_json`",
                "app does not use its dev-dependency `trycmd`",
            ]
        );
    }

    #[test]
    fn what_only_tests_have_is_no_use_by_the_product() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, text).unwrap();
            file
        };
        let root = write(
            "src/main.rs",
            "mod used;\n#[cfg(test)]\nmod sample;\n#[cfg(test)]\nuse tempfile::tempdir;\nuse hyper::Uri;",
        );
        write("src/used/mod.rs", "mod inner;");
        write(
            "src/used/inner.rs",
            "use time::Date;\n#[cfg(test)]\nmod tests { use toml::Table; }",
        );
        write("src/sample.rs", "use proptest::prelude::*;");
        let built = write("build.rs", "fn main() { cc::Build::new() }");
        let tested = write("tests/it.rs", "use testing::eventually;");
        let target = |kind: &str, src_path| Target {
            kind: vec![kind.to_owned()],
            src_path,
        };
        let package = Package {
            manifest_path: folder.path().join("Cargo.toml"),
            targets: vec![
                target("bin", root),
                target("custom-build", built),
                target("test", tested),
            ],
            ..Package::default()
        };
        let sources = Sources::read(&package).unwrap();
        for (name, is_product) in [
            ("hyper", true),
            ("time", true),
            ("tempfile", false),
            ("toml", false),
            ("proptest", false),
            ("testing", false),
        ] {
            assert_eq!(names(&sources.product, name), is_product, "{name}");
            assert!(names(&sources.all, name), "{name}");
        }
        assert!(names(&sources.build_script, "cc") && !names(&sources.all, "cc"));
    }

    #[test]
    fn dependencies_of_the_workspace_must_be_used_by_a_package() {
        let workspace = "[workspace.dependencies]\nserde = \"1\"\ntrycmd = \"1\"\nhyper = { version = \"1\" }\n";
        let one = "[dependencies]\nserde.workspace = true\n".to_owned();
        let other = "[dev-dependencies]\nhyper = { workspace = true }\n".to_owned();
        assert_eq!(
            not_taken(workspace, &[one, other]).unwrap(),
            ["the workspace declares `trycmd`, but no package uses it"]
        );
    }

    #[test]
    fn every_dependency_of_this_workspace_is_used() {
        check().unwrap();
    }
}
