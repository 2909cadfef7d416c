//! Translates Java's dialect of regular expressions where it differs from the engine's.
//!
//! See <https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/regex/Pattern.html>.

use std::iter::Peekable;
use std::str::Chars;

/// The part of an expression that the engine does not support.
#[derive(Debug)]
pub(super) struct Unsupported {
    /// The part, as it is written.
    pub(super) text: String,
    /// What it is, where `text` quotes more than its beginning.
    kind: Option<&'static str>,
}

impl Unsupported {
    /// The part without anything that the expression's author chose.
    pub(super) fn into_unquoted(self) -> String {
        self.kind.map_or(self.text, str::to_owned)
    }
}

impl From<&str> for Unsupported {
    fn from(text: &str) -> Self {
        let text = text.to_owned();
        Self { text, kind: None }
    }
}

/// `pattern` in the engine's dialect.
///
/// # Errors
/// The engine does not support it: look-around, back references, Unicode classes, and intersections of classes.
pub(super) fn translated(pattern: &str) -> Result<String, Unsupported> {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    // The number of open classes, and whether the last item in one stands for many characters.
    let (mut depth, mut is_many) = (0_usize, false);
    while let Some(character) = rest.next() {
        let was_many = std::mem::take(&mut is_many);
        match character {
            '\\' => is_many = escape(&mut rest, depth > 0, &mut text)?,
            '[' => {
                if depth > 0 {
                    return Err("a class inside another".into());
                }
                depth += 1;
                text.push('[');
                // `[]a]` and `[^]a]` contain a bracket.
                if rest.next_if_eq(&'^').is_some() {
                    text.push('^');
                }
                if rest.next_if_eq(&']').is_some() {
                    text.push_str("\\]");
                }
            }
            ']' if depth > 0 => {
                depth -= 1;
                text.push(']');
            }
            '&' if depth > 0 && rest.peek() == Some(&'&') => {
                return Err("`&&` in a class".into());
            }
            // A range needs one character on either side; otherwise the dash is a character itself.
            '-' if depth > 0 && (was_many || begins_many(&rest)) => text.push_str("\\-"),
            '(' if depth == 0 && rest.peek() == Some(&'?') => {
                text.push('(');
                let ahead: String = rest.clone().take(3).collect();
                let mut forms = ["?=", "?!", "?<=", "?<!", "?>"].iter();
                if let Some(form) = forms.find(|form| ahead.starts_with(**form)) {
                    return Err(format!("`({form}`").as_str().into());
                }
            }
            other => text.push(other),
        }
    }
    Ok(text)
}

/// Whether a class of characters such as `\w` comes next.
fn begins_many(rest: &Peekable<Chars<'_>>) -> bool {
    let mut ahead = rest.clone();
    ahead.next() == Some('\\') && ahead.next().is_some_and(|kind| "dDwWsSpPhH".contains(kind))
}

/// Translates what follows a backslash. Returns whether it stands for many characters.
fn escape(
    rest: &mut Peekable<Chars<'_>>,
    is_in_class: bool,
    text: &mut String,
) -> Result<bool, Unsupported> {
    let Some(kind) = rest.next() else {
        return Err("it ends with a backslash".into());
    };
    match kind {
        'd' | 'D' | 'w' | 'W' | 's' | 'S' => {
            text.push('\\');
            text.push(kind);
            return Ok(true);
        }
        'p' | 'P' => {
            let name: String = match rest.next() {
                Some('{') => rest.by_ref().take_while(|char| *char != '}').collect(),
                Some(one) => one.to_string(),
                None => String::new(),
            };
            let class = posix(&name).ok_or_else(|| Unsupported {
                text: format!("`\\{kind}{{{name}}}`"),
                kind: Some("a class in `\\p{…}` that is not one of POSIX"),
            })?;
            match (is_in_class, kind) {
                (false, 'p') => text.push_str(&format!("[{class}]")),
                (false, _) => text.push_str(&format!("[^{class}]")),
                (true, 'p') => text.push_str(class),
                (true, _) => return Err(format!("`\\P{{{name}}}` in a class").as_str().into()),
            }
            return Ok(true);
        }
        'h' if is_in_class => {
            text.push_str(" \\t");
            return Ok(true);
        }
        'h' => text.push_str("[ \\t]"),
        'Z' => text.push_str("\\z"),
        'Q' => {
            let mut quoted = String::new();
            for one in rest.by_ref() {
                quoted.push(one);
                if quoted.ends_with("\\E") {
                    quoted.truncate(quoted.len() - 2);
                    break;
                }
            }
            text.push_str(&regex_lite::escape(&quoted));
        }
        '1'..='9' | 'k' if !is_in_class => {
            return Err(Unsupported {
                text: format!("`\\{kind}`, a back reference"),
                kind: Some("a back reference"),
            });
        }
        other => {
            text.push('\\');
            text.push(other);
        }
    }
    Ok(false)
}

/// Java's POSIX classes, in US-ASCII.
fn posix(name: &str) -> Option<&'static str> {
    Some(match name {
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "ASCII" => "\\x00-\\x7F",
        "Alpha" => "A-Za-z",
        "Digit" => "0-9",
        "Alnum" => "0-9A-Za-z",
        "Punct" => r"!-/:-@\[-`{-~",
        "Graph" => "!-~",
        "Print" => " -~",
        "Blank" => " \\t",
        "Cntrl" => "\\x00-\\x1F\\x7F",
        "XDigit" => "0-9A-Fa-f",
        "Space" => " \\t\\n\\x0B\\f\\r",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Pattern;

    #[test]
    fn common_patterns_of_templates_mean_what_they_mean_in_java() {
        for (pattern, good, bad) in [
            (
                r"^[\w-\.]+@([\w-]+\.)+[\w-]{2,4}$",
                "a-b.c@d-e.org",
                "a b@c.org",
            ),
            (r"[a-z\d-_]+", "a-1_", "a b"),
            (r"\p{Alnum}+", "aB3", "a-b"),
            (r"[\p{Alpha}_]+", "a_B", "a1"),
            (r"\P{Digit}+", "abc", "a1"),
            (r"[\p{Punct}]+", "!]^~[-", "a"),
            (r"\Qa.b\E+", "a.bb", "axb"),
            (r"[]a]+", "]a", "b"),
            (r"^arn:aws[a-z-]*:s3:::.+\Z", "arn:aws-cn:s3:::x", "arn"),
            (r"[^\s-]+", "ab", "a-b"),
            (r"\d{12}", "012345678901", "1"),
        ] {
            let compiled =
                Pattern::from_java(pattern).unwrap_or_else(|why| panic!("{pattern}: {why}"));
            assert!(compiled.is_match(good), "{pattern} on {good}");
            assert!(!compiled.is_match(bad), "{pattern} on {bad}");
        }
    }

    #[test]
    fn unsupported_parts_are_named() {
        for (pattern, named) in [
            ("^(?!.*--).*$", "(?!"),
            ("(?=.*[A-Z]).+", "(?="),
            ("(?<=a)b", "(?<="),
            (r"(.)\1", "a back reference"),
            (r"\p{L}+", r"\p{L}"),
            ("[a-z&&[^b]]+", "&&"),
            ("[a[bc]]", "inside another"),
            ("a\\", "backslash"),
        ] {
            let why = Pattern::from_java(pattern).unwrap_err().to_string();
            assert!(why.contains(named), "{pattern}: {why}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(pattern in r"[\[\]()?\\pQE{}Lw&^a-]{0,20}") {
            let _any = Pattern::from_java(&pattern);
        }
    }
}
