//! What is charged for parts of the stack beside its messages: logs, alarms, keys, secrets.

use std::collections::BTreeSet;

use chat_protocol::secret::Reference;
use chat_protocol::variable;

use super::load::{Chat, GB, Load};
use super::meter::{Cause, Meter};
use super::usage::Usage;

/// A line of the stage's access log: times, an address, a user agent, ids.
const ACCESS_BYTES: f64 = 450.0;

/// The five minutes of a month: as often DynamoDB asks for its key, for each role that uses the table
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html>), and as often a function reads a secret.
const FIVE_MINUTES: f64 = Usage::DAYS * 24.0 * 12.0;

pub(super) fn add(load: &mut Load, chat: &Chat<'_>) {
    accesses(load, chat);
    kept_logs(load, chat);
    watched(load, chat);
    encrypted(load, chat);
    secrets(load, chat);
    others(load, chat);
}

fn accesses(load: &mut Load, chat: &Chat<'_>) {
    if !chat.settings.aws.has_access_logs {
        return;
    }
    let lines = 2.0 * load.connections + load.received;
    load.add(Cause::Accesses, Meter::Logs, lines * ACCESS_BYTES / GB);
    load.assumptions
        .push(format!("access logs of {ACCESS_BYTES} bytes a line"));
}

/// What lies in the log groups at any time, which is charged as it is compressed. How much that saves is not known here.
fn kept_logs(load: &mut Load, chat: &Chat<'_>) {
    let months = f64::from(chat.settings.log_retention_days) / Usage::DAYS;
    let kept = load.total(Meter::Logs) * months;
    let cause = load.cause(Meter::Logs).unwrap_or(Cause::Connections);
    load.add(cause, Meter::LogsKept, kept);
}

fn watched(load: &mut Load, chat: &Chat<'_>) {
    let count = |kind: &str| {
        let found = chat
            .template
            .resources()
            .filter(|(_, it)| it["Type"] == kind);
        found.map(|_| 1.0).sum()
    };
    load.add(
        Cause::Watching,
        Meter::Alarms,
        count("AWS::CloudWatch::Alarm"),
    );
    let dashboards = count("AWS::CloudWatch::Dashboard");
    load.add(Cause::Watching, Meter::Dashboards, dashboards);
    if chat.settings.aws.alarms.is_some() {
        load.leave_out("mails of alarms, and the queue of failed events");
    }
}

fn encrypted(load: &mut Load, chat: &Chat<'_>) {
    if chat.settings.aws.rules.kms_key.is_none() {
        return;
    }
    load.add(Cause::Key, Meter::Keys, 1.0);
    let uses_table = |(_, it): &(&str, &serde_json::Value)| {
        it["Type"] == "AWS::Lambda::Function"
            && it["Properties"]["Environment"]["Variables"][variable::TABLE_NAME].is_object()
    };
    let roles = chat.template.resources().filter(uses_table);
    let requests = roles.map(|_| FIVE_MINUTES).sum();
    load.add(Cause::Key, Meter::KeyRequests, requests);
    load.assumptions.push(
        "a request to the key of `kms-key` for each five minutes and function that uses the table"
            .to_owned(),
    );
    load.leave_out("requests to that key for logs and for code");
}

fn secrets(load: &mut Load, chat: &Chat<'_>) {
    let settings = chat.settings;
    let mut all = BTreeSet::new();
    for (_, backend) in settings.backends() {
        // CloudFormation reads it with each deployment.
        if let Some(Reference::Secret { id, .. }) = backend.secret.as_ref().map(|it| &it.reference)
        {
            all.insert(id.clone());
        }
    }
    for (_, handler) in settings.functions_of_the_user() {
        for secret in handler.secrets.values() {
            if let Reference::Secret { id, .. } = &secret.reference {
                all.insert(id.clone());
                load.add(Cause::Secrets, Meter::SecretReads, FIVE_MINUTES);
            }
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a config has few secrets")]
    load.add(Cause::Secrets, Meter::Secrets, all.len() as f64);
    if load.total(Meter::SecretReads) > 0.0 {
        load.assumptions.push(
            "a read of each secret for each five minutes and function that has it".to_owned(),
        );
    }
}

fn others(load: &mut Load, chat: &Chat<'_>) {
    let settings = chat.settings;
    let users = settings.functions_of_the_user();
    let vpcs = users.map(|(_, handler)| handler.vpc.is_some());
    if settings.handlers.vpc.is_some() || vpcs.fold(false, |any, one| any | one) {
        load.leave_out("NAT gateways and endpoints of the VPC, by the hour");
    }
    if settings.aws.domain.is_some() {
        load.leave_out("the name's registration and hosted zone; the domain in API Gateway and its certificate are free");
    }
    if settings.overlay.is_some() {
        load.leave_out("resources of the overlay, except alarms and dashboards");
    }
}
