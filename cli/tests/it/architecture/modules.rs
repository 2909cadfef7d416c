//! Which modules of a crate import which, read from the sources as rustc would read them: tests left out, and names that
//! a module only passes on followed to the module that defines them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::tokens::tokens;

/// The names from a crate's root down to a module; empty for the root.
pub(super) type ModulePath = Vec<String>;

/// A crate's modules, by their places.
#[derive(Debug, Default)]
pub(super) struct Modules(BTreeMap<ModulePath, Module>);

#[derive(Debug)]
struct Module {
    uses: Vec<Use>,
    /// The paths in the code, without those that `use` imports.
    paths: Vec<Vec<String>>,
}

/// One name that is imported.
#[derive(Debug, Clone)]
struct Use {
    /// Whether others can take it from here.
    is_passed_on: bool,
    path: Vec<String>,
    name: String,
}

/// A module imports a name from another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Import {
    pub(super) from: ModulePath,
    pub(super) to: ModulePath,
    pub(super) name: String,
}

impl Modules {
    /// The modules below the file `root`. `read` returns a file's text, if there is one.
    pub(super) fn read(root: &Path, read: &impl Fn(&Path) -> Option<String>) -> Self {
        let mut modules = Self::default();
        let folder = root.parent().unwrap();
        modules.add(ModulePath::new(), &read(root).unwrap(), folder, read);
        modules
    }

    fn add(
        &mut self,
        place: ModulePath,
        text: &str,
        folder: &Path,
        read: &impl Fn(&Path) -> Option<String>,
    ) {
        let (module, children) = Module::parse(&tokens(text));
        self.0.insert(place.clone(), module);
        for child in children {
            let below = folder.join(&child);
            let mut files = [below.with_extension("rs"), below.join("mod.rs")].into_iter();
            let text = files.find_map(|file| read(&file));
            let text = text.unwrap_or_else(|| panic!("no file of the module {below:?}"));
            let place = [&place[..], &[child]].concat();
            self.add(place, &text, &below, read);
        }
    }

    /// Every import of a name from another module of the crate.
    pub(super) fn imports(&self) -> BTreeSet<Import> {
        let mut imports = BTreeSet::new();
        for (from, module) in &self.0 {
            let used = module.uses.iter().filter(|it| !it.is_passed_on);
            let used = used.map(|it| &it.path);
            for path in used.chain(&module.paths) {
                let Some((place, names)) = self.start(from, path) else {
                    continue;
                };
                // A module by itself is only a shorter name for what is taken from it.
                if let Some((to, Some(name))) = self.follow(place, &names, 0)
                    && to != *from
                {
                    let from = from.clone();
                    imports.insert(Import { from, to, name });
                }
            }
        }
        imports
    }

    /// The module in which `path` starts when `from` names it, and what remains; `None` if that is another crate.
    fn start(&self, from: &ModulePath, path: &[String]) -> Option<(ModulePath, Vec<String>)> {
        let mut place = from.clone();
        let mut rest = path;
        match path[0].as_str() {
            "crate" => (place, rest) = (ModulePath::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    place.pop()?;
                    rest = &rest[1..];
                }
            }
            first => {
                let child = [&from[..], &[first.to_owned()]].concat();
                if !self.0.contains_key(&child) {
                    let uses = &self.0[from].uses;
                    let is_own =
                        |it: &&Use| ["crate", "self", "super"].contains(&it.path[0].as_str());
                    let import = uses.iter().filter(is_own).find(|it| it.name == first)?;
                    let (place, names) = self.start(from, &import.path)?;
                    return Some((place, [&names[..], &path[1..]].concat()));
                }
            }
        }
        Some((place, rest.to_vec()))
    }

    /// The module that defines the first of `names` that is no module, and that name.
    fn follow(
        &self,
        place: ModulePath,
        names: &[String],
        depth: usize,
    ) -> Option<(ModulePath, Option<String>)> {
        assert!(depth < 32, "{names:?} in {place:?} leads to itself");
        let Some((name, rest)) = names.split_first() else {
            return Some((place, None));
        };
        let child = [&place[..], std::slice::from_ref(name)].concat();
        if self.0.contains_key(&child) {
            return self.follow(child, rest, depth + 1);
        }
        match self.0[&place].uses.iter().find(|it| it.name == *name) {
            None => Some((place, Some(name.clone()))),
            Some(import) => {
                let (place, names) = self.start(&place, &import.path)?;
                self.follow(place, &[&names[..], rest].concat(), depth + 1)
            }
        }
    }
}

impl Module {
    /// The module of these tokens, and the names of its modules that are files.
    fn parse(tokens: &[String]) -> (Self, Vec<String>) {
        let (mut uses, mut paths, mut children) = (Vec::new(), Vec::new(), Vec::new());
        let mut at = 0;
        while at < tokens.len() {
            let before = at.checked_sub(1).map_or("", |at| tokens[at].as_str());
            match tokens[at].as_str() {
                // A type's `use<…>` imports nothing.
                "use" if tokens.get(at + 1).is_some_and(|it| it != "<") => {
                    let end = at + tokens[at..].iter().position(|it| it == ";").unwrap();
                    let is_passed_on = before == "pub" || before == ")";
                    for (path, name) in tree(&tokens[at + 1..end]) {
                        uses.push(Use {
                            is_passed_on,
                            path,
                            name,
                        });
                    }
                    at = end;
                }
                "mod" if tokens.get(at + 2).is_some_and(|it| it == ";") => {
                    children.push(tokens[at + 1].clone());
                    at += 2;
                }
                _ if before != "::" => {
                    let mut path = Vec::new();
                    while let Some(name) = tokens.get(at).filter(|it| is_name(it)) {
                        path.push(name.clone());
                        match tokens.get(at + 1).is_some_and(|it| it == "::") {
                            true => at += 2,
                            false => break,
                        }
                    }
                    if path.len() > 1 {
                        paths.push(path);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        (Self { uses, paths }, children)
    }
}

/// Every path of the tree that `use` imports, and the name that it has here.
fn tree(tokens: &[String]) -> Vec<(Vec<String>, String)> {
    let Some(open) = tokens.iter().position(|it| it == "{") else {
        let mut names = tokens.iter().filter(|it| *it != "::").cloned();
        let mut path: Vec<String> = names.by_ref().take_while(|it| it != "as").collect();
        let name = names.next().or_else(|| path.last().cloned());
        if path.last().is_some_and(|it| it == "self") && path.len() > 1 {
            path.pop();
        }
        return vec![(path, name.unwrap())];
    };
    let before: Vec<String> = tokens[..open]
        .iter()
        .filter(|it| *it != "::")
        .cloned()
        .collect();
    let (mut all, mut depth, mut begin) = (Vec::new(), 0, open + 1);
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        let is_end = (token == "," && depth == 1) || (token == "}" && depth == 0);
        if is_end && begin < at {
            let part = tree(&tokens[begin..at]);
            all.extend(part.into_iter().map(|(path, name)| {
                let is_self = path == ["self"];
                let path = if is_self {
                    before.clone()
                } else {
                    [&before[..], &path].concat()
                };
                let name = if is_self && name == "self" {
                    before.last().unwrap().clone()
                } else {
                    name
                };
                (path, name)
            }));
        }
        if is_end {
            begin = at + 1;
        }
    }
    all
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}
