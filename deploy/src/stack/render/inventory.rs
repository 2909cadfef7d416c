//! What of a stack can be watched.

use serde_json::Value;

/// What of a stack is watched, by logical ids.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) functions: Vec<String>,
    pub(super) tables: Vec<String>,
    /// The configurations of functions that are invoked asynchronously, each with its function.
    pub(super) asynchronous: Vec<(String, String)>,
}

impl Watched {
    /// What `document` has.
    pub(super) fn in_document(document: &Value) -> Self {
        let resources = || document["Resources"].as_object().into_iter().flatten();
        let of = |kind: &str| {
            let found = resources().filter(|(_, resource)| resource["Type"] == kind);
            found.map(|(id, _)| id.clone()).collect()
        };
        let configured = resources()
            .filter(|(_, resource)| resource["Type"] == "AWS::Lambda::EventInvokeConfig")
            .filter_map(|(id, resource)| {
                let function = resource["Properties"]["FunctionName"]["Ref"].as_str()?;
                Some((id.clone(), function.to_owned()))
            });
        Self {
            functions: of("AWS::Lambda::Function"),
            tables: of("AWS::DynamoDB::Table"),
            asynchronous: configured.collect(),
        }
    }
}
