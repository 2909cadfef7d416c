//! What calls a function: integrations and authorizers.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::{Created, of_kind};
use super::kinds::{AUTHORIZER, INTEGRATION};
use crate::stack;
use crate::template::problem::{Problem, Problems};

/// In milliseconds: <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html>.
const DEFAULT_TIMEOUT: u64 = 29_000;

/// By integration id.
pub(super) fn integrations(
    created: &[Created],
    problems: &mut Problems,
) -> BTreeMap<String, stack::Integration> {
    of_kind(created, &INTEGRATION)
        .filter_map(|resource| {
            Some((
                resource.reference().to_owned(),
                problems.keep(integration(resource))?,
            ))
        })
        .collect()
}

/// By authorizer id.
pub(super) fn authorizers(
    created: &[Created],
    problems: &mut Problems,
) -> BTreeMap<String, stack::Authorizer> {
    of_kind(created, &AUTHORIZER)
        .filter_map(|resource| {
            Some((
                resource.reference().to_owned(),
                problems.keep(authorizer(resource))?,
            ))
        })
        .collect()
}

fn integration(resource: &Created) -> Result<stack::Integration, Problem> {
    if resource.text("IntegrationType") != Some("AWS_PROXY") {
        let reason = "the local target runs AWS_PROXY integrations (Lambda) only";
        return Err(resource.problem("IntegrationType", reason));
    }
    resource.refuse(
        "CredentialsArn",
        "the local target invokes a function by its AWS::Lambda::Permission only; leave this out",
    )?;
    resource.refuse("IntegrationSubtype", "is for HTTP APIs only")?;
    if resource.text("ConnectionType") == Some("VPC_LINK") {
        return Err(resource.problem("ConnectionType", "a Lambda integration has no VPC link"));
    }
    let timeout = resource.properties["TimeoutInMillis"]
        .as_u64()
        .unwrap_or(DEFAULT_TIMEOUT);
    Ok(stack::Integration {
        logical_id: resource.logical_id.clone(),
        function_arn: function_of(resource, "IntegrationUri")?,
        timeout: Duration::from_millis(timeout),
    })
}

fn authorizer(resource: &Created) -> Result<stack::Authorizer, Problem> {
    if resource.text("AuthorizerType") != Some("REQUEST") {
        return Err(resource.problem(
            "AuthorizerType",
            "a WebSocket API has REQUEST authorizers only",
        ));
    }
    resource.refuse(
        "AuthorizerCredentialsArn",
        "the local target invokes a function by its AWS::Lambda::Permission only; leave this out",
    )?;
    for property in ["EnableSimpleResponses", "JwtConfiguration"] {
        resource.refuse(property, "is for HTTP APIs only")?;
    }
    let sources = resource.properties["IdentitySource"]
        .as_array()
        .into_iter()
        .flatten();
    let identity_sources: Vec<String> = sources
        .filter_map(|source| source.as_str())
        .map(str::to_owned)
        .collect();
    for source in &identity_sources {
        let known = [
            "route.request.header.",
            "route.request.querystring.",
            "stageVariables.",
            "context.",
        ];
        if !known.iter().any(|prefix| {
            source
                .strip_prefix(prefix)
                .is_some_and(|name| !name.is_empty())
        }) {
            let reason = format!(
                "`{source}` is none of {}, each with a name behind it",
                known.join(", ")
            );
            return Err(resource.problem("IdentitySource", reason));
        }
    }
    Ok(stack::Authorizer {
        logical_id: resource.logical_id.clone(),
        function_arn: function_of(resource, "AuthorizerUri")?,
        identity_sources,
    })
}

/// The function's ARN out of `arn:…:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations`, or the
/// function's ARN itself. It may name a stage variable, and a function that is not in this template: API Gateway
/// notices neither before it calls.
fn function_of(resource: &Created, property: &str) -> Result<String, Problem> {
    let Some(uri) = resource.text(property).filter(|uri| !uri.is_empty()) else {
        return Err(resource.problem(
            property,
            format!("the property `{property}` is required here"),
        ));
    };
    let wrapped = uri
        .split_once(":lambda:path/2015-03-31/functions/")
        .filter(|(before, _)| before.starts_with("arn:") && before.contains(":apigateway:"))
        .and_then(|(_, function)| function.strip_suffix("/invocations"));
    let bare = Some(uri).filter(|uri| {
        uri.starts_with("arn:") && uri.contains(":lambda:") && uri.contains(":function:")
    });
    wrapped.or(bare).filter(|arn| !arn.is_empty()).map(str::to_owned).ok_or_else(|| {
        let form = "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function ARN}/invocations";
        resource.problem(property, format!("must have the form {form}, but is `{uri}`"))
    })
}
