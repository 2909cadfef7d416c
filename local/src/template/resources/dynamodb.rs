//! `AWS::DynamoDB::Table`.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::super::problem::Problem;
use super::super::scope::Named;
use super::super::shape::{COUNT, Field, Shape, Shape::*, TAGS, may, must, name};
use super::create_table::create_table;
use super::created::{Created, Kind};
use crate::stack;

pub(in crate::template) const TABLE: Kind = Kind {
    name: "AWS::DynamoDB::Table",
    fields: &[
        may("AttributeDefinitions", List(&Object(ATTRIBUTE))),
        may("BillingMode", OneOf(&["PROVISIONED", "PAY_PER_REQUEST"])),
        may("ContributorInsightsSpecification", CONTRIBUTOR_INSIGHTS),
        may("DeletionProtectionEnabled", Flag),
        may("GlobalSecondaryIndexes", List(&Object(GLOBAL_INDEX))),
        may("ImportSourceSpecification", Json),
        must("KeySchema", KEY_SCHEMA),
        may("KinesisStreamSpecification", Json),
        may("LocalSecondaryIndexes", List(&Object(LOCAL_INDEX))),
        may("OnDemandThroughput", ON_DEMAND),
        may(
            "PointInTimeRecoverySpecification",
            Object(&[
                may("PointInTimeRecoveryEnabled", Flag),
                may("RecoveryPeriodInDays", Integer(1, 35)),
            ]),
        ),
        may("ProvisionedThroughput", PROVISIONED),
        may(
            "ResourcePolicy",
            Object(&[must("PolicyDocument", Document)]),
        ),
        may(
            "SSESpecification",
            Object(&[
                may("KMSMasterKeyId", Text),
                must("SSEEnabled", Flag),
                may("SSEType", OneOf(&["KMS"])),
            ]),
        ),
        may("StreamSpecification", Object(STREAM)),
        may(
            "TableClass",
            OneOf(&["STANDARD", "STANDARD_INFREQUENT_ACCESS"]),
        ),
        may("TableName", name(3, 255, "_.-")),
        may("Tags", TAGS),
        may(
            "TimeToLiveSpecification",
            Object(&[may("AttributeName", Text), must("Enabled", Flag)]),
        ),
        may("WarmThroughput", Json),
    ],
    attributes: &["Arn", "StreamArn"],
    named: |naming| {
        let name = naming.name("TableName", 255);
        let arn = naming.arn("dynamodb", &format!("table/{name}"));
        let named = Named::new(name).with("Arn", &arn);
        match naming.properties.get("StreamSpecification") {
            // AWS labels a stream with its creation time, but here nothing reads streams, and the time is not known.
            Some(_) => named.with("StreamArn", format!("{arn}/stream/1970-01-01T00:00:00.000")),
            None => named,
        }
    },
};

const ATTRIBUTE: &[Field] = &[
    must("AttributeName", Text),
    must("AttributeType", OneOf(&["S", "N", "B"])),
];
const KEY_SCHEMA: Shape = List(&Object(&[
    must("AttributeName", Text),
    must("KeyType", OneOf(&["HASH", "RANGE"])),
]));
const PROJECTION: Shape = Object(&[
    may("NonKeyAttributes", List(&Text)),
    may("ProjectionType", OneOf(&["ALL", "KEYS_ONLY", "INCLUDE"])),
]);
const PROVISIONED: Shape = Object(&[
    must("ReadCapacityUnits", Integer(1, i64::MAX)),
    must("WriteCapacityUnits", Integer(1, i64::MAX)),
]);
const ON_DEMAND: Shape = Object(&[
    may("MaxReadRequestUnits", COUNT),
    may("MaxWriteRequestUnits", COUNT),
]);
const CONTRIBUTOR_INSIGHTS: Shape = Object(&[
    must("Enabled", Flag),
    may(
        "Mode",
        OneOf(&["ACCESSED_AND_THROTTLED_KEYS", "THROTTLED_KEYS"]),
    ),
]);
const GLOBAL_INDEX: &[Field] = &[
    may("ContributorInsightsSpecification", CONTRIBUTOR_INSIGHTS),
    must("IndexName", name(3, 255, "_.-")),
    must("KeySchema", KEY_SCHEMA),
    may("OnDemandThroughput", ON_DEMAND),
    must("Projection", PROJECTION),
    may("ProvisionedThroughput", PROVISIONED),
    may("WarmThroughput", Json),
];
const LOCAL_INDEX: &[Field] = &[
    must("IndexName", name(3, 255, "_.-")),
    must("KeySchema", KEY_SCHEMA),
    must("Projection", PROJECTION),
];
const STREAM: &[Field] = &[
    may(
        "ResourcePolicy",
        Object(&[must("PolicyDocument", Document)]),
    ),
    must(
        "StreamViewType",
        OneOf(&["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]),
    ),
];

pub(in crate::template) fn table(resource: &Created) -> Result<stack::Table, Problem> {
    resource.refuse(
        "ImportSourceSpecification",
        "the local target cannot import a table from S3",
    )?;
    resource.refuse(
        "ResourcePolicy",
        "the local target only evaluates the policies of callers' roles; it does not support a table's own policy",
    )?;
    check_keys(resource)?;
    check_billing(resource)?;
    let ttl = resource
        .properties
        .get("TimeToLiveSpecification")
        .filter(|ttl| ttl["Enabled"] == true);
    let ttl_attribute = ttl.map(|ttl| {
        ttl["AttributeName"]
            .as_str()
            .filter(|name| !name.is_empty())
    });
    if ttl_attribute == Some(None) {
        return Err(resource.problem(
            "TimeToLiveSpecification",
            "an enabled time to live needs an `AttributeName`",
        ));
    }
    Ok(stack::Table {
        logical_id: resource.logical_id.clone(),
        name: resource.reference().to_owned(),
        arn: resource.attribute("Arn"),
        create: create_table(resource),
        ttl_attribute: ttl_attribute.flatten().map(str::to_owned),
    })
}

/// Keys and declared attributes must be the same set. Each key schema must be one HASH, then at most one RANGE.
fn check_keys(resource: &Created) -> Result<(), Problem> {
    let list = |of: &'_ Json, name: &str| {
        of.get(name)
            .and_then(Json::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"]
        .map(|name| (name, list(&resource.properties, name)));
    let schemas = std::iter::once(("KeySchema", list(&resource.properties, "KeySchema"))).chain(
        indexes.iter().flat_map(|(name, indexes)| {
            indexes
                .iter()
                .map(|index| (*name, list(index, "KeySchema")))
        }),
    );
    let declared = names(&list(&resource.properties, "AttributeDefinitions"));
    let mut used = BTreeSet::new();
    for (property, schema) in schemas {
        let types: Vec<&Json> = schema.iter().map(|key| &key["KeyType"]).collect();
        // Since late 2025, a global index may have several attributes of each type, HASH first.
        let sorted = types.first().is_some_and(|first| *first == "HASH")
            && types.is_sorted_by_key(|kind| *kind == "RANGE")
            && (property == "GlobalSecondaryIndexes"
                || types.len() <= 2 && types.get(1).is_none_or(|kind| *kind == "RANGE"));
        if !sorted {
            return Err(resource.problem(
                property,
                "a key schema must be a HASH key, then at most one RANGE key",
            ));
        }
        let keys = names(&schema);
        if let Some(missing) = keys.difference(&declared).next() {
            let reason = format!("the key attribute `{missing}` is not in AttributeDefinitions");
            return Err(resource.problem(property, reason));
        }
        used.extend(keys);
    }
    match declared.difference(&used).next() {
        Some(unused) => {
            let reason = format!(
                "`{unused}` is not a key of the table or of an index; only declare key attributes"
            );
            Err(resource.problem("AttributeDefinitions", reason))
        }
        None => Ok(()),
    }
}

fn names(list: &[Json]) -> BTreeSet<String> {
    list.iter()
        .filter_map(|item| item["AttributeName"].as_str())
        .map(str::to_owned)
        .collect()
}

fn check_billing(resource: &Created) -> Result<(), Problem> {
    let on_demand = resource.text("BillingMode") == Some("PAY_PER_REQUEST");
    match (
        on_demand,
        resource.properties.get("ProvisionedThroughput").is_some(),
    ) {
        (false, false) => {
            let reason = "a table needs `ProvisionedThroughput`, or `BillingMode: PAY_PER_REQUEST`";
            Err(resource.problem("BillingMode", reason))
        }
        (true, true) => {
            let reason =
                "`ProvisionedThroughput` cannot be set with `BillingMode: PAY_PER_REQUEST`";
            Err(resource.problem("ProvisionedThroughput", reason))
        }
        _ => Ok(()),
    }
}
