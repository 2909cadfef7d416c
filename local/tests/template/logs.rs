//! Log groups.

use expect_test::expect;

use crate::{check_resource_error, stack, with_api};

#[test]
fn a_log_group_answers_its_name_and_an_arn_that_ends_in_a_star() {
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
      DeletionProtectionEnabled: yes
",
        expect![[""]],
    );
}

#[test]
fn two_log_groups_with_one_name_are_refused() {
    check_resource_error(
        "
  One: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: a } }
  Two: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: a } }
",
        expect![[""]],
    );
}
