//! Mapping templates of integrations and of their responses.

use std::collections::BTreeMap;

use super::super::created::Created;
use crate::template::problem::Problem;
use apigw_mapping::MAX_TEMPLATE_BYTES;

/// Templates by key, none longer than <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
/// allows. Their contents are only checked when they are used, as on AWS.
pub(super) fn templates(
    resource: &Created,
    property: &str,
) -> Result<BTreeMap<String, String>, Problem> {
    let mut templates = BTreeMap::new();
    for (key, template) in resource.map(property) {
        let text = template.as_str().unwrap_or_default();
        if text.len() > MAX_TEMPLATE_BYTES {
            let reason = format!("the template `{key}` is longer than 300 KB");
            return Err(resource.problem(property, reason));
        }
        templates.insert(key.clone(), text.to_owned());
    }
    Ok(templates)
}
