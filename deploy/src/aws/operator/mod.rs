//! The operator's view of a chat: the table of connections, and the @connections API of its stage.

mod sockets;
mod table;
#[cfg(test)]
mod tests;

use aws_config::SdkConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};

use super::{AwsTarget, http};
use crate::engine::TargetError;
pub use sockets::ApiConnections;
pub use table::DynamoConnections;

/// Where a chat keeps and serves its connections.
#[derive(Debug, Clone)]
pub struct ChatLocation {
    /// The table's physical name.
    pub table: String,
    /// The base of the @connections API, stage included.
    pub connections_url: String,
}

impl AwsTarget {
    /// The chat at `place`, as the operator sees it.
    pub fn chat(&self, place: &ChatLocation) -> (DynamoConnections, ApiConnections) {
        chat(&self.config, place)
    }
}

/// The chat at `place` whose table something at `tables_url` keeps that serves AWS's protocols on this machine, and that
/// lets its owner in by any key.
///
/// # Errors
/// The machine's certificates cannot be read.
pub async fn stand_in(
    tables_url: &str,
    place: &ChatLocation,
) -> Result<(DynamoConnections, ApiConnections), TargetError> {
    let credentials = Credentials::new("operator", "operator", None, None, "stand-in");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        // Part of signatures only, which are not verified there.
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http::client().await?)
        .timeout_config(http::timeouts())
        .endpoint_url(tables_url)
        .build();
    Ok(chat(&config, place))
}

pub(super) fn chat(
    config: &SdkConfig,
    place: &ChatLocation,
) -> (DynamoConnections, ApiConnections) {
    (
        DynamoConnections::new(config, &place.table),
        ApiConnections::new(config, &place.connections_url),
    )
}
