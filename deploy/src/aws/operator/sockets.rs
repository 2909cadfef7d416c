//! The @connections API of a stage.

use aws_config::SdkConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_types::date_time::{DateTime, Format};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::Deserialize;

use crate::aws::call::{self, Client, Failure, Request, encoded};
use crate::aws::error::refused;
use crate::engine::TargetError;
use crate::engine::operator::{Activity, Connections};

/// The connections of a chat as API Gateway has them.
#[derive(Debug)]
pub struct ApiConnections {
    client: Client,
    url: String,
}

/// The one action of IAM for all of the @connections API
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html>).
const MANAGE: &str = "execute-api:ManageConnections";

/// <https://docs.aws.amazon.com/apigatewaymanagementapi/latest/api-reference/API_GetConnection.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connected {
    last_active_at: Option<String>,
    identity: Option<ConnectedFrom>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConnectedFrom {
    source_ip: Option<String>,
}

fn connected(body: &[u8]) -> Result<Activity, BoxError> {
    let connected: Connected = serde_json::from_slice(body)?;
    let at = connected.last_active_at.map(|at| {
        let at = DateTime::from_str(&at, Format::DateTimeWithOffset);
        at.map(|at| at.secs())
    });
    Ok(Activity {
        last_active_at: at.transpose()?,
        source_ip: connected.identity.and_then(|identity| identity.source_ip),
    })
}

/// A request about `connection`.
fn about(connection: &str, operation: &'static str, method: &'static str) -> Request {
    let path = format!("/@connections/{}", encoded(connection));
    Request::new(operation, method, path)
}

impl ApiConnections {
    pub(super) fn new(config: &SdkConfig, url: &str) -> Self {
        Self {
            client: Client::at(&call::CONNECTIONS, config, url),
            url: url.to_owned(),
        }
    }

    /// `None` if there is no such connection. A real 410 has an empty body, so its status decides.
    fn found<T>(
        &self,
        attempt: &str,
        response: Result<T, Failure>,
    ) -> Result<Option<T>, TargetError> {
        let error = match response {
            Ok(response) => return Ok(Some(response)),
            Err(error) => error,
        };
        let status = error.raw_response().map(|raw| raw.status().as_u16());
        // API Gateway answers with 400 to an id of another form, which can be no connection's.
        let is_no_id = || {
            error
                .message()
                .is_some_and(|it| it.contains("Invalid connectionId"))
        };
        match status {
            Some(410) => Ok(None),
            Some(400) if is_no_id() => Ok(None),
            _ if error.code() == Some("GoneException") => Ok(None),
            _ => Err(refused(MANAGE, format!("{attempt} at {}", self.url), error)),
        }
    }
}

impl Connections for ApiConnections {
    async fn activity(&self, connection: &str) -> Result<Option<Activity>, TargetError> {
        let asked = about(connection, "GetConnection", "GET");
        self.found(
            "read a connection",
            self.client.send(asked, connected).await,
        )
    }

    async fn post(&self, connection: &str, text: &str) -> Result<bool, TargetError> {
        let asked = Request {
            content: Some(("application/octet-stream", text.as_bytes().to_vec())),
            ..about(connection, "PostToConnection", "POST")
        };
        let response = self.client.send(asked, |_| Ok(())).await;
        Ok(self.found("send to a connection", response)?.is_some())
    }

    async fn close(&self, connection: &str) -> Result<bool, TargetError> {
        let asked = about(connection, "DeleteConnection", "DELETE");
        let response = self.client.send(asked, |_| Ok(())).await;
        Ok(self.found("close a connection", response)?.is_some())
    }
}
