//! What DynamoDB tells about an account and about a table's backups, which the embedded database does not know. Pure but
//! for the look whether a table is there.

use dynoxide::Database;
use dynoxide::actions::describe_table::DescribeTableRequest;
use serde_json::{Value, json};

/// Why there is no such description: the type of the error, and its message.
type HttpError = (&'static str, String);

/// Whether the answer to `operation` is here.
pub(super) fn has(operation: &str) -> bool {
    matches!(
        operation,
        "DescribeContinuousBackups" | "DescribeEndpoints" | "DescribeLimits"
    )
}

/// The answer to `operation`, one that [`has`] knows. `address` is where this endpoint was asked.
pub(super) fn answer(
    database: &Database,
    operation: &str,
    body: &[u8],
    address: &str,
) -> Result<Value, HttpError> {
    match operation {
        "DescribeEndpoints" => Ok(endpoints(address)),
        "DescribeLimits" => Ok(limits()),
        _ => backups(database, body),
    }
}

/// This endpoint and not AWS's: a client goes where it is told to.
fn endpoints(address: &str) -> Value {
    json!({ "Endpoints": [{ "Address": address, "CachePeriodInMinutes": 1440 }] })
}

/// An account's defaults, see
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>.
fn limits() -> Value {
    json!({
        "AccountMaxReadCapacityUnits": 80_000,
        "AccountMaxWriteCapacityUnits": 80_000,
        "TableMaxReadCapacityUnits": 40_000,
        "TableMaxWriteCapacityUnits": 40_000,
    })
}

/// Every table has continuous backups, and a recovery to any point in time only where that is asked for, which has no
/// effect here (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContinuousBackups.html>).
fn backups(database: &Database, body: &[u8]) -> Result<Value, HttpError> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(name) = body["TableName"].as_str() else {
        let message = "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null";
        return Err(("ValidationException", message.to_owned()));
    };
    let request = DescribeTableRequest {
        table_name: name.to_owned(),
    };
    if database.describe_table(request).is_err() {
        return Err(("TableNotFoundException", format!("Table not found: {name}")));
    }
    Ok(json!({ "ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": "DISABLED" },
    } }))
}
