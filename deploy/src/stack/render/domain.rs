//! Adds a name of the user's own to a template.

use serde_json::{Value, json};

use super::fragment::{self, Section, taken};
use super::parameter;
use crate::config::domain::{Domain, Zone};
use chat_protocol::variable;

/// Adds `domain` to `document`, and makes it the endpoint.
///
/// Functions go on to post by the API's id, which needs no DNS. Where API Gateway's own address is closed, it answers posts
/// with `Forbidden`, too, and they go to the name (<https://github.com/aws/aws-sdk-net/issues/1860>).
pub(super) fn add(document: &mut Value, domain: &Domain) {
    let mut addition = fragment::domain();
    let [mut parameters, mut conditions, mut resources] =
        ["Parameters", "Conditions", "Resources"].map(|name| section(&mut addition, name));
    resources["Domain"]["Properties"]["DomainName"] = json!(domain.name.as_ref());
    resources["DomainRecord"]["Properties"]["Name"] = json!(domain.name.as_ref());
    if let Some(arn) = &domain.certificate {
        taken(&mut parameters, parameter::CERTIFICATE);
        let configurations = &mut resources["Domain"]["Properties"]["DomainNameConfigurations"];
        configurations[0]["CertificateArn"] = json!(arn.as_ref());
    }
    if let Some(path) = &domain.path {
        resources["DomainMapping"]["Properties"]["ApiMappingKey"] = json!(path.to_string());
    }
    if domain.zone != Zone::Found {
        taken(&mut parameters, parameter::HOSTED_ZONE);
        conditions.clear();
    }
    match &domain.zone {
        Zone::Found => {}
        Zone::Id(id) => {
            let record = resources["DomainRecord"]
                .as_object_mut()
                .expect("templates/domain.yaml has it");
            record.shift_remove("Condition");
            record["Properties"]["HostedZoneId"] = json!(id);
        }
        Zone::Elsewhere => {
            taken(&mut resources, "DomainRecord");
        }
    }
    document["Outputs"]["Url"]["Value"] = json!(domain.url());
    if domain.disable_default_endpoint {
        let posts = format!("https://{}", domain.address());
        document["Resources"]["Api"]["Properties"]["DisableExecuteApiEndpoint"] = json!(true);
        document["Outputs"]["ConnectionsUrl"]["Value"] = json!(posts);
        for (_, resource) in document["Resources"].as_object_mut().into_iter().flatten() {
            let variables = resource.pointer_mut("/Properties/Environment/Variables");
            if let Some(address) =
                variables.and_then(|them| them.get_mut(variable::CONNECTIONS_ENDPOINT))
            {
                *address = json!(posts);
            }
        }
    }
    extend(document, "Parameters", parameters);
    extend(document, "Conditions", conditions);
    extend(document, "Resources", resources);
    extend(document, "Outputs", section(&mut addition, "Outputs"));
}

/// Takes the section `name` out of a template file's `document`.
pub(super) fn section(document: &mut Value, name: &str) -> Section {
    match document[name].take() {
        Value::Object(section) => section,
        _ => Section::new(),
    }
}

/// Adds `members` to the section `name` of a template, which has none of these.
pub(super) fn extend(document: &mut Value, name: &str, members: Section) {
    if members.is_empty() {
        return;
    }
    match document[name].as_object_mut() {
        Some(section) => section.extend(members),
        None => document[name] = members.into(),
    }
}
