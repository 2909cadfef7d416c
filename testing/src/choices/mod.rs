//! Every option of a config, for the tests that try each with every example. **A new option is one entry of [`CHOICES`].**
//!
//! | what | how |
//! |---|---|
//! | each choice with each example | [`alone`]: rendered and linted |
//! | every pair of a choice and an example, in as few stacks as that takes | [`together`]: deployed and run |
//!
//! A choice that an example refuses names the refusal, which is tested, too.

#[cfg(test)]
mod coverage;
mod list;

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use toml::{Table, Value};

pub use list::{CHOICES, Choice};

/// An example: its name and its config.
#[derive(Debug, Clone)]
pub struct Example {
    /// The folder's name.
    pub name: String,
    config: Table,
}

/// A config with choices, as files.
#[derive(Debug, Clone)]
pub struct Case {
    /// The example and the choices.
    pub name: String,
    /// `chatctl.toml`.
    pub config: String,
    /// The files beside it: names and texts. Crates are there, but do nothing.
    pub files: Vec<(String, String)>,
    /// A part of the reason why it is refused; `None` if it is accepted.
    pub refusal: Option<&'static str>,
}

/// Every example.
///
/// # Panics
/// Their folder cannot be read.
#[must_use]
pub fn examples() -> Vec<Example> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let found = std::fs::read_dir(folder).expect("the examples are there");
    let mut examples: Vec<Example> = found
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let config = std::fs::read_to_string(path.join("chatctl.toml")).ok()?;
            // AWS reaches no backend on this machine.
            let config = config.replace("http://127.0.0.1:3000", "https://backend.example");
            // A crate of another example is not beside the config, but in a folder of its own.
            let config = config.replace("\"../review/", "\"");
            Some(Example {
                name: path.file_name()?.to_string_lossy().into_owned(),
                config: config.parse().expect("it is TOML"),
            })
        })
        .collect();
    examples.sort_by(|one, other| one.name.cmp(&other.name));
    examples
}

/// Each choice with each example.
#[must_use]
pub fn alone() -> Vec<Case> {
    let examples = examples();
    let pairs = examples
        .iter()
        .flat_map(|example| CHOICES.iter().map(move |choice| (example, choice)));
    pairs
        .map(|(example, choice)| example.with(&[choice]))
        .collect()
}

/// Few configs of each example that have every choice with it: all that go together at once. Choices that
/// `is_left_out` are in none.
#[must_use]
pub fn together(is_left_out: impl Fn(&Choice) -> bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for example in examples() {
        let fits = |choice: &&Choice| example.refusal(choice).is_none() && !is_left_out(choice);
        let fitting: Vec<&Choice> = CHOICES.iter().filter(fits).collect();
        let groups: BTreeSet<_> = fitting.iter().filter_map(|choice| choice.group).collect();
        let of = |group| {
            fitting
                .iter()
                .filter(move |choice| choice.group == Some(group))
        };
        let rounds = groups
            .iter()
            .map(|group| of(*group).count())
            .max()
            .unwrap_or(1);
        for round in 0..rounds {
            let alone = fitting
                .iter()
                .copied()
                .filter(|choice| choice.group.is_none());
            let one_each = groups.iter().filter_map(|group| {
                let of_group: Vec<_> = of(*group).collect();
                of_group.get(round % of_group.len()).copied().copied()
            });
            // A table that is replaced is replaced before others add to it.
            cases.push(example.with(&one_each.chain(alone).collect::<Vec<_>>()));
        }
    }
    cases
}

impl Example {
    fn refusal(&self, choice: &Choice) -> Option<&'static str> {
        let mut refusals = choice.refused_by.iter();
        refusals
            .find(|(example, _)| *example == self.name)
            .map(|(_, reason)| *reason)
    }

    /// Its config with `choices`.
    ///
    /// # Panics
    /// A choice is not TOML.
    #[must_use]
    pub fn with(&self, choices: &[&Choice]) -> Case {
        let mut config = self.config.clone();
        let mut files = Vec::new();
        for choice in choices {
            if let Some(table) = choice.instead_of {
                config.remove(table);
            }
            let add: Table = choice.config.parse().expect("a choice is TOML");
            merge(&mut config, &add);
            let route: Table = choice.route.parse().expect("a choice is TOML");
            for passing in config
                .get_mut("routes")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                let passing = passing.as_table_mut().expect("a route is a table");
                let others = ["http", "handler", "answers"];
                if !others.iter().any(|key| passing.contains_key(*key)) {
                    merge(passing, &route);
                }
            }
            files.extend(
                choice
                    .files
                    .iter()
                    .map(|(name, text)| ((*name).to_owned(), (*text).to_owned())),
            );
        }
        let mode = config.get("auth").and_then(|auth| auth.get("mode"));
        if mode.and_then(Value::as_str) == Some("token") {
            let (name, text) = list::KEYS;
            files.push((name.to_owned(), text.to_owned()));
        }
        for name in handlers(&config) {
            let manifest = format!(
                "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n"
            );
            let lock =
                format!("version = 4\n\n[[package]]\nname = \"{name}\"\nversion = \"0.0.0\"\n");
            files.push((format!("{name}/Cargo.toml"), manifest));
            files.push((format!("{name}/Cargo.lock"), lock));
            files.push((format!("{name}/src/main.rs"), "fn main() {}\n".to_owned()));
        }
        let names: Vec<_> = choices.iter().map(|choice| choice.name).collect();
        Case {
            name: format!("{} with {}", self.name, names.join(", ")),
            config: config.to_string(),
            files,
            refusal: choices.iter().find_map(|choice| self.refusal(choice)),
        }
    }
}

impl Case {
    /// Whether it has the overlay.
    #[must_use]
    pub fn has_overlay(&self) -> bool {
        self.files.iter().any(|(name, _)| name == "extra.yaml")
    }

    /// Writes the files into `folder`; `config` is put behind the config.
    ///
    /// # Panics
    /// They cannot be written.
    pub fn write(&self, folder: &Path, config: &str) {
        let mut whole: Table = self.config.parse().expect("it is TOML");
        merge(&mut whole, &config.parse().expect("it is TOML"));
        let config = ("chatctl.toml".to_owned(), whole.to_string());
        for (name, text) in self.files.iter().chain([&config]) {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
            std::fs::write(&path, text).expect("a file is written");
            // A secret that others may read is refused.
            let own = Permissions::from_mode(0o600);
            std::fs::set_permissions(path, own).expect("it is ours");
        }
    }
}

/// The folders of the user's crates in `config`.
fn handlers(config: &Table) -> BTreeSet<String> {
    let routes = config
        .get("routes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let tables = routes.chain(config.get("auth"));
    let named = |table: &Value| {
        let keys = ["handler", "review"].into_iter();
        let folders = keys.filter_map(|key| Some(table.get(key)?.as_str()?.to_owned()));
        folders.collect::<Vec<_>>()
    };
    tables.flat_map(named).collect()
}

/// Tables are merged, routes are added, everything else is replaced.
fn merge(into: &mut Table, from: &Table) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Table(into)), Value::Table(from)) => merge(into, from),
            (Some(Value::Array(into)), Value::Array(from)) if key == "routes" => {
                from.iter().for_each(|route| add(into, route));
            }
            _ => drop(into.insert(key.clone(), value.clone())),
        }
    }
}

/// Adds `route`, or merges it into the one that has its key.
fn add(routes: &mut Vec<Value>, route: &Value) {
    let mut there = routes.iter_mut();
    match there.find(|other| other.get("key") == route.get("key")) {
        Some(Value::Table(other)) => merge(other, route.as_table().expect("a route is a table")),
        _ => routes.push(route.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn together_have_every_choice_that_an_example_takes() {
        let cases = together(|_| false);
        for example in examples() {
            for choice in CHOICES
                .iter()
                .filter(|choice| example.refusal(choice).is_none())
            {
                let is_with = |case: &&Case| {
                    let parts = case.name.split_once(" with ").unwrap();
                    parts.0 == example.name && parts.1.split(", ").any(|name| name == choice.name)
                };
                assert!(
                    cases.iter().any(|case| is_with(&case)),
                    "{} with {}",
                    example.name,
                    choice.name
                );
            }
        }
        assert!(cases.len() <= 5 * examples().len(), "{} cases", cases.len());
        assert!(cases.iter().all(|case| case.refusal.is_none()));
    }

    #[test]
    fn a_refusal_is_of_an_example_that_there_is() {
        let names: Vec<String> = examples().into_iter().map(|example| example.name).collect();
        for (name, _) in CHOICES.iter().flat_map(|choice| choice.refused_by) {
            assert!(names.iter().any(|other| other == name), "{name}");
        }
    }
}
