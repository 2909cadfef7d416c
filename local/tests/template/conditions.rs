//! Conditions, and the parts that they omit.

use expect_test::expect;

use crate::{API, check_error, check_outputs, check_resource_error, resolve_with, stack};

const BEFORE: &str = "
Parameters:
  Stage: { Type: String, Default: prod }
  Size: { Type: Number, Default: 5 }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [!Condition IsProd]
  Both: !And [!Condition IsProd, !Condition IsDev]
  Either: !Or [!Condition IsProd, !Condition IsDev]
  Five: !Equals [!Ref Size, '5']
  Here: { 'Fn::Equals': [!Ref 'AWS::Region', eu-central-1] }
  Later: !And [!Condition Last, !Condition IsProd]
  Last: !Equals [!Sub '${Stage}-x', prod-x]
";

#[test]
fn each_function_has_its_meaning() {
    let names = ["IsProd", "IsDev", "Both", "Either", "Five", "Here", "Later"];
    let expressions: Vec<String> = names
        .iter()
        .map(|name| format!("!If [{name}, then, else]"))
        .collect();
    let expressions: Vec<&str> = expressions.iter().map(String::as_str).collect();
    check_outputs(
        BEFORE,
        &expressions,
        expect![[r#"
        !If [IsProd, then, else] → then
        !If [IsDev, then, else] → else
        !If [Both, then, else] → else
        !If [Either, then, else] → then
        !If [Five, then, else] → then
        !If [Here, then, else] → then
        !If [Later, then, else] → then
    "#]],
    );
}

#[test]
fn a_false_condition_omits_resources_and_outputs() {
    let template = format!(
        "{BEFORE}Resources:{API}
  Logs: {{ Type: 'AWS::Logs::LogGroup', Condition: IsDev }}
  Kept: {{ Type: 'AWS::Logs::LogGroup', Condition: IsProd, DependsOn: Logs }}
Outputs:
  Gone: {{ Condition: IsDev, Value: !Ref Logs }}
  There: {{ Value: !If [IsDev, !Ref Logs, none] }}
"
    );
    let stack = stack(&template);
    let ids: Vec<&str> = stack
        .resources
        .iter()
        .map(|resource| resource.logical_id.as_str())
        .collect();
    assert_eq!(ids, ["Api", "Kept"]);
    assert_eq!(
        stack.outputs.into_iter().collect::<Vec<_>>(),
        [("There".to_owned(), "none".to_owned())]
    );
}

#[test]
fn a_reference_to_an_omitted_resource_is_unresolved() {
    check_error(
        &format!(
            "{BEFORE}Resources:{API}
  Logs: {{ Type: 'AWS::Logs::LogGroup', Condition: IsDev }}
  More: {{ Type: 'AWS::Logs::LogGroup', Properties: {{ LogGroupName: !Sub '${{Logs}}-more' }} }}
Outputs:
  Gone: {{ Value: !GetAtt Logs.Arn }}
"
        ),
        expect![[r#"
            the template cannot be used, for 2 reasons:
              line 20: Resources.More: unresolved resource dependencies [Logs] in the Resources block of the template
              line 22: Outputs.Gone: unresolved resource dependencies [Logs] in the Outputs block of the template"#]],
    );
}

#[test]
fn no_value_is_removed_from_maps_and_lists() {
    let template = format!(
        "{BEFORE}Resources:{API}
  Logs:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !If [IsProd, !Ref 'AWS::NoValue', dev]
      Tags: [!If [IsDev, {{ Key: a, Value: b }}, !Ref 'AWS::NoValue']]
Outputs:
  O: {{ Value: !Join [',', [a, !If [IsDev, b, !Ref 'AWS::NoValue'], c]] }}
"
    );
    let stack = stack(&template);
    assert!(stack.resources[1].physical_id.starts_with("chat-Logs-"));
    assert_eq!(stack.outputs["O"], "a,c");
}

#[test]
fn every_wrong_condition_is_refused() {
    for (conditions, expected) in [
        (
            "A: !Not [!Condition B]\n  B: !Not [!Condition C]\n  C: !Not [!Condition A]",
            expect![
                "the template cannot be used: line 2: Conditions.A: circular dependency between conditions: A → B → C → A"
            ],
        ),
        (
            "A: !Condition Nowhere",
            expect![
                "the template cannot be used: line 2: Conditions.A: there is no condition `Nowhere`"
            ],
        ),
        (
            "A: text",
            expect![
                "the template cannot be used: line 2: Conditions.A: must be one of Fn::And, Fn::Equals, Fn::Not, Fn::Or, Condition"
            ],
        ),
        (
            "A: !Equals [a]",
            expect![
                "the template cannot be used: line 2: Conditions.A.Fn::Equals: must be a list of 2"
            ],
        ),
        (
            "A: !And [!Equals [a, a]]",
            expect![
                "the template cannot be used: line 2: Conditions.A.Fn::And: must be a list of 2 to 10"
            ],
        ),
        (
            "A: !Not !Equals [a, b]",
            expect![
                "the template cannot be used: line 2: it is not valid YAML: while parsing a block mapping, did not find expected key"
            ],
        ),
        (
            "A: !Join ['', [a]]",
            expect![
                "the template cannot be used: line 2: Conditions.A: `Fn::Join` is not one of Fn::And, Fn::Equals, Fn::Not, Fn::Or, Condition"
            ],
        ),
        (
            "A: !Equals [!Ref Api, x]",
            expect![
                "the template cannot be used: line 2: Conditions.A.Fn::Equals.Ref: `Api` is neither a parameter nor a resource that is available here"
            ],
        ),
        (
            "A: !Or [!Equals [a, a], !Condition Nowhere]",
            expect![
                "the template cannot be used: line 2: Conditions.A.Fn::Or[1]: there is no condition `Nowhere`"
            ],
        ),
    ] {
        check_error(
            &format!("Conditions:\n  {conditions}\nResources:{API}"),
            expected,
        );
    }
}

#[test]
fn an_unknown_condition_is_refused_in_every_place() {
    check_resource_error(
        "  Logs: { Type: 'AWS::Logs::LogGroup', Condition: Nope }",
        expect![
            "the template cannot be used: line 5: Resources.Logs.Condition: there is no condition `Nope`"
        ],
    );
    check_resource_error(
        "  Logs: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: !If [Nope, a, b] } }",
        expect![
            "the template cannot be used: line 5: Resources.Logs.Properties.LogGroupName.Fn::If: `Fn::If` refers to the condition `Nope`, which is not in the Conditions block"
        ],
    );
    check_error(
        &format!("Resources:{API}Outputs:\n  O: {{ Condition: Nope, Value: x }}"),
        expect!["the template cannot be used: line 6: Outputs.O: there is no condition `Nope`"],
    );
}

#[test]
fn a_long_chain_of_conditions_does_not_exhaust_the_stack() {
    let chain: String = (1..5_000)
        .map(|i| format!("  C{i}: !Not [!Condition C{}]\n", i - 1))
        .collect();
    let template = format!("Conditions:\n{chain}  C0: !Equals [a, a]\nResources:{API}");
    assert!(resolve_with(&template, &[]).is_ok());
}

#[test]
fn names_in_an_omitted_part_must_exist() {
    check_error(
        &format!(
            "{BEFORE}Resources:{API}
  Logs: {{ Type: 'AWS::Logs::LogGroup', Condition: IsDev, Properties: {{ LogGroupName: !Ref Missing }} }}
Outputs:
  Gone: {{ Condition: IsDev, Value: !GetAtt Missing.Arn }}
"
        ),
        expect![[r#"
            the template cannot be used, for 2 reasons:
              line 19: Resources.Logs: unresolved resource dependencies [Missing] in the Resources block of the template
              line 21: Outputs.Gone: unresolved resource dependencies [Missing] in the Outputs block of the template"#]],
    );
}
