//! Adds alarms, a dashboard and a queue of failed events to a template.
//!
//! Each metric is a count whose sum is compared, under the dimensions that its service publishes it with:
//!
//! | namespace | metrics | dimensions | documented at |
//! |---|---|---|---|
//! | `AWS/Lambda` | `Errors`, `Throttles`, `AsyncEventsDropped` | `FunctionName` | <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html> |
//! | `AWS/ApiGateway` | `ClientError`, `ExecutionError`, `IntegrationError`, `ConnectCount` | `ApiId`, `Stage` | <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-logging.html> |
//! | `AWS/DynamoDB` | `ReadThrottleEvents`, `WriteThrottleEvents` | `TableName` | <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html> |
//!
//! API Gateway publishes metrics of single routes only where a stage asks for them. `ConnectCount` counts what reaches the
//! `$connect` route's integration, so a client that the authorizer refuses counts as a `ClientError` alone.

use serde_json::{Value, json};

use super::dashboard;
use super::domain::{extend, section};
use super::fragment::{self, Section, taken};
use super::inventory::Watched;
use crate::config::account::AccountRules;
use crate::config::alarms::{Alarms, Receiver};

/// Adds what `alarms` asks for to `document`.
pub(super) fn add(document: &mut Value, alarms: &Alarms, rules: &AccountRules) {
    let mut addition = fragment::alarms();
    let mut resources = section(&mut addition, "Resources");
    let mut outputs = section(&mut addition, "Outputs");
    let mut pattern = taken(&mut resources, "Alarm");
    match &alarms.receiver {
        Receiver::Email(address) => {
            let topic = &mut resources["AlarmTopic"]["Properties"];
            topic["Subscription"][0]["Endpoint"] = json!(address.as_ref());
            if let Some(key) = &rules.kms_key {
                topic["KmsMasterKeyId"] = json!(key.as_ref());
            }
        }
        Receiver::Topic(arn) => {
            taken(&mut resources, "AlarmTopic");
            for actions in ["AlarmActions", "OKActions"] {
                pattern["Properties"][actions] = json!([arn.as_ref()]);
            }
        }
    }
    let stack = Watched::in_document(document);
    let added = stack.alarms(alarms, &pattern);
    if alarms.keeps_failed_events && !stack.asynchronous.is_empty() {
        keep_failed_events(document, &stack, &mut resources, rules);
    } else {
        taken(&mut resources, "FailedEvents");
        taken(&mut outputs, "FailedEventsUrl");
    }
    if alarms.has_dashboard {
        let ids = added.keys().map(String::as_str);
        let dashboard = dashboard::dashboard(&stack, &ids.collect::<Vec<_>>());
        resources.insert("Dashboard".into(), dashboard);
    } else {
        taken(&mut outputs, "DashboardName");
    }
    resources.extend(added);
    extend(document, "Resources", resources);
    extend(document, "Outputs", outputs);
}

impl Watched {
    /// One resource for each alarm with a threshold.
    fn alarms(&self, alarms: &Alarms, pattern: &Value) -> Section {
        let when = &alarms.thresholds;
        let mut all = Section::new();
        let mut add = |id: String, what: String, metric: [&str; 2], on: Value, threshold: u32| {
            let mut alarm = pattern.clone();
            let properties = &mut alarm["Properties"];
            properties["AlarmDescription"] = json!(what);
            properties["Namespace"] = json!(metric[0]);
            properties["MetricName"] = json!(metric[1]);
            properties["Dimensions"] = on;
            properties["Threshold"] = json!(threshold);
            all.insert(id, alarm);
        };
        for function in &self.functions {
            let family = function.trim_end_matches("Function");
            let on = || json!([{ "Name": "FunctionName", "Value": { "Ref": function } }]);
            if let Some(threshold) = when.function_errors {
                let what = format!("{function} fails");
                let metric = ["AWS/Lambda", "Errors"];
                add(
                    format!("{family}ErrorsAlarm"),
                    what,
                    metric,
                    on(),
                    threshold,
                );
            }
            if let Some(threshold) = when.function_throttles {
                let what =
                    format!("{function} is refused invocations: too many functions run at a time");
                let metric = ["AWS/Lambda", "Throttles"];
                add(
                    format!("{family}ThrottlesAlarm"),
                    what,
                    metric,
                    on(),
                    threshold,
                );
            }
        }
        for (_, function) in &self.asynchronous {
            if let Some(threshold) = when.dropped_events {
                let family = function.trim_end_matches("Function");
                let on = json!([{ "Name": "FunctionName", "Value": { "Ref": function } }]);
                let what = format!(
                    "events for {function} are dropped: part of a room did not get a message"
                );
                let metric = ["AWS/Lambda", "AsyncEventsDropped"];
                add(
                    format!("{family}DroppedEventsAlarm"),
                    what,
                    metric,
                    on,
                    threshold,
                );
            }
        }
        for (id, metric, threshold, what) in [
            (
                "ClientErrorsAlarm",
                "ClientError",
                when.client_errors,
                "API Gateway refuses many requests of clients",
            ),
            (
                "ExecutionErrorsAlarm",
                "ExecutionError",
                when.execution_errors,
                "API Gateway cannot call functions or backends",
            ),
            (
                "IntegrationErrorsAlarm",
                "IntegrationError",
                when.integration_errors,
                "functions or backends answer with 4xx or 5xx",
            ),
            (
                "ConnectionsAlarm",
                "ConnectCount",
                when.connections_per_minute,
                "handshakes come near the account's quota",
            ),
        ] {
            if let Some(threshold) = threshold {
                let on = json!([
                    { "Name": "ApiId", "Value": { "Ref": "Api" } },
                    { "Name": "Stage", "Value": { "Ref": "StageName" } },
                ]);
                add(
                    id.into(),
                    what.into(),
                    ["AWS/ApiGateway", metric],
                    on,
                    threshold,
                );
            }
        }
        // DynamoDB counts what it throttles of a table as reads and as writes
        // (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html).
        for (table, kind) in self
            .tables
            .iter()
            .flat_map(|it| [(it, "Read"), (it, "Write")])
        {
            if let Some(threshold) = when.table_throttles {
                let on = json!([{ "Name": "TableName", "Value": { "Ref": table } }]);
                let what = format!(
                    "DynamoDB throttles {}s of the table {table}",
                    kind.to_lowercase()
                );
                let metric = format!("{kind}ThrottleEvents");
                let id = format!("{table}{kind}ThrottlesAlarm");
                add(id, what, ["AWS/DynamoDB", &metric], on, threshold);
            }
        }
        if let Some(alarm) = all.get_mut("ConnectionsAlarm") {
            alarm["Properties"]["Period"] = json!(60);
        }
        all
    }
}

/// Sends events that no function served to the queue. Lambda does it with the function's role, and looks whether that may when
/// the destination is set (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>).
fn keep_failed_events(
    document: &mut Value,
    stack: &Watched,
    resources: &mut Section,
    rules: &AccountRules,
) {
    let queue = json!({ "Fn::GetAtt": ["FailedEvents", "Arn"] });
    let mut statements =
        vec![json!({ "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue })];
    if let Some(key) = &rules.kms_key {
        let properties = &mut resources["FailedEvents"]["Properties"];
        properties["KmsMasterKeyId"] = json!(key.as_ref());
        properties["SqsManagedSseEnabled"] = json!(false);
        let through = json!({ "Fn::Sub": "sqs.${AWS::Region}.${AWS::URLSuffix}" });
        statements.push(json!({
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": key.as_ref(),
            "Condition": { "StringLike": { "kms:ViaService": through } },
        }));
    }
    for (configuration, function) in &stack.asynchronous {
        let all = &mut document["Resources"];
        let role = all[function]["Properties"]["Role"]["Fn::GetAtt"][0].clone();
        let policy = format!(
            "{}FailedEventsPolicy",
            function.trim_end_matches("Function")
        );
        all[configuration]["DependsOn"] = json!([policy]);
        all[configuration]["Properties"]["DestinationConfig"] =
            json!({ "OnFailure": { "Destination": queue } });
        let properties = json!({
            "PolicyName": "failed-events",
            "Roles": [{ "Ref": role }],
            "PolicyDocument": { "Version": "2012-10-17", "Statement": statements },
        });
        resources.insert(
            policy,
            json!({ "Type": "AWS::IAM::Policy", "Properties": properties }),
        );
    }
}
