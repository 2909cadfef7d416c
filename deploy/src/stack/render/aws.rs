//! What a template for AWS has beside that for one machine: a name, alarms, access logs, and the rules of the account.

use serde_json::{Value, json};

use super::account::for_account;
use super::domain::{extend, section};
use super::emulator::for_emulator;
use super::partition::for_region;
use super::{base, domain, fragment, watched, with_overlay};
use crate::config::Settings;
use crate::config::account::AccountRules;
use crate::stack::Template;

/// Renders the stack of `settings` for AWS. A stack on one machine is [`super::render`] alone.
pub fn render_for_aws(settings: &Settings) -> Template {
    for_account(
        &with_overlay(settings, base_for_aws(settings)),
        &settings.aws.rules,
    )
}

/// Renders the stack of `settings` as it is deployed to `region`, or to the emulator that the settings name.
pub fn render_for_account(settings: &Settings, region: &str) -> Template {
    let template = for_region(&render_for_aws(settings), region);
    match &settings.aws.endpoint {
        Some(endpoint) => for_emulator(&template, endpoint),
        None => template,
    }
}

/// Renders the stack of `settings` for AWS, without its overlay and the account's rules.
pub(in crate::stack) fn base_for_aws(settings: &Settings) -> Template {
    let mut document = base(settings).into_document();
    let aws = &settings.aws;
    if let Some(name) = &aws.domain {
        domain::add(&mut document, name);
    }
    if aws.has_access_logs {
        log_accesses(&mut document, settings.log_retention_days);
    }
    if let Some(alarms) = &aws.alarms {
        watched::add(&mut document, alarms, &aws.rules);
    }
    Template::new(document)
}

/// Renders the stack of the role with which API Gateway writes logs, under `rules`.
pub fn render_log_role(rules: &AccountRules) -> Template {
    for_account(&Template::new(fragment::log_role()), rules)
}

/// What is logged of each request: who, when, what, and how it ended
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-logging.html>). No text of a message and no
/// header can be in it.
const LOGGED: [(&str, &str); 10] = [
    ("time", "$context.requestTimeEpoch"),
    ("ip", "$context.identity.sourceIp"),
    ("userAgent", "$context.identity.userAgent"),
    ("event", "$context.eventType"),
    ("route", "$context.routeKey"),
    ("status", "$context.status"),
    ("connection", "$context.connectionId"),
    ("error", "$context.error.message"),
    ("integrationStatus", "$context.integration.status"),
    ("request", "$context.requestId"),
];

fn log_accesses(document: &mut Value, retention_days: u32) {
    let mut resources = section(&mut fragment::access(), "Resources");
    resources["AccessLogs"]["Properties"]["RetentionInDays"] = json!(retention_days);
    let format: fragment::Section = LOGGED
        .into_iter()
        .map(|(name, variable)| (name.to_owned(), json!(variable)))
        .collect();
    let arn = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${AccessLogs}";
    document["Resources"]["Stage"]["Properties"]["AccessLogSettings"] = json!({ "DestinationArn": { "Fn::Sub": arn }, "Format": Value::Object(format).to_string() });
    extend(document, "Resources", resources);
}
