//! Proves that what was deployed is what runs, and that it answers.

use std::collections::BTreeMap;
use std::time::Duration;

use super::account::Account;
use super::cloud::CloudDeployment;
use crate::config::Settings;
use crate::config::names::{StackName, StageName};
use crate::engine::event::{DeployEvent, Reporter, Step};
use crate::engine::execute::DeployError;
use crate::engine::hotswap::hotswap;
use crate::engine::limits;
use crate::engine::probe::{self, ProbeCredential};
use crate::engine::target::{Asset, Gateways, Inventory};
use crate::engine::target_error::{ErrorKind, TargetError, or_interrupted};
use crate::engine::verify::{Verified, complaining, complaint, verify};
use crate::stack::Outputs;
use crate::stack::few::few;
use crate::stack::render::output;

/// A stage that has just been deployed may answer 403, or not know all of its routes, for some seconds.
pub(super) const PROBING: Duration = Duration::from_secs(40);

/// Sends messages through the chat at `url` until they arrive, for at most `timeout`.
///
/// # Errors
/// [`DeployError::Unproven`] when they do not.
pub(super) async fn probe(
    url: &str,
    settings: &Settings,
    credential: ProbeCredential<'_>,
    timeout: Duration,
    reporter: &mut impl Reporter,
) -> Result<(), DeployError> {
    let (said, routes) = (&settings.handshake(), &settings.routes);
    Step::Probe
        .run(reporter, async |_| {
            let probing = async {
                let probed = match settings.has_own_functions() {
                    true => {
                        let max_per_second = settings.limits.messages_per_second;
                        probe::probe(url, said, credential, routes, max_per_second, timeout).await
                    }
                    false => probe::probe_gateway(url, said, routes, timeout).await,
                };
                Ok::<_, DeployError>(probed?)
            };
            Ok(((), or_interrupted(probing).await?))
        })
        .await
}

/// The stack's WebSocket URL: from its outputs; else, for a stack that has lost them, from API Gateway itself.
///
/// # Errors
/// API Gateway cannot be asked.
pub async fn endpoint(
    stacks: &impl Inventory,
    gateways: &impl Gateways,
    stack: &StackName,
    stage: &StageName,
    outputs: &Outputs,
) -> Result<Option<String>, TargetError> {
    match outputs.get(output::URL) {
        Some(url) => Ok(Some(url.clone())),
        None => own_address(stacks, gateways, stack, stage).await,
    }
}

/// API Gateway's own address of the stage.
pub(super) async fn own_address(
    stacks: &impl Inventory,
    gateways: &impl Gateways,
    stack: &StackName,
    stage: &StageName,
) -> Result<Option<String>, TargetError> {
    // Not by its tags: a stack's have been reported to be missing on WebSocket APIs
    // (https://github.com/serverless/serverless/pull/10931).
    let resources = stacks.resources(stack).await?;
    let mut apis = resources
        .iter()
        .filter(|resource| resource.resource_type == "AWS::ApiGatewayV2::Api");
    match apis.next() {
        Some(api) => gateways.endpoint(&api.physical_id, stage).await,
        None => Ok(None),
    }
}

impl<A: Account> CloudDeployment<'_, A> {
    /// Compares what runs with `code`, by the functions' logical ids, and sends messages through it unless the request
    /// forbids that; the answer is the chat's URL.
    ///
    /// Of the two proofs the messages weigh more: what API Gateway has on record of the stage may be older than what it
    /// serves. Where messages arrive, the record is only reported.
    ///
    /// # Errors
    /// Something else runs, or it does not answer.
    pub(super) async fn prove(
        &self,
        code: &BTreeMap<String, Asset>,
        outputs: &Outputs,
        reporter: &mut impl Reporter,
    ) -> Result<String, DeployError> {
        let Self {
            account, request, ..
        } = self;
        let (stack, stage) = (&request.settings.stack, &request.settings.stage);
        let said = Step::Verify
            .run(reporter, async |reporter| {
                self.verified(stack, stage, code, reporter).await
            })
            .await?;
        let url = endpoint(account.stacks(), account.gateways(), stack, stage, outputs)
            .await?
            .ok_or_else(|| {
                let message = format!("stack `{stack}` has no WebSocket API");
                TargetError::new(ErrorKind::Failed, message)
            })?;
        let said = said.map(|words| complaining(stage, &words));
        if !request.is_probed {
            if let Some(said) = said {
                let text = format!(
                    "{said}; whether it answers was not tried (`--no-probe`), `chatctl chat` tries it"
                );
                reporter.report(&DeployEvent::Notice(text));
            }
            return Ok(url);
        }
        let timeout = limits::scaled(PROBING);
        let domain = request.settings.aws.domain.as_ref();
        let probed = match domain.filter(|domain| domain.url() == url) {
            Some(domain) => {
                let target = outputs.get(output::DOMAIN_TARGET).map(String::as_str);
                let named = (domain, url.as_str(), target);
                self.probe_by_name(named, reporter).await
            }
            None => probe(
                &url,
                request.settings,
                request.credential,
                timeout,
                reporter,
            )
            .await
            .map(|()| true),
        };
        let was_tried =
            probed.map_err(|error| explained(error, account.obstacle(), said.as_deref()))?;
        if said.is_none() || !was_tried {
            return Ok(url);
        }
        let asking = complaint(account.stacks(), account.gateways(), stack, stage);
        if let Some(words) = or_interrupted(asking).await? {
            let text = format!(
                "{}; it answers all the same. If something that has just changed is missing, deploy again",
                complaining(stage, &words)
            );
            reporter.report(&DeployEvent::Notice(text));
        }
        Ok(url)
    }

    /// Compares what the functions run with what was published, and puts it right where it was changed outside of
    /// the stack, which CloudFormation does not notice. The answer is what the stage's record still complains of, and
    /// the step's detail.
    async fn verified(
        &self,
        stack: &StackName,
        stage: &StageName,
        code: &BTreeMap<String, Asset>,
        reporter: &mut impl Reporter,
    ) -> Result<(Option<String>, String), TargetError> {
        let (stacks, functions) = (self.account.stacks(), self.account.functions());
        let gateways = self.account.gateways();
        let asking = verify(stacks, functions, gateways, stack, stage, code, reporter);
        let others = match or_interrupted(asking).await? {
            Verified::Same {
                reported,
                complaint,
            } => return Ok((complaint, reported)),
            Verified::Different(others) => others,
        };
        reporter.report(&DeployEvent::Notice(format!(
            "{} run other code than the stack's record says; the published code replaces it",
            few(&others)
        )));
        hotswap(stacks, functions, stack, code, reporter).await?;
        let asking = verify(stacks, functions, gateways, stack, stage, code, reporter);
        match or_interrupted(asking).await? {
            Verified::Same {
                reported,
                complaint,
            } => Ok((complaint, reported)),
            Verified::Different(others) => {
                let message = format!(
                    "{} do not run what was published, also after it was put in again",
                    few(&others)
                );
                let error = TargetError::new(ErrorKind::Failed, message);
                Err(error.with_hint("see who else changes these functions"))
            }
        }
    }
}

/// A failed probe with what is known besides: what only this partition asks for, and what the stage's record says.
fn explained(error: DeployError, obstacle: Option<&str>, said: Option<&str>) -> DeployError {
    match error {
        DeployError::Unproven(mut unproven) => {
            let of_name = unproven.known.take();
            let known = obstacle.into_iter().chain(said).map(str::to_owned);
            let known: Vec<_> = of_name.into_iter().chain(known).collect();
            unproven.known = (!known.is_empty()).then(|| known.join("; "));
            DeployError::Unproven(unproven)
        }
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::probe::ProbeError;

    #[test]
    fn a_failing_probe_names_the_partitions_obstacle_also_beside_what_the_stage_says() {
        let known = |obstacle: Option<&str>, said: Option<&str>| {
            let error = ProbeError::NoAnswer {
                url: "wss://x".into(),
                waited: Duration::ZERO,
            };
            match explained(error.into(), obstacle, said) {
                DeployError::Unproven(unproven) => unproven.known,
                other => panic!("{other:?}"),
            }
        };
        let (licence, stage) = (Some("a licence is missing"), Some("the stage complains"));
        assert_eq!(known(licence, None).as_deref(), licence);
        assert_eq!(
            known(licence, stage).as_deref(),
            Some("a licence is missing; the stage complains")
        );
        assert_eq!(known(None, stage).as_deref(), stage);
        assert_eq!(known(None, None), None);
        let interrupted = explained(TargetError::interrupted().into(), licence, stage);
        assert!(
            matches!(interrupted, DeployError::Target(error) if error.hint.is_none()),
            "an interruption says nothing about the chat"
        );
    }
}
