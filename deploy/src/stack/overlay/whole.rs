//! Checks of the template as a whole: what only the overlay and chatctl's template together can have wrong.

use serde_json::Value;
use template_yaml::Node;

use super::graph;
use super::problem::{Problem, place_of};
use crate::stack::Template;
use crate::stack::quota::{Excess, excesses};

/// An API has a route key once.
pub(super) fn taken_routes(root: &Node, base: &Value) -> Result<(), Problem> {
    let ours = base["Resources"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, resource)| resource["Type"] == "AWS::ApiGatewayV2::Route");
    let keys: Vec<&Value> = ours
        .map(|(_, resource)| &resource["Properties"]["RouteKey"])
        .collect();
    for entry in root.entries("Resources") {
        let resource = entry.node.to_json();
        let properties = &resource["Properties"];
        let is_own = resource["Type"] == "AWS::ApiGatewayV2::Route"
            && base["Resources"][&entry.key].is_null();
        if is_own && properties["ApiId"]["Ref"] == "Api" && keys.contains(&&properties["RouteKey"])
        {
            let reason = format!(
                "chatctl's API has the route {} already: change it under `[[routes]]` in the config, or choose another key",
                properties["RouteKey"]
            );
            return Err((place_of(entry, "/Properties/RouteKey"), reason));
        }
    }
    Ok(())
}

/// Resources cannot wait for each other, and conditions cannot be made of each other.
pub(super) fn circles(root: &Node, merged: &Value) -> Result<(), Problem> {
    let reported =
        "resources wait for each other: {}; take one of the references or `DependsOn` away";
    no_circle(
        root,
        "Resources",
        graph::cycle(&merged["Resources"]),
        reported,
    )?;
    let reported = "conditions are made of each other: {}; take one of the references away";
    let circle = graph::cycle_of_conditions(&merged["Conditions"]);
    no_circle(root, "Conditions", circle, reported)
}

fn no_circle(
    root: &Node,
    section: &str,
    circle: Option<Vec<String>>,
    reported: &str,
) -> Result<(), Problem> {
    let Some(circle) = circle else {
        return Ok(());
    };
    let entries = root.entries(section).iter();
    let mut in_circle = entries.filter(|entry| circle.contains(&entry.key));
    let place = in_circle
        .next()
        .map_or(root.at.clone(), |entry| entry.at.clone());
    let first = circle.first().cloned().into_iter();
    let path: Vec<String> = circle.iter().cloned().chain(first).collect();
    Err((place, reported.replace("{}", &path.join(" → "))))
}

/// An account has an export's name once.
pub(super) fn exports(root: &Node) -> Result<(), Problem> {
    let mut seen: Vec<&Node> = Vec::new();
    for entry in root.entries("Outputs") {
        let name = entry.node.child("Export").and_then(|it| it.child("Name"));
        let Some(name) = name else { continue };
        if seen.iter().any(|other| other.to_json() == name.to_json()) {
            let reason = "another output exports this name: choose another one";
            return Err((name.at.clone(), reason.into()));
        }
        seen.push(name);
    }
    Ok(())
}

/// CloudFormation's quotas of a template.
pub(super) fn limits(root: &Node, ruled: &Template) -> Result<(), Problem> {
    for excess in excesses(ruled) {
        let place = match excess {
            // Of a section that the overlay does not have, there is too much without it.
            Excess::Entries { section, .. } => match root.entry(section) {
                Some(entry) => entry.at.clone(),
                None => continue,
            },
            Excess::References(_) | Excess::Size(_) => root.at.clone(),
        };
        let reason =
            format!("with the overlay, {excess}: put a part of it into a stack of its own");
        return Err((place, reason));
    }
    Ok(())
}
