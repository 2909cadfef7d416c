//! What the stage waits for.

use serde_json::{Map, Value, json};

/// Lets the stage wait for the parts of its deployment that an overlay adds, beside what it waits for already.
pub(super) fn order_stage(resources: &mut Map<String, Value>) {
    let all = deployed(resources);
    let is_of_ours = |id: &String| resources[id]["Properties"]["ApiId"]["Ref"] == "Api";
    let all: Vec<String> = all.into_iter().filter(is_of_ours).collect();
    let Some(Value::Array(before)) = resources
        .get_mut("Stage")
        .map(|stage| &mut stage["DependsOn"])
    else {
        return;
    };
    for id in all {
        if !before.contains(&json!(id)) {
            before.push(json!(id));
        }
    }
}

/// The parts of a deployment of the API that refer only to other parts of it. The stage depends on them, so it deploys
/// itself once, with all of them. For a deployed stack this changes nothing, because the order is not part of any
/// resource: a route that is added later is deployed by itself.
pub(super) fn deployed(resources: &Map<String, Value>) -> Vec<String> {
    const KINDS: [&str; 3] = ["Route", "RouteResponse", "IntegrationResponse"];
    let is_part = |resource: &Value| {
        let kind = resource["Type"].as_str().unwrap_or_default();
        kind.strip_prefix("AWS::ApiGatewayV2::")
            .is_some_and(|kind| KINDS.contains(&kind))
    };
    let parts = resources.iter().filter(|(_, resource)| is_part(resource));
    parts.map(|(id, _)| id.clone()).collect()
}
