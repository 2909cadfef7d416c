//! Renders the routes to the user's backend.

use serde_json::{Value, json};

use super::family::FAMILY;
use super::fragment::{self, Section, renamed, taken};
use super::ids;
use crate::config::names::{FieldName, RouteKey};
use crate::config::route::{Backend, Lifecycle};

/// Leads `$connect` and `$disconnect` to the backend, and removes the functions that would have served them.
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
        let properties = resources[&format!("{kind}Route")]["Properties"]
            .as_object_mut()
            .expect("templates/chat.yaml has the route");
        properties["Target"] = json!({ "Fn::Sub": format!("integrations/${{{integration}}}") });
        if properties.shift_remove("AuthorizerId").is_some() {
            // Set explicitly: an update that only omits the property would keep the authorizer.
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

/// Adds the integration that sends messages of the route with `key` to `backend`; returns its logical id.
pub(super) fn add(
    resources: &mut Section,
    key: &RouteKey,
    backend: &Backend,
    text: Option<&FieldName>,
) -> String {
    let mut parts = fragment::backend();
    let family = ids::for_route("Http", key);
    let [integration, response] = ["Integration", "Response"].map(|part| format!("{family}{part}"));
    let mut target = taken(&mut parts, "HttpIntegration");
    let template = &mut target["Properties"]["RequestTemplates"]["$default"];
    *template = json!(with_field(template.as_str().unwrap_or_default(), text));
    resources.insert(integration.clone(), addressed(target, backend));
    let answer = taken(&mut parts, "HttpResponse");
    let names = [("HttpIntegration", integration.clone())];
    resources.insert(response, renamed(&answer, &names));
    integration
}

/// The template with the line of the message for `field`, or without that line.
fn with_field(template: &str, field: Option<&FieldName>) -> String {
    let lines = template
        .lines()
        .filter_map(|line| match (line.contains("$input.json("), field) {
            (false, _) => Some(line.to_owned()),
            (true, Some(field)) => Some(line.replace("$.message", &format!("$.{field}"))),
            (true, None) => None,
        });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn addressed(mut integration: Value, backend: &Backend) -> Value {
    let properties = &mut integration["Properties"];
    properties["IntegrationUri"] = json!(backend.url);
    if let Some(secret) = &backend.secret {
        // Apostrophes make it a static value
        // (<https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html>).
        let header = format!("integration.request.header.{}", secret.name);
        properties["RequestParameters"][header] =
            json!(format!("'{{{{resolve:{}}}}}'", secret.reference));
    }
    integration
}
