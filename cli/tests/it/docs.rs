//! The pages in `docs` and the README: where their links lead, and what they quote.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Every page, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let mut paths: Vec<PathBuf> = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
    ]
    .map(|name| root().join(name))
    .into();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|end| end == "md") => paths.push(path),
                false => {}
            }
        }
    }
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// What the links of a page lead to, code left out.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    let links = prose.flat_map(|part| part.split("](").skip(1));
    links.filter_map(|rest| rest.split(')').next()).collect()
}

/// The anchors of a page, as its readers' browsers know them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.split("```").step_by(2).flat_map(str::lines);
    let headings = headings.filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let line = line.trim_start_matches('#').trim().to_lowercase();
        let kept = line
            .chars()
            .filter(|c| c.is_alphanumeric() || " -".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_there_is() {
    let mut followed = 0;
    for (path, text) in pages() {
        for link in links(&text) {
            if link.starts_with("http") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().unwrap().join(file),
            };
            assert!(target.exists(), "{}: {link}", path.display());
            if !anchor.is_empty() {
                let there = std::fs::read_to_string(target).unwrap();
                assert!(
                    anchors(&there).contains(anchor),
                    "{}: {link}",
                    path.display()
                );
            }
            followed += 1;
        }
    }
    assert!(followed > 30, "links are found");
}

#[test]
fn every_page_is_reached_from_the_first_one() {
    let docs = root().join("docs").canonicalize().unwrap();
    let mut reached = BTreeSet::from([docs.join("index.md")]);
    let mut next: Vec<PathBuf> = reached.iter().cloned().collect();
    while let Some(path) = next.pop() {
        let text = std::fs::read_to_string(&path).unwrap();
        for link in links(&text).into_iter().filter(|it| it.contains(".md")) {
            let file = link.split('#').next().unwrap();
            if let Ok(target) = path.parent().unwrap().join(file).canonicalize()
                && target.starts_with(&docs)
                && reached.insert(target.clone())
            {
                next.push(target);
            }
        }
    }
    for (path, _) in pages() {
        let path = path.canonicalize().unwrap();
        assert!(
            !path.starts_with(&docs) || reached.contains(&path),
            "no page leads to {}",
            path.display()
        );
    }
}

#[test]
fn the_page_of_the_config_quotes_the_file_that_init_writes() {
    let page = std::fs::read_to_string(root().join("docs/reference/config.md")).unwrap();
    let config = std::fs::read_to_string(root().join("templates/chatctl.toml")).unwrap();
    let quoted = format!("```toml\n{}\n```", config.trim_end());
    assert!(
        page.contains(&quoted),
        "paste templates/chatctl.toml into docs/reference/config.md"
    );
}

#[test]
fn the_readme_is_read_in_a_few_minutes() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let words = readme.split_whitespace().count();
    assert!(
        words <= 1_000,
        "README.md has {words} words: the rest belongs into docs"
    );
}
