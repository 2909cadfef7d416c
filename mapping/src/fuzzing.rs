//! What the fuzz targets of this crate run. A test runs the same over the inputs in `fuzz/corpus`.

#![expect(
    clippy::missing_panics_doc,
    reason = "a panic is how a target reports what it finds"
)]

use serde_json::{Map, Value, json};

use crate::{Inputs, JsonPath, Pattern, Template};

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// Each target's name, and the target.
pub const TARGETS: [(&str, Target); 3] = [
    ("velocity", velocity),
    ("json_path", json_path),
    ("java_pattern", java_pattern),
];

/// The two texts of an input, which a line `---` parts.
fn halves(data: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(data).ok()?;
    Some(text.split_once("\n---\n").unwrap_or((text, "")))
}

/// What every text and number of the inputs has in it when errors are looked at.
const MARKER: &str = "7301944";

/// `value` with the marker in each text, behind braces and at the end, and instead of each number.
fn marked(value: Value) -> Value {
    let text = |text: String| format!("{}{MARKER}", text.replace('{', &format!("{{{MARKER}")));
    match value {
        Value::String(inside) => text(inside).into(),
        Value::Number(_) => MARKER.parse::<u64>().map_or(Value::Null, Value::from),
        Value::Array(items) => items.into_iter().map(marked).collect(),
        Value::Object(members) => {
            let members = members.into_iter();
            members
                .map(|(name, member)| (name, marked(member)))
                .collect()
        }
        other => other,
    }
}

/// A template, and the body that it is rendered with.
pub fn velocity(data: &[u8]) {
    let Some((template, body)) = halves(data) else {
        return;
    };
    let is_written = template.contains(MARKER);
    let template = match Template::parse(template) {
        Ok(template) => template,
        Err(error) => return assert!(error.position.line > 0 && !error.to_string().is_empty()),
    };
    let context =
        json!({ "connectionId": "JC1dgf9yoAMCK-g=", "identity": { "sourceIp": "127.0.0.1" } });
    let parameters =
        json!({ "path": {}, "querystring": { "room": "a" }, "header": { "X-A": "b" } });
    let variables = Map::from_iter([("host".to_owned(), Value::from("example.com"))]);
    let inputs = Inputs::new(body)
        .with_context(&context)
        .with_parameters(&parameters)
        .with_stage_variables(&variables);
    let in_passing = template.render_in_passing(&inputs, &|| false);
    // Without time, only what fits into few steps is rendered.
    let without_time = template.render_in_passing(&inputs, &|| true);
    assert!(without_time.is_none() || without_time == in_passing);
    // What fits into few steps is the same with many.
    if let Some(rendered) = in_passing {
        assert_eq!(rendered, template.render(&inputs, &|| false));
        assert!(rendered.map_or(0, |text| text.len()) <= 10 * 1024 * 1024);
    }
    let body = match serde_json::from_str(body) {
        Ok(body) => marked(body).to_string(),
        Err(_) => format!("{body}{MARKER}"),
    };
    let (context, parameters) = (marked(context), marked(parameters));
    let Value::Object(variables) = marked(variables.into()) else {
        unreachable!("a map stays one");
    };
    let inputs = Inputs::new(&body)
        .with_context(&context)
        .with_parameters(&parameters)
        .with_stage_variables(&variables);
    if let Some(Err(error)) = template.render_in_passing(&inputs, &|| false) {
        let error = error.to_string();
        assert!(is_written || !error.contains(MARKER), "quoted: {error}");
    }
}

/// A path, and the document that it is looked up in.
pub fn json_path(data: &[u8]) {
    let Some((path, document)) = halves(data) else {
        return;
    };
    let Ok(path) = JsonPath::parse(path) else {
        return;
    };
    let document = serde_json::from_str(document).unwrap_or_else(|_| json!({ "a": [document] }));
    let mut visits = 0;
    let found = path.find_counting(&document, &mut visits);
    assert_eq!(found, path.find(&document));
    assert!(visits < 3_000_000, "{visits} values looked at");
}

/// A regular expression in Java's dialect, and a text that it is compared with.
pub fn java_pattern(data: &[u8]) {
    let Some((pattern, text)) = halves(data) else {
        return;
    };
    let (whole, anywhere) = (
        Pattern::from_java(pattern),
        Pattern::from_java_anywhere(pattern),
    );
    let Ok(anywhere) = anywhere else {
        return;
    };
    if anywhere.steps(text.len()) < 1_000_000 && whole.is_ok_and(|whole| whole.is_match(text)) {
        assert!(anywhere.is_match(text), "a whole match is a match");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_input_of_the_corpus_makes_a_target_panic() {
        testing::corpus::replay(&TARGETS);
    }
}
