//! Names avoid what prose avoids (`docs/style.md`): words that make people of components.

use super::tokens::{all, tokens};
use super::words::AVOIDED;
use super::{all_sources, is_test, root};

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

/// A longer name is read twice.
const MAX_NAME: usize = 85;

#[test]
fn the_name_of_a_function_is_a_short_sentence() {
    let mut found = Vec::new();
    for file in all_sources() {
        let tokens = all(&std::fs::read_to_string(&file).unwrap());
        let pairs = tokens.windows(2).filter(|pair| pair[0] == "fn");
        let long = pairs.filter(|pair| pair[1].len() > MAX_NAME);
        found.extend(long.map(|pair| format!("{}: {}", file.display(), pair[1])));
    }
    assert!(
        found.is_empty(),
        "names of more than {MAX_NAME} characters:\n{}",
        found.join("\n")
    );
}

/// Types that were named in a dialect of this project's own, and what the field calls such a type.
const DIALECT: [(&str, &str); 22] = [
    ("Answer", "Response, or the kind of response"),
    ("Answered", "the outcome's name, such as IntegrationOutcome"),
    ("Ask", "Request"),
    ("Asked", "Request"),
    ("Burst", "Batch"),
    ("Crowd", "Group, Members"),
    ("Footing", "Readiness"),
    ("Ground", "State"),
    ("Hand", "ManualClock, Handle"),
    ("Heard", "Event, Message"),
    ("Kept", "Stored, Cached, Fixed with a noun"),
    ("Leavings", "Leftovers"),
    ("Pace", "ConcurrencyLimit, Rate"),
    ("Patience", "Timeout"),
    ("Place", "Location, Position, Endpoint, Slot"),
    ("Places", "Paths, Folders, Locations"),
    ("Refusal", "Error, ErrorResponse, InvalidX"),
    ("Seat", "Client, Connection"),
    ("Spare", "Reserve, or what is reserved"),
    ("Stamp", "Version, Fingerprint"),
    ("Teller", "Emitter, Reporter"),
    ("Ways", "Clients, Services"),
];

/// The faults in the names that the code of `source` defines, tests left out.
fn faults(source: &str) -> Vec<String> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        match [pair[0].as_str(), pair[1].as_str()] {
            ["struct" | "enum" | "trait" | "type", name] => {
                let term = DIALECT.iter().find(|(word, _)| *word == name);
                found.extend(term.map(|(word, term)| {
                    format!("the type `{word}`: use the field's term ({term})")
                }));
            }
            ["fn", "of"] if makes_self(&tokens[at..]) => {
                found.push("the constructor `of`: constructors are `new` or `from_*`".to_owned());
            }
            _ => {}
        }
    }
    found
}

/// Whether the function at the head of `tokens` returns `Self`, by itself or in another type.
fn makes_self(tokens: &[String]) -> bool {
    let head = tokens
        .iter()
        .take_while(|it| !["{", ";"].contains(&it.as_str()));
    let head: Vec<_> = head.map(String::as_str).collect();
    let returned = head.windows(2).rposition(|it| it == ["-", ">"]);
    returned.is_some_and(|at| head[at..].contains(&"Self"))
}

#[test]
fn the_guard_of_types_and_constructors_finds_what_is_planted() {
    let planted = "
        pub struct Refusal { of: u8 }
        impl Price {
            pub const fn of(units: fn(u8) -> u8) -> Result<Self, Error> { todo!() }
            fn of(&self, quantity: Self) -> f64 { 0.0 }
        }
        #[cfg(test)]
        mod tests { struct Answer; }";
    assert_eq!(
        faults(planted),
        [
            "the type `Refusal`: use the field's term (Error, ErrorResponse, InvalidX)",
            "the constructor `of`: constructors are `new` or `from_*`",
        ]
    );
}

#[test]
fn types_have_the_terms_of_the_field_and_no_constructor_is_named_of() {
    let mut found = Vec::new();
    for file in all_sources() {
        let path = file.strip_prefix(root()).unwrap();
        if is_test(path) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        found.extend(
            faults(&text)
                .into_iter()
                .map(|it| format!("{}: {it}", path.display())),
        );
    }
    assert!(
        found.is_empty(),
        "name it as docs/style.md says:\n{}",
        found.join("\n")
    );
}
