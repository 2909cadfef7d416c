//! Log groups.

use expect_test::expect;

use crate::{check_resource_error, stack, with_api};

#[test]
fn a_log_group_has_its_name_and_an_arn_that_ends_in_a_star() {
    let template = with_api(
        "
  Logs: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: /aws/lambda/chat, RetentionInDays: 14 } }
Outputs:
  Name: { Value: !Ref Logs }
  Arn: { Value: !GetAtt Logs.Arn }
",
    );
    let outputs = stack(&template).outputs;
    assert_eq!(outputs["Name"], "/aws/lambda/chat");
    assert_eq!(
        outputs["Arn"],
        "arn:aws:logs:eu-central-1:000000000000:log-group:/aws/lambda/chat:*"
    );
}

#[test]
fn wrong_properties_are_reported_together() {
    check_resource_error(
        "
  Logs:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: 'a b'
      RetentionInDays: 15
      retentionInDays: 14
      Retention: 14
      Tags: [{ Key: a }, { Key: b, Value: [c] }]
      DeletionProtectionEnabled: maybe
",
        expect![[r#"
            the template cannot be used, for 7 reasons:
              line 9: Resources.Logs.Properties.LogGroupName: must be 1 to 512 letters, digits and `.` `_` `-` `/` `#`, but is `a b`
              line 10: Resources.Logs.Properties.RetentionInDays: must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653, but is `15`
              line 11: Resources.Logs.Properties: there is no property `retentionInDays`; did you mean `RetentionInDays`?
              line 12: Resources.Logs.Properties: there is no property `Retention`
              line 13: Resources.Logs.Properties.Tags[0]: the property `Value` is required
              line 13: Resources.Logs.Properties.Tags[1].Value: must be a string, but is a list
              line 14: Resources.Logs.Properties.DeletionProtectionEnabled: must be true or false, but is `maybe`"#]],
    );
}

#[test]
fn two_log_groups_with_one_name_are_refused() {
    check_resource_error(
        "
  One: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: a } }
  Two: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: a } }
",
        expect![
            "the template cannot be used: line 7: Resources.Two.Properties.LogGroupName: `One` already has the name `a`"
        ],
    );
}
