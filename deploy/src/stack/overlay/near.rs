//! What a mistyped name probably means.

/// `, but …` with the known name that is most like `name`, if one is.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let far =
        |other: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase());
    let near = known.map(|other| (far(other), other)).min();
    match near {
        Some((distance, other)) if distance <= 3 && distance < name.len() => {
            format!(", but `{other}`")
        }
        _ => String::new(),
    }
}
