//! Models, and the routes that validate messages with them.
//!
//! See <https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-request-validation.html>.

use super::super::created::{Created, of_kind};
use super::kinds::MODEL;
use crate::schema::Schema;
use crate::stack::Validation;
use crate::template::problem::{Problem, Problems};

/// Refuses models whose schema is not supported.
pub(super) fn check(created: &[Created], problems: &mut Problems) {
    for model in of_kind(created, &MODEL) {
        match Schema::parse(&model.properties["Schema"]) {
            Ok(schema) => {
                for reason in schema.unread() {
                    problems.note(model.problem("Schema", reason.clone()));
                }
            }
            Err(reason) => problems.add(model.problem("Schema", reason)),
        }
    }
}

/// The validation of messages on the route `key`; none without a `ModelSelectionExpression`.
pub(super) fn validation(
    resource: &Created,
    created: &[Created],
    key: &str,
    problems: &mut Problems,
) -> Result<Option<Validation>, Problem> {
    let mut models = std::collections::BTreeMap::new();
    for (name, model) in resource.map("RequestModels") {
        let model = model.as_str().unwrap_or_default();
        // AWS requires the name; templates that contain the id mean the same.
        let is_meant =
            |found: &&Created| found.required("Name") == model || found.reference() == model;
        let Some(found) = of_kind(created, &MODEL).find(is_meant) else {
            let reason = format!("there is no model `{model}` in this template");
            return Err(resource.problem("RequestModels", reason));
        };
        models.insert(name.clone(), found.properties["Schema"].clone());
    }
    let Some(selection) = resource.text("ModelSelectionExpression") else {
        return Ok(None);
    };
    if ["$connect", "$disconnect"].contains(&key) {
        let reason = format!("it has no effect: `{key}` has no messages to validate");
        problems.note(resource.problem("ModelSelectionExpression", reason));
        return Ok(None);
    }
    Ok(Some(Validation {
        selection: selection.to_owned(),
        models,
    }))
}
