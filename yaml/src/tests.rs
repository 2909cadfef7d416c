//! What is read of YAML and JSON, and at which place.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn parsed(text: &str) -> Value {
    parse(text)
        .unwrap_or_else(|error| panic!("{error:?}"))
        .to_json()
}

#[test]
fn every_short_form_becomes_the_long_one_and_json_is_read_too() {
    let yaml = "a: !Ref T\nb: !GetAtt T.Arn\nc: !Sub '${T}-x'\nd: !Join ['-', [!Ref T, x]]\ne: !If [C, !Ref 'AWS::NoValue', 1]\n\
                f: !Not [!Condition C]\ng: {Fn::GetAtt: N.Outputs.X}\nh: !Sub ['${v}', {v: !ImportValue x}]\n";
    let expected = json!({
        "a": {"Ref": "T"}, "b": {"Fn::GetAtt": ["T", "Arn"]}, "c": {"Fn::Sub": "${T}-x"},
        "d": {"Fn::Join": ["-", [{"Ref": "T"}, "x"]]}, "e": {"Fn::If": ["C", {"Ref": "AWS::NoValue"}, 1]},
        "f": {"Fn::Not": [{"Condition": "C"}]}, "g": {"Fn::GetAtt": ["N", "Outputs.X"]},
        "h": {"Fn::Sub": ["${v}", {"v": {"Fn::ImportValue": "x"}}]},
    });
    assert_eq!(parsed(yaml), expected);
    assert_eq!(parsed(&expected.to_string()), expected);
}

#[test]
fn unquoted_values_have_the_types_that_cloudformation_reads() {
    let text = "a: yes\nb: 2012-10-17\nc: 1.5\nd: '1'\ne: ~\nf: -3\ng: !!str 5\nh: 1h\ni: 10.0.0.0/16\nj: arn:aws:x\n";
    let expected = json!({
        "a": true, "b": "2012-10-17", "c": 1.5, "d": "1", "e": null, "f": -3, "g": "5", "h": "1h", "i": "10.0.0.0/16",
        "j": "arn:aws:x",
    });
    assert_eq!(parsed(text), expected);
    assert_eq!(parsed(""), json!({}));
    assert_eq!(parsed("# nothing\n"), json!({}));
}

#[test]
fn what_cloudformation_would_read_otherwise_or_not_at_all_is_refused_at_its_place() {
    for (text, place, reason) in [
        ("a: 012345678901\n", "012345678901", "put it in quotes"),
        ("a: 22:22\n", "22:22", "put it in quotes"),
        ("a: 1_000\n", "1_000", "put it in quotes"),
        ("a: &x 1\n", "&x", "anchors"),
        ("a: 1\na: 2\n", "a: 2", "twice"),
        ("a: !Length [1]\n", "!Length", "`!Length` is no function"),
        (
            "Fn::Transform: {Name: x}\n",
            "Fn::Transform",
            "`Fn::Transform` is no function",
        ),
        ("a: !!binary aa==\n", "", "no YAML tag"),
        ("a: 1\n---\nb: 1\n", "---", "second document"),
        ("a: [1\n", "", "neither YAML nor JSON"),
        ("<<: {a: 1}\n", "<<", "merge key"),
        ("[1]: 2\n", "[1]", "a key must be a string"),
    ] {
        let (at, message) = parse(text).expect_err(text);
        assert!(message.contains(reason), "{text}: {message}");
        let there = &text[at.start.min(text.len())..];
        let near = place.is_empty() || there.starts_with(place) || text[..at.start].ends_with(' ');
        assert!(near, "{text}: {at:?}");
    }
    assert!(parse(&"[".repeat(100)).is_err());
}

#[test]
fn a_deployed_template_may_have_what_only_cloudformation_can_take() {
    let text = "Fn::Transform: {Name: x}\na: !Length [1]\nb: 012345678901\nc: !GetAtt T.Arn\nd: 1.50\ne: 2\n";
    let expected = json!({
        "Fn::Transform": {"Name": "x"}, "a": {"Fn::Length": [1]}, "b": "012345678901", "c": {"Fn::GetAtt": ["T", "Arn"]},
        "d": 1.5, "e": 2,
    });
    assert_eq!(parse_deployed(text).unwrap(), expected);
    let broken = parse_deployed("a: 1\nb: [1\n").unwrap_err();
    assert!(
        broken.starts_with("line 3: it is neither YAML nor JSON"),
        "{broken}"
    );
}

#[test]
fn json_that_yaml_would_read_otherwise_is_read_and_keeps_its_places() {
    let text = "{\n\t\"\\ud83d\\ude00\\u00e9\":\t\"\\uD83D\\uDE00\\\\ud83d\t\", \"b\":\r\n\t[1,\t\"\\/\"],\"c\":1}".replace("d\t\"", "d\\t\"");
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(parsed(&text), read);
    assert_eq!(parse_deployed(&text).unwrap(), read);
    let root = parse(&text).unwrap();
    let keys = root.as_map().unwrap().iter();
    let keys: Vec<_> = keys.map(|entry| &text[entry.at.clone()]).collect();
    assert_eq!(keys, ["\"\\ud83d\\ude00\\u00e9\"", "\"b\"", "\"c\""]);
    // Half of a pair is no character.
    assert!(parse("{\"a\":\"\\ud83d\"}").is_err());
}

#[test]
fn a_place_is_right_after_every_kind_of_line_end_and_a_byte_order_mark() {
    for text in [
        "a: 1\nb: 2\n",
        "a: 1\r\nb: 2\r\n",
        "a: 1\rb: 2\n",
        "\u{feff}a: é\nb: 2",
        "\u{feff}a: é\r\r\nb: 2",
    ] {
        let root = parse(text).unwrap();
        let places = root.as_map().unwrap().iter();
        let places: Vec<_> = places.map(|entry| &text[entry.at.clone()]).collect();
        assert_eq!(places, ["a", "b"], "{text:?}");
    }
}

#[test]
fn every_key_of_a_long_line_of_json_has_its_place() {
    let fields: Vec<_> = (0..20_000)
        .map(|number| format!("\"é{number}\":[{number}]"))
        .collect();
    let text = format!("{{{}}}", fields.join(","));
    let root = parse(&text).unwrap();
    for entry in root.as_map().unwrap() {
        let key = format!("\"{}\"", entry.key);
        assert_eq!(text.get(entry.at.clone()), Some(key.as_str()));
    }
    assert_eq!(
        parse_deployed(&text).unwrap(),
        serde_json::from_str::<Value>(&text).unwrap()
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "([a-c!&*{}\\[\\]:,\"'~0-9 \n-]|Fn::Sub|é)*") {
        if let Err((at, message)) = parse(&text) {
            prop_assert!(at.start <= text.len() && !message.is_empty());
        }
        drop(parse_deployed(&text));
    }
}
