//! The template reader: small templates in, stacks or errors out.

mod accepted;
mod api;
mod api_parts;
mod backends;
mod conditions;
mod dynamodb;
mod event_policy;
mod free_input;
mod iam;
mod intrinsics;
mod lambda;
mod limits;
mod logs;
mod order;
mod parameters;
mod source;
mod throttling;
mod whole;

use std::collections::BTreeMap;

use chatctl_local::unstable::stack::{Identity, Stack};
use chatctl_local::unstable::template::{TemplateError, resolve};
use expect_test::Expect;

/// An API, which every stack needs, for templates about something else.
const API: &str = "
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: { Name: chat, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action }
";

/// A role that Lambda may assume.
const ROLE: &str = "
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: worker
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: { Effect: Allow, Action: 'sts:AssumeRole', Principal: { Service: lambda.amazonaws.com } }
";

fn identity() -> Identity {
    Identity {
        stack_name: "chat".to_owned(),
        region: "eu-central-1".to_owned(),
        account_id: "000000000000".to_owned(),
        seed: "seed".to_owned(),
    }
}

fn resolve_with(template: &str, given: &[(&str, &str)]) -> Result<Stack, TemplateError> {
    let given: BTreeMap<String, String> = given
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    resolve(template, &given, &identity())
}

fn stack(template: &str) -> Stack {
    resolve_with(template, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// The error for `template`.
fn check_error(template: &str, expected: Expect) {
    let error = resolve_with(template, &[]).expect_err("the template is wrong");
    expected.assert_eq(&error.to_string());
}

/// A template with an API and the given `resources`, which are indented by two.
fn with_api(resources: &str) -> String {
    format!("Resources:{API}{resources}")
}

/// The error for a template with an API and the given `resources`.
fn check_resource_error(resources: &str, expected: Expect) {
    check_error(&with_api(resources), expected);
}

/// The value of `expression` in an output; `before` goes in front of the Resources block.
fn output_of(before: &str, expression: &str) -> String {
    let template = format!("{before}\nResources:{API}Outputs:\n  O: {{ Value: {expression} }}\n");
    match resolve_with(&template, &[]) {
        Ok(stack) => stack.outputs["O"].clone(),
        Err(error) => error
            .problems
            .iter()
            .map(|problem| format!("{}\n", problem.reason))
            .collect(),
    }
}

/// One line for each expression: `expression → value`.
fn check_outputs(before: &str, expressions: &[&str], expected: Expect) {
    let line = |expression: &&str| {
        format!(
            "{expression} → {}\n",
            output_of(before, expression).trim_end()
        )
    };
    expected.assert_eq(&expressions.iter().map(line).collect::<String>());
}
