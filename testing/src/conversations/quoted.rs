//! Text in double quotes: for spaces at an end, escapes, and long repetitions.

use std::str::Chars;

/// What a repetition may come to, in bytes: well above the largest message a gateway lets through.
const MAX_BYTES: usize = 1024 * 1024;

/// A quoted text at the start of `line`, and what follows it. `None` when `line` does not start with a quote.
///
/// Escapes are `\"`, `\\`, `\n`, `\t` and `\u{…}`. The closing quote may be
/// followed by ` repeated N times`, which belongs to the text.
pub(crate) fn quoted(line: &str) -> Option<Result<(String, &str), String>> {
    line.strip_prefix('"').map(|inside| {
        let (text, rest) = until_quote(inside)?;
        repeated(text, rest)
    })
}

fn until_quote(inside: &str) -> Result<(String, &str), String> {
    let mut text = String::new();
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return Ok((text, characters.as_str())),
            '\\' => text.push(escaped(&mut characters)?),
            other => text.push(other),
        }
    }
    Err("the closing quote is missing".to_owned())
}

fn escaped(characters: &mut Chars<'_>) -> Result<char, String> {
    match characters.next() {
        Some(literal @ ('"' | '\\')) => Ok(literal),
        Some('n') => Ok('\n'),
        Some('t') => Ok('\t'),
        Some('u') => code_point(characters),
        Some(other) => Err(format!(
            r#"`\{other}` is not an escape; use \", \\, \n, \t or \u{{…}}"#
        )),
        None => Err("the closing quote is missing".to_owned()),
    }
}

fn code_point(characters: &mut Chars<'_>) -> Result<char, String> {
    let wrong = || r"`\u` needs a code point, as in \u{1F600}".to_owned();
    let (digits, rest) = characters
        .as_str()
        .strip_prefix('{')
        .and_then(|rest| rest.split_once('}'))
        .ok_or_else(wrong)?;
    *characters = rest.chars();
    u32::from_str_radix(digits, 16)
        .ok()
        .and_then(char::from_u32)
        .ok_or_else(wrong)
}

fn repeated(text: String, rest: &str) -> Result<(String, &str), String> {
    let Some(count) = rest.strip_prefix(" repeated ") else {
        return Ok((text, rest));
    };
    let (count, rest) = count
        .split_once(" times")
        .ok_or("`repeated` must be followed by a number and `times`")?;
    let count: usize = count
        .parse()
        .map_err(|_| format!("`{count}` is not a number of times"))?;
    match text.len().checked_mul(count) {
        Some(bytes) if bytes <= MAX_BYTES => Ok((text.repeat(count), rest)),
        _ => Err(format!("the text is longer than {MAX_BYTES} bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn escapes_and_repetition_make_the_text() {
        assert_eq!(
            quoted(r#""a\"\\\n\t\u{1F600}" rest"#).unwrap(),
            Ok(("a\"\\\n\t\u{1F600}".to_owned(), " rest"))
        );
        assert_eq!(
            quoted(r#""ab" repeated 3 times!"#).unwrap(),
            Ok(("ababab".to_owned(), "!"))
        );
        assert!(quoted("plain").is_none());
    }

    #[test]
    fn a_wrong_quotation_says_what_is_wrong() {
        let reason = |line| quoted(line).unwrap().unwrap_err();
        assert_eq!(reason(r#""open"#), "the closing quote is missing");
        assert_eq!(reason("\"open\\"), "the closing quote is missing");
        assert!(reason(r#""\q""#).starts_with(r"`\q` is not an escape"));
        assert!(reason(r#""\u{110000}""#).starts_with(r"`\u` needs a code point"));
        assert_eq!(
            reason(r#""x" repeated few times"#),
            "`few` is not a number of times"
        );
        assert!(reason(r#""x" repeated 9999999999 times"#).contains("longer than"));
    }
}
