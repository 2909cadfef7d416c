//! JSON as a YAML parser reads it: YAML has no surrogate pairs (`\ud83d\ude00`,
//! <https://yaml.org/spec/1.2.2/#57-escaped-characters>), and the parser takes no tab after a colon.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// The length of a surrogate pair, and of YAML's escape for the same character.
const PAIR: usize = r"\ud83d\ude00".len();
const ESCAPE: usize = r"\U0001f600".len();

/// A source in YAML.
pub(crate) struct Rewritten<'a> {
    pub(crate) text: Cow<'a, str>,
    /// The length of the source's byte order mark, which the parser does not count.
    mark: usize,
    /// Where in the text an escape ends that stands for a pair.
    pairs: Vec<usize>,
}

impl<'a> Rewritten<'a> {
    /// What is not JSON stays as it is.
    pub(crate) fn new(source: &'a str) -> Self {
        let mut pairs = Vec::new();
        let unmarked = source.strip_prefix('\u{feff}').unwrap_or(source);
        let (mark, source) = (source.len() - unmarked.len(), unmarked);
        let is_other = source.contains('\t') || source.contains("\\u");
        if !is_other || serde_json::from_str::<IgnoredAny>(source).is_err() {
            let text = source.into();
            return Self { text, mark, pairs };
        }
        let mut text = String::with_capacity(source.len());
        let mut rest = source;
        while let Some(at) = rest.find(['\t', '\\']) {
            let (before, from) = rest.split_at(at);
            text += before;
            let (written, taken) = match surrogate_pair(from) {
                Some(character) => (format!("\\U{:08x}", u32::from(character)), PAIR),
                // No string of JSON contains a tab.
                None if from.starts_with('\t') => (" ".to_owned(), 1),
                None => (from[..2].to_owned(), 2),
            };
            text += &written;
            rest = &from[taken..];
            if taken == PAIR {
                pairs.push(text.len());
            }
        }
        text += rest;
        let text = text.into();
        Self { text, mark, pairs }
    }

    /// The place in the source of the byte `at` of the text.
    pub(crate) fn in_source(&self, at: usize) -> usize {
        self.mark + at + self.pairs.partition_point(|end| *end <= at) * (PAIR - ESCAPE)
    }
}

/// The character whose pair of escapes `text` starts with.
fn surrogate_pair(text: &str) -> Option<char> {
    let unit = |at: usize| {
        let digits = text.get(at..at + PAIR / 2)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let character = char::decode_utf16([unit(0)?, unit(PAIR / 2)?])
        .next()?
        .ok()?;
    (character > '\u{ffff}').then_some(character)
}
