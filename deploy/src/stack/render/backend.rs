//! What leads to a backend of the user's.

use serde_json::{Value, json};

use super::fragment::{self, Section, renamed, taken};
use super::functions::FAMILY;
use super::ids;
use crate::config::names::{MemberName, RouteKey};
use crate::config::route::{Backend, Lifecycle};

/// Gives `$connect` and `$disconnect` to the backend, and takes away what would have served them.
pub(super) fn take_lifecycle(resources: &mut Section, lifecycle: &Lifecycle) {
    for id in [
        "Authorizer",
        "AuthorizerPermission",
        "ConnectPermission",
        "DisconnectPermission",
    ] {
        taken(resources, id);
    }
    for part in FAMILY {
        for family in ["Connect", "Disconnect"] {
            taken(resources, &format!("{family}{part}"));
        }
        // An authorizer has no integration.
        resources.shift_remove(&format!("Authorize{part}"));
    }
    let mut parts = fragment::backend();
    for (kind, backend) in [
        ("Connect", &lifecycle.connect),
        ("Disconnect", &lifecycle.disconnect),
    ] {
        let [integration, response] =
            ["Integration", "Response"].map(|part| format!("{kind}Http{part}"));
        let properties = resources[&format!("{kind}Route")]["Properties"].as_object_mut();
        let properties = properties.expect("templates/chat.yaml has the route");
        properties["Target"] = json!({ "Fn::Sub": format!("integrations/${{{integration}}}") });
        if properties.shift_remove("AuthorizerId").is_some() {
            // Said, and not left out: an update that only leaves it out would keep the authorizer.
            properties.insert("AuthorizationType".into(), json!("NONE"));
        }
        let target = taken(&mut parts, &integration);
        let answer = taken(&mut parts, &response);
        resources.insert(integration, addressed(target, backend));
        resources.insert(response, answer);
    }
    let reply = "ConnectHttpReply";
    resources.insert(reply.into(), taken(&mut parts, reply));
}

/// Adds what sends messages of the route with `key` to `backend`; answers the integration's logical id.
pub(super) fn add(
    resources: &mut Section,
    key: &RouteKey,
    backend: &Backend,
    text: Option<&MemberName>,
) -> String {
    let mut parts = fragment::backend();
    let family = ids::of("Http", key);
    let [integration, response] = ["Integration", "Response"].map(|part| format!("{family}{part}"));
    let mut target = taken(&mut parts, "HttpIntegration");
    let template = &mut target["Properties"]["RequestTemplates"]["$default"];
    *template = json!(with_member(template.as_str().unwrap_or_default(), text));
    resources.insert(integration.clone(), addressed(target, backend));
    let answer = taken(&mut parts, "HttpResponse");
    let names = [("HttpIntegration", integration.clone())];
    resources.insert(response, renamed(&answer, &names));
    integration
}

/// The template with the line of the message's text for `member`, or without that line.
fn with_member(template: &str, member: Option<&MemberName>) -> String {
    let lines = template
        .lines()
        .filter_map(|line| match (line.contains("$input.json("), member) {
            (false, _) => Some(line.to_owned()),
            (true, Some(member)) => Some(line.replace("$.message", &format!("$.{member}"))),
            (true, None) => None,
        });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn addressed(mut integration: Value, backend: &Backend) -> Value {
    let properties = &mut integration["Properties"];
    properties["IntegrationUri"] = json!(backend.url);
    if let Some(secret) = &backend.secret {
        // Apostrophes make a fixed text of it
        // (<https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html>).
        let header = format!("integration.request.header.{}", secret.name);
        properties["RequestParameters"][header] =
            json!(format!("'{{{{resolve:{}}}}}'", secret.reference));
    }
    integration
}
