//! Functions and permissions.

use expect_test::expect;

use crate::{ROLE, check_resource_error, stack, with_api};

/// A function with `properties` besides the required ones.
pub(crate) fn function(properties: &str) -> String {
    format!(
        "{ROLE}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt Role.Arn
      Code: {{ S3Bucket: !Sub '${{AWS::StackName}}-code', S3Key: chat.zip }}
{properties}"
    )
}

pub(crate) const ZIP: &str = "      Runtime: provided.al2023\n      Handler: bootstrap\n";

#[test]
fn a_function_has_the_defaults_of_lambda() {
    let stack = stack(&with_api(&function(ZIP)));
    expect![[r#"
        Function {
            logical_id: "Function",
            name: "chat-Function-GVSXW1K2GIUB",
            arn: "arn:aws:lambda:eu-central-1:000000000000:function:chat-Function-GVSXW1K2GIUB",
            role_arn: "arn:aws:iam::000000000000:role/worker",
            handler: "bootstrap",
            memory_size: 128,
            timeout: 3s,
            environment: {},
            reserved_concurrency: None,
            log_group: "/aws/lambda/chat-Function-GVSXW1K2GIUB",
            events: EventPolicy {
                retries: 2,
                longest_age: 21600s,
            },
        }
    "#]]
    .assert_debug_eq(&stack.functions["Function"]);
}

#[test]
fn a_function_has_the_template_s_settings() {
    let properties = format!(
        "{ZIP}      FunctionName: chat-connect
      MemorySize: '256'
      Timeout: 10
      ReservedConcurrentExecutions: 0
      Architectures: [arm64]
      TracingConfig: {{ Mode: Active }}
      LoggingConfig: {{ LogGroup: /chat, LogFormat: JSON }}
      Environment: {{ Variables: {{ PORT: '0080', FLAG: true, EMPTY: '' }} }}
"
    );
    let stack = stack(&with_api(&function(&properties)));
    expect![[r#"
        Function {
            logical_id: "Function",
            name: "chat-connect",
            arn: "arn:aws:lambda:eu-central-1:000000000000:function:chat-connect",
            role_arn: "arn:aws:iam::000000000000:role/worker",
            handler: "bootstrap",
            memory_size: 256,
            timeout: 10s,
            environment: {
                "EMPTY": "",
                "FLAG": "true",
                "PORT": "0080",
            },
            reserved_concurrency: Some(
                0,
            ),
            log_group: "/chat",
            events: EventPolicy {
                retries: 2,
                longest_age: 21600s,
            },
        }
    "#]]
    .assert_debug_eq(&stack.functions["Function"]);
}

#[test]
fn every_wrong_property_of_a_function_is_refused() {
    let large = format!(
        "{ZIP}      Environment: {{ Variables: {{ BIG: {} }} }}",
        "x".repeat(4_094)
    );
    for (properties, expected) in [
        (
            "      Handler: bootstrap",
            expect![
                "the template cannot be used: line 14: Resources.Function: a function in a zip needs a `Runtime`, such as provided.al2023"
            ],
        ),
        (
            "      Handler: h\n      Runtime: nodejs22.x",
            expect![
                "the template cannot be used: line 20: Resources.Function.Properties.Runtime: the local target only runs `provided.*` (such as provided.al2023), not `nodejs22.x`"
            ],
        ),
        (
            "      Runtime: provided.al2023",
            expect![
                "the template cannot be used: line 14: Resources.Function: a function in a zip needs a `Handler` without white space"
            ],
        ),
        (
            "      PackageType: Image",
            expect![
                "the template cannot be used: line 19: Resources.Function.Properties.PackageType: the local target only runs zip packages"
            ],
        ),
        (
            &format!("{ZIP}      MemorySize: 64"),
            expect![
                "the template cannot be used: line 21: Resources.Function.Properties.MemorySize: must be a whole number from 128 to 10240, but is `64`"
            ],
        ),
        (
            &format!("{ZIP}      Timeout: 901"),
            expect![
                "the template cannot be used: line 21: Resources.Function.Properties.Timeout: must be a whole number from 1 to 900, but is `901`"
            ],
        ),
        (
            &format!("{ZIP}      Timeout: soon"),
            expect![
                "the template cannot be used: line 21: Resources.Function.Properties.Timeout: must be a whole number from 1 to 900, but is `soon`"
            ],
        ),
        (
            &format!("{ZIP}      FunctionName: 'a b'"),
            expect![
                "the template cannot be used: line 21: Resources.Function.Properties.FunctionName: must be 1 to 64 letters, digits and `-` `_`, but is `a b`"
            ],
        ),
        (
            &format!("{ZIP}      Memory: 128"),
            expect![
                "the template cannot be used: line 21: Resources.Function.Properties: there is no property `Memory`"
            ],
        ),
        (
            &format!("{ZIP}      Architectures: [riscv]"),
            expect![
                "the template cannot be used: line 21: Resources.Function.Properties.Architectures[0]: must be one of x86_64, arm64, but is `riscv`"
            ],
        ),
        (
            &format!("{ZIP}      FileSystemConfigs: []"),
            expect![
                "the template cannot be used: line 21: Resources.Function.Properties.FileSystemConfigs: the local target has no file systems to mount"
            ],
        ),
        (
            &format!("{ZIP}      Environment: {{ Variables: {{ AWS_REGION: x }} }}"),
            expect![
                "the template cannot be used: line 21: Resources.Function.Properties.Environment: Lambda sets the variable `AWS_REGION` itself, so it cannot be set here"
            ],
        ),
        (
            &format!("{ZIP}      Environment: {{ Variables: {{ 1A: x }} }}"),
            expect![
                "the template cannot be used: line 21: Resources.Function.Properties.Environment: the variable name `1A` must have two or more letters, digits and `_`, a letter first"
            ],
        ),
        (
            &format!("{ZIP}      Environment: {{ Variables: {{ A: x }} }}"),
            expect![
                "the template cannot be used: line 21: Resources.Function.Properties.Environment: the variable name `A` must have two or more letters, digits and `_`, a letter first"
            ],
        ),
        (
            &format!("{ZIP}      Environment: {{ Variables: {{ LIST: [a] }} }}"),
            expect![
                "the template cannot be used: line 21: Resources.Function.Properties.Environment.Variables.LIST: must be a string, but is a list"
            ],
        ),
        (
            &large,
            expect![
                "the template cannot be used: line 21: Resources.Function.Properties.Environment: its variables have 4097 bytes, 4096 at most"
            ],
        ),
    ] {
        check_resource_error(&function(properties), expected);
    }
}

#[test]
fn template_1_every_reserved_variable_is_refused() {
    for name in [
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    ] {
        let properties = format!("{ZIP}      Environment: {{ Variables: {{ {name}: x }} }}");
        let error = crate::resolve_with(&with_api(&function(&properties)), &[])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&format!("Lambda sets the variable `{name}` itself")),
            "{error}"
        );
    }
}

#[test]
fn an_environment_of_exactly_four_kilobytes_is_accepted() {
    let properties = format!(
        "{ZIP}      Environment: {{ Variables: {{ BIG: {} }} }}",
        "x".repeat(4_093)
    );
    assert_eq!(
        stack(&with_api(&function(&properties))).functions["Function"].environment["BIG"].len(),
        4_093
    );
}

#[test]
fn missing_properties_are_reported_together() {
    check_resource_error(
        "  Function: { Type: 'AWS::Lambda::Function' }",
        expect![[r#"
            the template cannot be used, for 2 reasons:
              line 5: Resources.Function.Properties: the property `Code` is required
              line 5: Resources.Function.Properties: the property `Role` is required"#]],
    );
    check_resource_error(
        "  Permission: { Type: 'AWS::Lambda::Permission', Properties: {} }",
        expect![[r#"
            the template cannot be used, for 3 reasons:
              line 5: Resources.Permission.Properties: the property `Action` is required
              line 5: Resources.Permission.Properties: the property `FunctionName` is required
              line 5: Resources.Permission.Properties: the property `Principal` is required"#]],
    );
}

#[test]
fn two_functions_with_one_name_are_refused() {
    let properties = format!("{ZIP}      FunctionName: chat");
    let second = function(&properties)
        .replace(ROLE, "")
        .replace("Function:\n", "Second:\n");
    check_resource_error(
        &(function(&properties) + "\n" + &second),
        expect![
            "the template cannot be used: line 30: Resources.Second.Properties.FunctionName: `Function` already has the name `chat`"
        ],
    );
}

/// The fields of a permission with these properties.
fn permission(properties: &str) -> String {
    let resources = format!(
        "{}  Permission:
    Type: AWS::Lambda::Permission
    Properties: {{ Principal: apigateway.amazonaws.com, {properties} }}
",
        function(&format!("{ZIP}      FunctionName: chat\n"))
    );
    let stack = stack(&with_api(&resources));
    stack.permissions.first().map_or_else(
        || "none".to_owned(),
        |permission| {
            format!(
                "{} {}",
                permission.function_arn,
                permission.source_arn.as_deref().unwrap_or("from anywhere")
            )
        },
    )
}

#[test]
fn a_permission_finds_its_function_by_name_and_by_arn() {
    let arn = "arn:aws:lambda:eu-central-1:000000000000:function:chat from anywhere";
    for name in [
        "!Ref Function",
        "!GetAtt Function.Arn",
        "chat",
        "'000000000000:function:chat'",
        "'function:chat'",
    ] {
        assert_eq!(
            permission(&format!(
                "Action: 'lambda:InvokeFunction', FunctionName: {name}"
            )),
            arn,
            "{name}"
        );
    }
    assert_eq!(
        permission(
            "Action: 'lambda:*', FunctionName: chat, SourceArn: !Sub 'arn:aws:execute-api:x:y:*/*/$connect'"
        ),
        "arn:aws:lambda:eu-central-1:000000000000:function:chat arn:aws:execute-api:x:y:*/*/$connect"
    );
}

#[test]
fn a_permission_that_does_not_apply_to_the_gateway_is_ignored() {
    for properties in [
        "Action: 'lambda:GetFunction', FunctionName: chat",
        "Action: 'lambda:InvokeFunction', FunctionName: chat, SourceAccount: '111111111111'",
        "Action: 'lambda:InvokeFunction', FunctionName: chat, EventSourceToken: token",
        "Action: 'lambda:InvokeFunction', FunctionName: chat, PrincipalOrgID: o-a1b2c3d4e5",
        "Action: 'lambda:InvokeFunctionUrl', FunctionName: chat, FunctionUrlAuthType: NONE",
    ] {
        assert_eq!(permission(properties), "none", "{properties}");
    }
    assert_ne!(
        permission(
            "Action: 'lambda:InvokeFunction', FunctionName: chat, SourceAccount: !Ref 'AWS::AccountId'"
        ),
        "none"
    );
}

#[test]
fn an_action_of_another_service_is_refused() {
    check_resource_error(
        "  P: { Type: 'AWS::Lambda::Permission', Properties: { Action: 's3:GetObject', FunctionName: a, Principal: b } }",
        expect![
            "the template cannot be used: line 5: Resources.P.Properties.Action: must be a Lambda action such as lambda:InvokeFunction, but is `s3:GetObject`"
        ],
    );
}
