//! Adapts a template to an emulator of AWS.

use chat_protocol::{Handler, variable};
use serde_json::{Value, json};

use crate::config::names::EndpointTemplate;
use crate::stack::Template;

/// The template for an emulator whose WebSocket APIs answer at `endpoint`. Two outputs and the address that handlers
/// post to lead there. A template for AWS itself never passes through here.
///
/// An emulator may ignore authorizers. Handlers then look sessions up in the table, which only this template permits.
///
/// Authorizers state explicitly that they need no header: AWS concludes that from the absence of `IdentitySource`, but
/// MiniStack 1.5 takes the absence for `Authorization`.
pub(in crate::stack) fn for_emulator(template: &Template, endpoint: &EndpointTemplate) -> Template {
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
        if let Some(address) =
            variables.and_then(|them| them.get_mut(variable::CONNECTIONS_ENDPOINT))
        {
            *address = json!({ "Fn::Sub": posts });
        }
    }
    for handler in Handler::ALL
        .into_iter()
        .filter(|handler| handler.looks_up_sessions())
    {
        let_look_up_sessions(&mut document, handler);
    }
    Template::new(document)
}

/// Permits `handler`, if it is in the stack, to read sessions from the table.
fn let_look_up_sessions(document: &mut Value, handler: Handler) {
    let policies = format!("/Resources/{}Role/Properties/Policies", handler.family());
    let mut policies = document
        .pointer_mut(&policies)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten();
    let Some(policy) = policies.find(|policy| policy["PolicyName"] == "table") else {
        return;
    };
    let Some(statements) = policy["PolicyDocument"]["Statement"].as_array_mut() else {
        return;
    };
    // A condition would exclude sessions.
    let whole = statements.iter_mut().find(|it| it["Condition"].is_null());
    match whole.and_then(|statement| statement["Action"].as_array_mut()) {
        Some(actions) => actions.push(json!("dynamodb:GetItem")),
        None => statements.push(json!({
            "Effect": "Allow",
            "Action": ["dynamodb:GetItem"],
            "Resource": { "Fn::GetAtt": ["Connections", "Arn"] },
        })),
    }
}
