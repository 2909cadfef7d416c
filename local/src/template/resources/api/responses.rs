//! Integration responses: the mapping of a backend's response.
//!
//! See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-responses.html>.

use super::super::created::{Created, of_kind};
use super::kinds::{INTEGRATION, INTEGRATION_RESPONSE};
use super::templates::templates;
use crate::stack::{IntegrationResponse, ResponseSource};
use crate::template::problem::{Problem, Problems};
use apigw_mapping::JsonPath;
use apigw_mapping::Pattern;

/// The responses of `integration`, in the order of their creation.
pub(super) fn for_integration(
    integration: &Created,
    created: &[Created],
) -> Result<Vec<IntegrationResponse>, Problem> {
    let mut responses: Vec<IntegrationResponse> = Vec::new();
    let mine = |response: &&Created| response.required("IntegrationId") == integration.reference();
    for resource in of_kind(created, &INTEGRATION_RESPONSE).filter(mine) {
        let response = response(resource)?;
        if let Some(first) = responses.iter().find(|first| first.key == response.key) {
            let reason = format!("`{}` has the key `{}` already", first.logical_id, first.key);
            return Err(resource.problem("IntegrationResponseKey", reason));
        }
        responses.push(response);
    }
    Ok(responses)
}

/// Refuses responses without an integration. Those of a proxy integration have no effect, as on AWS.
pub(super) fn check(created: &[Created], problems: &mut Problems) {
    for response in of_kind(created, &INTEGRATION_RESPONSE) {
        let id = response.required("IntegrationId");
        let integration = of_kind(created, &INTEGRATION).find(|found| found.reference() == id);
        let reason = match integration.map(|found| found.required("IntegrationType")) {
            None => format!("there is no integration with the id `{id}` in this template"),
            Some(kind @ ("AWS_PROXY" | "HTTP_PROXY")) => {
                let reason = format!(
                    "it has no effect: its integration has the type {kind}, whose responses are passed on unchanged"
                );
                problems.note(response.problem("IntegrationId", reason));
                continue;
            }
            Some(_) => continue,
        };
        problems.add(response.problem("IntegrationId", reason));
    }
}

fn response(resource: &Created) -> Result<IntegrationResponse, Problem> {
    let key = resource.required("IntegrationResponseKey");
    if key.is_empty() {
        return Err(resource.problem("IntegrationResponseKey", "must not be empty"));
    }
    if let Some(pattern) = pattern(key)
        && let Err(error) = Pattern::from_java(pattern)
    {
        let reason = format!("`{key}` is not a supported regular expression: {error}");
        return Err(resource.problem("IntegrationResponseKey", reason));
    }
    if resource.text("ContentHandlingStrategy") == Some("CONVERT_TO_BINARY") {
        let reason = "the local target only sends text; use CONVERT_TO_TEXT or omit this property";
        return Err(resource.problem("ContentHandlingStrategy", reason));
    }
    Ok(IntegrationResponse {
        logical_id: resource.logical_id.clone(),
        key: key.to_owned(),
        templates: templates(resource, "ResponseTemplates")?,
        selection: resource
            .text("TemplateSelectionExpression")
            .map(str::to_owned),
        encodes_base64: resource.text("ContentHandlingStrategy") == Some("CONVERT_TO_TEXT"),
        headers: resource
            .map("ResponseParameters")
            .map(|(key, value)| {
                header(key, value.as_str().unwrap_or_default())
                    .map_err(|reason| resource.problem("ResponseParameters", reason))
            })
            .collect::<Result<_, _>>()?,
    })
}

/// The pattern between the slashes of `/pattern/`.
fn pattern(key: &str) -> Option<&str> {
    key.strip_prefix('/')?.strip_suffix('/')
}

/// The forms of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-integrationresponse.html>,
/// which still use the word `method`.
fn header(key: &str, value: &str) -> Result<(String, ResponseSource), String> {
    let name = ["method.response.header.", "route.response.header."]
        .iter()
        .find_map(|prefix| key.strip_prefix(prefix))
        .filter(|name| !name.is_empty())
        .ok_or_else(|| format!("`{key}` must have the form method.response.header.NAME"))?;
    let literal = value
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''));
    let source = if let Some(literal) = literal {
        ResponseSource::Literal(literal.to_owned())
    } else if let Some(name) = value.strip_prefix("integration.response.header.") {
        ResponseSource::Header(name.to_owned())
    } else if let Some(path) = value.strip_prefix("integration.response.body.") {
        let path = if path.starts_with('$') {
            path.to_owned()
        } else {
            format!("$.{path}")
        };
        JsonPath::parse(&path)?;
        ResponseSource::Body(path)
    } else {
        return Err(format!(
            "`{value}` is not one of integration.response.header.NAME, integration.response.body.PATH, 'TEXT'"
        ));
    };
    Ok((name.to_owned(), source))
}
