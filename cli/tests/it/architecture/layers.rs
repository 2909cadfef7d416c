//! Which modules of a crate may name which, where no crate keeps them apart. The tables of ARCHITECTURE.md have the same order.

use std::path::PathBuf;

use super::modules::Modules;
use super::{root, sources};

/// The modules of its own crate that the files of `module` name, tests excepted.
fn named_by(package: &str, module: &str) -> Vec<(PathBuf, String)> {
    let root = root().join(package).join("src");
    let (folder, file) = (root.join(module), root.join(format!("{module}.rs")));
    let files = if folder.is_dir() {
        sources(&folder)
    } else {
        vec![file]
    };
    assert!(!files.is_empty());
    let mut named = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for rest in code.split("crate::").skip(1) {
            let name: String = rest
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            named.push((file.clone(), name));
        }
    }
    named
}

fn check(package: &str, layers: &[(&str, &[&str])]) {
    for (module, allowed) in layers {
        for (file, name) in named_by(package, module) {
            assert!(
                name == *module || allowed.contains(&name.as_str()),
                "{} names `{name}`, but `{module}` may only name {allowed:?}",
                file.display()
            );
        }
    }
    let all = std::fs::read_dir(root().join(package).join("src")).unwrap();
    for entry in all {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(
            matches!(module, "main" | "lib") || layers.iter().any(|(layer, _)| *layer == module),
            "{package}/src/{name} has no layer"
        );
    }
}

#[test]
fn the_modules_of_the_library_name_only_those_below_them() {
    let engine = ["config", "engine", "interrupt", "packaging", "stack"];
    let mut local = engine.to_vec();
    local.extend(["directory", "guard", "programs", "reading"]);
    check(
        "deploy",
        &[
            ("config", &["reading"]),
            ("directory", &["engine"]),
            ("exit", &[]),
            ("reading", &["scale"]),
            ("scale", &[]),
            ("guard", &[]),
            ("programs", &[]),
            ("scratch", &[]),
            ("interrupt", &["exit", "guard", "scratch"]),
            ("stack", &["config"]),
            (
                "packaging",
                &[
                    "config",
                    "directory",
                    "engine",
                    "guard",
                    "programs",
                    "reading",
                    "scratch",
                    "stack",
                ],
            ),
            (
                "engine",
                &["config", "interrupt", "reading", "scale", "stack"],
            ),
            ("keys", &["config", "engine"]),
            ("aws", &engine),
            ("local", &local),
            ("fuzzing", &["config", "local", "packaging", "stack"]),
        ],
    );
}

#[test]
fn the_modules_of_the_command_name_only_those_below_them() {
    check(
        "cli",
        &[
            ("error", &[]),
            ("handlers", &[]),
            ("watch", &[]),
            ("terminal", &["error"]),
            ("commands", &["error", "terminal", "watch"]),
        ],
    );
}

/// Checks that each module at the top of a crate has its place in `order`, and imports only those before it.
fn check_order(package: &str, order: &[String]) {
    let folder = root().join(package).join("src");
    let place = |module: &str| order.iter().position(|it| it == module);
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(
            matches!(module, "main" | "lib" | "tests") || place(module).is_some(),
            "{package}/src/{name} has no place in {order:?}"
        );
    }
    for file in ["lib.rs", "main.rs"].map(|file| folder.join(file)) {
        if !file.exists() {
            continue;
        }
        let modules = Modules::read(&file, &|file| std::fs::read_to_string(file).ok());
        for import in modules.imports() {
            if let (Some(from), Some(to)) = (import.from.first(), import.to.first()) {
                assert!(
                    from == to || place(to) < place(from),
                    "{package}: `{}` imports `{}` of `{to}`, which does not come before `{from}` in {order:?}",
                    import.from.join("::"),
                    import.name
                );
            }
        }
    }
}

/// The modules that the table below a heading of ARCHITECTURE.md has in the first cells of its rows.
fn rows(heading: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, section) = text.split_once(&format!("\n### {heading}\n")).unwrap();
    let section = section.split("\n##").next().unwrap();
    let cells = section.lines().filter_map(|line| line.split('|').nth(1));
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let names = names.map(|name| name.trim_end_matches('/').trim_end_matches(".rs"));
    names.map(str::to_owned).collect()
}

#[test]
fn the_library_s_table_has_each_module_after_those_that_it_names() {
    check_order("deploy", &rows("deploy"));
}

#[test]
fn the_local_stack_s_table_has_each_module_above_those_that_it_names() {
    let mut order = rows("local");
    order.reverse();
    check_order("local", &order);
}

#[test]
fn the_modules_of_the_handlers_name_only_those_before_them() {
    let order = [
        "log",
        "limits",
        "protocol",
        "routes",
        "secrets",
        "session",
        "members",
        "event",
        "shard",
        "delivery",
        "environment",
        "invocation",
        "runtime",
        "store",
        "texts",
        "tokens",
        "fan_out",
        "history",
        "issuer",
        "items",
        "envelope",
        "room",
        "dispatch",
        "review",
        "presence",
        // They name neither the fakes nor the adapters, which `serve` puts behind their traits.
        "handlers",
        "memory",
        "aws",
        "serve",
    ];
    check_order("lambdas", &order.map(str::to_owned));
}

#[test]
fn the_modules_of_the_users_library_name_only_those_before_them() {
    let order = [
        "error",
        "decision",
        "handshake",
        "message",
        "reply",
        "review",
        "verdict",
        "secret",
        "services",
        "table",
        "chat",
        "run",
        "fake",
    ];
    check_order("sdk", &order.map(str::to_owned));
}
