//! The colours of a compiler's words, read and painted anew.
//!
//! A build shows what build scripts, macros and file names say, so its words are no more trusted than others. But its
//! errors read better in colour. Of all that a terminal obeys, only colours of the foreground and weights are read
//! (the sequences that [ECMA-48](https://ecma-international.org/publications-and-standards/standards/ecma-48/) calls
//! SGR). What could hide text, which backgrounds, conceal and inverse can, is not.

use anstyle::{Ansi256Color, AnsiColor, Effects, Style};

/// A sequence longer than this is no colour.
const MAX_SEQUENCE: usize = 40;

/// `words` in pieces, each with its style. Sequences that are no colours stay in the pieces.
pub(super) fn pieces(words: &str) -> Vec<(Style, String)> {
    let mut pieces = Vec::new();
    let (mut style, mut piece) = (Style::new(), String::new());
    let mut rest = words;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        piece.push_str(before);
        match parameters(after) {
            Some(parameters) => {
                if !piece.is_empty() {
                    pieces.push((style, std::mem::take(&mut piece)));
                }
                style = with(style, parameters);
                rest = &after[parameters.len() + 2..];
            }
            None => {
                piece.push('\u{1b}');
                rest = after;
            }
        }
    }
    piece.push_str(rest);
    pieces.push((style, piece));
    pieces
}

/// `words` without their colours.
pub(super) fn without_colours(words: &str) -> String {
    pieces(words).into_iter().map(|(_, text)| text).collect()
}

/// The parameters of a colour sequence that begins behind its escape character.
fn parameters(after: &str) -> Option<&str> {
    let (parameters, _) = after.strip_prefix('[')?.split_once('m')?;
    let are_numbers = parameters
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b';');
    (are_numbers && parameters.len() <= MAX_SEQUENCE).then_some(parameters)
}

fn with(mut style: Style, parameters: &str) -> Style {
    let mut numbers = parameters
        .split(';')
        .map(|number| number.parse().unwrap_or(0u16));
    while let Some(number) = numbers.next() {
        style = match number {
            0 => Style::new(),
            1 => style | Effects::BOLD,
            2 => style | Effects::DIMMED,
            3 => style | Effects::ITALIC,
            4 => style | Effects::UNDERLINE,
            22 => style.effects(style.get_effects() - Effects::BOLD - Effects::DIMMED),
            23 => style.effects(style.get_effects() - Effects::ITALIC),
            24 => style.effects(style.get_effects() - Effects::UNDERLINE),
            30..=37 => style.fg_color(basic(number - 30, false)),
            90..=97 => style.fg_color(basic(number - 90, true)),
            39 => style.fg_color(None),
            38 | 48 | 58 => {
                // A colour of its own: the numbers behind belong to it.
                let of_256 = match numbers.next() {
                    Some(5) => numbers.next(),
                    Some(2) => {
                        numbers.by_ref().take(3).for_each(drop);
                        None
                    }
                    _ => None,
                };
                let index = of_256.and_then(|index| u8::try_from(index).ok());
                match (number, index) {
                    (38, Some(index)) => style.fg_color(Some(Ansi256Color(index).into())),
                    _ => style,
                }
            }
            _ => style,
        };
    }
    style
}

fn basic(number: u16, bright: bool) -> Option<anstyle::Color> {
    let colour = match number {
        0 => AnsiColor::Black,
        1 => AnsiColor::Red,
        2 => AnsiColor::Green,
        3 => AnsiColor::Yellow,
        4 => AnsiColor::Blue,
        5 => AnsiColor::Magenta,
        6 => AnsiColor::Cyan,
        _ => AnsiColor::White,
    };
    Some(colour.bright(bright).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &str, expected: &[(Style, &str)]) {
        let pieces = pieces(words);
        let pieces: Vec<_> = pieces
            .iter()
            .map(|(style, text)| (*style, text.as_str()))
            .collect();
        assert_eq!(pieces, expected);
    }

    #[test]
    fn colours_and_weights_are_read() {
        let red = Style::new().fg_color(Some(Ansi256Color(9).into()));
        let green = AnsiColor::BrightGreen.on_default();
        check(
            "\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m: \u{1b}[1;92mx\u{1b}[22my\u{1b}[m",
            &[
                (red.bold(), "error"),
                (Style::new(), ": "),
                (green.bold(), "x"),
                (green, "y"),
                (Style::new(), ""),
            ],
        );
    }

    #[test]
    fn what_hides_text_or_moves_the_cursor_is_not() {
        // Conceal, inverse, blink, a background, a colour of 24 bits.
        check(
            "\u{1b}[8;7;5;41;48;5;1;38;2;0;0;0ma\u{1b}[2Jb\u{1b}]0;c\u{7}\u{1b}[1",
            &[(Style::new(), "a\u{1b}[2Jb\u{1b}]0;c\u{7}\u{1b}[1")],
        );
        let long = format!("\u{1b}[{}m", "1;".repeat(30));
        check(&long, &[(Style::new(), &long)]);
    }

    #[test]
    fn scripts_get_the_words_alone() {
        assert_eq!(without_colours("\u{1b}[31ma\u{1b}[0m\u{7}"), "a\u{7}");
    }
}
