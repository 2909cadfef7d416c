//! The intrinsic functions, in their long and short forms.

use expect_test::expect;
use proptest::prelude::*;

use crate::{check_error, check_outputs, output_of, resolve_with, with_api};

const BEFORE: &str = "
Parameters:
  Name: { Type: String, Default: Tom }
  List: { Type: CommaDelimitedList, Default: 'a,b,c' }
Mappings:
  Sizes: { eu-central-1: { small: 128, names: [x, y] } }
Conditions:
  Known: !Equals [a, a]
";

#[test]
fn every_function_has_its_documented_result() {
    check_outputs(
        BEFORE,
        &[
            "!Ref Name",
            "{ Ref: Name }",
            "!Sub '${Name} in ${AWS::Region}'",
            "!Sub ['${Name}-${Other}', { Other: !Select [0, !Ref List] }]",
            "!Sub ['${Name}-${Other}', { Other: !Ref Name, Name: Jerry }]",
            "!Sub '${!Name} costs $5 ${'",
            "!Join ['-', [a, !Ref Name, 1]]",
            "!Join ['', !Ref List]",
            "!Join [',', []]",
            "!Select [1, [a, b]]",
            "!Select ['2', !Ref List]",
            "!Select [0, !Split ['|', 'a|b']]",
            "!Join ['+', !Split ['|', '|a||']]",
            "!If [Known, !If [Known, inner, b], c]",
            "!Base64 hello",
            "!FindInMap [Sizes, !Ref 'AWS::Region', small]",
            "!Select [1, !FindInMap [Sizes, !Ref 'AWS::Region', names]]",
            "{ 'Fn::Join': ['', [!GetAtt Api.ApiEndpoint, /, { 'Fn::Sub': '${Api.ApiId}' }]] }",
            "!GetAtt [Api, ApiId]",
        ],
        expect![[r#"
            !Ref Name → Tom
            { Ref: Name } → Tom
            !Sub '${Name} in ${AWS::Region}' → Tom in eu-central-1
            !Sub ['${Name}-${Other}', { Other: !Select [0, !Ref List] }] → Tom-a
            !Sub ['${Name}-${Other}', { Other: !Ref Name, Name: Jerry }] → Jerry-Tom
            !Sub '${!Name} costs $5 ${' → ${Name} costs $5 ${
            !Join ['-', [a, !Ref Name, 1]] → a-Tom-1
            !Join ['', !Ref List] → abc
            !Join [',', []] → 
            !Select [1, [a, b]] → b
            !Select ['2', !Ref List] → c
            !Select [0, !Split ['|', 'a|b']] → a
            !Join ['+', !Split ['|', '|a||']] → +a++
            !If [Known, !If [Known, inner, b], c] → inner
            !Base64 hello → aGVsbG8=
            !FindInMap [Sizes, !Ref 'AWS::Region', small] → 128
            !Select [1, !FindInMap [Sizes, !Ref 'AWS::Region', names]] → y
            { 'Fn::Join': ['', [!GetAtt Api.ApiEndpoint, /, { 'Fn::Sub': '${Api.ApiId}' }]] } → wss://z0azcoru7q.execute-api.eu-central-1.amazonaws.com/z0azcoru7q
            !GetAtt [Api, ApiId] → z0azcoru7q
        "#]],
    );
}

#[test]
fn pseudo_parameters_have_the_identity_s_values() {
    check_outputs(
        "",
        &[
            "!Ref AWS::AccountId",
            "!Ref AWS::Partition",
            "!Ref AWS::Region",
            "!Ref AWS::StackId",
            "!Ref AWS::StackName",
            "!Ref AWS::URLSuffix",
            "!Ref AWS::NotificationARNs",
            "!Ref AWS::Nonsense",
            "!Ref AWS::NoValue",
        ],
        expect![[r#"
            !Ref AWS::AccountId → 000000000000
            !Ref AWS::Partition → aws
            !Ref AWS::Region → eu-central-1
            !Ref AWS::StackId → arn:aws:cloudformation:eu-central-1:000000000000:stack/chat/f05941ad-b86f-79ff-9ac3-6c7e677cfc34
            !Ref AWS::StackName → chat
            !Ref AWS::URLSuffix → amazonaws.com
            !Ref AWS::NotificationARNs → the local target has no pseudo parameter `AWS::NotificationARNs`
            !Ref AWS::Nonsense → the local target has no pseudo parameter `AWS::Nonsense`
            !Ref AWS::NoValue → its `Value` must not be AWS::NoValue
        "#]],
    );
}

#[test]
fn every_misuse_is_an_error_with_the_expected_form() {
    check_outputs(
        BEFORE,
        &[
            "!Select [3, !Ref List]",
            "!Select [x, [a]]",
            "!Select [-1, [a]]",
            "!Select [0, text]",
            "!Split ['', a]",
            "!Split [a]",
            "!Join ['', text]",
            "!Join ['', [[a]]]",
            "!Join ['']",
            "!Join [[], [a]]",
            "!Sub '${a b}'",
            "!Sub '${List}'",
            "!Sub [a]",
            "!Sub ['${x}', { x: !Ref 'AWS::NoValue' }]",
            "!Ref [Name]",
            "!GetAtt Api",
            "!GetAtt Api.Colour",
            "!GetAtt [Api, !Sub 'Colour']",
            "!If [Known, a]",
            "!If [Other, a, b]",
            "!FindInMap [Sizes, nowhere, small]",
            "!Base64 [a]",
            "!Equals [a, b]",
            "!ImportValue other-stack",
            "!Transform { Name: 'AWS::Include' }",
            "!GetAZs ''",
            "!Cidr [a, 1, 2]",
            "{ 'Fn::ForEach::X': [a, [b], {}] }",
            "!Frobnicate x",
            "{ 'Fn::Sub': a, Other: b }",
            "!Ref List",
            "{ a: b }",
            "~",
        ],
        expect![[r#"
            !Select [3, !Ref List] → `Fn::Select` cannot select the value at index 3 of a list of 3
            !Select [x, [a]] → `Fn::Select` needs a number as its index, but `x` is not one
            !Select [-1, [a]] → `Fn::Select` needs a number as its index, but `-1` is not one
            !Select [0, text] → must be a list, but is a string
            !Split ['', a] → `Fn::Split` needs a non-empty delimiter
            !Split [a] → `Fn::Split` must be [delimiter, text]
            !Join ['', text] → must be a list, but is a string
            !Join ['', [[a]]] → must be a string, but is a list
            !Join [''] → `Fn::Join` must be [delimiter, list of strings]
            !Join [[], [a]] → must be a string, but is a list
            !Sub '${a b}' → `${a b}` is not a variable name: letters, digits, `_`, `.` and `:` are allowed; for a literal `${` write `${!`
            !Sub '${List}' → `${List}` is not a string, so it cannot become part of one
            !Sub [a] → `Fn::Sub` must be [string, map of variables]
            !Sub ['${x}', { x: !Ref 'AWS::NoValue' }] → `Fn::Sub` needs a value here, but `AWS::NoValue` is none
            !Ref [Name] → must be a string, but is a list
            !GetAtt Api → `Fn::GetAtt` must be [resource, attribute] or resource.attribute
            !GetAtt Api.Colour → `Api` has no attribute `Colour`, only ApiEndpoint, ApiId
            !GetAtt [Api, !Sub 'Colour'] → `Api` has no attribute `Colour` with these properties
            !If [Known, a] → `Fn::If` must be [condition name, value if true, value if false]
            !If [Other, a, b] → `Fn::If` refers to the condition `Other`, which is not in the Conditions block
            !FindInMap [Sizes, nowhere, small] → `Fn::FindInMap` finds nothing at Sizes, nowhere, small in the Mappings block
            !Base64 [a] → must be a string, but is a list
            !Equals [a, b] → `Fn::Equals` is only allowed in the Conditions block; refer to that condition in an `Fn::If`
            !ImportValue other-stack → `Fn::ImportValue` is not supported by the local target
            !Transform { Name: 'AWS::Include' } → `Fn::Transform` is not supported by the local target
            !GetAZs '' → `Fn::GetAZs` is not supported by the local target
            !Cidr [a, 1, 2] → `Fn::Cidr` is not supported by the local target
            { 'Fn::ForEach::X': [a, [b], {}] } → `Fn::ForEach::X` is not supported by the local target
            !Frobnicate x → `Fn::Frobnicate` is not a CloudFormation function
            { 'Fn::Sub': a, Other: b } → `Fn::Sub` must be the only key of its map
            !Ref List → must be a string, but is a list
            { a: b } → must be a string, but is a map
            ~ → null values are not allowed in templates
        "#]],
    );
}

#[test]
fn unresolved_names_are_reported_together_with_their_places() {
    check_error(
        &with_api(
            "
  Logs:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub '${Nope}/${Neither.Arn}/${AWS::Region}'
      KmsKeyId: !GetAtt Key.Arn
  More:
    Type: AWS::Logs::LogGroup
    DependsOn: [Api, Nowhere]
    Properties: { LogGroupName: !GetAtt Logs.Name }
Outputs:
  O: { Value: !Ref Missing }
",
        ),
        expect![[r#"
            the template cannot be used, for 5 reasons:
              line 9: Resources.Logs: unresolved resource dependencies [Neither, Nope] in the Resources block of the template
              line 10: Resources.Logs: unresolved resource dependencies [Key] in the Resources block of the template
              line 13: Resources.More.DependsOn: unresolved resource dependencies [Nowhere] in the Resources block of the template
              line 14: Resources.More: `Logs` has no attribute `Name`, only Arn
              line 16: Outputs.O: unresolved resource dependencies [Missing] in the Outputs block of the template"#]],
    );
}

#[test]
fn a_name_must_exist_even_in_a_branch_that_is_not_taken() {
    let template = format!(
        "{BEFORE}{}Outputs:\n  O: {{ Value: !If [Known, a, !Ref Missing] }}\n",
        with_api("")
    );
    check_error(
        &template,
        expect![
            "the template cannot be used: line 14: Outputs.O: unresolved resource dependencies [Missing] in the Outputs block of the template"
        ],
    );
}

#[test]
fn a_text_that_doubles_at_every_level_is_stopped() {
    let mut expression = "x".repeat(64);
    for _ in 0..20 {
        expression = format!("!Sub ['${{a}}${{a}}', {{ a: {expression} }}]");
    }
    expect!["the template expands to more than 16777216 bytes"]
        .assert_eq(output_of("", &expression).trim_end());
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn splitting_and_joining_are_inverse(text in "[a-c|']{1,12}") {
        let expression = format!("!Join ['|', !Split ['|', {}]]", quoted(&text));
        prop_assert_eq!(output_of("", &expression), text);
    }

    #[test]
    fn select_returns_the_item_that_join_would_use(items in proptest::collection::vec("[a-z]{1,4}", 1..6), index in 0_usize..6) {
        let list = format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "));
        let selected = output_of("", &format!("!Select [{index}, {list}]"));
        match items.get(index) {
            Some(item) => prop_assert_eq!(&selected, item),
            None => prop_assert!(selected.contains("cannot select"), "{}", selected),
        }
    }

    #[test]
    fn sub_of_a_text_without_variables_is_that_text(text in "[a-z $}é]{1,12}") {
        let text = text.trim().to_owned();
        prop_assume!(!text.is_empty());
        prop_assert_eq!(output_of("", &format!("!Sub {}", quoted(&text))), text);
    }

    #[test]
    fn sub_and_join_agree(name in "[A-Za-z]{1,8}", before in "[a-z]{0,5}", after in "[a-z]{0,5}") {
        let parameters = format!("Parameters:\n  P: {{ Type: String, Default: {} }}", quoted(&name));
        let sub = output_of(&parameters, &format!("!Sub '{before}${{P}}{after}'"));
        let join = output_of(&parameters, &format!("!Join ['', ['{before}', !Ref P, '{after}']]"));
        prop_assert_eq!(&sub, &join);
        prop_assert_eq!(sub, format!("{before}{name}{after}"));
    }

    #[test]
    fn a_parameter_arrives_unchanged(value in "[ -~]{0,40}") {
        let parameters = "Parameters:\n  P: { Type: String }";
        let template = format!("{parameters}\n{}Outputs:\n  O: {{ Value: !Sub '${{P}}' }}\n", with_api(""));
        prop_assert_eq!(&resolve_with(&template, &[("P", &value)]).unwrap().outputs["O"], &value);
    }
}
