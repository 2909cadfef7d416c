//! Renders the user's functions that review messages, and what lets ours invoke them.

use chat_protocol::review::Reviewer;
use chat_protocol::{Receivers, variable};
use serde_json::{Value, json};

use super::family::set_index;
use super::fragment::{self, Section, renamed, taken};
use super::functions::statement;
use super::ids;
use super::parameter::review_code_key;
use super::settings as of_function;
use crate::config::names::RouteKey;
use crate::config::route::{Purpose, Review};
use crate::config::{ReviewFunction, Settings};

/// The parts of a review function; each id begins with the function's own name.
const FAMILY: [&str; 4] = ["Function", "Role", "Policy", "Logs"];

/// Adds the review functions of `settings`, and tells the functions of their routes about them.
pub(super) fn add(parameters: &mut Section, resources: &mut Section, settings: &Settings) {
    for function in settings.review_functions() {
        add_function(parameters, resources, &function, settings);
    }
    for receivers in Receivers::ALL {
        let family = receivers.handler().family();
        let reviews: Vec<_> = reviews(settings, receivers).collect();
        if reviews.is_empty() {
            continue;
        }
        let by_key = reviews.iter().map(|(key, review)| {
            let reviewer = Reviewer {
                function: format!("${{{}}}", function_id(&review.name)),
                fallback: review.fallback,
                timeout_ms: review.timeout_ms,
            };
            (key.to_string(), json!(reviewer))
        });
        let by_key = Value::Object(by_key.collect()).to_string();
        resources[&format!("{family}Function")]["Properties"]["Environment"]["Variables"]
            [variable::REVIEWS] = json!({ "Fn::Sub": by_key });
        let mut invoked: Vec<_> = reviews
            .iter()
            .map(|(_, review)| json!({ "Fn::GetAtt": [function_id(&review.name), "Arn"] }))
            .collect();
        let mut seen = Vec::new();
        invoked.retain(|arn| {
            let is_new = !seen.contains(arn);
            seen.push(arn.clone());
            is_new
        });
        let mut policy = taken(&mut fragment::review().0, "InvokePolicy");
        let properties = &mut policy["Properties"];
        properties["Roles"] = json!([{ "Ref": format!("{family}Role") }]);
        properties["PolicyDocument"]["Statement"][0]["Resource"] = json!(invoked);
        resources.insert(format!("{family}ReviewPolicy"), policy);
    }
}

fn add_function(
    parameters: &mut Section,
    resources: &mut Section,
    function: &ReviewFunction<'_>,
    settings: &Settings,
) {
    let (mut own, parameter) = fragment::review();
    taken(&mut own, "InvokePolicy");
    let statements =
        own["ReviewPolicy"]["Properties"]["PolicyDocument"]["Statement"].as_array_mut();
    statements
        .expect("templates/review.yaml permits the function to write its log")
        .extend(function.grants.iter().map(statement));
    // In whole seconds; a second more than a message waits, so that the function's answer is rather late than lost.
    let timeout = function.timeout_ms.div_ceil(1_000) + 1;
    own["ReviewFunction"]["Properties"]["Timeout"] = json!(timeout);
    let code_key = review_code_key(function.name);
    let family = ids::for_review(function.name);
    let mut names: Vec<_> = FAMILY
        .iter()
        .map(|part| (format!("Review{part}"), format!("{family}{part}")))
        .collect();
    names.push(("ReviewCodeKey".into(), code_key.clone()));
    let names: Vec<_> = names
        .iter()
        .map(|(old, new)| (old.as_str(), new.clone()))
        .collect();
    parameters.insert(code_key, parameter);
    for (id, resource) in own {
        let id = id.replacen("Review", &family, 1);
        resources.insert(id, renamed(&resource, &names));
    }
    set_index(resources, &family, settings.index());
    of_function::set(resources, &family, function.settings);
}

fn function_id(name: &str) -> String {
    ids::for_review(name) + "Function"
}

/// The reviewed routes to `receivers`.
fn reviews(
    settings: &Settings,
    receivers: Receivers,
) -> impl Iterator<Item = (&RouteKey, &Review)> {
    let routes = settings.routes.iter();
    routes.filter_map(move |route| match (&route.purpose, &route.review) {
        (Purpose::People { receivers: to, .. }, Some(review)) if *to == receivers => {
            Some((&route.key, review))
        }
        _ => None,
    })
}
