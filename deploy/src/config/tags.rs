//! Tags of a stack. CloudFormation copies them to every resource that supports tags, and IAM's rules are the strictest
//! of those. A tag that IAM's pattern refuses would fail in the middle of a deployment, so all tags are checked before.

use std::collections::BTreeMap;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// The most tags of a stack
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-add-tags.html>), and of a role.
const MAX: usize = 50;

/// The most characters of a key and of a value
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Tag.html>,
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html>).
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;

/// Parses the tag `KEY=VALUE`. The first `=` ends the key.
///
/// # Errors
/// The problem with the tag.
pub fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("it needs a key, `=` and a value")?;
    check(key, value)?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Checks a tag.
///
/// # Errors
/// The problem with its key or its value.
pub(super) fn check(key: &str, value: &str) -> Result<(), String> {
    check_part("key", key, MAX_KEY)?;
    check_part("value", value, MAX_VALUE)
}

/// Collects `tags` by key.
///
/// # Errors
/// There are too many, or two have the same key. IAM does not distinguish `Team` from `team`.
pub fn tags(tags: &[(String, String)]) -> Result<BTreeMap<String, String>, String> {
    if tags.len() > MAX {
        return Err(format!(
            "there are {} tags, and a stack has {MAX} at most",
            tags.len()
        ));
    }
    let mut seen: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    for (key, value) in tags {
        let Some((other, first)) = seen.insert(key.to_lowercase(), (key, value)) else {
            continue;
        };
        return Err(match other == key {
            true => format!("`{key}` has two values, `{first}` and `{value}`"),
            false => format!("`{other}` and `{key}` are the same key for IAM, which ignores case"),
        });
    }
    Ok(tags.iter().cloned().collect())
}

fn check_part(part: &str, text: &str, longest: usize) -> Result<(), String> {
    let count = text.chars().count();
    if count == 0 {
        return Err(format!("its {part} is empty, which CloudFormation refuses"));
    }
    if count > longest {
        return Err(format!(
            "its {part} has {count} characters, {longest} at most"
        ));
    }
    if text.to_ascii_lowercase().starts_with("aws:") {
        return Err(format!("its {part} begins with `aws:`, which AWS reserves"));
    }
    match text.chars().find(|character| !is_allowed(*character)) {
        None => Ok(()),
        Some(character) => Err(format!(
            "its {part} has {character:?}, which IAM does not allow: only letters, digits, spaces and any of _ . : / = + - @"
        )),
    }
}

/// IAM's pattern: `[\p{L}\p{Z}\p{N}_.:/=+\-@]`.
fn is_allowed(character: char) -> bool {
    let group = character.general_category_group();
    let groups = [
        GeneralCategoryGroup::Letter,
        GeneralCategoryGroup::Separator,
        GeneralCategoryGroup::Number,
    ];
    groups.contains(&group) || "_.:/=+-@".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> String {
        tag(text).expect_err("must be refused")
    }

    #[test]
    fn a_tag_is_a_key_and_a_value_that_every_service_accepts() {
        for (text, key, value) in [
            ("team=chat=1", "team", "chat=1"),
            ("Owner=Ann Lee", "Owner", "Ann Lee"),
            ("a:b/c+d-e@f_g.h=x", "a:b/c+d-e@f_g.h", "x"),
            ("Größe=naïve 日本語 ½ Ⅷ", "Größe", "naïve 日本語 ½ Ⅷ"),
            ("laws:x=y", "laws:x", "y"),
        ] {
            assert_eq!(tag(text), Ok((key.to_owned(), value.to_owned())));
        }
        assert!(tag(&format!("{}={}", "k".repeat(128), "ä".repeat(256))).is_ok());
    }

    #[test]
    fn the_character_that_iam_does_not_allow_is_named() {
        for (text, part, character) in [
            ("Owner=Ann & Bob <a@b.c>", "value", "'&'"),
            ("Ow(ner=x", "key", "'('"),
            ("a=b,c", "value", "','"),
            ("a=b\tc", "value", "'\\t'"),
            ("a=100%", "value", "'%'"),
            ("a=it's", "value", "'\\''"),
            ("a=👍", "value", "'👍'"),
            // A letter and its combining mark are two characters.
            ("a=e\u{301}", "value", "'\\u{301}'"),
        ] {
            let message = error_of(text);
            let start = format!("its {part} has {character}, which IAM does not allow");
            assert!(message.starts_with(&start), "{text}: {message}");
        }
    }

    #[test]
    fn empty_too_long_and_reserved_tags_are_refused() {
        assert!(error_of("team").contains("needs a key"));
        assert!(error_of("=x").contains("key is empty"));
        assert!(error_of("x=").contains("value is empty"));
        assert!(
            error_of(&format!("{}=x", "k".repeat(129))).contains("129 characters, 128 at most")
        );
        assert!(
            error_of(&format!("k={}", "v".repeat(257))).contains("257 characters, 256 at most")
        );
        for text in ["aws:x=y", "AWS:x=y", "Aws:=y", "x=aws:y"] {
            assert!(error_of(text).contains("AWS reserves"), "{text}");
        }
    }

    #[test]
    fn keys_are_unique_ignoring_case_and_there_are_at_most_fifty() {
        let of = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect();
            tags(&pairs).map(|tags| tags.len())
        };
        assert_eq!(of(&[("a", "1"), ("b", "1")]), Ok(2));
        assert_eq!(
            of(&[("a", "1"), ("a", "2")]).unwrap_err(),
            "`a` has two values, `1` and `2`"
        );
        let message = of(&[("Team", "1"), ("team", "1")]).unwrap_err();
        assert!(
            message.starts_with("`Team` and `team` are the same key for IAM"),
            "{message}"
        );
        let many = |count: u32| {
            let many: Vec<_> = (0..count)
                .map(|n| (n.to_string(), "x".to_owned()))
                .collect();
            tags(&many)
        };
        assert!(many(50).is_ok());
        assert_eq!(
            many(51).unwrap_err(),
            "there are 51 tags, and a stack has 50 at most"
        );
    }
}
