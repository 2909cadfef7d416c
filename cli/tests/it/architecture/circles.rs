//! No modules import one another in a circle.
//!
//! The modules of one folder are compared with one another, each with everything below it. What is in the folder's own
//! file, `mod.rs`, is not part of the comparison: it may compose what is below it, and have what they share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::modules::{Import, ModulePath, Modules};
use super::{packages, root};

/// A folder, two of its modules, and the imports by which one reaches the other.
type Edges = BTreeMap<(String, String), Vec<Import>>;

/// The circles among the modules of each folder, each with its imports, one a line.
fn circles(modules: &Modules) -> Vec<String> {
    let mut folders: BTreeMap<ModulePath, Edges> = BTreeMap::new();
    for import in modules.imports() {
        let pairs = import.from.iter().zip(&import.to);
        let shared = pairs.take_while(|(one, other)| one == other).count();
        if let (Some(from), Some(to)) = (import.from.get(shared), import.to.get(shared)) {
            let edges = folders.entry(import.from[..shared].to_vec()).or_default();
            let edge = edges.entry((from.clone(), to.clone())).or_default();
            edge.push(import.clone());
        }
    }
    folders.values().flat_map(circles_among).collect()
}

fn circles_among(edges: &Edges) -> Vec<String> {
    // A module that none imports, or that imports none, is in no circle. Without those, others become such modules.
    let mut left: BTreeSet<&(String, String)> = edges.keys().collect();
    loop {
        let from: BTreeSet<_> = left.iter().map(|(from, _)| from).collect();
        let to: BTreeSet<_> = left.iter().map(|(_, to)| to).collect();
        let before = left.len();
        left.retain(|(one, other)| to.contains(one) && from.contains(other));
        if left.len() == before {
            break;
        }
    }
    let imports = left.into_iter().flat_map(|edge| &edges[edge]);
    let lines: Vec<_> = imports
        .map(|it| {
            let [from, to] = [&it.from, &it.to].map(|place| place.join("::"));
            format!("{from} → {to}: {}", it.name)
        })
        .collect();
    match lines.is_empty() {
        true => Vec::new(),
        false => vec![lines.join("\n")],
    }
}

/// A grammar whose expressions contain templates, and the reverse, is a circle by its nature.
const GRAMMAR: &str = "\
velocity::expressions → velocity::parse: nested
velocity::parse → velocity::expressions: expression
velocity::parse → velocity::expressions: is_reference
velocity::parse → velocity::expressions: reference";

#[test]
fn no_modules_import_one_another_in_a_circle() {
    for package in packages() {
        let mut circular = Vec::new();
        for file in ["lib.rs", "main.rs"] {
            let file = root().join(&package).join("src").join(file);
            if file.exists() {
                let modules = Modules::read(&file, &|file| std::fs::read_to_string(file).ok());
                circular.extend(circles(&modules));
            }
        }
        let expected = if package == "mapping" {
            vec![GRAMMAR]
        } else {
            vec![]
        };
        assert_eq!(
            circular,
            expected,
            "modules of {package} import one another in a circle: move what they share into a module of its own\n{}",
            circular.join("\n\n")
        );
    }
}

fn check(files: &[(&str, &str)], expected: &[&str]) {
    let files: BTreeMap<_, _> = files.iter().copied().collect();
    let read = |file: &Path| {
        files
            .get(file.to_str().unwrap())
            .map(|text| (*text).to_owned())
    };
    let modules = Modules::read(Path::new("src/lib.rs"), &read);
    assert_eq!(circles(&modules), expected);
}

#[test]
fn a_circle_is_found_through_paths_groups_other_names_and_folders() {
    check(
        &[
            ("src/lib.rs", "mod a;\nmod b;\nmod c;\npub use b::Leaf;"),
            (
                "src/a.rs",
                "use crate::{b::{self, deep::Deep as D}, c};\nfn f(_: D) { c::g() }",
            ),
            ("src/b/mod.rs", "mod deep;\npub struct Leaf;"),
            (
                "src/b/deep.rs",
                "pub struct Deep;\nfn f<'a>() { let _ = ('\"', crate::c::g()); }",
            ),
            ("src/c.rs", "pub fn g() { crate::a::f() }"),
        ],
        &["a → b::deep: Deep\na → c: g\nb::deep → c: g\nc → a: f"],
    );
}

#[test]
fn a_folder_s_own_file_names_that_are_passed_on_and_tests_make_no_circle() {
    check(
        &[
            ("src/lib.rs", "mod a;\nmod b;\nmod c;"),
            // It takes `Leaf` from `c`, where it is defined, and not from `b`, which passes it on.
            ("src/a.rs", "use crate::b::Leaf;\npub struct A;"),
            (
                "src/b.rs",
                "pub use crate::c::Leaf;\nuse crate::a::A;\n// crate::c::no\nconst T: &str = \"crate::c::no\";",
            ),
            (
                "src/c/mod.rs",
                "mod d;\npub struct Leaf;\nfn f() { d::f() }\n#[cfg(test)]\nuse crate::a::{A, B};\n\
                 struct S {\n#[cfg(test)]\na: crate::a::A,\nb: u8 }\n\
                 #[cfg(test)]\n#[expect(dead_code)]\nmod tests {\n use crate::b::*; fn g() { crate::b::x(r#\"}\"#) } }",
            ),
            ("src/c/d.rs", "use super::Leaf;\npub fn f(_: Leaf) {}"),
        ],
        &[],
    );
}

#[test]
fn what_only_leads_to_a_circle_is_not_said_with_it() {
    check(
        &[
            ("src/lib.rs", "mod above;\nmod a;\nmod b;\nmod below;"),
            ("src/above.rs", "use super::a::A;"),
            ("src/a.rs", "use super::b::B;\npub struct A;"),
            ("src/b.rs", "use super::{a::A, below::C};\npub struct B;"),
            ("src/below.rs", "pub struct C;"),
        ],
        &["a → b: B\nb → a: A"],
    );
}
