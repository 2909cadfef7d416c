//! Parameters: defaults, constraints, lists, and all errors.

use expect_test::{Expect, expect};

use crate::{API, resolve_with};

/// The value of `Ref P`, or the problems without their line.
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
fn a_given_value_overrides_the_default() {
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
            expect![[r#"
                Parameters.P: `mips` is not one of the allowed values: arm64, x86_64
            "#]],
        ),
        (
            "{ Type: String, AllowedPattern: '[a-z]+' }",
            "abc1",
            expect![[r#"
                Parameters.P.AllowedPattern: `abc1` does not match `[a-z]+`
            "#]],
        ),
        (
            "{ Type: String, MinLength: 3 }",
            "ab",
            expect![[r#"
            Parameters.P: `ab` is shorter than 3 characters
        "#]],
        ),
        (
            "{ Type: String, MaxLength: 1 }",
            "ab",
            expect![[r#"
            Parameters.P: `ab` is longer than 1 characters
        "#]],
        ),
        (
            "{ Type: String, MaxLength: one }",
            "ab",
            expect![[r#"
            Parameters.P.MaxLength: must be a number, but is `one`
        "#]],
        ),
        (
            "{ Type: Number, MinValue: 128 }",
            "64",
            expect![[r#"
                Parameters.P: `64` is below the minimum, 128
            "#]],
        ),
        (
            "{ Type: Number, MaxValue: 1.5 }",
            "2",
            expect![[r#"
                Parameters.P: `2` is above the maximum, 1.5
            "#]],
        ),
        (
            "{ Type: Number }",
            "many",
            expect![[r#"
            Parameters.P: `many` is not a number
        "#]],
        ),
        (
            "{ Type: Number }",
            "NaN",
            expect![[r#"
            Parameters.P: `NaN` is not a number
        "#]],
        ),
        (
            "{ Type: List<Number>, MaxValue: 5 }",
            "1,9",
            expect![[r#"
                Parameters.P: `9` is above the maximum, 5
            "#]],
        ),
        (
            "{ Type: CommaDelimitedList, AllowedValues: [a, b] }",
            "a,c",
            expect![[r#"
                Parameters.P: `c` is not one of the allowed values: a, b
            "#]],
        ),
        (
            "{ Type: String, NoEcho: true, AllowedPattern: '[a-z]+' }",
            "hunter2",
            expect![[r#"
                Parameters.P.AllowedPattern: the value (NoEcho) does not match `[a-z]+`
            "#]],
        ),
        (
            "{ Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: lower case only }",
            "X",
            expect![[r#"
                Parameters.P.AllowedPattern: `X` does not match `[a-z]+` (lower case only)
            "#]],
        ),
    ] {
        check(declaration, &[("P", value)], expected);
    }
}

#[test]
fn every_wrong_declaration_is_refused() {
    for (declaration, expected) in [
        (
            "{ Default: a }",
            expect![[r#"
            Parameters.P: it needs a `Type`
        "#]],
        ),
        (
            "{ Type: Text }",
            expect![[r#"
                Parameters.P: its type `Text` is not one of String, Number, CommaDelimitedList, List<Number>
            "#]],
        ),
        (
            "{ Type: 'AWS::SSM::Parameter::Value<String>', Default: /a }",
            expect![[r#"
                Parameters.P: its type `AWS::SSM::Parameter::Value<String>` is looked up in an AWS account, which the local target does not have; use String and set a value
            "#]],
        ),
        (
            "{ Type: 'List<AWS::EC2::Subnet::Id>', Default: a }",
            expect![[r#"
                Parameters.P: its type `List<AWS::EC2::Subnet::Id>` is looked up in an AWS account, which the local target does not have; use String and set a value
            "#]],
        ),
        (
            "{ Type: String, Defualt: a }",
            expect![[r#"
            Parameters.P: `Defualt` is not a property of a parameter
        "#]],
        ),
        (
            "{ Type: String }",
            expect![[r#"
                Parameters.P: it has no default, so a value must be set
            "#]],
        ),
        (
            "text",
            expect![[r#"
                Parameters.P: must be a map, but is a string
            "#]],
        ),
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
    expect![[r#"
        the template cannot be used, for 3 reasons:
          Parameters.C: a value was set for it, but the template does not declare it
          line 2: Parameters.A: it has no default, so a value must be set
          line 3: Parameters.B: `x` is not a number"#]]
    .assert_eq(&error.to_string());
}

#[test]
fn a_value_longer_than_cloudformation_accepts_is_refused() {
    check(
        "{ Type: String }",
        &[("P", &"x".repeat(4_097))],
        expect![[r#"
            Parameters.P: its value has 4097 bytes, 4096 at most
        "#]],
    );
}
