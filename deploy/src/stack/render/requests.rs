//! Renders the functions that answer requests.

use chat_protocol::{Answers, table, variable};
use serde_json::{Value, json};

use super::family::{FAMILY, set_index, set_variable};
use super::fragment::{self, Section, renamed};
use crate::config::Settings;

/// Adds a function for each kind of request that a route of `settings` answers.
pub(super) fn add(resources: &mut Section, settings: &Settings) {
    for answers in Answers::ALL {
        if !settings.answers().any(|answered| answered == answers) {
            continue;
        }
        let family = answers.handler().family();
        let names = FAMILY.map(|part| (format!("Request{part}"), format!("{family}{part}")));
        let names: Vec<_> = names
            .iter()
            .map(|(old, new)| (old.as_str(), new.clone()))
            .collect();
        for (id, resource) in fragment::request() {
            let id = id.replacen("Request", family, 1);
            resources.insert(id, renamed(&resource, &names));
        }
        let function = &mut resources[&format!("{family}Function")]["Properties"];
        function["Handler"] = json!(answers.handler().name());
        function["Description"] = json!(description(answers));
        let role = format!("{family}Role");
        let table = "/Properties/Policies/1/PolicyDocument/Statement/0";
        let statement = resources[&role]
            .pointer_mut(table)
            .expect("templates/requests.yaml permits to use the table");
        match answers {
            // It removes nothing.
            Answers::Who => statement["Action"] = json!(["dynamodb:Query"]),
            Answers::Kick => {}
            Answers::History => {
                statement["Action"] = json!(["dynamodb:Query"]);
                only_kept(statement);
            }
            Answers::Delete => let_keep(&mut resources[&role]),
        }
        if answers != Answers::Who {
            set_index(resources, family, settings.index());
        }
        if let (Answers::History, Some(seconds)) = (answers, longest_history(settings)) {
            set_variable(resources, family, variable::HISTORY, &seconds.to_string());
        }
    }
}

/// For how many seconds a route keeps messages at most, if one does.
fn longest_history(settings: &Settings) -> Option<u32> {
    let rules = settings
        .routes
        .iter()
        .filter_map(|route| route.purpose.rule());
    rules.filter_map(|rule| rule.history).max()
}

/// Permits `role`, which may use the table, to write messages that are kept, and nothing else.
pub(super) fn let_keep(role: &mut Value) {
    let table = role.pointer_mut("/Properties/Policies/1/PolicyDocument/Statement");
    let statements = table.and_then(Value::as_array_mut);
    let mut statement = json!({
        "Effect": "Allow",
        "Action": ["dynamodb:PutItem"],
        "Resource": { "Fn::GetAtt": ["Connections", "Arn"] },
    });
    only_kept(&mut statement);
    statements
        .expect("the templates permit these functions to use the table")
        .push(statement);
}

/// Reduces a statement about the table to messages that are kept.
fn only_kept(statement: &mut Value) {
    let kept = format!("{}*", table::CONVERSATION);
    statement["Condition"] =
        json!({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [kept] } });
}

const fn description(answers: Answers) -> &'static str {
    match answers {
        Answers::Who => "Says who is in the sender's room",
        Answers::Kick => "Ends the connections of a person, for moderators",
        Answers::History => "Reads the messages that are kept of a conversation",
        Answers::Delete => "Deletes a message that is kept",
    }
}
