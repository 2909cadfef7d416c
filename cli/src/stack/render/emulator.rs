//! What a template is for something that stands in for AWS.

use serde_json::json;

use crate::config::names::EndpointTemplate;
use crate::stack::Template;

/// The template for an emulator of AWS, whose WebSocket APIs answer at `endpoint`: two outputs and the address that
/// handlers post to lead there. The template of a deployment to AWS itself never passes through here.
///
/// Authorizers say explicitly that they need no particular header: AWS takes that from the absence of
/// `IdentitySource`, MiniStack 1.5 takes the absence for `Authorization`.
pub(crate) fn for_emulator(template: &Template, endpoint: &EndpointTemplate) -> Template {
    let sockets = endpoint
        .as_ref()
        .replace("{api}", "${Api}")
        .replace("{stage}", "${StageName}");
    // ws:// becomes http://, wss:// becomes https://.
    let posts = format!("http{}", sockets.trim_start_matches("ws"));
    let mut document = template.document().clone();
    document["Outputs"]["Url"]["Value"] = json!({ "Fn::Sub": sockets });
    document["Outputs"]["ConnectionsUrl"]["Value"] = json!({ "Fn::Sub": posts });
    for (_, resource) in document["Resources"].as_object_mut().into_iter().flatten() {
        if resource["Type"] == "AWS::ApiGatewayV2::Authorizer"
            && resource["Properties"]["IdentitySource"].is_null()
        {
            resource["Properties"]["IdentitySource"] = json!([]);
        }
        let variables = resource.pointer_mut("/Properties/Environment/Variables");
        if let Some(address) = variables.and_then(|them| them.get_mut("CONNECTIONS_ENDPOINT")) {
            *address = json!({ "Fn::Sub": posts });
        }
    }
    Template::new(document)
}
