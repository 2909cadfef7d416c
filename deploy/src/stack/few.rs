//! Shortens lists of foreign names.

/// The most names that are shown. The others are only counted.
const MAX_SHOWN: usize = 20;

/// Joins `names` with commas. Of a long list it shows the first ones and the number of others.
pub fn few<T: AsRef<str>>(names: &[T]) -> String {
    few_between(names, ", ")
}

/// Joins like [`few`], with `separator` instead of commas.
pub fn few_between<T: AsRef<str>>(names: &[T], separator: &str) -> String {
    let shown: Vec<&str> = names.iter().take(MAX_SHOWN).map(AsRef::as_ref).collect();
    let shown = shown.join(separator);
    match names.len().checked_sub(MAX_SHOWN) {
        Some(more @ 1..) => format!("{shown}{separator}… and {more} more"),
        _ => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_counted_from_the_twenty_first_on() {
        assert_eq!(few(&["a", "b"]), "a, b");
        assert_eq!(few::<&str>(&[]), "");
        let twenty = vec!["x"; 20];
        assert!(!few(&twenty).contains('…'));
        let many: Vec<_> = (0..90_000).map(|n| n.to_string()).collect();
        assert!(few(&many).ends_with("18, 19, … and 89980 more"));
        assert!(few_between(&many, "; ").ends_with("19; … and 89980 more"));
    }
}
