//! API Gateway's control plane: whether the stage serves, and the API's address.

use aws_config::SdkConfig;
use serde::Deserialize;

use super::call::{self, Client, Request, encoded};
use super::error::{Kind, kind, refused};
use crate::config::names::StageName;
use crate::engine::log_role::GatewayAccount;
use crate::engine::{Gateways, TargetError, Unready};

/// Deployed WebSocket APIs of one Region.
#[derive(Debug)]
pub struct ApiGateways {
    client: Client,
}

impl ApiGateways {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(&call::GATEWAY, config),
        }
    }
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stage {
    last_deployment_status_message: Option<String>,
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Api {
    api_endpoint: Option<String>,
}

/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetAccount.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    #[serde(rename = "cloudwatchRoleArn")]
    log_role: Option<String>,
}

impl Gateways for ApiGateways {
    async fn stage_trouble(
        &self,
        api: &str,
        stage: &StageName,
    ) -> Result<Option<Unready>, TargetError> {
        let (id, name) = (encoded(api), encoded(stage.as_ref()));
        let asked = Request::new("GetStage", "GET", format!("/v2/apis/{id}/stages/{name}"));
        match self.client.rest::<Stage>(asked).await {
            Ok(answer) => Ok(deployment_trouble(
                answer.last_deployment_status_message.as_deref(),
            )),
            Err(error) if kind(&error) == Kind::NotFound => {
                Ok(Some(Unready::NotYet("there is no such stage yet".into())))
            }
            Err(error) => {
                let attempt = format!("read stage {stage} of API {api}");
                Err(refused("apigateway:GET", attempt, error))
            }
        }
    }

    async fn endpoint(&self, api: &str, stage: &StageName) -> Result<Option<String>, TargetError> {
        let asked = Request::new("GetApi", "GET", format!("/v2/apis/{}", encoded(api)));
        match self.client.rest::<Api>(asked).await {
            Ok(answer) => Ok(answer
                .api_endpoint
                .map(|endpoint| format!("{endpoint}/{stage}"))),
            Err(error) if kind(&error) == Kind::NotFound => Ok(None),
            Err(error) => {
                let attempt = format!("read the address of API {api}");
                Err(refused("apigateway:GET", attempt, error))
            }
        }
    }
}

impl GatewayAccount for ApiGateways {
    async fn log_role(&self) -> Result<Option<String>, TargetError> {
        // Only the first generation of API Gateway's API has the setting, at the same host and with the same signature.
        let asked = Request {
            shown: Some("ApiGateway"),
            ..Request::new("GetAccount", "GET", "/account")
        };
        match self.client.rest::<Account>(asked).await {
            Ok(account) => Ok(account.log_role.filter(|role| !role.is_empty())),
            Err(error) => {
                let attempt = "read the account's settings of API Gateway";
                Err(refused("apigateway:GET", attempt, error))
            }
        }
    }
}

/// An automatic deployment reports its result here in free text
/// (<https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html>). The text stays
/// until a later deployment succeeds: a stage that was created before its routes reports that it has none, even when
/// they exist and a deployment is about to begin. So it is never final.
fn deployment_trouble(message: Option<&str>) -> Option<Unready> {
    let message = message?;
    let said = message.to_lowercase();
    let complains = ["fail", "unable", "error", "at least one route"];
    let is_complaint =
        !said.starts_with("success") && complains.iter().any(|word| said.contains(word));
    is_complaint.then(|| Unready::Reported(message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::stub::Stub;
    use super::*;

    #[test]
    fn a_failed_deployment_is_reported_but_never_final() {
        for complaint in crate::engine::COMPLAINTS {
            let reported = Some(Unready::Reported(complaint.to_owned()));
            assert_eq!(deployment_trouble(Some(complaint)), reported);
        }
        for fine in [
            None,
            Some(""),
            Some("Successfully deployed stage with deployment ID 'x'"),
        ] {
            assert_eq!(deployment_trouble(fine), None);
        }
    }

    #[tokio::test]
    async fn a_stage_s_record_is_read_from_its_response() {
        let stage = serde_json::json!({
            "stageName": "v1", "autoDeploy": true, "lastDeploymentStatusMessage": crate::engine::COMPLAINTS[0],
        });
        let none = r#"{"message":"Invalid stage identifier specified"}"#;
        let answers = vec![(200, stage.to_string()), (404, none.to_owned())];
        let gateways = ApiGateways::new(&Stub::answering(answers).await.config().await);
        let stage = "v1".parse().unwrap();
        let reported = gateways.stage_trouble("b", &stage).await.unwrap();
        assert!(
            matches!(reported, Some(Unready::Reported(_))),
            "{reported:?}"
        );
        let reported = gateways.stage_trouble("b", &stage).await.unwrap();
        assert!(matches!(reported, Some(Unready::NotYet(_))), "{reported:?}");
    }

    #[tokio::test]
    async fn the_address_of_an_api_is_read_and_a_deleted_api_has_none() {
        let api = serde_json::json!({
            "apiId": "b", "name": "chat", "protocolType": "WEBSOCKET", "routeSelectionExpression": "x",
            "apiEndpoint": "wss://b.execute-api.eu-west-1.amazonaws.com",
        });
        let gone = r#"{"message":"Invalid API identifier specified"}"#;
        let stub = Stub::answering(vec![(200, api.to_string()), (404, gone.to_owned())]).await;
        let gateways = ApiGateways::new(&stub.config().await);
        let stage = "v1".parse().unwrap();
        let found = gateways.endpoint("b", &stage).await.unwrap();
        let url = "wss://b.execute-api.eu-west-1.amazonaws.com/v1";
        assert_eq!(found.as_deref(), Some(url));
        assert!(stub.asked()[0].contains("/v2/apis/b"), "{:?}", stub.asked());
        assert_eq!(gateways.endpoint("gone", &stage).await.unwrap(), None);
    }

    #[tokio::test]
    async fn the_account_s_role_for_logs_is_read_at_the_address_of_the_first_generation() {
        let role = "arn:aws:iam::123456789012:role/logs";
        let set = serde_json::json!({ "cloudwatchRoleArn": role, "apiKeyVersion": "4" });
        let unset = r#"{"cloudwatchRoleArn":null,"throttleSettings":{"burstLimit":5000}}"#;
        let denied = r#"{"message":"User: x is not authorized to perform: apigateway:GET"}"#;
        let answers = vec![
            (200, set.to_string()),
            (200, unset.to_owned()),
            (403, denied.to_owned()),
        ];
        let stub = Stub::answering(answers).await;
        let gateways = ApiGateways::new(&stub.config().await);
        assert_eq!(gateways.log_role().await.unwrap().as_deref(), Some(role));
        assert_eq!(gateways.log_role().await.unwrap(), None);
        let error = gateways.log_role().await.unwrap_err();
        assert_eq!(error.kind, crate::engine::ErrorKind::Denied);
        let asked = stub.asked();
        assert!(
            asked.iter().all(|it| it.starts_with("GET /account ")),
            "{asked:?}"
        );
    }
}
