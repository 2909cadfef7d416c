//! Calls of an authorizer, and the meaning of its response. Pure, but for the clock, which a policy's conditions may
//! name.
//!
//! See <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>.

use serde_json::{Map, Value};

use super::proxy_response::kind;
use crate::http::error::HttpError;
use crate::http::head::Head;
use crate::iam::credentials::{ambient, decide_knowing};
use crate::iam::{Decision, Policy};
use crate::integrations::IntegrationOutcome;
use crate::integrations::incoming::ConnectionInfo;
use crate::lambda::Outcome;

/// The largest response of an authorizer, in bytes.
const ANSWER_BYTES: usize = 8 * 1024;

/// Whether every identity source is present and not empty. If not, the authorizer is not called.
pub(crate) fn has_identity(
    sources: &[String],
    head: &Head,
    variables: &Map<String, Value>,
    info: &ConnectionInfo,
) -> Result<(), HttpError> {
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
                "context.connectionId" => Some(info.connection_id.as_str()),
                "context.domainName" => Some(info.domain_name.as_str()),
                "context.identity.sourceIp" => Some(info.source_ip.as_str()),
                "context.identity.userAgent" => info.user_agent.as_deref(),
                "context.stage" => Some(info.stage.as_str()),
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

/// Why an upgrade is refused, for the client and, if the authorizer did not decide so, for its author.
#[derive(Debug)]
pub(crate) struct Rejection {
    pub(crate) error: HttpError,
    pub(crate) why: Option<String>,
}

impl From<HttpError> for Rejection {
    fn from(error: HttpError) -> Self {
        Self { error, why: None }
    }
}

/// The `authorizer` field of every later event, or why the upgrade is refused.
pub(crate) fn context(
    outcome: &IntegrationOutcome,
    method_arn: &str,
    info: &ConnectionInfo,
) -> Result<Map<String, Value>, Rejection> {
    let bytes = match outcome {
        IntegrationOutcome::Function(Outcome::Response(bytes)) => bytes,
        IntegrationOutcome::Function(Outcome::Failed(failure))
            if failure.message == "Unauthorized" =>
        {
            return Err(unauthorized().into());
        }
        IntegrationOutcome::Function(Outcome::Failed(failure)) => {
            return Err(broken(format!(
                "it failed: {failure} (an error whose message is exactly `Unauthorized` would be a 401)"
            )));
        }
        IntegrationOutcome::TimedOut => return Err(broken("it did not respond in time")),
        _ => {
            let error = broken("it cannot be invoked").error;
            // The reason was reported when it was tried.
            return Err(error.into());
        }
    };
    if bytes.len() > ANSWER_BYTES {
        return Err(broken(format!(
            "its response has {} bytes, {ANSWER_BYTES} at most",
            bytes.len()
        )));
    }
    let answer: Value =
        serde_json::from_slice(bytes).map_err(|_| broken("its response is not JSON"))?;
    let Value::Object(answer) = answer else {
        return Err(broken(format!(
            "its response is {}, but must be an object",
            kind(&answer)
        )));
    };
    if answer.contains_key("isAuthorized") {
        return Err(broken(
            "its response has `isAuthorized`, which only HTTP APIs support",
        ));
    }
    let principal = match answer.get("principalId") {
        Some(Value::String(principal)) => principal.as_str(),
        Some(other) => {
            let kind = kind(other);
            return Err(broken(format!(
                "its principalId is {kind}, but must be a string"
            )));
        }
        None => return Err(broken("its response has no principalId")),
    };
    let document = answer
        .get("policyDocument")
        .ok_or_else(|| broken("its response has no policyDocument"))?;
    let policy = Policy::parse(document)
        .map_err(|error| broken(format!("its policyDocument cannot be used: {error}")))?;
    let mut context = Map::from_iter([("principalId".to_owned(), Value::from(principal))]);
    match answer.get("context") {
        None | Some(Value::Null) => {}
        Some(Value::Object(members)) => {
            for (name, value) in members {
                let text = as_text(value).ok_or_else(|| {
                    let kind = kind(value);
                    broken(format!(
                        "`{name:.40}` of its context is {kind}, but must be a string, a number or a boolean"
                    ))
                })?;
                context.insert(name.clone(), text.into());
            }
        }
        Some(other) => {
            let kind = kind(other);
            return Err(broken(format!(
                "its context is {kind}, but must be an object"
            )));
        }
    }
    let about = ambient(&info.source_ip, info.user_agent.as_deref());
    match decide_knowing(&[policy], "execute-api:Invoke", method_arn, about) {
        Decision::Allowed => Ok(context),
        Decision::ImplicitlyDenied => Err(Rejection {
            error: denied("User is not authorized to access this resource"),
            why: Some(format!(
                "the authorizer's policy neither allows nor denies `execute-api:Invoke` on `{method_arn}`, so \
                 the handshake is refused with 403: use the methodArn of the event as the resource"
            )),
        }),
        Decision::ExplicitlyDenied => {
            let message = "User is not authorized to access this resource with an explicit deny";
            Err(denied(message).into())
        }
    }
}

/// Context values are strings in events. Lists and objects are not allowed.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn unauthorized() -> HttpError {
    HttpError::gateway(401, "UnauthorizedException", "Unauthorized")
}

fn denied(message: &str) -> HttpError {
    // With a capital letter, as in AWS's access denials.
    let body = serde_json::json!({ "Message": message }).to_string();
    HttpError {
        body,
        ..HttpError::gateway(403, "AccessDeniedException", message)
    }
}

fn broken(why: impl std::fmt::Display) -> Rejection {
    Rejection {
        error: HttpError::gateway(
            500,
            "AuthorizerConfigurationException",
            "Internal server error",
        ),
        why: Some(format!(
            "a handshake failed with 500 because of the authorizer: {why}; return {{\"principalId\":\"user\",\"policyDocument\":\
             {{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Action\":\"execute-api:Invoke\",\
             \"Resource\":METHOD_ARN}}]}}}}, with a flat `context` if needed"
        )),
    }
}
