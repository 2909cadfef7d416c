//! The functions: ours as far as they are used, told what settings say, and the user's.

use serde_json::{Map, Value, json};

use super::fragment::{self, Section, renamed, taken};
use super::ids;
use super::parameter::code_key;
use crate::config::Settings;
use crate::config::names::RouteKey;
use crate::config::permission::{Grant, Granted};
use crate::config::route::{CustomHandler, Purpose, Route, TextRule};

/// What a function consists of, after its own name.
pub(super) const FAMILY: [&str; 4] = ["Function", "Role", "Logs", "Integration"];

/// Makes `resources`, those of the direct chat, have exactly our functions that `settings` use.
pub(super) fn fit(resources: &mut Section, settings: &Settings) {
    let friend = rules(&settings.routes, |purpose| match purpose {
        Purpose::Friend(rule) => Some((rule, false)),
        _ => None,
    });
    let room = rules(&settings.routes, |purpose| match purpose {
        Purpose::Room {
            include_sender,
            rule,
        } => Some((rule, *include_sender)),
        _ => None,
    });
    if friend.is_empty() {
        for part in FAMILY {
            taken(resources, &format!("Direct{part}"));
        }
    }
    if !room.is_empty() {
        resources.extend(fragment::rooms());
        tell(
            resources,
            "Broadcast",
            "ROUTES",
            &Value::from(room.clone()).to_string(),
        );
    }
    let plain = TextRule::of_friend();
    let says_something = settings
        .routes
        .iter()
        .any(|route| matches!(&route.purpose, Purpose::Friend(rule) if *rule != plain));
    if says_something {
        tell(
            resources,
            "Direct",
            "ROUTES",
            &Value::from(friend.clone()).to_string(),
        );
    }
    if !settings.has_own_functions() {
        return;
    }
    if friend.is_empty() {
        // Who talks to a room need not say who they are.
        tell(resources, "Authorize", "NAMES", "optional");
        tell(resources, "Connect", "NAMES", "optional");
    }
    let index = match (friend.is_empty(), room.is_empty()) {
        (true, _) => "room",
        (false, false) => "friend,room",
        (false, true) => return,
    };
    tell(resources, "Connect", "INDEX", index);
    tell(resources, "Disconnect", "INDEX", index);
}

/// What the routes of one function say about texts, by route key, as their function reads it.
fn rules(
    routes: &[Route],
    of: impl Fn(&Purpose) -> Option<(&TextRule, bool)>,
) -> Map<String, Value> {
    let rules = routes
        .iter()
        .filter_map(|route| Some((&route.key, of(&route.purpose)?)));
    rules
        .map(|(key, (rule, include_sender))| {
            let mut said = Map::new();
            if let Some(member) = &rule.member {
                said.insert("text".into(), json!(member));
            }
            said.insert("includeSender".into(), json!(include_sender));
            said.insert("maxTextBytes".into(), json!(rule.most));
            (key.to_string(), said.into())
        })
        .collect()
}

/// Sets an environment variable of the function of `family`.
fn tell(resources: &mut Section, family: &str, variable: &str, value: &str) {
    resources[&format!("{family}Function")]["Properties"]["Environment"]["Variables"][variable] =
        json!(value);
}

/// Adds the user's function for `key`.
pub(super) fn add_custom(
    parameters: &mut Section,
    resources: &mut Section,
    key: &RouteKey,
    handler: &CustomHandler,
) {
    let family = ids::of("Handler", key);
    let code_key = code_key(key);
    let (mut own, parameter) = fragment::handler();
    if !handler.grants.is_empty() {
        let statements: Vec<_> = handler.grants.iter().map(statement).collect();
        let document = json!({ "Version": "2012-10-17", "Statement": statements });
        let policies = own["HandlerRole"]["Properties"]["Policies"].as_array_mut();
        policies
            .expect("templates/handler.yaml lets it write its log")
            .push(json!({ "PolicyName": "granted", "PolicyDocument": document }));
    }
    let reply = taken(&mut own, "HandlerReply");
    let mut names: Vec<_> = FAMILY
        .iter()
        .map(|part| (format!("Handler{part}"), format!("{family}{part}")))
        .collect();
    names.push(("HandlerReply".into(), ids::of("Reply", key)));
    names.push(("HandlerRoute".into(), ids::of("Route", key)));
    names.push(("CodeKeyHandler".into(), code_key.clone()));
    let names: Vec<_> = names
        .iter()
        .map(|(old, new)| (old.as_str(), new.clone()))
        .collect();
    parameters.insert(code_key, parameter);
    for (id, resource) in own {
        let part = id.trim_start_matches("Handler");
        resources.insert(format!("{family}{part}"), renamed(&resource, &names));
    }
    if handler.reply {
        resources.insert(ids::of("Reply", key), renamed(&reply, &names));
    }
}

/// Makes the route with `key` one that answers.
pub(super) fn make_two_way(resources: &mut Section, key: &RouteKey) {
    resources[&ids::of("Route", key)]["Properties"]["RouteResponseSelectionExpression"] =
        json!("$default");
}

fn statement(grant: &Grant) -> Value {
    let resources: Vec<Value> = grant.resources.iter().flat_map(named).collect();
    json!({ "Effect": "Allow", "Action": grant.actions, "Resource": resources })
}

/// As IAM has it. Connections are posted to, looked at and closed by three methods.
fn named(resource: &Granted) -> Vec<Value> {
    match resource {
        Granted::Table => vec![json!({ "Fn::GetAtt": ["Connections", "Arn"] })],
        Granted::Arn(arn) => vec![json!(arn)],
        Granted::Connections => ["POST", "GET", "DELETE"]
            .into_iter()
            .map(|method| {
                let api = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/${StageName}";
                json!({ "Fn::Sub": format!("{api}/{method}/@connections/*") })
            })
            .collect(),
    }
}
