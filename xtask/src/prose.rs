//! Words that prose in this repository does not use (`docs/style.md`): in Markdown, web pages, `chat.js` and the recorded help,
//! in comments of every other kind of source, and in texts of Rust outside of tests.

use std::process::Command;

use crate::run::{StepError, root};
use crate::words::AVOIDED;

/// The files that are checked, in the patterns of git.
const CHECKED: &[&str] = &[
    "*.rs", "*.yaml", "*.yml", "*.toml", "*.md", "*.html", "*.txt", "*.js", "*.mjs", "*.ts",
    "*.py", "*.sh", "*.tf", ".ci/run",
];

/// Inputs of programs, which are no prose of this repository, and the page that quotes the words.
const EXCEPTED: &[&str] = &["fuzz/corpus/", "docs/style.md"];

/// Lists each avoided word with its place.
pub(crate) fn check() -> Result<(), StepError> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--"])
        .args(CHECKED)
        .current_dir(root())
        .output()
        .map_err(|error| StepError::Other(format!("git ls-files: {error}")))?;
    let paths = String::from_utf8_lossy(&listed.stdout);
    let is_checked =
        |path: &&str| !path.is_empty() && !EXCEPTED.iter().any(|folder| path.starts_with(folder));
    let mut faults = Vec::new();
    for path in paths.split('\0').filter(is_checked) {
        // A file that was deleted but not committed is still listed.
        let text = std::fs::read_to_string(root().join(path)).unwrap_or_default();
        let mut found = avoided(&text, markers(path));
        if path.ends_with(".rs") && is_shipped(path) {
            found.extend(avoided_in_texts(&text));
        }
        faults.extend(found.into_iter().map(|(line, word)| {
            format!("{path}:{line}: `{word}`: name the component or the user (docs/style.md)")
        }));
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(StepError::Other(faults.join("\n"))),
    }
}

/// What a line of prose in this file begins with.
fn markers(path: &str) -> &'static [&'static str] {
    match path.rsplit('.').next() {
        Some("rs") => &["//"],
        Some("mjs" | "ts") => &["//", "/*", "*"],
        // All of it is prose, or close to it. The page has a copy of the script.
        Some("md" | "html" | "js") => &[""],
        Some("txt") if path.starts_with("cli/tests/it/help/") => &[""],
        _ => &["#"],
    }
}

/// The avoided words with their lines, in the lines of `text` that begin with one of `markers`. Code in them is skipped.
fn avoided(text: &str, markers: &[&str]) -> Vec<(usize, &'static str)> {
    let mut is_code = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let Some(comment) = markers.iter().find_map(|marker| line.strip_prefix(marker)) else {
            is_code = false;
            continue;
        };
        if comment
            .trim_start_matches(['/', '!', ' '])
            .starts_with("```")
        {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        found.extend(words_in(comment).map(|word| (index + 1, word)));
    }
    found
}

/// The avoided words of `prose`; what stands between backticks is code.
fn words_in(prose: &str) -> impl Iterator<Item = &'static str> {
    let prose: String = prose.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let words = prose
        .to_lowercase()
        .replace(|c: char| !c.is_alphanumeric(), " ");
    let words = format!(
        " {} ",
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    let is_in = move |word: &&&str| words.contains(&format!(" {word} "));
    AVOIDED.iter().filter(is_in).copied()
}

/// Whether a user may see the texts of this source: not in tests, nor in the list of words itself.
fn is_shipped(path: &str) -> bool {
    let is_test = path
        .split('/')
        .any(|part| part == "tests" || part == "tests.rs");
    !is_test && !path.starts_with("testing/") && path != "xtask/src/words.rs"
}

/// The avoided words with their lines, in the string literals of `source` in front of its tests.
fn avoided_in_texts(source: &str) -> Vec<(usize, &'static str)> {
    let shipped = source
        .split("#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default();
    let mut found = Vec::new();
    let mut in_text = false;
    for (index, line) in shipped.lines().enumerate() {
        if !in_text && line.trim_start().starts_with("//") {
            continue;
        }
        // Names in the braces of a format are code. A quote behind a backslash, or as a character, ends no text.
        let line = line
            .replace("\\\\", "")
            .replace("\\\"", "")
            .replace("'\"'", "");
        for (part, text) in line.split('"').enumerate() {
            in_text ^= part > 0;
            if in_text {
                let text = text.split('{').map(|part| part.rsplit('}').next());
                let text: Vec<_> = text.flatten().collect();
                found.extend(words_in(&text.join(" ")).map(|word| (index + 1, word)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn avoided_words_in_comments_are_found_and_other_text_is_not() {
        let text = "\
            /\u{2f}/ Nobody may know.\n\
            let nobody = \"whoever\";\n\
            /\u{2f} The sender is told; `whoever` is code.\n\
            //! ```\n\
            //! let somebody = 1;\n\
            //! ```\n\
            // A body, and the rest.\n";
        assert_eq!(avoided(text, &["//"]), [(1, "nobody"), (3, "told")]);
        assert_eq!(
            avoided("a: 1\n  # anybody's\n", markers("a.sh")),
            [(2, "anybody")]
        );
        let page = "# A page\n\n```sh\necho nobody\n```\n\nThe user hears.\n";
        assert_eq!(avoided(page, markers("a.md")), [(7, "hears")]);
    }

    #[test]
    fn comments_of_scripts_are_prose_and_what_a_conversation_says_is_not() {
        let script = "# Nobody reads.\nTom: anybody home?\nTom is told BadMember\n";
        let place = "testing/scripts/alone.txt";
        assert_eq!(avoided(script, markers(place)), [(1, "nobody")]);
        let help = "The stack knows a name.\n";
        assert_eq!(
            avoided(help, markers("cli/tests/it/help/send.txt")),
            [(1, "knows")]
        );
        let module = "/** It\n * hears, and\n */\nconst told = 1; // told\n";
        assert_eq!(avoided(module, markers("fakes.mjs")), [(2, "hears")]);
    }

    #[test]
    fn avoided_words_in_texts_are_found_except_in_tests() {
        let source = "let a = \"{told}Nobody \\\"hears\\\" \\\n   it\"; let hears = '\"';\n\
            /\u{2f} \"somebody\"\n\
            #[cfg(test)]\nmod tests {\n    const B: &str = \"whoever\";\n}\n";
        assert_eq!(avoided_in_texts(source), [(1, "nobody"), (1, "hears")]);
    }

    #[test]
    fn prose_in_this_repository_avoids_them() {
        check().unwrap();
    }
}
