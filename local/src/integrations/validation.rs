//! Validates requests before their integration: models for messages, required parameters for handshakes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::selection;
use crate::http::error::HttpError;
use crate::http::head::Head;
use crate::schema::Schema;
use crate::stack::{Route, Validation};
use crate::worker_threads::WorkerThreads;

/// The models of a route.
#[derive(Debug)]
pub(crate) struct Validator {
    selection: String,
    models: BTreeMap<String, Result<Arc<Schema>, String>>,
}

impl Validator {
    pub(crate) fn new(validation: &Validation) -> Self {
        let models = validation.models.iter();
        Self {
            selection: validation.selection.clone(),
            models: models
                .map(|(key, schema)| (key.clone(), Schema::parse(schema).map(Arc::new)))
                .collect(),
        }
    }

    /// Validates the message `body`; the error names the problem.
    pub(crate) async fn judge(
        &self,
        body: &str,
        worker_threads: &WorkerThreads,
    ) -> Result<(), String> {
        let json = serde_json::from_str(body);
        let key = selection::evaluate(&self.selection, json.as_ref().ok(), None);
        let model = self
            .models
            .get(&key)
            .or_else(|| self.models.get("$default"));
        let model = model.ok_or_else(|| {
            format!("there is no model for the key `{key}` and none for $default")
        })?;
        let value = json.map_err(|error| format!("it is not JSON: {error}"))?;
        let model = model.as_ref().map_err(Clone::clone)?;
        if let Some(judged) = model.judge_in_passing(&value) {
            return judged;
        }
        let model = Arc::clone(model);
        worker_threads.run(move || model.judge(&value)).await
    }
}

/// The frame for a message that its model refuses. It has `messageId`, unlike all other error frames.
pub(crate) fn bad_request_body(connection_id: &str, message_id: &str) -> String {
    format!(
        r#"{{"message": "Bad request body", "connectionId":"{connection_id}", "messageId":"{message_id}"}}"#
    )
}

/// The required `RequestParameters` of `$connect`.
pub(crate) fn required(route: &Route) -> Vec<String> {
    let required = route
        .request_parameters
        .iter()
        .filter(|(_, required)| **required);
    required.map(|(key, _)| key.clone()).collect()
}

/// Refuses a handshake without its required parameters, as REST APIs do. AWS does not document it for WebSocket APIs.
pub(crate) fn check_required(required: &[String], head: &Head) -> Result<(), HttpError> {
    if required.is_empty() {
        return Ok(());
    }
    let query = head.query_pairs();
    let is_missing = |key: &&String| {
        let Some((place, name)) = key
            .strip_prefix("route.request.")
            .and_then(|key| key.split_once('.'))
        else {
            return false;
        };
        if place.ends_with("header") {
            head.header(name).is_none()
        } else {
            !query.iter().any(|(known, _)| known == name)
        }
    };
    let missing: Vec<&str> = required
        .iter()
        .filter(is_missing)
        .filter_map(|key| key.splitn(4, '.').nth(3))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Missing required request parameters: [{}]",
        missing.join(", ")
    );
    Err(HttpError::gateway(400, "BadRequestException", &message))
}
