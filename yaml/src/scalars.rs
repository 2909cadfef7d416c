//! What unquoted texts are.

use serde_json::Value;

/// What an unquoted text is. YAML 1.1, which CloudFormation reads, has more booleans than true and false
/// (<https://yaml.org/type/bool.html>).
pub(crate) fn plain(text: &str) -> Result<Value, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => true.into(),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => false.into(),
        _ if is_another_number(text) => {
            return Err(format!(
                "YAML 1.1, which CloudFormation reads, makes another number of {text}: put it in quotes"
            ));
        }
        _ => match text.parse::<serde_json::Number>() {
            Ok(number) if number.to_string() != text => {
                return Err(format!(
                    "as a number {text} becomes {number}: write that, or put it in quotes"
                ));
            }
            Ok(number) => number.into(),
            Err(_) => text.into(),
        },
    })
}

/// Whether YAML 1.1 reads a number in a notation that JSON does not have: octal, hexadecimal, binary, with `_`, to the
/// base of sixty (<https://yaml.org/type/int.html>).
fn is_another_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    // `.5`, `+1.5`, `1.`, `.inf` (<https://yaml.org/type/float.html>).
    let is_fraction = digits.parse::<f64>().is_ok() && digits.contains('.');
    let is_named = [".inf", ".nan"].contains(&digits.to_lowercase().as_str());
    if is_named || (is_fraction && text.parse::<serde_json::Number>().is_err()) {
        return true;
    }
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return false;
    }
    let is_all = |text: &str, also: &str| {
        let mut all = text.chars();
        all.all(|c| c.is_ascii_digit() || also.contains(c))
    };
    let has_zero = digits.len() > 1 && digits.starts_with('0');
    match digits.get(..2) {
        Some("0x") => digits[2..]
            .chars()
            .all(|c| c.is_ascii_hexdigit() || c == '_'),
        Some("0b") => digits[2..].chars().all(|c| "01_".contains(c)),
        _ if is_all(digits, "_") => has_zero || digits.contains('_') || text.starts_with('+'),
        _ => digits.contains(':') && is_all(digits, ":_") && !digits.ends_with(':'),
    }
}
