//! Authorizers.

use std::collections::BTreeMap;

use super::super::created::{Created, of_kind};
use super::integrations::function_of;
use super::kinds::AUTHORIZER;
use crate::stack;
use crate::template::problem::{Problem, Problems};

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

fn authorizer(resource: &Created) -> Result<stack::Authorizer, Problem> {
    if resource.text("AuthorizerType") != Some("REQUEST") {
        return Err(resource.problem(
            "AuthorizerType",
            "a WebSocket API only supports REQUEST authorizers",
        ));
    }
    resource.refuse(
        "AuthorizerCredentialsArn",
        "the local target only invokes functions by their AWS::Lambda::Permission; omit this property",
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
                "`{source}` is not one of {}, each followed by a name",
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
