//! Integrations of routes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::created::{Created, of_kind};
use super::kinds::INTEGRATION;
use super::templates::templates;
use super::{expressions, parameters, responses};
use crate::stack::{self, HttpRequest, IntegrationKind, Mapping, Passthrough};
use crate::template::problem::{Problem, Problems};

/// In milliseconds: <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html>.
const DEFAULT_TIMEOUT: u64 = 29_000;

/// By integration id.
pub(super) fn integrations(
    created: &[Created],
    problems: &mut Problems,
) -> BTreeMap<String, stack::Integration> {
    let integrations = of_kind(created, &INTEGRATION)
        .filter_map(|resource| {
            Some((
                resource.reference().to_owned(),
                problems.keep(integration(resource, created))?,
            ))
        })
        .collect();
    responses::check(created, problems);
    expressions::check(created, problems);
    integrations
}

fn integration(resource: &Created, created: &[Created]) -> Result<stack::Integration, Problem> {
    let timeout = resource.properties["TimeoutInMillis"]
        .as_u64()
        .unwrap_or(DEFAULT_TIMEOUT);
    resource.refuse("IntegrationSubtype", "is for HTTP APIs only")?;
    resource.refuse("ResponseParameters", "is for HTTP APIs only")?;
    if resource.text("ConnectionType") == Some("VPC_LINK") {
        let reason = match resource.text("IntegrationType") {
            Some("AWS_PROXY") => "a Lambda integration has no VPC link",
            _ => "the local target has no VPC links; name the backend in `IntegrationUri`",
        };
        return Err(resource.problem("ConnectionType", reason));
    }
    let kind = match resource.text("IntegrationType") {
        Some("AWS_PROXY") => {
            resource.refuse(
                "CredentialsArn",
                "the local target only invokes functions by their AWS::Lambda::Permission; omit this property",
            )?;
            let arn = function_of(resource, "IntegrationUri")?;
            IntegrationKind::Function { arn }
        }
        Some("HTTP_PROXY") => IntegrationKind::HttpProxy(request(resource)?),
        Some("HTTP") => IntegrationKind::Http(request(resource)?, mapping(resource, created)?),
        Some("MOCK") => IntegrationKind::Mock(mapping(resource, created)?),
        _ => {
            let reason = "the local target runs AWS_PROXY (Lambda), HTTP, HTTP_PROXY and MOCK integrations; call another AWS service from a function";
            return Err(resource.problem("IntegrationType", reason));
        }
    };
    Ok(stack::Integration {
        logical_id: resource.logical_id.clone(),
        timeout: Duration::from_millis(timeout),
        kind,
    })
}

fn request(resource: &Created) -> Result<HttpRequest, Problem> {
    resource.refuse(
        "CredentialsArn",
        "an HTTP backend does not use AWS credentials",
    )?;
    resource.refuse("TlsConfig", "is for HTTP APIs only")?;
    let uri = resource.text("IntegrationUri").unwrap_or_default();
    let is_http = |scheme: &str| {
        let after = uri.get(..scheme.len()).zip(uri.get(scheme.len()..));
        after.is_some_and(|(start, rest)| start.eq_ignore_ascii_case(scheme) && !rest.is_empty())
    };
    // A stage variable may contain the whole URI.
    if !is_http("http://") && !is_http("https://") && !uri.starts_with("${stageVariables.") {
        let reason = format!("must be an http:// or https:// URL, but is `{uri}`");
        return Err(resource.problem("IntegrationUri", reason));
    }
    let is_fixed = !uri.contains('{');
    if let Some(Err(error)) = is_fixed.then(|| uri.parse::<hyper::Uri>()) {
        let reason = format!("`{uri}` is not a URL: {error}");
        return Err(resource.problem("IntegrationUri", reason));
    }
    let method = resource.text("IntegrationMethod").unwrap_or_default();
    let known = [
        "ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT",
    ];
    if !known.contains(&method) {
        let reason = match method {
            "" => "an HTTP integration needs an `IntegrationMethod`, such as POST".to_owned(),
            other => format!("must be one of {}, but is `{other}`", known.join(", ")),
        };
        return Err(resource.problem("IntegrationMethod", reason));
    }
    Ok(HttpRequest {
        method: method.to_owned(),
        uri: uri.to_owned(),
        parameters: parameters::for_integration(resource)?,
    })
}

fn mapping(resource: &Created, created: &[Created]) -> Result<Mapping, Problem> {
    Ok(Mapping {
        request_templates: templates(resource, "RequestTemplates")?,
        selection: resource
            .text("TemplateSelectionExpression")
            .map(str::to_owned),
        passthrough: match resource.text("PassthroughBehavior") {
            Some("NEVER") => Passthrough::Never,
            Some("WHEN_NO_TEMPLATES") => Passthrough::WhenNoTemplates,
            _ => Passthrough::WhenNoMatch,
        },
        decodes_base64: resource.text("ContentHandlingStrategy") == Some("CONVERT_TO_BINARY"),
        responses: responses::for_integration(resource, created)?,
    })
}

/// The function's ARN, either from `arn:…:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations` or
/// alone. It may contain a stage variable, and refer to a function outside of this template: API Gateway checks neither
/// before it invokes it.
pub(super) fn function_of(resource: &Created, property: &str) -> Result<String, Problem> {
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
