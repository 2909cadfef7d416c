//! Rewrites the parser's messages about wrong types: TOML's terms instead of Rust's types.

/// Returns `message` with TOML's names of the types. Messages about anything else stay unchanged.
pub(super) fn in_plain_words(message: &str) -> String {
    if let Some(choice) = message.strip_prefix("unknown variant ") {
        return format!("unknown value {choice}");
    }
    let Some((kind, rest)) = message.split_once(": ") else {
        return message.to_owned();
    };
    let is_about_a_value = matches!(kind, "invalid type" | "invalid value" | "invalid length");
    // The value that was found may contain these words, the expected type does not.
    match rest.rsplit_once(", expected ") {
        Some((found, expected)) if is_about_a_value => {
            format!("expected {}, found {}", wanted(expected), given(found))
        }
        _ => message.to_owned(),
    }
}

fn wanted(expected: &str) -> String {
    let number = [
        "i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64", "u128", "usize", "isize",
    ];
    let plain = match expected {
        whole if number.contains(&whole) => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "string" | "str" | "path string" | "a borrowed string" => "a string in quotes",
        "a boolean" => "true or false",
        "a sequence" | "a list" => "a list in [ ]",
        "a map" => "a table",
        "string or table" => "a string in quotes, or a table",
        table if table.starts_with("struct ") || table.starts_with("map") => "a table",
        list if list.starts_with("tuple struct") || list.starts_with("an array") => "a list in [ ]",
        variant if variant.starts_with("enum ") || variant == "variant identifier" => {
            "a string in quotes"
        }
        other => other,
    };
    plain.to_owned()
}

fn given(found: &str) -> String {
    let (kind, value) = match found.split_once([' ', '`']) {
        Some((kind, _)) => (kind, found[kind.len()..].trim_start()),
        None => (found, ""),
    };
    let bare = value.trim_matches('`');
    match kind {
        "string" => format!("the string {value}"),
        "integer" => format!("the number {bare}"),
        "floating" => format!("the number {}", bare.trim_start_matches("point `")),
        "boolean" => bare.to_owned(),
        "map" => "a table".to_owned(),
        "sequence" => "a list".to_owned(),
        _ => found.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_errors_use_toml_s_names_of_types() {
        for (message, plain) in [
            (
                "invalid type: string \"100\", expected i64",
                "expected a whole number, found the string \"100\"",
            ),
            (
                "invalid type: integer `5`, expected a string",
                "expected a string in quotes, found the number 5",
            ),
            (
                "invalid type: floating point `1.5`, expected i64",
                "expected a whole number, found the number 1.5",
            ),
            (
                "invalid type: boolean `true`, expected path string",
                "expected a string in quotes, found true",
            ),
            (
                "invalid type: map, expected a string",
                "expected a string in quotes, found a table",
            ),
            (
                "invalid type: sequence, expected a boolean",
                "expected true or false, found a list",
            ),
            (
                "invalid type: string \"x, expected y\", expected struct Aws",
                "expected a table, found the string \"x, expected y\"",
            ),
            (
                "invalid type: integer `1`, expected a sequence",
                "expected a list in [ ], found the number 1",
            ),
            (
                "unknown field `x`, expected one of `a`, `b`",
                "unknown field `x`, expected one of `a`, `b`",
            ),
            (
                "13 is not a port: 1 to 65535",
                "13 is not a port: 1 to 65535",
            ),
        ] {
            assert_eq!(in_plain_words(message), plain);
        }
    }
}
