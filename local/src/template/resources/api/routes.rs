//! Routes, each with the `RouteResponse` that makes it two-way.

use std::collections::BTreeMap;

use super::super::created::{Created, of_kind};
use super::kinds::{AUTHORIZER, INTEGRATION, ROUTE, ROUTE_RESPONSE};
use super::{models, parameters};
use crate::stack::{self, Authorization};
use crate::template::problem::{Problem, Problems};

/// By route key.
pub(super) fn routes(
    created: &[Created],
    problems: &mut Problems,
) -> BTreeMap<String, stack::Route> {
    let mut routes: BTreeMap<String, stack::Route> = BTreeMap::new();
    models::check(created, problems);
    for resource in of_kind(created, &ROUTE) {
        let Some(route) = route(resource, created, problems) else {
            continue;
        };
        if let Some(first) = routes.get(&route.key) {
            let reason = format!(
                "`{}` already has the route key `{}`",
                first.logical_id, route.key
            );
            problems.add(resource.problem("RouteKey", reason));
        } else {
            routes.insert(route.key.clone(), route);
        }
    }
    for response in of_kind(created, &ROUTE_RESPONSE) {
        let route = response.required("RouteId");
        if !of_kind(created, &ROUTE).any(|resource| resource.reference() == route) {
            problems.add(response.problem(
                "RouteId",
                format!("there is no route with the id `{route}` in this template"),
            ));
        }
    }
    routes
}

fn route(resource: &Created, created: &[Created], problems: &mut Problems) -> Option<stack::Route> {
    let route = try_route(resource, created, problems);
    problems.keep(route)
}

fn try_route(
    resource: &Created,
    created: &[Created],
    problems: &mut Problems,
) -> Result<stack::Route, Problem> {
    let key = resource.required("RouteKey");
    if key.is_empty() {
        return Err(resource.problem("RouteKey", "must not be empty"));
    }
    if key.starts_with('$') && !["$connect", "$disconnect", "$default"].contains(&key) {
        let reason =
            format!("`{key}` begins with `$`, but only $connect, $disconnect and $default may");
        return Err(resource.problem("RouteKey", reason));
    }
    resource.refuse("ApiKeyRequired", "the local target has no API keys")?;
    resource.refuse("AuthorizationScopes", "is for HTTP APIs only")?;
    if key != "$connect" && resource.map("RequestParameters").next().is_some() {
        let reason = "only `$connect` has request parameters; AWS was reported to refuse those of other routes";
        problems.note(resource.problem("RequestParameters", reason));
    }
    Ok(stack::Route {
        logical_id: resource.logical_id.clone(),
        key: key.to_owned(),
        integration: integration(resource, created)?,
        authorization: authorization(resource, created, key)?,
        two_way: resource.text("RouteResponseSelectionExpression") == Some("$default")
            && of_kind(created, &ROUTE_RESPONSE).any(|response| {
                response.required("RouteId") == resource.reference()
                    && response.required("RouteResponseKey") == "$default"
            }),
        request_parameters: parameters::for_route(resource)?,
        validation: models::validation(resource, created, key, problems)?,
    })
}

fn integration(resource: &Created, created: &[Created]) -> Result<Option<String>, Problem> {
    let Some(target) = resource.text("Target") else {
        return Ok(None);
    };
    let Some(id) = target.strip_prefix("integrations/") else {
        return Err(resource.problem(
            "Target",
            format!("must have the form integrations/{{id}}, but is `{target}`"),
        ));
    };
    if of_kind(created, &INTEGRATION).any(|integration| integration.reference() == id) {
        return Ok(Some(id.to_owned()));
    }
    Err(resource.problem(
        "Target",
        format!("there is no integration with the id `{id}` in this template"),
    ))
}

/// An authorizer belongs to `$connect` only:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>.
fn authorization(
    resource: &Created,
    created: &[Created],
    key: &str,
) -> Result<Authorization, Problem> {
    let kind = resource.text("AuthorizationType").unwrap_or("NONE");
    if kind == "NONE" {
        return Ok(Authorization::None);
    }
    if key != "$connect" {
        let reason = format!("only $connect can be authorized, but this is the route `{key}`");
        return Err(resource.problem("AuthorizationType", reason));
    }
    match kind {
        "CUSTOM" => {}
        "JWT" => return Err(resource.problem("AuthorizationType", "JWT is for HTTP APIs only")),
        _ => {
            return Err(resource.problem(
                "AuthorizationType",
                format!("{kind} is not supported by the local target"),
            ));
        }
    }
    let Some(id) = resource.text("AuthorizerId") else {
        return Err(resource.problem(
            "AuthorizerId",
            "`AuthorizationType: CUSTOM` needs an `AuthorizerId`",
        ));
    };
    if of_kind(created, &AUTHORIZER).any(|authorizer| authorizer.reference() == id) {
        return Ok(Authorization::Custom(id.to_owned()));
    }
    Err(resource.problem(
        "AuthorizerId",
        format!("there is no authorizer with the id `{id}` in this template"),
    ))
}
