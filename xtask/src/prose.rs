//! Words that prose in this repository does not use (`docs/style.md`), in Markdown and in comments of Rust, YAML and TOML.

use std::process::Command;

use crate::run::{StepError, root};

/// People-words for components, and for people whose role has a name.
const AVOIDED: &[&str] = &[
    "whoever",
    "whomever",
    "nobody",
    "somebody",
    "anybody",
    "is told",
    "are told",
    "was told",
    "were told",
    "hears",
];

/// Inputs of programs, which are no prose of this repository, and the page that quotes the words.
const EXCEPTED: &[&str] = &["fuzz/corpus/", "docs/style.md"];

/// Lists each avoided word with its place.
pub(crate) fn check() -> Result<(), StepError> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--", "*.rs", "*.yaml", "*.toml", "*.md"])
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
        let marker = match path.rsplit('.').next() {
            Some("rs") => "//",
            // All of it is prose.
            Some("md") => "",
            _ => "#",
        };
        let found = avoided(&text, marker);
        faults.extend(found.into_iter().map(|(line, word)| {
            format!("{path}:{line}: `{word}`: name the component or the user (docs/style.md)")
        }));
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(StepError::Other(faults.join("\n"))),
    }
}

/// The avoided words with their lines, in the lines of `text` that begin with `marker`. Code in them is skipped.
fn avoided(text: &str, marker: &str) -> Vec<(usize, &'static str)> {
    let mut is_code = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(comment) = line.trim_start().strip_prefix(marker) else {
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
        let prose: String = comment.split('`').step_by(2).collect::<Vec<_>>().join(" ");
        let words = prose
            .to_lowercase()
            .replace(|c: char| !c.is_alphanumeric(), " ");
        let words = format!(
            " {} ",
            words.split_whitespace().collect::<Vec<_>>().join(" ")
        );
        let is_in = |word: &&&str| words.contains(&format!(" {word} "));
        found.extend(AVOIDED.iter().filter(is_in).map(|word| (index + 1, *word)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn avoided_words_in_comments_are_found_and_other_text_is_not() {
        let text = "\
            /\u{2f}/ Nobody knows.\n\
            let nobody = \"whoever\";\n\
            // The sender is\u{a0}told; `whoever` is code.\n\
            //! ```\n\
            //! let somebody = 1;\n\
            //! ```\n\
            // A body, and the rest.\n";
        assert_eq!(avoided(text, "//"), [(1, "nobody"), (3, "is told")]);
        assert_eq!(avoided("a: 1\n  # anybody's\n", "#"), [(2, "anybody")]);
        let page = "# A page\n\n```sh\necho nobody\n```\n\nThe user hears.\n";
        assert_eq!(avoided(page, ""), [(7, "hears")]);
    }

    #[test]
    fn prose_in_this_repository_avoids_them() {
        check().unwrap();
    }
}
