//! The two wildcards of IAM: `*` for any run of characters, `?` for exactly one.

/// Whether `text` matches `pattern`, case-sensitively.
///
/// A policy's `Resource` is compared in this way, and a Lambda permission's `SourceArn`, which Lambda compares "using
/// the `StringLike` operator" (<https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html>). A `*` also
/// matches colons and slashes. The time is at most the product of the two lengths, whatever the pattern.
#[must_use]
pub fn matches_arn(pattern: &str, text: &str) -> bool {
    matches(pattern.chars(), text.chars())
}

/// Like [`matches_arn`], but ignoring ASCII case: how actions are compared.
pub(super) fn matches_without_case(pattern: &str, text: &str) -> bool {
    matches(
        pattern.to_ascii_lowercase().chars(),
        text.to_ascii_lowercase().chars(),
    )
}

/// Greedy: only the latest `*` ever has to match more, so one position to return to is enough.
fn matches<I: Iterator<Item = char> + Clone>(mut pattern: I, mut text: I) -> bool {
    // The pattern after the latest `*`, and the text after what that `*` matches at present.
    let mut star: Option<(I, I)> = None;
    loop {
        let here = text.clone();
        match (pattern.next(), text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                text = here.clone();
                star = Some((pattern.clone(), here));
            }
            (Some('?'), Some(_)) => {}
            (Some(wanted), Some(found)) if wanted == found => {}
            // The text ended first, and a longer `*` would leave even less of it.
            (Some(_), None) => return false,
            (_, Some(_)) => match &mut star {
                None => return false,
                Some((behind, from)) => {
                    from.next();
                    pattern = behind.clone();
                    text = from.clone();
                }
            },
        }
    }
}
