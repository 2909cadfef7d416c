//! Settings → [`Template`]. The stack itself is in `templates/`: the direct chat, and the additions for rooms, backends
//! and custom handlers. Rendering removes what the settings do not use, and inserts values into the parsed documents,
//! never into their text.

mod account;
mod announce;
mod auth;
mod aws;
mod backend;
mod dashboard;
mod domain;
mod emulator;
mod family;
mod fragment;
mod functions;
mod ids;
mod inventory;
mod limits;
mod partition;
mod requests;
mod review;
mod settings;
#[cfg(test)]
pub(super) mod tests;
mod watched;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::fragment::{Section, taken};
use super::Template;
use super::merge::merged;
use super::order::deployed;
use crate::config::Settings;
use crate::config::names::RouteKey;
use crate::config::overlay::Overlay;
use crate::config::route::Purpose;
use crate::config::stage::Throttle;
pub(super) use account::for_account;
pub(super) use aws::base_for_aws;
pub use aws::{render_for_account, render_for_aws, render_log_role};
#[cfg(test)]
pub(super) use emulator::for_emulator;
pub use partition::for_region;

/// The prefix of the logical ids of the user's function behind the route with `key`.
pub(crate) fn handler_family(key: &RouteKey) -> String {
    ids::for_route("Handler", key)
}

/// The prefix of the logical ids of the user's function that reviews messages, whose crate is in the folder `name`.
pub fn review_family(name: &str) -> String {
    ids::for_review(name)
}

/// The names of the template's parameters, whose values only the deployment has.
pub mod parameter {
    /// The bucket with the handlers' zips.
    pub const CODE_BUCKET: &str = "CodeBucket";
    /// The key of our own handlers' zip.
    pub const CODE_KEY: &str = "CodeKey";
    /// For the code of the user's authorizer.
    pub(crate) const AUTHORIZER_CODE_KEY: &str = "AuthorizeCodeKey";
    /// The processor of all functions.
    pub const ARCHITECTURE: &str = "Architecture";

    /// The certificate of the endpoint's name, where the config does not name it.
    pub(crate) const CERTIFICATE: &str = "CertificateArn";
    /// The hosted zone for the name's record, where the config does not decide it.
    pub(crate) const HOSTED_ZONE: &str = "HostedZoneId";

    /// The parameter for the key of the user's handler for the route with `key`.
    pub(crate) fn code_key(key: &crate::config::names::RouteKey) -> String {
        super::ids::for_route(CODE_KEY, key)
    }

    /// The parameter for the key of the user's function that reviews messages, whose crate is in the folder `name`.
    pub(crate) fn review_code_key(name: &str) -> String {
        super::ids::for_review(name) + CODE_KEY
    }

    /// Whether `name` is the parameter for a code's key, ours or of the user's.
    pub(crate) fn is_code_key(name: &str) -> bool {
        name.starts_with(CODE_KEY) || name.ends_with(CODE_KEY)
    }
}

/// The names of the template's outputs.
pub mod output {
    /// The endpoint for clients.
    pub(crate) const URL: &str = "Url";
    /// The address of the @connections API.
    pub const CONNECTIONS_URL: &str = "ConnectionsUrl";
    /// What the record of the endpoint's own name leads to.
    pub const DOMAIN_TARGET: &str = "DomainTarget";
    /// The name of the table of connections.
    pub const TABLE_NAME: &str = "TableName";
}

/// Renders what the stack of `settings` is on every target, with its overlay. `stack::overlay::check` says whether that makes
/// sense.
pub fn render(settings: &Settings) -> Template {
    with_overlay(settings, base(settings))
}

/// `template` with the overlay of `settings`. Its changes of resources that only AWS gets are left out where those are.
fn with_overlay(settings: &Settings, template: Template) -> Template {
    let Some(root) = settings.overlay.as_ref().and_then(Overlay::root) else {
        return template;
    };
    let mut document = merged(template, root).into_document();
    if let Some(resources) = document["Resources"].as_object_mut() {
        resources.retain(|_, resource| !resource["Type"].is_null());
    }
    Template::new(document)
}

/// Renders what the stack of `settings` is on every target, without its overlay.
fn base(settings: &Settings) -> Template {
    let mut document = fragment::chat();
    let mut section = |name: &str| match document[name].take() {
        Value::Object(section) => section,
        _ => Section::new(),
    };
    let [mut parameters, mut resources, mut outputs] = [
        section("Parameters"),
        section("Resources"),
        section("Outputs"),
    ];
    parameters["StageName"]["Default"] = json!(settings.stage);
    throttle(&mut resources["Stage"]["Properties"], settings.throttle);
    let pattern = Pattern {
        route: taken(&mut resources, "DefaultRoute"),
        permission: taken(&mut resources, "DirectPermission"),
    };
    functions::fit(&mut resources, settings);
    requests::add(&mut resources, settings);
    review::add(&mut parameters, &mut resources, settings);
    if settings.has_own_functions() {
        auth::set(&mut resources, &settings.auth);
        if let Some(handler) = settings.auth.handler() {
            let parameter = auth::take(&mut resources, handler, settings.index());
            parameters.insert(parameter::AUTHORIZER_CODE_KEY.into(), parameter);
        }
    }
    limits::set(&mut resources, &settings.limits);
    if settings.announces {
        announce::add(&mut resources);
    }
    self::settings::set_own(&mut resources, &settings.handlers);
    if let Some(lifecycle) = &settings.lifecycle {
        backend::take_lifecycle(&mut resources, lifecycle);
    }
    for route in &settings.routes {
        let key = &route.key;
        match &route.purpose {
            Purpose::People { receivers, .. } => {
                pattern.add(&mut resources, key, receivers.handler().family());
            }
            Purpose::Answers(answers) => {
                pattern.add(&mut resources, key, answers.handler().family());
            }
            Purpose::Http { backend, text } => {
                let integration = backend::add(&mut resources, key, backend, text.as_ref());
                pattern.add_route(&mut resources, key, &integration);
            }
            Purpose::Handler(handler) => {
                functions::add_custom(&mut parameters, &mut resources, key, handler, settings);
                pattern.add(&mut resources, key, &ids::for_route("Handler", key));
                if handler.reply {
                    functions::make_two_way(&mut resources, key);
                }
            }
        }
    }
    let of_type = |kind: &'static str| move |resource: &&mut Value| resource["Type"] == kind;
    for logs in resources
        .values_mut()
        .filter(of_type("AWS::Logs::LogGroup"))
    {
        logs["Properties"]["RetentionInDays"] = json!(settings.log_retention_days);
    }
    if !settings.has_own_functions() {
        taken(&mut parameters, parameter::CODE_KEY);
    }
    if !settings.has_functions() {
        taken(&mut parameters, parameter::CODE_BUCKET);
        taken(&mut parameters, parameter::ARCHITECTURE);
        taken(&mut resources, "Connections");
        taken(&mut outputs, "TableName");
    }
    resources["Stage"]["DependsOn"] = json!(deployed(&resources));
    document["Parameters"] = parameters.into();
    document["Resources"] = resources.into();
    document["Outputs"] = outputs.into();
    Template::new(document)
}

/// Sets both limits or none: the meaning of one alone is not documented, and zero would refuse every request.
fn throttle(stage: &mut Value, limits: Option<Throttle>) {
    let property = "DefaultRouteSettings";
    match limits {
        Some(Throttle { rate, burst }) => {
            stage[property]["ThrottlingRateLimit"] = json!(rate);
            stage[property]["ThrottlingBurstLimit"] = json!(burst);
        }
        None => {
            let properties = stage.as_object_mut();
            properties
                .expect("templates/chat.yaml has the stage")
                .shift_remove(property);
        }
    }
}

/// Whether two deployments, each a template and its parameters, differ only in the keys of code.
pub(crate) fn is_code_only(
    (deployed, old): (&Template, &BTreeMap<String, String>),
    (template, new): (&Template, &BTreeMap<String, String>),
) -> bool {
    deployed == template
        && new
            .iter()
            .all(|(name, value)| parameter::is_code_key(name) || old.get(name) == Some(value))
}

/// The parts of `$default` in the direct chat, from which every message route is made.
struct Pattern {
    route: Value,
    permission: Value,
}

impl Pattern {
    /// Leads `key` to the function of `family`, and permits API Gateway to invoke it.
    ///
    /// A function has one permission, however many routes it has: its policy is limited to 20 KB, a statement with long
    /// names takes half of one, and a statement has one source
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
    fn add(&self, resources: &mut Section, key: &RouteKey, family: &str) {
        self.add_route(resources, key, &format!("{family}Integration"));
        let id = format!("{family}Permission");
        let routes = match resources.contains_key(&id) {
            true => "*",
            false => key.as_ref(),
        };
        let mut permission = self.permission.clone();
        let properties = &mut permission["Properties"];
        properties["FunctionName"] = json!({ "Ref": format!("{family}Function") });
        let source = properties["SourceArn"]["Fn::Sub"]
            .as_str()
            .unwrap_or_default();
        properties["SourceArn"]["Fn::Sub"] = json!(source.replace("$default", routes));
        resources.insert(id, permission);
    }

    fn add_route(&self, resources: &mut Section, key: &RouteKey, integration: &str) {
        let mut route = self.route.clone();
        route["Properties"]["RouteKey"] = json!(key);
        route["Properties"]["Target"] =
            json!({ "Fn::Sub": format!("integrations/${{{integration}}}") });
        resources.insert(ids::for_route("Route", key), route);
    }
}
