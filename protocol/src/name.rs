//! The rule for names of users and rooms.
//!
//! A name is part of HTTP headers, URLs and keys of the table, so it is short and plain.

use std::error::Error;
use std::fmt;

/// The longest name, in characters. It keeps keys, logs and authorizer contexts small.
pub const MAX_CHARACTERS: usize = 64;

/// The characters allowed in a name besides ASCII letters and digits. A space may not be the first or last one.
pub const PUNCTUATION: &str = " ._@+'-";

/// The default room.
pub const EVERYBODY: &str = "everybody";

/// Checks that `text` is a name: 1 to 64 ASCII letters, digits and ``._@+'-``, with spaces between them.
///
/// Names are compared case-sensitively: `Tom` is not `tom`.
///
/// # Errors
/// [`InvalidName`] with the first rule that `text` violates.
pub fn check(text: &str) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty);
    }
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || PUNCTUATION.contains(c);
    if let Some(character) = text.chars().find(|character| !is_allowed(*character)) {
        return Err(InvalidName::Character(character));
    }
    // Each character is one byte here.
    if text.len() > MAX_CHARACTERS {
        return Err(InvalidName::TooLong(text.len()));
    }
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(InvalidName::SpaceAtAnEnd);
    }
    Ok(())
}

/// Why a string is not a name. It shows at most one character of the string, escaped, so that it may be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidName {
    /// It has no characters.
    Empty,
    /// It has this many characters.
    TooLong(usize),
    /// It begins or ends with a space.
    SpaceAtAnEnd,
    /// It contains this character.
    Character(char),
}

impl fmt::Display for InvalidName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => out.write_str("it is empty"),
            Self::TooLong(characters) => {
                write!(
                    out,
                    "it has {characters} characters, {MAX_CHARACTERS} at most"
                )
            }
            Self::SpaceAtAnEnd => out.write_str("it must not start or end with a space"),
            Self::Character(character) => write!(
                out,
                "{character:?} is not allowed, only ASCII letters, digits, spaces and any of `. _ @ + ' -`"
            ),
        }
    }
}

impl Error for InvalidName {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_rule_has_its_own_error() {
        for (text, expected) in [
            ("", Err(InvalidName::Empty)),
            (" Tom", Err(InvalidName::SpaceAtAnEnd)),
            ("Tom ", Err(InvalidName::SpaceAtAnEnd)),
            (" ", Err(InvalidName::SpaceAtAnEnd)),
            (&"x".repeat(64), Ok(())),
            (&"x".repeat(65), Err(InvalidName::TooLong(65))),
            ("a#b", Err(InvalidName::Character('#'))),
            ("Jürgen", Err(InvalidName::Character('ü'))),
            ("Tom\r\nX: y", Err(InvalidName::Character('\r'))),
            ("Tom\u{202e}", Err(InvalidName::Character('\u{202e}'))),
            ("Mary Ann O'Neil-Smith", Ok(())),
            ("tom.j_1+x@example.com", Ok(())),
        ] {
            assert_eq!(check(text), expected, "{text:?}");
        }
    }

    #[test]
    fn an_error_shows_only_one_escaped_character_of_the_text() {
        let error = check("secret\u{1b}[31m").unwrap_err().to_string();
        assert!(error.contains(r"'\u{1b}'"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn an_error_lists_every_allowed_character() {
        let error = InvalidName::Character('#').to_string();
        for character in PUNCTUATION.chars().filter(|c| *c != ' ') {
            assert!(error.contains(character), "{character}");
        }
    }

    proptest! {
        #[test]
        fn a_text_that_follows_the_rule_is_a_name(
            text in "[A-Za-z0-9._@+'-]([A-Za-z0-9 ._@+'-]{0,62}[A-Za-z0-9._@+'-])?"
        ) {
            prop_assert_eq!(check(&text), Ok(()));
        }

        #[test]
        fn every_accepted_name_is_short_and_plain(text in any::<String>()) {
            if check(&text).is_ok() {
                prop_assert!((1..=64).contains(&text.len()) && text.is_ascii());
                prop_assert!(!text.chars().any(char::is_control));
            }
        }
    }
}
