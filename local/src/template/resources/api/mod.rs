//! `AWS::ApiGatewayV2::*`: the one WebSocket API of the stack.

mod authorizers;
mod expressions;
mod integrations;
mod kinds;
mod models;
mod parameters;
mod responses;
mod routes;
mod stages;
mod templates;

pub(in crate::template) use kinds::{
    API, AUTHORIZER, DEPLOYMENT, INTEGRATION, INTEGRATION_RESPONSE, MODEL, ROUTE, ROUTE_RESPONSE,
    STAGE,
};

use super::super::problem::{Problem, Problems};
use super::created::{Created, Kind, of_kind};
use crate::stack;

/// Quotas of an API that AWS raises on request:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>.
const QUOTAS: [(&Kind, usize); 4] = [
    (&AUTHORIZER, 10),
    (&INTEGRATION, 300),
    (&ROUTE, 300),
    (&STAGE, 10),
];

/// The API with all its parts. `None` if that is not possible, and `problems` has the reason.
pub(in crate::template) fn api(created: &[Created], problems: &mut Problems) -> Option<stack::Api> {
    let mut apis = of_kind(created, &API);
    let Some(api) = apis.next() else {
        let reason = "it has no AWS::ApiGatewayV2::Api, but a local stack needs exactly one";
        problems.add(Problem::new(0, "", reason));
        return None;
    };
    for second in apis {
        let reason = format!(
            "a second API beside `{}`, but the local target runs one for each stack",
            api.logical_id
        );
        problems.add(second.problem("", reason));
    }
    for part in [
        &ROUTE,
        &INTEGRATION,
        &INTEGRATION_RESPONSE,
        &MODEL,
        &ROUTE_RESPONSE,
        &STAGE,
        &DEPLOYMENT,
        &AUTHORIZER,
    ] {
        for resource in
            of_kind(created, part).filter(|resource| resource.required("ApiId") != api.reference())
        {
            let reason = format!(
                "`{}` is not the id of `{}`, the API of this template",
                resource.required("ApiId"),
                api.logical_id
            );
            problems.add(resource.problem("ApiId", reason));
        }
    }
    for (kind, most) in QUOTAS {
        let count = of_kind(created, kind).count();
        if count > most {
            let reason = format!(
                "it has {count} resources of the type {}, but the default quota is {most} for each API",
                kind.name
            );
            problems.note(api.problem("", reason));
        }
    }
    let before = problems.len();
    let checked = check(api);
    problems.keep(checked);
    let integrations = integrations::integrations(created, problems);
    let authorizers = authorizers::authorizers(created, problems);
    let routes = routes::routes(created, problems);
    let stages = stages::stages(created, problems);
    if problems.len() == before {
        parameters::check(created, &routes, &integrations, problems);
    }
    (problems.len() == before).then(|| stack::Api {
        logical_id: api.logical_id.clone(),
        id: api.reference().to_owned(),
        route_selection_expression: api.required("RouteSelectionExpression").to_owned(),
        routes,
        integrations,
        authorizers,
        stages,
    })
}

fn check(api: &Created) -> Result<(), Problem> {
    if api.text("ProtocolType") != Some("WEBSOCKET") {
        return Err(api.problem(
            "ProtocolType",
            "must be WEBSOCKET: the local target does not run HTTP APIs",
        ));
    }
    if api.required("RouteSelectionExpression").is_empty() {
        let reason =
            "a WebSocket API needs a `RouteSelectionExpression`, such as $request.body.action";
        return Err(api.problem("RouteSelectionExpression", reason));
    }
    for property in [
        "BasePath",
        "Body",
        "BodyS3Location",
        "CorsConfiguration",
        "CredentialsArn",
        "FailOnWarnings",
        "RouteKey",
        "Target",
    ] {
        api.refuse(property, "is for HTTP APIs only")?;
    }
    api.refuse(
        "DisableExecuteApiEndpoint",
        "the local target has no other endpoint",
    )
}
