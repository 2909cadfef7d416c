//! Renders the functions: those of ours that are used, with their settings, and the user's.

use chat_protocol::{Handler, Names, Receivers, Rule, variable};
use serde_json::{Value, json};

use super::family::{FAMILY, set_index, set_variable};
use super::fragment::{self, Section, renamed, taken};
use super::ids;
use super::parameter::code_key;
use super::requests;
use super::settings as of_function;
use crate::config::Settings;
use crate::config::names::RouteKey;
use crate::config::permission::{Grant, Granted};
use crate::config::route::{CustomHandler, Purpose};

/// Reduces or extends `resources`, those of the direct chat, to our functions that `settings` use.
pub(super) fn fit(resources: &mut Section, settings: &Settings) {
    for receivers in Receivers::ALL {
        let family = receivers.handler().family();
        let rules: Vec<_> = rules(settings, receivers).collect();
        if rules.is_empty() {
            for part in FAMILY {
                resources.shift_remove(&format!("{family}{part}"));
            }
            continue;
        }
        resources.extend(fragment::for_receivers(receivers));
        // Without rules, a function takes each frame as the message, up to the longest one.
        let plain = receivers.rule();
        if plain != Rule::default() || rules.iter().any(|(_, rule)| **rule != plain) {
            let routes = rules
                .iter()
                .map(|(key, rule)| (key.to_string(), json!(rule)));
            let routes = Value::Object(routes.collect());
            set_variable(resources, family, variable::ROUTES, &routes.to_string());
        }
        if rules.iter().any(|(_, rule)| rule.history.is_some()) {
            requests::let_keep(&mut resources[&format!("{family}Role")]);
        }
    }
    if !settings.has_own_functions() {
        return;
    }
    let names = Names::for_receivers(settings.receivers());
    if names != Names::Required {
        for handler in [Handler::Authorize, Handler::Connect] {
            set_variable(resources, handler.family(), variable::NAMES, names.word());
        }
    }
    for handler in [Handler::Connect, Handler::Disconnect] {
        set_index(resources, handler.family(), settings.index());
    }
}

/// The rule of each route to `receivers`.
fn rules(settings: &Settings, receivers: Receivers) -> impl Iterator<Item = (&RouteKey, &Rule)> {
    let routes = settings.routes.iter();
    routes.filter_map(move |route| match &route.purpose {
        Purpose::People {
            receivers: to,
            rule,
        } if *to == receivers => Some((&route.key, rule)),
        _ => None,
    })
}

/// Adds the user's function for `key` to the stack of `settings`.
pub(super) fn add_custom(
    parameters: &mut Section,
    resources: &mut Section,
    key: &RouteKey,
    handler: &CustomHandler,
    settings: &Settings,
) {
    let family = ids::for_route("Handler", key);
    let code_key = code_key(key);
    let (mut own, parameter) = fragment::handler();
    grant(&mut own["HandlerRole"], &handler.grants);
    let reply = taken(&mut own, "HandlerReply");
    let mut names: Vec<_> = FAMILY
        .iter()
        .map(|part| (format!("Handler{part}"), format!("{family}{part}")))
        .collect();
    names.push(("HandlerReply".into(), ids::for_route("Reply", key)));
    names.push(("HandlerRoute".into(), ids::for_route("Route", key)));
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
    set_index(resources, &family, settings.index());
    let mode = settings.auth.mode();
    if mode.proves_names() {
        set_variable(resources, &family, variable::AUTH_MODE, mode.word());
    }
    if let Some((variable, value)) = settings.limits.of_messages() {
        set_variable(resources, &family, variable, &value);
    }
    of_function::set(resources, &family, &handler.settings);
    if handler.reply {
        set_variable(resources, &family, variable::REPLY, "true");
        resources.insert(ids::for_route("Reply", key), renamed(&reply, &names));
    }
}

/// Grants `grants` to a user's `role`, beside its log.
pub(super) fn grant(role: &mut Value, grants: &[Grant]) {
    if grants.is_empty() {
        return;
    }
    let statements: Vec<_> = grants.iter().map(statement).collect();
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    let policies = role["Properties"]["Policies"].as_array_mut();
    policies
        .expect("the templates permit every function to write its log")
        .push(json!({ "PolicyName": "granted", "PolicyDocument": document }));
}

/// Makes the route with `key` two-way.
pub(super) fn make_two_way(resources: &mut Section, key: &RouteKey) {
    resources[&ids::for_route("Route", key)]["Properties"]["RouteResponseSelectionExpression"] =
        json!("$default");
}

pub(super) fn statement(grant: &Grant) -> Value {
    let resources: Vec<Value> = grant.resources.iter().flat_map(named).collect();
    json!({ "Effect": "Allow", "Action": grant.actions, "Resource": resources })
}

/// The resource as IAM names it. Three methods post to connections, look at them and close them.
fn named(resource: &Granted) -> Vec<Value> {
    match resource {
        Granted::Table => vec![json!({ "Fn::GetAtt": ["Connections", "Arn"] })],
        Granted::Arn(arn) => vec![json!(arn)],
        Granted::Connections | Granted::Ending | Granted::Noticing => resource
            .methods()
            .iter()
            .copied()
            .map(connections)
            .collect(),
    }
}

/// Every connection of the stack's API and stage, to be used by `method`.
pub(super) fn connections(method: &str) -> Value {
    let api =
        "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/${StageName}";
    json!({ "Fn::Sub": format!("{api}/{method}/@connections/*") })
}
