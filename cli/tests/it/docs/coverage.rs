//! What the pages describe is all there is, and only that.

use std::collections::BTreeSet;

use super::root;

/// Each heading of the page about troubles quotes an error; `…` stands for what differs.
#[test]
fn every_error_that_the_page_about_troubles_explains_is_one_that_chatctl_has() {
    let page = std::fs::read_to_string(root().join("docs/guide/troubleshooting.md")).unwrap();
    let mut sources = String::new();
    let mut folders = [
        "cli/src",
        "deploy/src",
        "local/src",
        "lambdas/src",
        "protocol/src",
    ]
    .map(|folder| root().join(folder))
    .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => sources += &std::fs::read_to_string(path).unwrap_or_default(),
            }
        }
    }
    // A text in the source may be broken over lines.
    let sources = sources
        .replace("\\\n", " ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let mut explained = 0;
    for heading in page.lines().filter_map(|line| line.strip_prefix("## `")) {
        let quoted = heading.trim_end_matches('`');
        for part in quoted
            .split('…')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            assert!(sources.contains(part), "no source says {part:?}");
        }
        explained += 1;
    }
    assert!(explained >= 10, "{explained} errors are explained");
}

/// The actions of AWS in `text`, each between two of `quote`.
fn actions(text: &str, quote: char) -> BTreeSet<&str> {
    const SERVICES: [&str; 9] = [
        "apigateway",
        "cloudformation",
        "dynamodb",
        "execute-api",
        "iam",
        "lambda",
        "logs",
        "s3",
        "sts",
    ];
    let is_action = |quoted: &&str| {
        quoted.split_once(':').is_some_and(|(service, name)| {
            SERVICES.contains(&service)
                && name.starts_with(|c: char| c.is_ascii_uppercase())
                && name.chars().all(|c| c.is_ascii_alphabetic())
        })
    };
    text.split(quote).filter(is_action).collect()
}

#[test]
fn every_permission_that_the_command_needs_is_listed() {
    let page = std::fs::read_to_string(root().join("docs/reference/permissions.md")).unwrap();
    let table: Vec<&str> = page.lines().filter(|line| line.starts_with('|')).collect();
    let table = table.join("\n");
    let mut sources = String::new();
    let mut folders = vec![root().join("deploy/src/aws")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => sources += &std::fs::read_to_string(path).unwrap(),
            }
        }
    }
    assert_eq!(actions(&table, '`'), actions(&sources, '"'));
}

/// The commands, as the recorded help texts have them.
fn commands() -> BTreeSet<String> {
    let texts = std::fs::read_dir(root().join("cli/tests/it/help")).unwrap();
    let names = texts.map(|entry| entry.unwrap().path().file_stem().unwrap().to_owned());
    let names = names.map(|name| name.into_string().unwrap().replace("keys-", "keys "));
    names
        .filter(|name| !["chatctl", "keys"].contains(&name.as_str()))
        .collect()
}

#[test]
fn the_json_of_every_command_is_described() {
    let page = std::fs::read_to_string(root().join("docs/reference/json.md")).unwrap();
    for command in commands() {
        assert!(
            page.contains(&format!("`{command}`")),
            "docs/reference/json.md does not say what `{command} --output json` prints"
        );
    }
}

#[test]
fn every_variable_of_the_functions_is_described() {
    let page = std::fs::read_to_string(root().join("docs/reference/environment.md")).unwrap();
    for variable in chat_protocol::variable::ALL {
        assert!(page.contains(&format!("`{variable}`")), "{variable}");
    }
}
