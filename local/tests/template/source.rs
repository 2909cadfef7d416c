//! Parsing YAML and JSON, and the parts of them that CloudFormation does not support.

use expect_test::expect;

use crate::{API, check_error, check_outputs, stack};

#[test]
fn json_and_yaml_of_one_template_give_one_stack() {
    let yaml = format!(
        "AWSTemplateFormatVersion: 2010-09-09\nResources:{API}Outputs:\n  Id: {{ Value: !GetAtt Api.ApiId }}\n"
    );
    let json = r#"{
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": { "Api": { "Type": "AWS::ApiGatewayV2::Api", "Properties": {
            "Name": "chat", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action" } } },
        "Outputs": { "Id": { "Value": { "Fn::GetAtt": ["Api", "ApiId"] } } }
    }"#;
    assert_eq!(stack(&yaml), stack(json));
}

#[test]
fn json_with_tabs_and_surrogate_pairs_is_json_too() {
    let json = "{\n\t\"Resources\": { \"Api\": { \"Type\": \"AWS::ApiGatewayV2::Api\", \"Properties\": {\n\t\t\
        \"Name\": \"\\ud83d\\ude00\", \"ProtocolType\": \"WEBSOCKET\", \"RouteSelectionExpression\": \"x\" } } },\n\t\
        \"Outputs\": { \"O\": { \"Value\": \"\\ud83d\\ude00\" } } }";
    assert_eq!(stack(json).outputs["O"], "😀");
}

#[test]
fn unquoted_scalars_are_those_of_yaml_1_1() {
    check_outputs(
        "",
        &[
            "010",
            "1.10",
            "2010-09-09",
            "yes",
            "on",
            "0x1F",
            "1e3",
            "true",
            "True",
            "'True'",
            "!!str true",
            "!Sub yes",
            "\"a\\nb\"",
        ],
        expect![[r#"
            010 → 8
            1.10 → 1.1
            2010-09-09 → 2010-09-09
            yes → true
            on → true
            0x1F → 31
            1e3 → 1e3
            true → true
            True → true
            'True' → True
            !!str true → true
            !Sub yes → yes
            "a\nb" → a
            b
        "#]],
    );
}

#[test]
fn invalid_templates_are_reported_with_their_line() {
    for (template, expected) in [
        ("", expect!["the template cannot be used: it is empty"]),
        (
            "- a",
            expect![
                "the template cannot be used: line 1: a template must be a map, but this is a list"
            ],
        ),
        (
            "text",
            expect![
                "the template cannot be used: line 1: a template must be a map, but this is a string"
            ],
        ),
        (
            "Resources: [",
            expect![
                "the template cannot be used: line 2: it is not valid YAML: while parsing a node, did not find expected node content"
            ],
        ),
        (
            "a: 1\nb: 2\na: 3",
            expect!["the template cannot be used: line 3: the key `a` is duplicated"],
        ),
        (
            "a: &x 1\nb: 2",
            expect![
                "the template cannot be used: line 1: CloudFormation does not support YAML anchors and aliases; repeat the value"
            ],
        ),
        (
            "a: 1\n---\nb: 2",
            expect![
                "the template cannot be used: line 2: a second document starts here, but a template is a single one"
            ],
        ),
        (
            "<<: { a: 1 }",
            expect![
                "the template cannot be used: line 1: CloudFormation does not support the merge key `<<`; repeat the keys"
            ],
        ),
        (
            "? [a]\n: 1",
            expect!["the template cannot be used: line 1: a key must be a string, but is a list"],
        ),
        (
            "a: !!binary aGk=",
            expect![
                "the template cannot be used: line 1: CloudFormation does not support the YAML tag `!!binary`"
            ],
        ),
        (
            "a: !<tag:example.com,2000:x> 1",
            expect![
                "the template cannot be used: line 1: CloudFormation does not support the YAML tag `!tag:example.com,2000:x`"
            ],
        ),
        (
            "{\"a\": 1, \"a\": 2}",
            expect!["the template cannot be used: line 1: the key `a` is duplicated"],
        ),
    ] {
        check_error(template, expected);
    }
}

#[test]
fn size_and_depth_are_bounded() {
    let large = format!("Description: {}", "x".repeat(1_048_576));
    check_error(
        &large,
        expect![
            "the template cannot be used: it has 1048589 bytes, but CloudFormation accepts 1048576 at most"
        ],
    );
    check_error(
        &"[".repeat(5_000),
        expect![
            "the template cannot be used: line 1: it is not valid YAML: recursion limit exceeded"
        ],
    );
    let blocks: String = (0..200)
        .map(|level| format!("{}a:\n", " ".repeat(level)))
        .collect();
    check_error(
        &blocks,
        expect!["the template cannot be used: line 65: it nests deeper than 64 levels here"],
    );
    // A surrogate pair is only valid in JSON, so this uses the JSON parser.
    let json = format!(
        "{{\"\\ud83d\\ude00\": {}{}}}",
        "[".repeat(100),
        "]".repeat(100)
    );
    check_error(
        &json,
        expect!["the template cannot be used: it nests deeper than 64 levels"],
    );
}

#[test]
fn json_that_is_not_yaml_reports_its_own_mistakes() {
    check_error(
        "{\n\t\"a\": \"\\ud83d\\ude00\",\n\t\"a\": 2\n}",
        expect![
            "the template cannot be used: line 4: it is not valid JSON: the key `a` is duplicated"
        ],
    );
    check_error(
        "{\n\t\"a\": \"\\ud83d\\ude00\",\n\t\"b\" 2\n}",
        expect!["the template cannot be used: line 3: it is not valid JSON: expected `:`"],
    );
}

#[test]
fn unknown_blocks_are_all_reported_at_once() {
    check_error(
        "AWSTemplateFormatVersion: 2011-01-01\nTransform: AWS::Serverless-2016-10-31\nRules: {}\nresources: {}",
        expect![[r#"
            the template cannot be used, for 5 reasons:
              it has no Resources block
              line 1: AWSTemplateFormatVersion: the only valid version is 2010-09-09
              line 2: Transform: the local target does not run transforms or macros; use the template that they produce
              line 3: Rules: this block is not supported by the local target
              line 4: resources: a template has no such block"#]],
    );
}
