//! How a deployed chat records its connections, as far as its template says.

use chat_protocol::{Handler, Index, Receivers, Rule, variable};
use serde_json::Value;
use std::collections::BTreeMap;

use super::Template;

/// How a deployed chat records its connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    /// What they are found by.
    pub index: Index,
    /// The route whose envelope a message to such receivers has.
    envelopes: BTreeMap<Receivers, String>,
}

impl Records {
    /// Those of the chat with this `template`; `None` if none of its functions records connections, as when a backend of
    /// the user's does everything.
    pub fn from_deployed(template: &Template) -> Option<Self> {
        let connect = Handler::Connect.family();
        let said = variables(template, connect)?[variable::INDEX].as_str();
        let index = match said {
            None => Index::Friend,
            Some(word) => Index::ALL.into_iter().find(|index| index.word() == word)?,
        };
        if index == Index::Nothing {
            return None;
        }
        Some(Self {
            index,
            envelopes: Receivers::ALL
                .into_iter()
                .filter_map(|receivers| Some((receivers, envelope(template, receivers)?)))
                .collect(),
        })
    }

    /// The route in whose envelope a message of the operator reaches such receivers; `None` where routes post the text as
    /// it is. Where no route to such receivers has envelopes, another one's is used.
    pub fn envelope(&self, receivers: Receivers) -> Option<&str> {
        let own = self.envelopes.get(&receivers);
        own.or_else(|| self.envelopes.values().next())
            .map(String::as_str)
    }
}

fn variables<'a>(template: &'a Template, family: &str) -> Option<&'a Value> {
    let function = format!("{family}Function");
    let mut resources = template.resources();
    let (_, function) = resources.find(|(id, _)| *id == function)?;
    Some(&function["Properties"]["Environment"]["Variables"])
}

/// The first route with envelopes of the function that serves `receivers`.
fn envelope(template: &Template, receivers: Receivers) -> Option<String> {
    let routes = variables(template, receivers.handler().family())?[variable::ROUTES].as_str()?;
    let routes: BTreeMap<String, Rule> = serde_json::from_str(routes).ok()?;
    let mut routes = routes.into_iter();
    routes.find(|(_, rule)| rule.envelope).map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, Settings};
    use crate::stack::render::render;

    fn template(toml: &str) -> Template {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chatctl.toml"), toml).unwrap();
        render(&Settings::load(folder.path(), Overrides::default()).unwrap())
    }

    fn records(toml: &str) -> Records {
        Records::from_deployed(&template(toml)).unwrap()
    }

    const ROOM: &str = "[[routes]]\nkey = \"say\"\nreceivers = \"room\"\ntext = \"message\"\n";
    const FRIEND: &str = "[[routes]]\nkey = \"tell\"\nreceivers = \"friend\"\ntext = \"words\"\n";
    const ENVELOPE: &str = "envelope = true\n";

    #[test]
    fn what_connections_are_found_by_follows_from_the_deployed_routes() {
        assert_eq!(records("").index, Index::Friend);
        assert_eq!(records(ROOM).index, Index::Room);
        let both = format!("{ROOM}{FRIEND}");
        assert_eq!(records(&both).index, Index::FriendAndRoom);
    }

    #[test]
    fn a_message_has_the_envelope_of_a_route_to_such_receivers_and_else_of_another() {
        assert_eq!(records(ROOM).envelope(Receivers::Room), None);
        let room = records(&format!("{ROOM}{ENVELOPE}{FRIEND}"));
        assert_eq!(room.envelope(Receivers::Room), Some("say"));
        assert_eq!(room.envelope(Receivers::Friend), Some("say"));
        let both = records(&format!("{ROOM}{ENVELOPE}{FRIEND}{ENVELOPE}"));
        assert_eq!(both.envelope(Receivers::Friend), Some("tell"));
    }

    #[test]
    fn a_stack_without_functions_that_record_has_no_records() {
        let backend: String = ["$connect", "$disconnect", "$default"]
            .map(|key| format!("[[routes]]\nkey = \"{key}\"\nhttp = \"https://example.com/x\"\n"))
            .concat();
        assert_eq!(Records::from_deployed(&template(&backend)), None);
        let other = Template::new(serde_json::json!({ "Resources": {} }));
        assert_eq!(Records::from_deployed(&other), None);
    }
}
