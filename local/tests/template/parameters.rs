//! Parameters: defaults, constraints, lists, and every way to get one wrong.

use expect_test::{Expect, expect};

use crate::{API, resolve_with};

/// What `Ref P` gives, or the problems without their line.
fn check(declaration: &str, given: &[(&str, &str)], expected: Expect) {
    let template = format!(
        "Parameters:\n  P: {declaration}\nResources:{API}Outputs:\n  O: {{ Value: !Join ['|', [!Ref P]] }}\n"
    );
    let list = format!(
        "Parameters:\n  P: {declaration}\nResources:{API}Outputs:\n  O: {{ Value: !Join ['|', !Ref P] }}\n"
    );
    let template = if declaration.contains("List") {
        list
    } else {
        template
    };
    let answer = match resolve_with(&template, given) {
        Ok(stack) => stack.outputs["O"].clone(),
        Err(error) => error
            .problems
            .iter()
            .map(|problem| format!("{}: {}\n", problem.place, problem.reason))
            .collect(),
    };
    expected.assert_eq(&answer);
}

#[test]
fn a_given_value_wins_over_the_default() {
    check("{ Type: String, Default: prod }", &[], expect!["prod"]);
    check(
        "{ Type: String, Default: prod }",
        &[("P", "dev")],
        expect!["dev"],
    );
    check(
        "{ Type: String, Default: prod }",
        &[("P", "")],
        expect![[""]],
    );
    check(
        "{ Type: Number, Default: 256 }",
        &[("P", " 512 ")],
        expect!["512"],
    );
}

#[test]
fn lists_are_split_at_commas_and_trimmed() {
    check(
        "{ Type: CommaDelimitedList }",
        &[("P", "a, b ,c")],
        expect!["a|b|c"],
    );
    check(
        "{ Type: List<Number>, Default: '1,2.5' }",
        &[],
        expect!["1|2.5"],
    );
}

#[test]
fn every_violated_constraint_names_the_parameter_and_the_value() {
    for (declaration, value, expected) in [
        (
            "{ Type: String, AllowedValues: [arm64, x86_64] }",
            "mips",
            expect![[""]],
        ),
        (
            "{ Type: String, AllowedPattern: '[a-z]+' }",
            "abc1",
            expect![[""]],
        ),
        (
            "{ Type: String, AllowedPattern: '(?=x)' }",
            "x",
            expect![[""]],
        ),
        ("{ Type: String, MinLength: 3 }", "ab", expect![[""]]),
        ("{ Type: String, MaxLength: 1 }", "ab", expect![[""]]),
        ("{ Type: String, MaxLength: one }", "ab", expect![[""]]),
        ("{ Type: Number, MinValue: 128 }", "64", expect![[""]]),
        ("{ Type: Number, MaxValue: 1.5 }", "2", expect![[""]]),
        ("{ Type: Number }", "many", expect![[""]]),
        ("{ Type: Number }", "NaN", expect![[""]]),
        ("{ Type: List<Number>, MaxValue: 5 }", "1,9", expect![[""]]),
        (
            "{ Type: CommaDelimitedList, AllowedValues: [a, b] }",
            "a,c",
            expect![[""]],
        ),
        (
            "{ Type: String, NoEcho: true, AllowedPattern: '[a-z]+' }",
            "hunter2",
            expect![[""]],
        ),
        (
            "{ Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: lower case only }",
            "X",
            expect![[""]],
        ),
    ] {
        check(declaration, &[("P", value)], expected);
    }
}

#[test]
fn every_wrong_declaration_is_refused() {
    for (declaration, expected) in [
        ("{ Default: a }", expect![[""]]),
        ("{ Type: Text }", expect![[""]]),
        (
            "{ Type: 'AWS::SSM::Parameter::Value<String>', Default: /a }",
            expect![[""]],
        ),
        (
            "{ Type: 'List<AWS::EC2::Subnet::Id>', Default: a }",
            expect![[""]],
        ),
        ("{ Type: String, Defualt: a }", expect![[""]]),
        ("{ Type: String }", expect![[""]]),
        ("text", expect![[""]]),
    ] {
        check(declaration, &[], expected);
    }
}

#[test]
fn all_parameters_are_reported_together() {
    let template = format!(
        "Parameters:\n  A: {{ Type: String }}\n  B: {{ Type: Number, Default: x }}\nResources:{API}"
    );
    let error = resolve_with(&template, &[("C", "1")]).unwrap_err();
    expect![[""]].assert_eq(&error.to_string());
}

#[test]
fn a_value_longer_than_cloudformation_takes_is_refused() {
    check(
        "{ Type: String }",
        &[("P", &"x".repeat(4_097))],
        expect![[""]],
    );
}
