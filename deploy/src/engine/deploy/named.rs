//! Proves a chat with a name of the user's own, whose record may not be there yet.

use std::time::Duration;

use super::proof::{PROBING, probe};
use super::{Cloud, Order};
use crate::config::domain::Domain;
use crate::engine::cloud::CloudFormation;
use crate::engine::event::{DeployEvent, Reporter};
use crate::engine::execute::DeployError;
use crate::engine::limits;
use crate::engine::probe::ProbeError;
use crate::engine::refusal::{TargetError, or_interrupted};
use crate::engine::target::{AssetStore, Functions, Gateways, Inventory};

/// For how long a name is looked up.
const LOOKUP: Duration = Duration::from_secs(5);

impl<C: CloudFormation, S: AssetStore, F: Functions, G: Gateways> Cloud<'_, C, S, F, G> {
    /// Sends messages through the chat at `url`, which is that of `domain`; where the name does not lead there yet, by API
    /// Gateway's own address. The answer is whether any were sent.
    ///
    /// DNS takes its time, and records are often another team's. So a name that leads nowhere is a notice.
    ///
    /// # Errors
    /// The chat does not answer.
    pub(super) async fn probe_by_name(
        &self,
        order: &Order<'_, S::Handlers>,
        domain: &Domain,
        url: &str,
        reporter: &mut impl Reporter,
    ) -> Result<bool, DeployError> {
        let looking = async { Ok::<_, TargetError>(resolves(domain.name.as_ref()).await) };
        let (settings, patience) = (order.settings, limits::scaled(PROBING));
        let why = match or_interrupted(looking).await? {
            false => "it cannot be resolved".to_owned(),
            true => match probe(url, settings, order.pass, patience, reporter).await {
                Ok(()) => return Ok(true),
                Err(error) => match leads_elsewhere(&error) {
                    Some(why) if !domain.disable_default_endpoint => why,
                    _ => return Err(error),
                },
            },
        };
        let own = match domain.disable_default_endpoint {
            true => None,
            false => self.own_address(order).await?,
        };
        let Some(own) = own else {
            reporter.report(&DeployEvent::Notice(notice(domain, &why, None)));
            return Ok(false);
        };
        probe(&own, settings, order.pass, patience, reporter).await?;
        reporter.report(&DeployEvent::Notice(notice(domain, &why, Some(&own))));
        Ok(true)
    }

    /// API Gateway's own address of the stage.
    async fn own_address(
        &self,
        order: &Order<'_, S::Handlers>,
    ) -> Result<Option<String>, TargetError> {
        let resources = self.stacks.resources(&order.settings.stack).await?;
        let mut apis = resources
            .iter()
            .filter(|resource| resource.resource_type == "AWS::ApiGatewayV2::Api");
        match apis.next() {
            Some(api) => {
                self.gateways
                    .endpoint(&api.physical_id, &order.settings.stage)
                    .await
            }
            None => Ok(None),
        }
    }
}

/// Whether this machine finds an address for `host`.
async fn resolves(host: &str) -> bool {
    let looking =
        tokio::time::timeout(limits::scaled(LOOKUP), tokio::net::lookup_host((host, 443)));
    match looking.await {
        Ok(Ok(mut addresses)) => addresses.next().is_some(),
        Ok(Err(_)) | Err(_) => false,
    }
}

/// Why no WebSocket was opened at all; `None` if one was, and the chat failed.
fn leads_elsewhere(error: &DeployError) -> Option<String> {
    match error {
        DeployError::Unproven(unproven) => match &unproven.error {
            ProbeError::Connect { source, .. } => {
                Some(format!("it takes no connection ({source})"))
            }
            ProbeError::NoAnswer { .. } => Some("it does not answer".to_owned()),
            _ => None,
        },
        _ => None,
    }
}

/// What is said of a name that does not lead to the chat yet; `own` is the address at which it answered.
fn notice(domain: &Domain, why: &str, own: Option<&str>) -> String {
    let name = &domain.name;
    let proof = match own {
        Some(own) => format!("the chat was tried at {own}, where it answers"),
        None => {
            "whether the chat answers was not tried, because API Gateway's own address is closed \
             (`disable-default-endpoint`)"
                .to_owned()
        }
    };
    format!(
        "{name} does not lead to the chat yet: {why}. A new record takes some minutes, and one that is missing has to be made; \
         {proof}; `chatctl chat` tries the name"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use std::path::Path;

    #[tokio::test]
    async fn a_reserved_name_cannot_be_resolved_and_this_machine_s_can() {
        assert!(!resolves("chat.invalid").await);
        assert!(resolves("127.0.0.1").await);
    }

    #[test]
    fn only_a_connection_that_was_never_opened_may_be_a_matter_of_dns() {
        let silent = ProbeError::NoAnswer {
            url: "wss://x".into(),
            waited: Duration::ZERO,
        };
        assert!(leads_elsewhere(&silent.into()).is_some());
        let open = ProbeError::Open { url: "x".into() };
        assert_eq!(leads_elsewhere(&open.into()), None);
        assert_eq!(leads_elsewhere(&TargetError::interrupted().into()), None);
    }

    #[test]
    fn the_notice_says_where_the_chat_was_tried_or_why_it_was_not() {
        let text = "[domain]\nname = \"chat.example.com\"\n";
        let read = Settings::read(Path::new("x"), text, "".into(), Default::default());
        let domain = read.unwrap().aws.domain.unwrap();
        let tried = notice(&domain, "it cannot be resolved", Some("wss://a/v1"));
        assert!(
            tried.starts_with(
                "chat.example.com does not lead to the chat yet: it cannot be resolved."
            )
        );
        assert!(
            tried.contains("was tried at wss://a/v1, where it answers"),
            "{tried}"
        );
        let closed = notice(&domain, "it cannot be resolved", None);
        assert!(
            closed.contains("was not tried, because API Gateway's own address is closed"),
            "{closed}"
        );
    }
}
