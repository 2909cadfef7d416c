//! Names avoid what prose avoids (`docs/style.md`): words that make people of components.

use super::tokens::all;
use super::{all_sources, root};

const AVOIDED: [&str; 10] = [
    "whoever", "whomever", "nobody", "somebody", "anybody", "told", "hear", "hears", "heard",
    "knows",
];

/// The words of a name: `is_told`, `isTold` and `IS_TOLD` have the same.
fn words(name: &str) -> Vec<String> {
    let is_constant = !name.contains(|c: char| c.is_lowercase());
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && !is_constant) {
            words.push(String::new());
        }
        if let (Some(word), true) = (words.last_mut(), c != '_') {
            word.extend(c.to_lowercase());
        }
    }
    words
}

#[test]
fn no_name_has_a_word_that_prose_avoids() {
    assert_eq!(words("IS_TOLD")[1], "told");
    assert_eq!(words("DisconnectNobody")[2], "nobody");
    let mut found = Vec::new();
    for file in all_sources() {
        let text = std::fs::read_to_string(&file).unwrap();
        for name in all(&text) {
            let is_avoided = |word: &String| AVOIDED.contains(&word.as_str());
            if words(&name).iter().any(is_avoided) {
                let file = file.strip_prefix(root()).unwrap().display().to_string();
                found.push(format!("{file}: `{name}`"));
            }
        }
    }
    found.dedup();
    assert!(
        found.is_empty(),
        "name the component, the user or what is done:\n{}",
        found.join("\n")
    );
}
