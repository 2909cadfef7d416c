//! Renders the functions that answer requests.

use chat_protocol::Answers;
use serde_json::json;

use super::fragment::{self, Section, renamed};
use super::functions::{FAMILY, set_index};
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
        match answers {
            // It removes nothing.
            Answers::Who => {
                let role = &mut resources[&format!("{family}Role")]["Properties"];
                role["Policies"][1]["PolicyDocument"]["Statement"][0]["Action"] =
                    json!(["dynamodb:Query"]);
            }
            Answers::Kick => set_index(resources, family, settings.index()),
        }
    }
}

const fn description(answers: Answers) -> &'static str {
    match answers {
        Answers::Who => "Says who is in the sender's room",
        Answers::Kick => "Ends the connections of a person, for moderators",
    }
}
