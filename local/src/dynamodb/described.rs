//! Descriptions of an account and of a table's backups, which the embedded database does not have. Pure, except for a
//! check whether a table exists.

use dynoxide::Database;
use dynoxide::actions::describe_table::DescribeTableRequest;
use serde_json::{Value, json};

/// An error's type and message.
type HttpError = (&'static str, String);

/// Whether this module serves `operation`.
pub(super) fn has(operation: &str) -> bool {
    matches!(
        operation,
        "DescribeContinuousBackups" | "DescribeEndpoints" | "DescribeLimits"
    )
}

/// The response to `operation`, one for which [`has`] is true. `address` is this endpoint's address in the request.
pub(super) fn describe(
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

/// This endpoint and not AWS's, because a client uses the address that it receives.
fn endpoints(address: &str) -> Value {
    json!({ "Endpoints": [{ "Address": address, "CachePeriodInMinutes": 1440 }] })
}

/// An account's default quotas, see
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>.
fn limits() -> Value {
    json!({
        "AccountMaxReadCapacityUnits": 80_000,
        "AccountMaxWriteCapacityUnits": 80_000,
        "TableMaxReadCapacityUnits": 40_000,
        "TableMaxWriteCapacityUnits": 40_000,
    })
}

/// Every table has continuous backups. Point-in-time recovery is off unless it is switched on, which has no effect here
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContinuousBackups.html>).
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
