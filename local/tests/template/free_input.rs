//! Checks that the reader handles any text: it never panics and never loops.

use proptest::prelude::*;

use crate::{API, resolve_with};

/// The result must be a stack with an API, or at least one problem with a reason.
fn check_answer(template: &str) {
    match resolve_with(template, &[]) {
        Ok(stack) => assert!(
            stack
                .resources
                .iter()
                .any(|resource| resource.physical_id == stack.api.id)
        ),
        Err(error) => assert!(
            !error.problems.is_empty()
                && error
                    .problems
                    .iter()
                    .all(|problem| !problem.reason.is_empty())
        ),
    }
}

/// Pieces of templates, so that random text gets past the first check.
fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~\n\t]{0,6}",
        "\\PC{0,4}",
        proptest::sample::select(vec![
            "Resources:",
            "\n  A:",
            "\n    Type: ",
            "AWS::Logs::LogGroup",
            "AWS::IAM::Role",
            "\n    Properties:",
            "\n      ",
            "{",
            "}",
            "[",
            "]",
            ", ",
            ": ",
            "!Ref ",
            "!Sub ",
            "!GetAtt ",
            "!If ",
            "!Join ",
            "'",
            "\"",
            "${",
            "}",
            "&a ",
            "*a",
            "|\n",
            ">-\n",
            "---\n",
            "...\n",
            "#",
            "- ",
            "? ",
            "<<: ",
            "%YAML 1.2\n",
            "!!str ",
            "!<",
            "\\u",
            "~",
            "\u{feff}",
            "\r\n",
            "\0",
        ])
        .prop_map(str::to_owned),
    ]
}

/// Any tree, written as JSON, which is YAML.
fn tree() -> impl Strategy<Value = serde_json::Value> {
    let key = proptest::sample::select(vec![
        "Ref",
        "Fn::Sub",
        "Fn::GetAtt",
        "Fn::Join",
        "Fn::If",
        "Fn::Select",
        "Fn::Split",
        "Fn::FindInMap",
        "Fn::Base64",
        "Condition",
        "Type",
        "Properties",
        "DependsOn",
        "Name",
        "ApiId",
        "Policies",
        "Statement",
        "Tags",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        proptest::sample::select(vec![
            "Api",
            "A",
            "P",
            "Yes",
            "Api.ApiId",
            "${A}",
            "${Api}",
            "AWS::NoValue",
            "AWS::Logs::LogGroup",
            "",
            "0"
        ])
        .prop_map(Into::into),
        "\\PC{0,6}".prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 48, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::hash_map(key.clone().prop_map(str::to_owned), inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

const TYPES: [&str; 13] = [
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Deployment",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::RouteResponse",
    "AWS::ApiGatewayV2::Stage",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_handled(pieces in proptest::collection::vec(fragment(), 0..24)) {
        check_answer(&pieces.concat());
    }

    #[test]
    fn any_tree_is_handled_in_every_block(tree in tree(), block in 0_usize..5) {
        let name = ["Parameters", "Conditions", "Mappings", "Outputs", "Resources"][block];
        let text = serde_json::json!({ "Resources": { "A": { "Type": "AWS::Logs::LogGroup" } }, name: { "P": tree } });
        check_answer(&text.to_string());
    }

    #[test]
    fn any_properties_are_handled_for_every_type(tree in tree(), kind in proptest::sample::select(&TYPES[..]), name in "[A-Z][a-z]{0,3}") {
        let template = format!("Conditions: {{ Yes: !Equals [a, a] }}\nResources:{API}  A: {{ Type: '{kind}', Properties: {tree} }}\nOutputs: {{ {name}: {{ Value: {tree} }} }}");
        check_answer(&template);
    }
}
