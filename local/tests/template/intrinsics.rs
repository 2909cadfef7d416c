//! The functions, in their long and short forms.

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
  Yes: !Equals [a, a]
";

#[test]
fn every_function_gives_what_cloudformation_documents() {
    check_outputs(
        BEFORE,
        &[
            "!Ref Name",
            "{ Ref: Name }",
            "!Sub '${Name} in ${AWS::Region}'",
            "!Sub ['${Name}-${Other}', { Other: !Ref List2 }]",
            "!Sub ['${Name}-${Other}', { Other: !Ref Name, Name: Jerry }]",
            "!Sub '${!Name} costs $5 ${'",
            "!Join ['-', [a, !Ref Name, 1]]",
            "!Join ['', !Ref List]",
            "!Join [',', []]",
            "!Select [1, [a, b]]",
            "!Select ['2', !Ref List]",
            "!Select [0, !Split ['|', 'a|b']]",
            "!Join ['+', !Split ['|', '|a||']]",
            "!If [Yes, !If [Yes, inner, b], c]",
            "!Base64 hello",
            "!FindInMap [Sizes, !Ref 'AWS::Region', small]",
            "!Select [1, !FindInMap [Sizes, !Ref 'AWS::Region', names]]",
            "{ 'Fn::Join': ['', [!GetAtt Api.ApiEndpoint, /, { 'Fn::Sub': '${Api.ApiId}' }]] }",
            "!GetAtt [Api, ApiId]",
        ],
        expect![[""]],
    );
}

#[test]
fn pseudo_parameters_answer_from_the_identity() {
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
        expect![[""]],
    );
}

#[test]
fn every_misuse_says_what_the_function_needs() {
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
            "!If [Yes, a]",
            "!If [No, a, b]",
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
        expect![[""]],
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
        expect![[""]],
    );
}

#[test]
fn a_name_must_exist_even_in_a_branch_that_is_not_taken() {
    let template = format!(
        "{BEFORE}{}Outputs:\n  O: {{ Value: !If [Yes, a, !Ref Missing] }}\n",
        with_api("")
    );
    check_error(&template, expect![[""]]);
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
    fn select_picks_what_join_would_put_there(items in proptest::collection::vec("[a-z]{1,4}", 1..6), index in 0_usize..6) {
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
