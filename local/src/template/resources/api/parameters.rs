//! Parameter mappings into a backend's request: `RequestParameters` of integrations, and of the routes that declare
//! them.
//!
//! The forms are those of <https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html>.

use std::collections::BTreeMap;

use super::super::created::{Created, of_kind};
use super::kinds::ROUTE;
use crate::stack::{self, IntegrationKind, ParameterMapping, ParameterSource, ParameterTarget};
use crate::template::problem::{Problem, Problems};
use apigw_mapping::JsonPath;

const PROPERTY: &str = "RequestParameters";

/// The mappings of an HTTP integration.
pub(super) fn for_integration(resource: &Created) -> Result<Vec<ParameterMapping>, Problem> {
    let mapping = |(key, value): (&String, &serde_json::Value)| {
        let value = value.as_str().unwrap_or_default();
        mapping(key, value).map_err(|reason| resource.problem(PROPERTY, reason))
    };
    resource.map(PROPERTY).map(mapping).collect()
}

fn mapping(key: &str, value: &str) -> Result<ParameterMapping, String> {
    let targets = [
        ("integration.request.header.", ParameterTarget::Header),
        (
            "integration.request.querystring.",
            ParameterTarget::QueryString,
        ),
        ("integration.request.path.", ParameterTarget::Path),
    ];
    let found = targets.iter().find_map(|(prefix, target)| {
        let name = key.strip_prefix(prefix).filter(|name| is_name(name))?;
        Some((*target, name.to_owned()))
    });
    let Some((target, name)) = found else {
        let known = targets.map(|(prefix, _)| prefix).join("NAME, ");
        return Err(format!("`{key}` is not one of {known}NAME"));
    };
    let source = source(value).map_err(|reason| format!("`{key}`: {reason}"))?;
    Ok(ParameterMapping {
        target,
        name,
        source,
    })
}

fn source(text: &str) -> Result<ParameterSource, String> {
    type Make = fn(String) -> ParameterSource;
    let named: [(&str, Make); 6] = [
        ("route.request.header.", ParameterSource::Header),
        (
            "route.request.multivalueheader.",
            ParameterSource::AllHeaders,
        ),
        ("route.request.querystring.", ParameterSource::QueryString),
        (
            "route.request.multivaluequerystring.",
            ParameterSource::AllQueryStrings,
        ),
        ("stageVariables.", ParameterSource::StageVariable),
        ("context.", ParameterSource::Context),
    ];
    let literal = text
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''));
    if let Some(literal) = literal {
        return Ok(ParameterSource::Literal(literal.to_owned()));
    }
    if text == "route.request.body" {
        return Ok(ParameterSource::Body("$".to_owned()));
    }
    if let Some(path) = text.strip_prefix("route.request.body.") {
        let path = if path.starts_with('$') {
            path.to_owned()
        } else {
            format!("$.{path}")
        };
        JsonPath::parse(&path)?;
        return Ok(ParameterSource::Body(path));
    }
    let found = named.iter().find_map(|(prefix, make)| {
        let name = text.strip_prefix(prefix).filter(|name| is_name(name))?;
        Some(make(name.to_owned()))
    });
    found.ok_or_else(|| {
        let known = named.map(|(prefix, _)| prefix).join("NAME, ");
        format!("`{text}` is not one of {known}NAME, route.request.body.PATH, 'TEXT'")
    })
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._$-".contains(&byte);
    !name.is_empty() && name.bytes().all(allowed)
}

/// The parameters that a route declares, and whether each is required.
pub(super) fn for_route(resource: &Created) -> Result<BTreeMap<String, bool>, Problem> {
    let wrong = |reason: String| resource.problem(PROPERTY, reason);
    let mut declared = BTreeMap::new();
    for (key, constraints) in resource.map(PROPERTY) {
        let prefixes = [
            "route.request.header.",
            "route.request.querystring.",
            "route.request.multivalueheader.",
            "route.request.multivaluequerystring.",
        ];
        let name = prefixes.iter().find_map(|prefix| key.strip_prefix(prefix));
        if !name.is_some_and(is_name) {
            let known = prefixes.join("NAME, ");
            return Err(wrong(format!("`{key}` is not one of {known}NAME")));
        }
        let required = match constraints
            .as_object()
            .map(|found| (found.len(), found.get("Required")))
        {
            Some((0, _)) => false,
            Some((1, Some(serde_json::Value::Bool(required)))) => *required,
            Some((1, Some(serde_json::Value::String(text))))
                if text == "true" || text == "false" =>
            {
                text == "true"
            }
            _ => {
                return Err(wrong(format!(
                    "`{key}` must have the form {{ Required: true or false }}"
                )));
            }
        };
        declared.insert(key.clone(), required);
    }
    Ok(declared)
}

/// Refuses a `$connect` whose integration maps undeclared parameters.
pub(super) fn check(
    created: &[Created],
    routes: &BTreeMap<String, stack::Route>,
    integrations: &BTreeMap<String, stack::Integration>,
    problems: &mut Problems,
) {
    let Some(connect) = routes.get("$connect") else {
        return;
    };
    let integration = connect
        .integration
        .as_ref()
        .and_then(|id| integrations.get(id));
    let Some((
        IntegrationKind::Http(request, _) | IntegrationKind::HttpProxy(request),
        integration,
    )) = integration.map(|integration| (&integration.kind, integration))
    else {
        return;
    };
    for mapping in &request.parameters {
        let (place, name) = match &mapping.source {
            ParameterSource::Header(name) => ("header", name),
            ParameterSource::AllHeaders(name) => ("multivalueheader", name),
            ParameterSource::QueryString(name) => ("querystring", name),
            ParameterSource::AllQueryStrings(name) => ("multivaluequerystring", name),
            _ => continue,
        };
        let key = format!("route.request.{place}.{name}");
        let single = key.replace(".multivalue", ".");
        let is_declared = |key: &str| connect.request_parameters.contains_key(key);
        let route = of_kind(created, &ROUTE).find(|route| route.logical_id == connect.logical_id);
        if let Some(route) = route.filter(|_| !is_declared(&key) && !is_declared(&single)) {
            let reason = format!(
                "`{}` maps `{key}`, which the route must declare: {{ {key}: {{ Required: false }} }}",
                integration.logical_id
            );
            problems.add(route.problem(PROPERTY, reason));
        }
    }
}
