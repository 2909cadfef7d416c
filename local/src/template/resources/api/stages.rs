//! Stages, with their live routes.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::super::created::{Created, of_kind};
use super::kinds::{DEPLOYMENT, ROUTE, STAGE};
use crate::stack::{self, Throttle};
use crate::template::problem::{Problem, Problems};

/// The longest format of access logs, in bytes:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>.
const MAX_LOG_FORMAT: usize = 3 * 1024;

/// By stage name.
pub(super) fn stages(
    created: &[Created],
    problems: &mut Problems,
) -> BTreeMap<String, stack::Stage> {
    let mut stages: BTreeMap<String, stack::Stage> = BTreeMap::new();
    for resource in of_kind(created, &STAGE) {
        if resource.is_true("AutoDeploy") && resource.text("DeploymentId").is_some() {
            let reason = "it only counts until the first change: with `AutoDeploy: true` every change is deployed automatically";
            problems.note(resource.problem("DeploymentId", reason));
        }
        let Some(stage) = problems.keep(stage(resource, created)) else {
            continue;
        };
        if let Some(first) = stages.get(&stage.name) {
            let reason = format!(
                "`{}` already has the stage name `{}`",
                first.logical_id, stage.name
            );
            problems.add(resource.problem("StageName", reason));
        } else {
            stages.insert(stage.name.clone(), stage);
        }
    }
    stages
}

fn stage(resource: &Created, created: &[Created]) -> Result<stack::Stage, Problem> {
    resource.refuse(
        "ClientCertificateId",
        "the local target has no client certificates",
    )?;
    let format = resource.properties["AccessLogSettings"]["Format"].as_str();
    let length = format.map_or(0, str::len);
    if length > MAX_LOG_FORMAT {
        let reason = format!("its Format has {length} bytes, {MAX_LOG_FORMAT} at most");
        return Err(resource.problem("AccessLogSettings", reason));
    }
    Ok(stack::Stage {
        logical_id: resource.logical_id.clone(),
        name: resource.reference().to_owned(),
        variables: variables(resource)?,
        deployed: deployed(resource, created)?,
        throttles: throttles(resource, created)?,
    })
}

/// The stage's limits for each route. A limit that is not set is the account's.
fn throttles(
    resource: &Created,
    created: &[Created],
) -> Result<BTreeMap<String, Throttle>, Problem> {
    let routes: Vec<&str> = of_kind(created, &ROUTE)
        .map(|route| route.required("RouteKey"))
        .collect();
    let default = &resource.properties["DefaultRouteSettings"];
    let default = throttle(resource, "DefaultRouteSettings", default, None)?;
    let mut throttles: BTreeMap<String, Throttle> = default
        .iter()
        .flat_map(|default| routes.iter().map(|key| ((*key).to_owned(), *default)))
        .collect();
    let own = resource.properties["RouteSettings"].as_object();
    for (key, settings) in own.into_iter().flatten() {
        if !routes.contains(&key.as_str()) {
            let reason = format!("there is no route with the key `{key}`");
            return Err(resource.problem("RouteSettings", reason));
        }
        let own = throttle(resource, "RouteSettings", settings, default)?;
        throttles.extend(own.map(|own| (key.clone(), own)));
    }
    Ok(throttles)
}

fn throttle(
    resource: &Created,
    property: &str,
    settings: &Json,
    default: Option<Throttle>,
) -> Result<Option<Throttle>, Problem> {
    let number = |name: &str| match settings.get(name) {
        None => Ok(None),
        // A string, because the shape of this property is free.
        Some(value) => value
            .as_f64()
            .or_else(|| value.as_str()?.parse().ok())
            .filter(|number| *number >= 0.0)
            .map(Some)
            .ok_or_else(|| {
                let reason = format!("{name} must be a number, zero or more, but is {value}");
                resource.problem(property, reason)
            }),
    };
    let burst = number("ThrottlingBurstLimit")?.map(|burst| burst as u32);
    let (rate, otherwise) = (
        number("ThrottlingRateLimit")?,
        default.unwrap_or(Throttle::ACCOUNT),
    );
    if rate.is_none() && burst.is_none() {
        return Ok(default);
    }
    Ok(Some(Throttle {
        rate: rate.unwrap_or(otherwise.rate),
        burst: burst.unwrap_or(otherwise.burst),
    }))
}

/// Names and values may only contain the characters that
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages.html> allows.
fn variables(resource: &Created) -> Result<BTreeMap<String, String>, Problem> {
    let mut variables = BTreeMap::new();
    for (name, value) in resource.properties["StageVariables"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let value = value.as_str().unwrap_or_default();
        if name.is_empty()
            || !name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            let reason =
                format!("the variable name `{name}` may only contain letters, digits and `_`");
            return Err(resource.problem("StageVariables", reason));
        }
        if value.is_empty()
            || !value
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&byte))
        {
            let reason =
                format!("the value of `{name}` may only contain letters, digits and -._~:/?#&=,");
            return Err(resource.problem("StageVariables", reason));
        }
        variables.insert(name.clone(), value.to_owned());
    }
    Ok(variables)
}

/// The live route keys. A deployment is a snapshot made when it is created, so it certainly contains the routes created
/// before it, which are those that it depends on.
fn deployed(resource: &Created, created: &[Created]) -> Result<Option<Vec<String>>, Problem> {
    let all = || of_kind(created, &ROUTE);
    let keys = |routes: &mut dyn Iterator<Item = &Created>| {
        let mut keys: Vec<String> = routes
            .map(|route| route.required("RouteKey").to_owned())
            .collect();
        keys.sort();
        Some(keys)
    };
    let deployments = || of_kind(created, &DEPLOYMENT);
    let deployment = match (
        resource.is_true("AutoDeploy"),
        resource.text("DeploymentId"),
    ) {
        (true, None) => return Ok(keys(&mut all())),
        (is_automatic, Some(id)) => {
            let found = deployments().find(|deployment| deployment.reference() == id);
            let missing = || {
                resource.problem(
                    "DeploymentId",
                    format!("there is no deployment with the id `{id}` in this template"),
                )
            };
            let found = found.ok_or_else(missing)?;
            // Routes created after the deployment are deployed automatically.
            if is_automatic {
                return Ok(keys(&mut all()));
            }
            Some(found)
        }
        // A deployment may name its stage instead. The last one created counts.
        (false, None) => deployments()
            .filter(|deployment| deployment.text("StageName") == Some(resource.reference()))
            .last(),
    };
    Ok(deployment.and_then(|deployment| {
        keys(&mut all().filter(|route| deployment.needs.contains(&route.logical_id)))
    }))
}
