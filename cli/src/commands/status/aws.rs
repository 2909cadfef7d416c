//! Of a stack on AWS.

use serde::Serialize;

use crate::commands::aws::{endpoint, kept_role, not_deployed};
use crate::commands::waits::asking;
use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chatctl_deploy::aws::{AwsTarget, rfc3339};
use chatctl_deploy::config::Settings;
use chatctl_deploy::config::account::AccountRules;
use chatctl_deploy::config::arn::TopicArn;
use chatctl_deploy::engine::cloud::StackRecord;
use chatctl_deploy::engine::{
    Functions, Gateways, Inventory, TargetError, Unready, complaining, in_full,
};
use chatctl_deploy::stack::cause::cause;
use chatctl_deploy::stack::code::parameters_of_functions;
use chatctl_deploy::stack::render::render_for_account;

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
    /// The role that CloudFormation acts with.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// Why its last operation failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    functions: Vec<FunctionLine>,
    /// What of this could not be found out, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<String>,
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
    let status = asking(terminal, status(settings)).await?;
    if terminal.output == Output::Json {
        terminal.result_json(&status);
    } else {
        terminal.result_text(&text(&status));
    }
    Ok(())
}

async fn status(settings: &Settings) -> Result<Status, CommandError> {
    let target = AwsTarget::connect(&settings.aws).await?;
    let Some(record) = target.stacks.record(&settings.stack).await? else {
        return Err(not_deployed(settings, &target.region));
    };
    let stack = &settings.stack;
    let mut read = Read::default();
    let deployed = read.value(target.stacks.deployed_template(stack).await);
    let resources = read.value(target.stacks.resources(stack).await);
    let codes = deployed.as_ref().map(parameters_of_functions);
    let mut differences = Vec::new();
    let mut functions = Vec::new();
    for resource in resources.unwrap_or_default() {
        match resource.resource_type.as_str() {
            "AWS::Lambda::Function" => {
                let code = read.value(target.functions.code(&resource.physical_id).await);
                let key = codes
                    .as_ref()
                    .and_then(|codes| codes.get(&resource.logical_id))
                    .and_then(|parameter| record.parameters.get(parameter));
                if let (Some(key), Some(code)) = (key, &code)
                    && !key.eq_ignore_ascii_case(&code.digest)
                {
                    differences.push(format!(
                        "{} runs other code than was deployed with the stack",
                        resource.logical_id
                    ));
                }
                functions.push(FunctionLine {
                    id: resource.logical_id,
                    state: code.map_or_else(|| "unknown".into(), |code| state(code.trouble)),
                });
            }
            "AWS::ApiGatewayV2::Api" => {
                let trouble = target
                    .gateways
                    .stage_trouble(&resource.physical_id, &settings.stage)
                    .await;
                let stage = &settings.stage;
                differences.extend(match read.value(trouble).flatten() {
                    None => None,
                    Some(Unready::NotYet(reason) | Unready::Broken(reason)) => {
                        Some(format!("stage {stage}: {reason}"))
                    }
                    Some(Unready::Reported(words)) => Some(format!(
                        "{}; it may serve all the same, as the record is not renewed by itself",
                        complaining(stage, &words)
                    )),
                });
            }
            _ => {}
        }
    }
    let template = render_for_account(settings, &target.region);
    if deployed.is_some_and(|deployed| deployed != template) {
        let text = "the config describes another template; `chatctl diff` shows what would change";
        differences.push(text.into());
    }
    differences.extend(kept_role(settings, &record));
    differences.extend(rule_differences(&settings.aws.rules, &record));
    let failure = read.value(failure(&target, &record).await).flatten();
    let endpoint = read.value(endpoint(settings, &target, &record.outputs).await);
    Ok(Status {
        stack: record.name,
        region: target.region,
        status: record.status.word().to_owned(),
        endpoint: endpoint.flatten(),
        changed_at: record.changed_at.and_then(rfc3339),
        protected: record.protected,
        role: record.role,
        failure,
        functions,
        unknown: read.missing,
        differences,
    })
}

/// What of the account's rules the stack was not deployed with, although they say nothing about its template.
fn rule_differences(rules: &AccountRules, record: &StackRecord) -> Vec<String> {
    let role = rules.role_arn.as_ref().map(AsRef::as_ref);
    let has_topic = |topic: &TopicArn| record.topics.iter().any(|had| had == topic.as_ref());
    let has_tag = |(key, value): (&String, &String)| record.tags.get(key) == Some(value);
    let mut lines = Vec::new();
    if role.is_some() && role != record.role.as_deref() {
        lines.push(
            "`role-arn` in the config is not the role of the stack; the next deployment takes it"
                .to_owned(),
        );
    }
    if !rules.notification_arns.iter().all(has_topic) {
        lines.push("the stack's events do not go to every topic of `notification-arns`; the next change of the stack adds them".to_owned());
    }
    if !rules.tags.iter().all(has_tag) {
        lines.push(
            "the stack does not have every tag of the config; the next deployment adds them"
                .to_owned(),
        );
    }
    lines
}

/// Collects what can be read, and the reasons why the rest cannot.
#[derive(Debug, Default)]
struct Read {
    missing: Vec<String>,
}

impl Read {
    fn value<T>(&mut self, outcome: Result<T, TargetError>) -> Option<T> {
        outcome
            .map_err(|error| {
                let line = in_full(&error);
                if !self.missing.contains(&line) {
                    self.missing.push(line);
                }
            })
            .ok()
    }
}

/// Why the last operation failed, unless it did not.
async fn failure(target: &AwsTarget, record: &StackRecord) -> Result<Option<String>, TargetError> {
    if !record.status.is_failed() && !record.status.is_rolled_back() {
        return Ok(None);
    }
    let cause = target
        .stacks
        .last_events(record)
        .await
        .map(|events| cause(&events));
    match (cause, &record.reason) {
        (Ok(Some(cause)), _) => Ok(Some(cause.to_string())),
        (Ok(None), reason) => Ok(reason.clone()),
        (Err(error), Some(reason)) => Ok(Some(format!(
            "{reason} (more is not known: {})",
            in_full(&error)
        ))),
        (Err(error), None) => Err(error),
    }
}

fn state(trouble: Option<Unready>) -> String {
    match trouble {
        None => "active".into(),
        Some(Unready::NotYet(reason) | Unready::Reported(reason)) => {
            format!("not ready: {reason}")
        }
        Some(Unready::Broken(reason)) => format!("broken: {reason}"),
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
    if let Some(role) = &status.role {
        lines.push(format!("role         {role}"));
    }
    if let Some(at) = &status.changed_at {
        lines.push(format!("changed      {at}"));
    }
    for (index, function) in status.functions.iter().enumerate() {
        let head = if index == 0 { "functions" } else { "" };
        lines.push(format!("{head:<12} {}: {}", function.id, function.state));
    }
    for (index, unknown) in status.unknown.iter().enumerate() {
        let head = if index == 0 { "unknown" } else { "" };
        lines.push(format!("{head:<12} {unknown}"));
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
            role: Some("arn:aws:iam::123456789012:role/deployer".into()),
            failure: Some("F could not be updated: no\n  meaning: x".into()),
            functions: vec![
                function("A", None),
                function("B", Some(Unready::NotYet("Pending".into()))),
            ],
            unknown: vec![
                "could not read the code's digest of function C: AccessDenied: no".into(),
            ],
            differences: vec!["A runs other code than was deployed with the stack".into()],
        };
        expect![[r#"
            stack        chat (eu-west-1, protected)
            status       UPDATE_ROLLBACK_COMPLETE
            failure      F could not be updated: no
                           meaning: x
            endpoint     wss://x/v1
            role         arn:aws:iam::123456789012:role/deployer
            changed      2026-09-21T14:13:20Z
            functions    A: active
                         B: not ready: Pending
            unknown      could not read the code's digest of function C: AccessDenied: no
            differs      A runs other code than was deployed with the stack"#]]
        .assert_eq(&text(&status));
    }
}
