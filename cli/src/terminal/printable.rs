//! What a terminal would obey, or hide, becomes something to see.

/// Characters that an error, a hint or a warning may have in one line. The rest is counted.
const MAX_LINE: usize = 1_000;

/// Lines that an error, a hint or a warning may have; a compiler, whose first errors matter most, takes some hundreds.
const MAX_LINES: usize = 1_000;

/// `text` on one line: control characters become pictures of themselves, and so does what hides text or turns its
/// direction around.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// The same for text that may have several lines, whose ends stay.
pub(super) fn printable_lines(text: &str) -> String {
    let ends = text.replace("\r\n", "\n");
    keeping(&ends, &['\n'])
}

/// The same for a result on a terminal, which may be copied from there: tabs stay, too.
pub(super) fn printable_result(text: &str) -> String {
    keeping(text, &['\n', '\t'])
}

fn keeping(text: &str, kept: &[char]) -> String {
    let characters = text.chars();
    characters
        .map(|c| if kept.contains(&c) { c } else { visible(c) })
        .collect()
}

/// JSON without a character that a terminal obeys. In JSON such a one can only be inside a string, where an escape
/// sequence means the same.
pub(crate) fn escaped(json: &str) -> String {
    if json.chars().all(|c| c == '\n' || !is_harmful(c)) {
        return json.to_owned();
    }
    let mut text = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        // Between its tokens JSON may have line ends and tabs; inside its strings they are escaped already.
        if matches!(character, '\n' | '\r' | '\t') || !is_harmful(character) {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            text.push_str(&format!("\\u{unit:04x}"));
        }
    }
    text
}

/// `text` cut to what a person reads: lines that are too long and too many are counted, not shown.
pub(crate) fn bounded(text: &str) -> String {
    let count = text.split('\n').count();
    let lines = text.split('\n').take(MAX_LINES).map(|line| {
        let length = line.chars().count();
        if length <= MAX_LINE {
            return line.to_owned();
        }
        let start: String = line.chars().take(MAX_LINE).collect();
        format!("{start}… ({} more characters)", length - MAX_LINE)
    });
    let mut bounded = lines.collect::<Vec<_>>().join("\n");
    if count > MAX_LINES {
        bounded.push_str(&format!("\n… and {} more lines", count - MAX_LINES));
    }
    bounded
}

fn visible(character: char) -> char {
    match character {
        '\t' => ' ',
        '\0'..='\u{1f}' => {
            char::from_u32(0x2400 + u32::from(character)).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        '\u{7f}' => '\u{2421}',
        other if is_harmful(other) => char::REPLACEMENT_CHARACTER,
        other => other,
    }
}

/// Control characters; what turns the direction of writing around; ends of lines that are no `\n`; and what has no
/// width and so hides text or makes two names look the same. The joiners and variation selectors that emoji and some
/// scripts are written with are none of these.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            // Soft hyphen, Arabic letter mark, Mongolian vowel separator, Hangul fillers.
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{3164}' | '\u{ffa0}'
            // Zero-width space, marks of direction, line and paragraph separators, embeddings and overrides.
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            // Word joiner, invisible operators, isolates, deprecated formats; byte order mark, annotations.
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            // Musical formats, tags, the supplementary variation selectors.
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_obeys_or_hides_is_seen() {
        assert_eq!(printable("a\u{1b}]0;x\u{7}\r\n\tb\u{7f}"), "a␛]0;x␇␍␊ b␡");
        for hidden in [
            '\u{80}',
            '\u{85}',
            '\u{9b}',
            '\u{9f}',
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202e}',
            '\u{2066}',
            '\u{2069}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            assert_eq!(printable(&format!("a{hidden}b")), "a\u{fffd}b");
        }
    }

    #[test]
    fn what_people_write_stays() {
        for text in [
            "naïve café",
            "日本語",
            "می\u{200c}خواهم",
            "👩\u{200d}👩\u{200d}👧 ❤\u{fe0f}",
        ] {
            assert_eq!(printable(text), text);
        }
    }

    #[test]
    fn lines_stay_lines_and_a_lone_return_is_seen() {
        assert_eq!(printable_lines("a\r\nb\n\tc\rd"), "a\nb\n c␍d");
        assert_eq!(printable_result("a:\n\tb\u{1b}"), "a:\n\tb␛");
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let long = "é".repeat(MAX_LINE + 7);
        let cut = bounded(&format!("a\n{long}\nb"));
        assert!(
            cut.ends_with("é… (7 more characters)\nb"),
            "{}",
            &cut[cut.len() - 60..]
        );
        let many = bounded(&"x\n".repeat(MAX_LINES + 9));
        assert!(many.ends_with("x\n… and 10 more lines"));
        assert_eq!(bounded("short\nlines\n"), "short\nlines\n");
    }

    proptest! {
        #[test]
        fn no_text_can_move_the_cursor(text in any::<String>()) {
            prop_assert!(!printable(&text).chars().any(char::is_control));
            prop_assert_eq!(printable(&text).chars().count(), text.chars().count());
        }
    }
}
