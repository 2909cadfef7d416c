//! Words that neither prose nor names have (`docs/style.md`).

/// People-words for components, and for people whose role has a name.
pub(super) const AVOIDED: [&str; 11] = [
    "whoever", "whomever", "nobody", "somebody", "anybody", "told", "hear", "hears", "heard",
    "hearing", "knows",
];
