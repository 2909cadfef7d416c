use serde_json::json;

use super::*;

fn too_much(schema: Value, value: &Value) {
    let schema = Schema::parse(&schema).unwrap();
    let (is_spent, judged) = schema.judge_within(STEPS, value);
    assert!(is_spent, "{judged:?}");
    assert!(judged.unwrap_err().contains("too costly"));
    assert_eq!(schema.judge_in_passing(value), None);
}

#[test]
fn patterns_are_charged_by_their_size_and_by_the_text() {
    let long = json!("a".repeat(130_000));
    too_much(json!({ "pattern": "((a?){200}){20}b" }), &long);
    too_much(json!({ "not": { "pattern": "((a?){200}){20}b" } }), &long);
    let many: Map<_, _> = (0..5_000)
        .map(|index| (format!("^x{index}[a-z]*$"), json!({})))
        .collect();
    let members: Map<_, _> = (0..10_000)
        .map(|index| (format!("x{index}"), json!(1)))
        .collect();
    too_much(json!({ "patternProperties": many }), &members.into());
}

#[test]
fn a_simple_pattern_on_a_long_text_is_judged_in_passing() {
    let schema = Schema::parse(&json!({ "pattern": "^[a-z]+$" })).unwrap();
    let value = json!("a".repeat(30_000));
    assert_eq!(schema.judge_in_passing(&value), Some(Ok(())));
}

#[test]
fn long_names_within_one_another_are_charged() {
    let members: Map<_, _> = (0..10_000)
        .map(|index| (index.to_string(), json!(1)))
        .collect();
    too_much(
        json!({ "additionalProperties": { "additionalProperties": {} } }),
        &json!({ "n".repeat(60_000): members }),
    );
}

#[test]
fn unique_items_are_compared_in_one_pass() {
    let schema = Schema::parse(&json!({ "uniqueItems": true })).unwrap();
    let mut items: Vec<_> = (0..11_000)
        .map(|index| json!({ "a": index, "b": "x" }))
        .collect();
    assert_eq!(schema.judge(&json!(items)), Ok(()));
    items.push(json!({ "b": "x", "a": 5 }));
    assert!(
        schema
            .judge(&json!(items))
            .unwrap_err()
            .contains("duplicate")
    );
}
