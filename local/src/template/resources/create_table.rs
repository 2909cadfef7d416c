//! The CreateTable call for a table:
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html>.

use serde_json::{Map, Value as Json, json};

use super::created::Created;

/// The properties that CreateTable has with the same name and form.
const SAME_IN_CREATE_TABLE: [&str; 10] = [
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "OnDemandThroughput",
    "TableClass",
    "DeletionProtectionEnabled",
    "Tags",
];

/// The body of the call.
pub(super) fn create_table(resource: &Created) -> Json {
    let mut create = Map::new();
    create.insert("TableName".to_owned(), resource.reference().into());
    for property in SAME_IN_CREATE_TABLE {
        create.extend(
            resource
                .properties
                .get(property)
                .map(|value| (property.to_owned(), value.clone())),
        );
    }
    for index in create
        .get_mut("GlobalSecondaryIndexes")
        .and_then(Json::as_array_mut)
        .into_iter()
        .flatten()
    {
        // Other calls set these.
        index
            .as_object_mut()
            .map(|index| index.remove("ContributorInsightsSpecification"));
        index
            .as_object_mut()
            .map(|index| index.remove("WarmThroughput"));
    }
    if let Some(stream) = resource.properties.get("StreamSpecification") {
        let stream = json!({ "StreamEnabled": true, "StreamViewType": stream["StreamViewType"] });
        create.insert("StreamSpecification".to_owned(), stream);
    }
    if let Some(encryption) = resource.properties.get("SSESpecification") {
        let mut encryption = encryption.clone();
        encryption["Enabled"] = encryption["SSEEnabled"].take();
        encryption
            .as_object_mut()
            .map(|encryption| encryption.remove("SSEEnabled"));
        create.insert("SSESpecification".to_owned(), encryption);
    }
    create.into()
}
