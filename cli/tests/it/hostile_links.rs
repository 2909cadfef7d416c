//! A clone whose files are links: to devices without an end, and to files of the kernel's that have no size.

use std::os::unix::fs::symlink;
use std::path::Path;

use crate::project::Project;

/// What git keeps as a link, and what it leads to. Reading it whole would take all memory.
const ENDLESS: [&str; 2] = ["/dev/zero", "/proc/self/pagemap"];

/// A route to a backend, whose secret is in a file.
const SECRET: &str = "[[routes]]\nkey = \"$default\"\nhttp = \"http://127.0.0.1:8080\"\n\
                      secret-header = { name = \"x-s\", ssm = \"/c/k\", file = \"s\" }\n";

/// A link in the place of `name`, in a clone with `config`; `words` end, with `said` in their error, or without one.
struct Case {
    name: &'static str,
    config: &'static str,
    words: &'static [&'static str],
    said: Option<&'static str>,
}

const CASES: [Case; 8] = [
    Case {
        name: "chatctl.toml",
        config: "",
        words: &["status", "--local"],
        said: Some("could not read"),
    },
    Case {
        name: "chatctl.toml",
        config: "",
        words: &["render"],
        said: Some("could not read"),
    },
    Case {
        name: "x.yaml",
        config: "[template]\noverlay = \"x.yaml\"\n",
        words: &["render"],
        said: Some("the overlay x.yaml cannot be read"),
    },
    Case {
        name: "t.yaml",
        config: "",
        words: &["dev", "--no-watch", "--template", "t.yaml"],
        said: Some("could not read t.yaml"),
    },
    Case {
        name: "token",
        config: "",
        words: &[
            "chat",
            "--url",
            "ws://127.0.0.1:9/v1",
            "--token-file",
            "token",
        ],
        said: Some("could not read the token in token"),
    },
    Case {
        name: "s",
        config: SECRET,
        words: &["deploy", "--local"],
        said: Some("its secret"),
    },
    Case {
        name: "chatctl.keys.json",
        config: "[auth]\nmode = \"token\"\n",
        words: &["render"],
        said: Some("chatctl.keys.json"),
    },
    Case {
        name: "chatctl.schema.json",
        config: "",
        words: &["init", "--force"],
        said: None,
    },
];

#[test]
fn a_link_to_what_has_no_end_is_refused_before_it_takes_the_memory() {
    for endless in ENDLESS {
        for case in &CASES {
            let project = Project::new(case.config);
            let path = project.path().join(case.name);
            let _there = std::fs::remove_file(&path);
            symlink(endless, &path).unwrap();
            let ended = limited(&project, case.words);
            let shown = format!(
                "{} -> {endless}: {:?}: {}",
                case.name, case.words, ended.stderr
            );
            if let Some(said) = case.said {
                assert_eq!(ended.code, 2, "{shown}");
                assert!(ended.stderr.contains(said), "{shown}");
            }
            assert!(!ended.stderr.contains("out of memory"), "{shown}");
            assert!(ended.stderr.len() < 10_000, "{shown}");
            assert_eq!(
                std::fs::read_link(&path).unwrap(),
                Path::new(endless),
                "{shown}"
            );
        }
    }
}

/// `words`, which may take a gigabyte of memory at most.
fn limited(project: &Project, words: &[&str]) -> crate::project::Finished {
    let mut command = project.command_after("ulimit -v 1000000", words);
    crate::project::finished(command.output().unwrap())
}
