//! Settings for asynchronous invocations.

use expect_test::expect;

use crate::lambda::{ZIP, function};
use crate::{check_resource_error, stack, with_api};

/// A function and a configuration of its asynchronous invocations with these properties.
fn event_config(properties: &str) -> String {
    format!(
        "{}
  Config:
    Type: AWS::Lambda::EventInvokeConfig
    Properties:
{properties}",
        function(ZIP)
    )
}

#[test]
fn a_function_has_the_event_policy_that_its_configuration_gives() {
    let template = event_config(
        "      FunctionName: !Ref Function
      Qualifier: $LATEST
      MaximumRetryAttempts: 0
      MaximumEventAgeInSeconds: 60",
    );
    let stack = stack(&with_api(&template));
    expect![[r#"
        EventPolicy {
            retries: 0,
            longest_age: 60s,
        }
    "#]]
    .assert_debug_eq(&stack.functions["Function"].events);
}

#[test]
fn an_unsupported_event_configuration_is_refused() {
    for (properties, expected) in [
        (
            "      FunctionName: nobody\n      Qualifier: $LATEST",
            expect![
                "the template cannot be used: line 25: Resources.Config.Properties.FunctionName: there is no function `nobody` in this template"
            ],
        ),
        (
            "      FunctionName: !Ref Function\n      Qualifier: live",
            expect![
                "the template cannot be used: line 26: Resources.Config.Properties.Qualifier: the local target has no versions, so this must be `$LATEST`, but is `live`"
            ],
        ),
        (
            "      FunctionName: !Ref Function\n      Qualifier: $LATEST\n      MaximumRetryAttempts: 3",
            expect![
                "the template cannot be used: line 27: Resources.Config.Properties.MaximumRetryAttempts: must be a whole number from 0 to 2, but is `3`"
            ],
        ),
        (
            "      FunctionName: !Ref Function\n      Qualifier: $LATEST\n      DestinationConfig: { OnFailure: { Destination: arn } }",
            expect![
                "the template cannot be used: line 27: Resources.Config.Properties.DestinationConfig: the local target sends no records of asynchronous invocations"
            ],
        ),
        (
            "      FunctionName: !Ref Function\n      Qualifier: $LATEST\n  Again:\n    Type: AWS::Lambda::EventInvokeConfig\n    Properties: { FunctionName: !GetAtt Function.Arn, Qualifier: $LATEST }",
            expect![
                "the template cannot be used: line 29: Resources.Again.Properties.FunctionName: `arn:aws:lambda:eu-central-1:000000000000:function:chat-Function-GVSXW1K2GIUB` already has such a configuration"
            ],
        ),
    ] {
        check_resource_error(&event_config(properties), expected);
    }
}
