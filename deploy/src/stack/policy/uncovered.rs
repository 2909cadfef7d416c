//! What the policies may lack, because no table here has it.

use super::actions;
use crate::config::Settings;
use crate::stack::few::few;
use crate::stack::overlay::Additions;
use crate::stack::render::render;

/// The properties of functions and tables, log groups and APIs whose change needs no permission beside those for the others.
const PLAIN: [&str; 9] = [
    "DependsOn",
    "Description",
    "Environment",
    "MemorySize",
    "Metadata",
    "Name",
    "RetentionInDays",
    "Timeout",
    "TracingConfig",
];

/// The properties with which a resource gets a name of its own, by type.
const NAMES: [(&str, &str); 8] = [
    ("AWS::CloudWatch::Alarm", "AlarmName"),
    ("AWS::CloudWatch::Dashboard", "DashboardName"),
    ("AWS::DynamoDB::Table", "TableName"),
    ("AWS::IAM::Role", "RoleName"),
    ("AWS::Lambda::Function", "FunctionName"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::SNS::Topic", "TopicName"),
    ("AWS::SQS::Queue", "QueueName"),
];

/// The types of which the policies cover what `[domain]` adds, and nothing else.
const OF_DOMAIN: [&str; 3] = [
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::Route53::RecordSet",
];

/// What the overlay of `settings` needs that the policies may not cover, because no table here has it.
pub fn uncovered(settings: &Settings) -> Vec<String> {
    let Some(additions) = Additions::from_settings(settings) else {
        return Vec::new();
    };
    let template = render(settings);
    let resources = &template.document()["Resources"];
    let is_named = |id: &str, kind: &str| {
        let mut names = NAMES.iter();
        names.any(|(of, name)| *of == kind && !resources[id]["Properties"][*name].is_null())
    };
    let is_unknown = |kind| actions::of_type(kind).is_empty() || OF_DOMAIN.contains(&kind);
    let unknown = additions
        .resources()
        .filter_map(|(id, kind)| match is_unknown(kind) {
            true => Some(format!("{id} ({kind})")),
            false if is_named(id, kind) => Some(format!("{id} ({kind}, with a name of its own)")),
            false => None,
        });
    let changed = additions.changes().filter_map(|(id, keys)| {
        let keys: Vec<_> = keys
            .iter()
            .filter(|key| !PLAIN.contains(&key.as_str()))
            .collect();
        (!keys.is_empty()).then(|| format!("{id} ({})", few(&keys)))
    });
    unknown.chain(changed).collect()
}
