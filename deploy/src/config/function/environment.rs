//! How Lambda measures the variables of a function.

use serde_json::json;

/// The bytes that a variable takes of the 4 KB. Lambda measures all variables as one JSON object, as it quotes it in its
/// refusal, so quotes and escapes count
/// (<https://github.com/github-aws-runners/terraform-aws-github-runner/issues/3594>).
pub(in crate::config) fn bytes(name: &str, value: &str) -> usize {
    let written = |text: &str| json!(text).to_string().len();
    written(name) + ":".len() + written(value) + ",".len()
}

/// The same for a value of `length` bytes that JSON writes as it is.
pub(in crate::config) fn plain_bytes(name: &str, length: usize) -> usize {
    bytes(name, "") + length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_measured_as_the_json_object_that_lambda_quotes() {
        let all = [("ONE", "1"), ("TWO", r#"{"a":"\\"}"#), ("THREE", "ä\n")];
        let object: serde_json::Map<_, _> = all
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let sum: usize = all.iter().map(|(name, value)| bytes(name, value)).sum();
        // Two braces, and no comma at the end.
        assert_eq!(sum + 1, json!(object).to_string().len());
        assert_eq!(plain_bytes("ONE", 1), bytes("ONE", "1"));
    }
}
