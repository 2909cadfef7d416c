//! Of a stack on AWS.

use serde::Serialize;

use crate::aws::{AwsTarget, rfc3339};
use crate::commands::aws::not_deployed;
use crate::commands::or_interrupted;
use crate::config::Settings;
use crate::engine::cloud::StackRecord;
use crate::engine::{Functions, Gateways, Inventory, Trouble};
use crate::error::CommandError;
use crate::stack::cause::cause;
use crate::stack::code::parameters_of_functions;
use crate::stack::render::{for_emulator, output, render};
use crate::terminal::{Output, Terminal};

/// How a stack is, and what differs from what it should be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    stack: String,
    region: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    /// When its last operation began, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_at: Option<String>,
    protected: bool,
    /// Why its last operation failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    functions: Vec<FunctionLine>,
    /// What has drifted since the last deployment, or would change with the next one.
    differences: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FunctionLine {
    id: String,
    state: String,
}

pub(super) async fn run(terminal: Terminal, settings: &Settings) -> Result<(), CommandError> {
    let status = or_interrupted(status(settings)).await?;
    if terminal.output == Output::Json {
        terminal.result_json(&status);
    } else {
        terminal.result(&text(&status));
    }
    Ok(())
}

async fn status(settings: &Settings) -> Result<Status, CommandError> {
    let target = AwsTarget::connect(&settings.aws).await?;
    let Some(record) = target.stacks.record(&settings.stack).await? else {
        return Err(not_deployed(settings, &target.region));
    };
    let mut differences = Vec::new();
    let mut functions = Vec::new();
    let deployed = target.stacks.deployed_template(&settings.stack).await?;
    let codes = parameters_of_functions(&deployed);
    for resource in target.stacks.resources(&settings.stack).await? {
        match resource.resource_type.as_str() {
            "AWS::Lambda::Function" => {
                let code = target.functions.code(&resource.physical_id).await?;
                let key = codes
                    .get(&resource.logical_id)
                    .and_then(|parameter| record.parameters.get(parameter));
                if key.is_some_and(|key| !key.eq_ignore_ascii_case(&code.digest)) {
                    differences.push(format!(
                        "{} runs other code than was deployed with the stack",
                        resource.logical_id
                    ));
                }
                functions.push(FunctionLine {
                    id: resource.logical_id,
                    state: state(code.trouble),
                });
            }
            "AWS::ApiGatewayV2::Api" => {
                let trouble = target
                    .gateways
                    .stage_trouble(&resource.physical_id, &settings.stage)
                    .await?;
                if let Some(Trouble::NotYet(reason) | Trouble::Broken(reason)) = trouble {
                    differences.push(format!("stage {}: {reason}", settings.stage));
                }
            }
            _ => {}
        }
    }
    let mut template = render(settings);
    if let Some(endpoint) = &settings.aws.endpoint {
        template = for_emulator(&template, endpoint);
    }
    if deployed != template {
        let text = "the config describes another template; `chatctl diff` shows what would change";
        differences.push(text.into());
    }
    let failure = failure(&target, &record).await?;
    Ok(Status {
        stack: record.name,
        region: target.region,
        status: record.status.word().to_owned(),
        endpoint: record.outputs.get(output::URL).cloned(),
        changed_at: record.changed_at.and_then(rfc3339),
        protected: record.protected,
        failure,
        functions,
        differences,
    })
}

/// Why the last operation failed, unless it did not.
async fn failure(target: &AwsTarget, record: &StackRecord) -> Result<Option<String>, CommandError> {
    use crate::engine::StackStatus::{Failed, RolledBack};
    if !matches!(record.status, Failed(_) | RolledBack(_)) {
        return Ok(None);
    }
    let events = target.stacks.last_events(record).await?;
    Ok(cause(&events)
        .map(|cause| cause.to_string())
        .or_else(|| record.reason.clone()))
}

fn state(trouble: Option<Trouble>) -> String {
    match trouble {
        None => "active".into(),
        Some(Trouble::NotYet(reason)) => format!("not ready: {reason}"),
        Some(Trouble::Broken(reason)) => format!("broken: {reason}"),
    }
}

fn text(status: &Status) -> String {
    let protection = if status.protected { ", protected" } else { "" };
    let mut lines = vec![
        format!(
            "stack        {} ({}{protection})",
            status.stack, status.region
        ),
        format!("status       {}", status.status),
    ];
    if let Some(failure) = &status.failure {
        lines.push(format!(
            "failure      {}",
            failure.replace('\n', "\n             ")
        ));
    }
    if let Some(endpoint) = &status.endpoint {
        lines.push(format!("endpoint     {endpoint}"));
    }
    if let Some(at) = &status.changed_at {
        lines.push(format!("changed      {at}"));
    }
    for (index, function) in status.functions.iter().enumerate() {
        let head = if index == 0 { "functions" } else { "" };
        lines.push(format!("{head:<12} {}: {}", function.id, function.state));
    }
    for (index, difference) in status.differences.iter().enumerate() {
        let head = if index == 0 { "differs" } else { "" };
        lines.push(format!("{head:<12} {difference}"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn the_text_tells_state_cause_and_differences_on_lines_of_their_own() {
        let function = |id: &str, trouble| FunctionLine {
            id: id.into(),
            state: state(trouble),
        };
        let status = Status {
            stack: "chat".into(),
            region: "eu-west-1".into(),
            status: "UPDATE_ROLLBACK_COMPLETE".into(),
            endpoint: Some("wss://x/v1".into()),
            changed_at: rfc3339(1_790_000_000.7),
            protected: true,
            failure: Some("F could not be updated: no\n  meaning: x".into()),
            functions: vec![
                function("A", None),
                function("B", Some(Trouble::NotYet("Pending".into()))),
            ],
            differences: vec!["A runs other code than was deployed with the stack".into()],
        };
        expect![[r#"
            stack        chat (eu-west-1, protected)
            status       UPDATE_ROLLBACK_COMPLETE
            failure      F could not be updated: no
                           meaning: x
            endpoint     wss://x/v1
            changed      2026-09-21T14:13:20Z
            functions    A: active
                         B: not ready: Pending
            differs      A runs other code than was deployed with the stack"#]]
        .assert_eq(&text(&status));
    }
}
