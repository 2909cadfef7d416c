//! Roles and their attached policies.

use chatctl_local::iam::{Decision, Request, decide};
use chatctl_local::unstable::stack::Stack;
use expect_test::expect;

use crate::{ROLE, check_resource_error, stack, with_api};

const ARN: &str = "arn:aws:iam::000000000000:role/worker";

fn allows(stack: &Stack, action: &str, resource: &str) -> bool {
    let request = Request::new(action, resource);
    decide(&stack.roles[ARN].policies, &request) == Decision::Allowed
}

#[test]
fn inline_attached_and_managed_policies_all_count() {
    let stack = stack(&with_api(&format!(
        "{ROLE}      ManagedPolicyArns: [!Sub 'arn:${{AWS::Partition}}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole']
      Policies:
        - PolicyName: table
          PolicyDocument: {{ Version: 2012-10-17, Statement: [{{ Effect: Allow, Action: 'dynamodb:GetItem', Resource: '*' }}] }}
        - PolicyName: text
          PolicyDocument: '{{ \"Statement\": [{{ \"Effect\": \"Allow\", \"Action\": \"dynamodb:Query\", \"Resource\": \"*\" }}] }}'
  Post:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: post
      Roles: [!Ref Role]
      PolicyDocument:
        Version: '2012-10-17'
        Statement: {{ Effect: Allow, Action: 'execute-api:ManageConnections', Resource: !Sub 'arn:aws:execute-api:*:*:${{Api}}/*' }}
"
    )));
    assert!(allows(
        &stack,
        "dynamodb:GetItem",
        "arn:aws:dynamodb:x:y:table/z"
    ));
    assert!(allows(
        &stack,
        "dynamodb:Query",
        "arn:aws:dynamodb:x:y:table/z"
    ));
    assert!(allows(
        &stack,
        "logs:PutLogEvents",
        "arn:aws:logs:x:y:log-group:z"
    ));
    let post = format!(
        "arn:aws:execute-api:eu-central-1:000000000000:{}/v1/POST/@connections/a",
        stack.api.id
    );
    assert!(allows(&stack, "execute-api:ManageConnections", &post));
    assert!(!allows(
        &stack,
        "execute-api:ManageConnections",
        "arn:aws:execute-api:eu-central-1:000000000000:other/v1/POST/@connections/a"
    ));
    assert!(!allows(
        &stack,
        "dynamodb:Scan",
        "arn:aws:dynamodb:x:y:table/z"
    ));
}

#[test]
fn each_supported_managed_policy_allows_its_actions() {
    for (name, action, resource) in [
        (
            "AmazonDynamoDBFullAccess",
            "dynamodb:PutItem",
            "arn:aws:dynamodb:x:y:table/z",
        ),
        (
            "AmazonAPIGatewayInvokeFullAccess",
            "execute-api:ManageConnections",
            "arn:aws:execute-api:x:y:api/v1/POST/@connections/a",
        ),
        ("AWSXRayDaemonWriteAccess", "xray:PutTraceSegments", "*"),
    ] {
        let stack = stack(&with_api(&format!(
            "{ROLE}      ManagedPolicyArns: ['arn:aws:iam::aws:policy/{name}']\n"
        )));
        assert!(allows(&stack, action, resource), "{name}");
        assert!(
            !allows(&stack, "s3:GetObject", "arn:aws:s3:::bucket/key"),
            "{name}"
        );
    }
}

#[test]
fn a_role_has_its_name_arn_and_id() {
    let template = with_api(
        &(ROLE.replace("RoleName: worker", "Path: /chat/")
            + "Outputs:\n  Name: { Value: !Ref Role }\n  Arn: { Value: !GetAtt Role.Arn }\n  Id: { Value: !GetAtt Role.RoleId }\n"),
    );
    let outputs = stack(&template).outputs;
    assert!(outputs["Name"].starts_with("chat-Role-"));
    assert_eq!(
        outputs["Arn"],
        format!("arn:aws:iam::000000000000:role/chat/{}", outputs["Name"])
    );
    assert!(outputs["Id"].starts_with("AROA") && outputs["Id"].len() == 21);
}

#[test]
fn role_names_have_at_most_64_characters() {
    let long = "L".repeat(80);
    let template = with_api(
        &ROLE
            .replace("  Role:", &format!("  {long}:"))
            .replace("RoleName: worker", "Path: /"),
    );
    assert_eq!(stack(&template).resources[1].physical_id.len(), 64);
}

#[test]
fn every_wrong_role_is_refused() {
    for (properties, expected) in [
        (
            "      PermissionsBoundary: arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess",
            expect![
                "the template cannot be used: line 13: Resources.Role.Properties.PermissionsBoundary: the local target does not evaluate permissions boundaries, and without one the role would have more permissions than on AWS"
            ],
        ),
        (
            "      ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess']",
            expect![
                "the template cannot be used: line 13: Resources.Role.Properties.ManagedPolicyArns: the local target does not support the managed policy `arn:aws:iam::aws:policy/AdministratorAccess`, only service-role/AWSLambdaBasicExecutionRole, AmazonAPIGatewayInvokeFullAccess, AmazonDynamoDBFullAccess, AWSXRayDaemonWriteAccess. Copy its statements to `Policies`"
            ],
        ),
        (
            "      Path: chat",
            expect![
                "the template cannot be used: line 13: Resources.Role.Properties.Path: must begin and end with `/`"
            ],
        ),
        (
            "      MaxSessionDuration: 60",
            expect![
                "the template cannot be used: line 13: Resources.Role.Properties.MaxSessionDuration: must be a whole number from 3600 to 43200, but is `60`"
            ],
        ),
        (
            "      Policies: [{ PolicyName: p, PolicyDocument: [] }]",
            expect![
                "the template cannot be used: line 13: Resources.Role.Properties.Policies[0].PolicyDocument: must be a map, but is a list"
            ],
        ),
        (
            "      Policies: [{ PolicyName: p, PolicyDocument: 'not json' }]",
            expect![
                "the template cannot be used: line 13: Resources.Role.Properties.Policies[0].PolicyDocument: must be a map, or a string that contains a JSON object"
            ],
        ),
        (
            "      Policies: [{ PolicyName: p, PolicyDocument: { Statement: { Effect: Allow, Action: 'a:b' } } }]",
            expect![
                "the template cannot be used: line 13: Resources.Role.Properties.Policies: in `p`, statement 1 of the policy is malformed: it must have either `Resource` or `NotResource`"
            ],
        ),
        (
            "      Policies: [{ PolicyName: p, PolicyDocument: { Statement: { Effect: Allow, Action: 'a:b', Resource: '*', Condition: { IpAdress: { 'aws:SourceIp': 10.0.0.0/8 } } } } }]",
            expect![
                "the template cannot be used: line 13: Resources.Role.Properties.Policies: in `p`, statement 1 of the policy has a condition that cannot be evaluated: the condition operator `IpAdress` is not supported by the local target"
            ],
        ),
    ] {
        check_resource_error(&format!("{ROLE}{properties}\n"), expected);
    }
}

#[test]
fn a_policy_must_be_attached_to_a_role_of_the_template() {
    let policy = |rest: &str| {
        format!(
            "{ROLE}  Policy:\n    Type: AWS::IAM::Policy\n    Properties: {{ PolicyName: p, PolicyDocument: {{ Statement: [] }}, {rest} }}\n"
        )
    };
    check_resource_error(
        &policy("Roles: [somebody]"),
        expect![[
            r#"the template cannot be used: line 15: Resources.Policy.Properties.Roles: there is no role named "somebody" in this template"#
        ]],
    );
    check_resource_error(
        &policy("Roles: []"),
        expect![
            "the template cannot be used: line 15: Resources.Policy.Properties.Roles: at least one of `Groups`, `Roles` and `Users` is required"
        ],
    );
    assert_eq!(
        stack(&with_api(&policy("Roles: [worker]"))).roles[ARN]
            .policies
            .len(),
        1
    );
}

#[test]
fn two_roles_with_one_name_are_refused() {
    check_resource_error(
        &format!("{ROLE}{}", ROLE.replace("  Role:", "  Other:")),
        expect![
            "the template cannot be used: line 17: Resources.Other.Properties.RoleName: `Role` has the same role name"
        ],
    );
}

fn function_with(role: &str) -> String {
    format!(
        "  Function: {{ Type: 'AWS::Lambda::Function', Properties: {{ Role: {role}, Runtime: provided.al2023, Handler: h, Code: {{}} }} }}\n"
    )
}

#[test]
fn a_role_that_lambda_may_not_assume_is_only_refused_for_a_function() {
    let foreign = ROLE.replace("lambda.amazonaws.com", "ec2.amazonaws.com");
    assert_eq!(stack(&with_api(&foreign)).roles.len(), 1);
    check_resource_error(
        &format!("{foreign}{}", function_with("!GetAtt Role.Arn")),
        expect![
            "the template cannot be used: line 13: Resources.Function.Properties.Role: the role defined for the function cannot be assumed by Lambda: the AssumeRolePolicyDocument of `Role` must allow sts:AssumeRole to the service lambda.amazonaws.com"
        ],
    );
    check_resource_error(
        &format!("{ROLE}{}", function_with("!Ref Role")),
        expect![
            "the template cannot be used: line 13: Resources.Function.Properties.Role: `worker` is not the ARN of a role in this template, so its permissions are unknown"
        ],
    );
}

#[test]
fn a_trust_policy_may_list_services_and_actions() {
    let listed = ROLE
        .replace(
            "Service: lambda.amazonaws.com",
            "Service: [edgelambda.amazonaws.com, lambda.amazonaws.com]",
        )
        .replace(
            "Action: 'sts:AssumeRole'",
            "Action: ['sts:TagSession', 'sts:AssumeRole']",
        );
    let stack = stack(&with_api(&format!(
        "{listed}{}",
        function_with("!GetAtt Role.Arn")
    )));
    assert_eq!(stack.functions["Function"].role_arn, ARN);
}
