//! What an authorizer is asked, and what its answer means. Pure.
//!
//! See <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>.

use serde_json::{Map, Value};

use super::answers::Answered;
use super::events::Facts;
use super::handshake::{Head, Refusal};
use crate::credentials::decide;
use crate::functions::Outcome;
use crate::iam::{Decision, Policy};

/// An authorizer's answer may have this many bytes.
const ANSWER_BYTES: usize = 8 * 1024;

/// Whether every identity source is there and not empty. If not, the authorizer is not asked.
pub(crate) fn has_identity(
    sources: &[String],
    head: &Head,
    variables: &Map<String, Value>,
    facts: &Facts,
) -> Result<(), Refusal> {
    let query = head.query_pairs();
    let present = |source: &String| {
        let found = if let Some(name) = source.strip_prefix("route.request.header.") {
            head.header(name)
        } else if let Some(name) = source.strip_prefix("route.request.querystring.") {
            query
                .iter()
                .rev()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
        } else if let Some(name) = source.strip_prefix("stageVariables.") {
            variables.get(name).and_then(Value::as_str)
        } else {
            match source.as_str() {
                "context.connectionId" => Some(facts.connection_id.as_str()),
                "context.domainName" => Some(facts.domain_name.as_str()),
                "context.identity.sourceIp" => Some(facts.source_ip.as_str()),
                "context.identity.userAgent" => facts.user_agent.as_deref(),
                "context.stage" => Some(facts.stage.as_str()),
                _ => None,
            }
        };
        found.is_some_and(|value| !value.is_empty())
    };
    if sources.iter().all(present) {
        Ok(())
    } else {
        Err(unauthorized())
    }
}

/// The `authorizer` member of every later event, or why the upgrade is refused.
pub(crate) fn context(
    answered: &Answered,
    method_arn: &str,
) -> Result<Map<String, Value>, Refusal> {
    let bytes = match answered {
        Answered::Function(Outcome::Answer(bytes)) => bytes,
        Answered::Function(Outcome::Failed(failure)) if failure.message == "Unauthorized" => {
            return Err(unauthorized());
        }
        _ => return Err(broken()),
    };
    if bytes.len() > ANSWER_BYTES {
        return Err(broken());
    }
    let answer: Map<String, Value> = serde_json::from_slice(bytes).map_err(|_| broken())?;
    let principal = answer
        .get("principalId")
        .and_then(Value::as_str)
        .ok_or_else(broken)?;
    let document = answer.get("policyDocument").ok_or_else(broken)?;
    let policy = Policy::parse(document).map_err(|_| broken())?;
    let mut context = Map::from_iter([("principalId".to_owned(), Value::from(principal))]);
    match answer.get("context") {
        None | Some(Value::Null) => {}
        Some(Value::Object(members)) => {
            for (name, value) in members {
                context.insert(
                    name.clone(),
                    Value::from(as_text(value).ok_or_else(broken)?),
                );
            }
        }
        Some(_) => return Err(broken()),
    }
    match decide(&[policy], "execute-api:Invoke", method_arn) {
        Decision::Allowed => Ok(context),
        Decision::ImplicitlyDenied => Err(denied("User is not authorized to access this resource")),
        Decision::ExplicitlyDenied => Err(denied(
            "User is not authorized to access this resource with an explicit deny",
        )),
    }
}

/// Context values reach events as strings; lists and objects are not allowed.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn unauthorized() -> Refusal {
    Refusal::gateway(401, "UnauthorizedException", "Unauthorized")
}

fn denied(message: &str) -> Refusal {
    // With a capital letter, as AWS writes its access denials.
    let body = serde_json::json!({ "Message": message }).to_string();
    Refusal {
        body,
        ..Refusal::gateway(403, "AccessDeniedException", message)
    }
}

fn broken() -> Refusal {
    Refusal::gateway(
        500,
        "AuthorizerConfigurationException",
        "Internal server error",
    )
}
