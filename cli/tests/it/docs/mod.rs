//! The pages in `docs` and the README: where their links lead, and what they quote.

mod coverage;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::project::peer;

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
    let links = prose
        .flat_map(|part| part.split("](").skip(1))
        .filter_map(|rest| rest.split(')').next());
    links.chain(pictures(text)).collect()
}

/// The pictures that a page names in HTML, where light and dark differ.
fn pictures(text: &str) -> impl Iterator<Item = &str> {
    let named = ["src=\"", "srcset=\""].map(|attribute| {
        let rests = text.split(attribute).skip(1);
        rests.filter_map(|rest| rest.split('"').next())
    });
    named.into_iter().flatten()
}

/// The anchors of a page, as its readers' browsers know them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text
        .split("```")
        .step_by(2)
        .flat_map(str::lines)
        .filter(|line| line.starts_with('#'));
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

/// Every file and folder of the repository, each with what it ends with: `a/b.rs` and `b.rs` for `a/b.rs`.
fn endings() -> BTreeSet<String> {
    let (mut endings, mut folders) = (BTreeSet::new(), vec![root().to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let mut rest = path.strip_prefix(root()).unwrap();
            if ["target", ".git"]
                .iter()
                .any(|made| rest == Path::new(made))
            {
                continue;
            }
            while !rest.as_os_str().is_empty() {
                endings.insert(rest.to_str().unwrap().to_owned());
                let mut parts = rest.components();
                parts.next();
                rest = parts.as_path();
            }
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    endings
}

/// What stands between backticks in a page and is a path of this repository by its form, `{a,b}` written out.
fn paths(text: &str) -> Vec<String> {
    const ENDINGS: [&str; 8] = [
        ".rs", ".md", ".yaml", ".toml", ".json", ".py", ".html", ".js",
    ];
    let prose = text.split("```").step_by(2).collect::<String>();
    let quoted = prose.split('`').skip(1).step_by(2);
    let is_path = |text: &&str| {
        let is_plain = text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_./{},-".contains(c));
        let is_elsewhere = text.starts_with(['/', '.']) || text.starts_with("target/");
        let stands_for_others = text
            .split('/')
            .any(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_uppercase()));
        let has_form = text.contains('/') || ENDINGS.iter().any(|end| text.ends_with(end));
        is_plain && has_form && !is_elsewhere && !stands_for_others
    };
    quoted
        .filter(is_path)
        .flat_map(|path| match (path.split_once('{'), path.split_once('}')) {
            (Some((before, _)), Some((within, after))) => {
                let within = &within[before.len() + 1..];
                let each = within
                    .split(',')
                    .map(|name| format!("{before}{name}{after}"));
                each.collect()
            }
            _ => vec![path.to_owned()],
        })
        .collect()
}

#[test]
fn every_path_that_the_pages_for_contributors_name_exists() {
    let endings = endings();
    let mut found = 0;
    for page in [
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "README.md",
        "docs/style.md",
    ] {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        for path in paths(&text) {
            let is_there = endings.contains(path.trim_end_matches('/'));
            assert!(is_there, "{page} names `{path}`, which does not exist");
            found += 1;
        }
    }
    assert!(found > 100, "only {found} paths were found");
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

/// The most bytes that a picture may have.
const MAX_PICTURE_BYTES: u64 = 200_000;

#[test]
fn every_picture_is_shown_somewhere_is_small_and_says_what_it_shows() {
    let mut named = BTreeSet::new();
    for (path, text) in pages() {
        for link in links(&text)
            .into_iter()
            .filter(|link| link.contains("images/"))
        {
            named.insert(path.parent().unwrap().join(link).canonicalize().unwrap());
        }
        for (at, _) in text.match_indices("<img ") {
            let tag = text[at..].split('>').next().unwrap();
            let alt = tag
                .split("alt=\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next());
            assert!(
                alt.is_some_and(|alt| alt.len() > 20),
                "{}: {tag}",
                path.display()
            );
        }
    }
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("docs/images")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = path.metadata().unwrap().len();
        assert!(
            bytes <= MAX_PICTURE_BYTES,
            "{}: {bytes} bytes",
            path.display()
        );
        assert!(
            named.contains(&path.canonicalize().unwrap()),
            "no page shows {}",
            path.display()
        );
        count += 1;
    }
    assert!(count >= 6, "{count} pictures");
}

#[test]
fn no_picture_shows_a_path_of_the_machine_that_it_was_made_on() {
    for entry in std::fs::read_dir(root().join("docs/images")).unwrap() {
        let path = entry.unwrap().path();
        let drawing = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        for place in ["/tmp", "/root", "/work", "/var/folders", "target/"] {
            assert!(!drawing.contains(place), "{}: {place}", path.display());
        }
    }
}

#[test]
fn the_book_builds_without_a_warning() {
    let site = tempfile::tempdir().unwrap();
    let built = std::process::Command::new(peer("CHATCTL_MKDOCS"))
        .args(["build", "--strict", "--quiet", "--site-dir"])
        .arg(site.path())
        .current_dir(root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{said}");
    let first = std::fs::read_to_string(site.path().join("index.html")).unwrap();
    assert!(first.contains("guide/quickstart.html"));
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

#[test]
fn every_page_of_the_book_is_in_its_contents_and_every_guide_on_its_first_page() {
    let contents = std::fs::read_to_string(root().join("mkdocs.yml")).unwrap();
    let first = std::fs::read_to_string(root().join("docs/index.md")).unwrap();
    for (path, _) in pages() {
        let Ok(page) = path.strip_prefix(root().join("docs")) else {
            continue;
        };
        let page = page.to_str().unwrap();
        assert!(contents.contains(&format!("- {page}\n")), "{page}");
        assert!(
            page == "index.md" || first.contains(&format!("({page})")),
            "docs/index.md does not lead to {page}"
        );
    }
}
