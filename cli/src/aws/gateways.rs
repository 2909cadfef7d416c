//! API Gateway's control plane: does the stage serve, and where is the API.

use aws_config::SdkConfig;
use aws_sdk_apigatewayv2::Client;
use aws_sdk_apigatewayv2::types::{Api, ProtocolType};

use super::error::{Kind, kind, refused};
use crate::config::names::{StackName, StageName};
use crate::engine::{Gateways, TargetError, Trouble};

/// The tag that CloudFormation puts on what it makes
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-add-tags.html>).
const STACK_TAG: &str = "aws:cloudformation:stack-name";

/// Deployed WebSocket APIs of one region.
#[derive(Debug)]
pub(crate) struct ApiGateways {
    client: Client,
}

impl ApiGateways {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

impl Gateways for ApiGateways {
    async fn stage_trouble(
        &self,
        api: &str,
        stage: &StageName,
    ) -> Result<Option<Trouble>, TargetError> {
        let answer = self
            .client
            .get_stage()
            .api_id(api)
            .stage_name(stage.as_ref())
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(deployment_trouble(
                answer.last_deployment_status_message.as_deref(),
            )),
            Err(error) if kind(&error) == Kind::NotFound => {
                Ok(Some(Trouble::NotYet("there is no such stage yet".into())))
            }
            Err(error) => {
                let attempt = format!("ask about stage {stage} of API {api}");
                Err(refused("apigateway:GET", attempt, error))
            }
        }
    }

    async fn endpoint(
        &self,
        stack: &StackName,
        stage: &StageName,
    ) -> Result<Option<String>, TargetError> {
        let mut next = None;
        loop {
            let page = self
                .client
                .get_apis()
                .set_next_token(next)
                .send()
                .await
                .map_err(|error| refused("apigateway:GET", "list the WebSocket APIs", error))?;
            let api = page
                .items
                .unwrap_or_default()
                .into_iter()
                .find(|api| belongs_to(api, stack));
            if let Some(endpoint) = api.and_then(|api| api.api_endpoint) {
                return Ok(Some(format!("{endpoint}/{stage}")));
            }
            next = page.next_token;
            if next.is_none() {
                return Ok(None);
            }
        }
    }
}

/// An automatic deployment tells here how it went, in free text
/// (<https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html>).
fn deployment_trouble(message: Option<&str>) -> Option<Trouble> {
    let message = message.filter(|message| message.to_lowercase().contains("fail"))?;
    Some(Trouble::Broken(message.to_owned()))
}

fn belongs_to(api: &Api, stack: &StackName) -> bool {
    let tag = api.tags.as_ref().and_then(|tags| tags.get(STACK_TAG));
    api.protocol_type == Some(ProtocolType::Websocket)
        && tag.is_some_and(|name| name == stack.as_ref())
}

#[cfg(test)]
mod tests {
    use super::super::stub::Stub;
    use super::*;

    #[test]
    fn only_a_failed_deployment_is_trouble() {
        assert_eq!(deployment_trouble(None), None);
        assert_eq!(
            deployment_trouble(Some("Successfully deployed stage with deployment ID 'x'")),
            None
        );
        assert!(
            deployment_trouble(Some("Deployment attempt failed: Invalid integration")).is_some()
        );
    }

    #[test]
    fn an_api_is_known_by_its_stack_s_tag_and_not_by_a_name_that_anybody_can_take() {
        let api = |tag: &str, protocol| {
            Api::builder()
                .name("chat")
                .protocol_type(protocol)
                .route_selection_expression("x")
                .tags(STACK_TAG, tag)
                .build()
        };
        let stack = "chat".parse().unwrap();
        assert!(belongs_to(&api("chat", ProtocolType::Websocket), &stack));
        assert!(!belongs_to(&api("other", ProtocolType::Websocket), &stack));
        assert!(!belongs_to(&api("chat", ProtocolType::Http), &stack));
    }

    #[tokio::test]
    async fn an_endpoint_is_looked_for_on_every_page_of_apis() {
        let api = |id: &str, stack: &str| {
            serde_json::json!({
                "apiId": id, "name": "chat", "protocolType": "WEBSOCKET", "routeSelectionExpression": "x",
                "apiEndpoint": format!("wss://{id}.execute-api.eu-west-1.amazonaws.com"), "tags": {STACK_TAG: stack},
            })
        };
        let pages = [
            serde_json::json!({"items": [api("a", "other")], "nextToken": "2"}),
            serde_json::json!({"items": [api("b", "chat")]}),
        ];
        let stub = Stub::answering(pages.map(|page| (200, page.to_string())).into()).await;
        let gateways = ApiGateways::new(&stub.config().await);
        let (stack, stage) = ("chat".parse().unwrap(), "v1".parse().unwrap());
        let found = gateways.endpoint(&stack, &stage).await.unwrap();
        let url = "wss://b.execute-api.eu-west-1.amazonaws.com/v1";
        assert_eq!(found.as_deref(), Some(url));
        assert!(stub.asked()[1].contains("nextToken=2"));
        let nobody = "nobody".parse().unwrap();
        assert_eq!(gateways.endpoint(&nobody, &stage).await.unwrap(), None);
    }
}
