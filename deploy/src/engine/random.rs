//! Names that nothing else has.

/// `N` random bytes in hexadecimal digits.
pub(crate) fn random_hex<const N: usize>() -> String {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    hex::encode(bytes)
}
