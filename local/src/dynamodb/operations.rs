//! DynamoDB's operations by name, on the embedded database: JSON request in, JSON response out.
//!
//! The database's own HTTP server needs a listener, and serves every program that finds its port. Here requests only
//! come from the endpoint that asks IAM first.

use dynoxide::{Database, DynoxideError};
use hyper::body::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{creation, unreadable};

/// Runs one operation. Blocks while the database works.
pub(super) type Operation = fn(Call<'_>) -> Result<Bytes, DynoxideError>;

/// A request to the database.
pub(super) struct Call<'c> {
    pub(super) database: &'c Database,
    /// The operation's name.
    pub(super) operation: &'c str,
    pub(super) body: &'c [u8],
}

/// The operation of this name.
pub(super) fn find(name: &str) -> Option<Operation> {
    let operation: Operation = match name {
        "BatchExecuteStatement" => |call| call.on(Database::batch_execute_statement),
        "BatchGetItem" => |call| call.on(Database::batch_get_item),
        "BatchWriteItem" => |call| call.on(Database::batch_write_item),
        "CreateTable" => |call| call.on(creation::create),
        "DeleteItem" => |call| call.on(Database::delete_item),
        "DeleteTable" => |call| call.on(Database::delete_table),
        "DescribeStream" => |call| call.on(Database::describe_stream),
        "DescribeTable" => |call| call.on(Database::describe_table),
        "DescribeTimeToLive" => |call| call.on(Database::describe_time_to_live),
        "ExecuteStatement" => |call| call.on(Database::execute_statement),
        "ExecuteTransaction" => |call| call.on(Database::execute_transaction),
        "GetItem" => |call| call.on(Database::get_item),
        "GetRecords" => |call| call.on(Database::get_records),
        "GetShardIterator" => |call| call.on(Database::get_shard_iterator),
        "ListStreams" => |call| call.on(Database::list_streams),
        "ListTables" => |call| call.on(Database::list_tables),
        "ListTagsOfResource" => |call| call.on(Database::list_tags_of_resource),
        "PutItem" => |call| call.on(Database::put_item),
        "Query" => |call| call.on(Database::query),
        "Scan" => |call| call.on(Database::scan),
        "SearchVectors" => |call| call.on(Database::search_vectors),
        "TagResource" => |call| call.on(Database::tag_resource),
        "TransactGetItems" => |call| call.on(Database::transact_get_items),
        "TransactWriteItems" => |call| call.on(Database::transact_write_items),
        "UntagResource" => |call| call.on(Database::untag_resource),
        "UpdateItem" => |call| call.on(Database::update_item),
        "UpdateTable" => |call| call.on(Database::update_table),
        "UpdateTimeToLive" => |call| call.on(Database::update_time_to_live),
        _ => return None,
    };
    Some(operation)
}

impl Call<'_> {
    fn on<Q, A>(
        self,
        run: impl FnOnce(&Database, Q) -> Result<A, DynoxideError>,
    ) -> Result<Bytes, DynoxideError>
    where
        Q: DeserializeOwned,
        A: Serialize,
    {
        let request = serde_json::from_slice(self.body)
            .map_err(|error| unreadable::error(self.operation, self.body, &error))?;
        let response = run(self.database, request).map_err(|error| self.worded(error))?;
        serde_json::to_vec(&response)
            .map(Bytes::from)
            .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
    }

    /// The failed condition of a PartiQL statement has a different form than that of other writes.
    fn worded(&self, error: DynoxideError) -> DynoxideError {
        match error {
            DynoxideError::ConditionalCheckFailedException(message, Some(item))
                if self.operation == "ExecuteStatement" =>
            {
                DynoxideError::StatementConditionalCheckFailed(message, item)
            }
            error => error,
        }
    }
}
