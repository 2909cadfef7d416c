//! Proves that what was deployed is what runs: before any message is sent, as AWS's own records say.

use std::collections::BTreeMap;

use super::event::{DeployEvent, Reporter};
use super::target::{Asset, Functions, Gateways, Inventory, Stacks, Unready};
use super::target_error::{ErrorKind, TargetError};
use crate::config::names::{StackName, StageName};

/// How often something that is not ready yet is asked again.
const MAX_QUESTIONS: u32 = 40;

/// After so many questions it is reported what is waited for.
const REPORTED_AFTER: u32 = 5;

/// What API Gateway has been seen to record of a stage whose automatic deployment failed, also of one that went well a
/// moment later: the first of WebSocket APIs
/// (<https://github.com/aws/serverless-application-model/issues/2512> has it from CloudFormation), the second of HTTP
/// APIs, and both as the requests themselves are refused.
#[cfg(test)]
pub const COMPLAINTS: [&str; 4] = [
    "Deployment attempt failed: At least one route is required before deploying the Api.",
    "Deployment attempt failed: Unable to deploy API because no routes exist in this API",
    "At least one route is required before deploying the Api.",
    "Unable to deploy API because no routes exist in this API",
];

const FUNCTION: &str = "AWS::Lambda::Function";
const API: &str = "AWS::ApiGatewayV2::Api";

/// What a stack's functions run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verified {
    /// All of them what they should.
    Same {
        /// The line for the reader.
        reported: String,
        /// What API Gateway's record of the stage complains of, still. A probe shows more.
        complaint: Option<String>,
    },
    /// These, by logical id, run something else: they were changed outside of the stack.
    Different(Vec<String>),
}

/// Waits until every function of `stack` can be invoked, then compares what they run with `code` (by their
/// logical ids), and asks whether `stage` serves.
///
/// What the stage's own record complains of is waited out, too, but no error: it may be older than what is served.
///
/// # Errors
/// [`TargetError`] when something will not serve by itself, or has not after a while.
pub(super) async fn verify(
    stacks: &(impl Stacks + Inventory),
    functions: &impl Functions,
    gateways: &impl Gateways,
    stack: &StackName,
    stage: &StageName,
    code: &BTreeMap<String, Asset>,
    reporter: &mut impl Reporter,
) -> Result<Verified, TargetError> {
    let resources = stacks.resources(stack).await?;
    let of = |kind: &'static str| resources.iter().filter(move |r| r.resource_type == kind);
    let mut different = Vec::new();
    for function in of(FUNCTION) {
        let mut quiet = 0;
        let found = loop {
            let found = functions.code(&function.physical_id).await?;
            match &found.trouble {
                None => break found,
                Some(trouble) => {
                    wait_or_give_up(&function.logical_id, trouble, &mut quiet, stacks).await?;
                }
            }
        };
        let wanted = code.get(&function.logical_id);
        if wanted.is_some_and(|asset| !found.digest.eq_ignore_ascii_case(&asset.key)) {
            different.push(function.logical_id.clone());
        }
    }
    if !different.is_empty() {
        return Ok(Verified::Different(different));
    }
    let mut complaint = None;
    for api in of(API) {
        let mut quiet = 0;
        while let Some(trouble) = gateways.stage_trouble(&api.physical_id, stage).await? {
            if let Unready::Reported(words) = &trouble {
                if quiet == MAX_QUESTIONS {
                    complaint = Some(words.clone());
                    break;
                }
                if quiet == REPORTED_AFTER {
                    let text = format!("{}; waiting for its next one", complaining(stage, words));
                    reporter.report(&DeployEvent::Notice(text));
                }
            }
            let subject = format!("stage {stage}");
            wait_or_give_up(&subject, &trouble, &mut quiet, stacks).await?;
        }
    }
    let reported = match (of(FUNCTION).count(), &complaint) {
        (0, None) => "the stage serves".into(),
        (0, Some(_)) => "the stage is there".into(),
        (1, _) => "the function runs what was published".into(),
        (count, _) => format!("{count} functions run what was published"),
    };
    Ok(Verified::Same {
        reported,
        complaint,
    })
}

/// What API Gateway's record of `stage` complains of now, if anything.
///
/// # Errors
/// [`TargetError`] when the target cannot be asked.
pub(super) async fn complaint(
    stacks: &impl Inventory,
    gateways: &impl Gateways,
    stack: &StackName,
    stage: &StageName,
) -> Result<Option<String>, TargetError> {
    for api in stacks.resources(stack).await? {
        if api.resource_type != API {
            continue;
        }
        let trouble = gateways.stage_trouble(&api.physical_id, stage).await?;
        if let Some(Unready::Reported(words)) = trouble {
            return Ok(Some(words));
        }
    }
    Ok(None)
}

/// That the record of `stage` says `words`.
pub fn complaining(stage: &StageName, words: &str) -> String {
    format!("API Gateway's record of the last automatic deployment of stage {stage} says: {words}")
}

async fn wait_or_give_up(
    subject: &str,
    trouble: &Unready,
    quiet: &mut u32,
    stacks: &impl Stacks,
) -> Result<(), TargetError> {
    let (reason, is_over) = match trouble {
        Unready::Broken(reason) => (reason, true),
        Unready::NotYet(reason) | Unready::Reported(reason) => (reason, *quiet == MAX_QUESTIONS),
    };
    if is_over {
        let message = format!("{subject} does not serve: {reason}");
        return Err(TargetError::new(ErrorKind::Failed, message)
            .with_hint("the stack itself is deployed; `chatctl status` tells more"));
    }
    *quiet += 1;
    stacks.pause(*quiet).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fake::asset;
    use super::super::target::{FunctionCode, Resource};
    use super::*;
    use crate::engine::fake::{FakeStacks, Transcript};
    use std::cell::Cell;

    /// Functions that become ready at the second question, and a stage that says `stage`, so many times.
    struct Deployed {
        digest: &'static str,
        asked: Cell<usize>,
        stage: Option<Unready>,
        times: Cell<u32>,
    }

    impl Functions for Deployed {
        async fn code(&self, _function: &str) -> Result<FunctionCode, TargetError> {
            let asked = self.asked.replace(self.asked.get() + 1);
            Ok(FunctionCode {
                digest: self.digest.into(),
                trouble: (asked == 0).then(|| Unready::NotYet("Pending".into())),
            })
        }
        async fn replace_code(&self, _function: &str, _asset: &Asset) -> Result<(), TargetError> {
            Ok(())
        }
    }

    impl Gateways for Deployed {
        async fn stage_trouble(
            &self,
            _api: &str,
            _stage: &StageName,
        ) -> Result<Option<Unready>, TargetError> {
            let left = self.times.get();
            self.times.set(left.saturating_sub(1));
            Ok(self.stage.clone().filter(|_| left > 0))
        }
        async fn endpoint(
            &self,
            _api: &str,
            _stage: &StageName,
        ) -> Result<Option<String>, TargetError> {
            Ok(None)
        }
    }

    impl Inventory for FakeStacks {
        async fn resources(&self, _stack: &StackName) -> Result<Vec<Resource>, TargetError> {
            Ok([("F", FUNCTION), ("A", API)]
                .map(|(id, kind)| Resource {
                    logical_id: id.into(),
                    physical_id: id.into(),
                    resource_type: kind.into(),
                })
                .into())
        }
    }

    async fn verified(
        digest: &'static str,
        stage: Option<Unready>,
        times: u32,
    ) -> (Result<Verified, TargetError>, String) {
        let deployed = Deployed {
            digest,
            asked: Cell::new(0),
            stage,
            times: Cell::new(times),
        };
        let stacks = FakeStacks::absent();
        let (stack, stage) = ("chat".parse().unwrap(), "v1".parse().unwrap());
        let code = [("F".to_owned(), asset("ab"))].into();
        let mut reported = Transcript::default();
        let (functions, gateways) = (&deployed, &deployed);
        let verified = verify(
            &stacks,
            functions,
            gateways,
            &stack,
            &stage,
            &code,
            &mut reported,
        )
        .await;
        (verified, reported.lines)
    }

    fn same(complaint: Option<&str>) -> Verified {
        Verified::Same {
            reported: "the function runs what was published".to_owned(),
            complaint: complaint.map(str::to_owned),
        }
    }

    #[tokio::test]
    async fn functions_that_become_ready_with_the_published_code_pass() {
        assert_eq!(verified("AB", None, 0).await.0.unwrap(), same(None));
    }

    #[tokio::test]
    async fn a_function_with_other_code_is_named() {
        assert_eq!(
            verified("cd", None, 0).await.0.unwrap(),
            Verified::Different(vec!["F".into()])
        );
    }

    #[tokio::test]
    async fn a_stage_whose_record_complains_is_waited_for_and_reported_after_a_while() {
        for words in COMPLAINTS {
            let says = Some(Unready::Reported(words.to_owned()));
            let (soon, reported) = verified("ab", says.clone(), REPORTED_AFTER).await;
            assert_eq!((soon.unwrap(), reported.as_str()), (same(None), ""));
            let (late, reported) = verified("ab", says, MAX_QUESTIONS).await;
            assert_eq!(late.unwrap(), same(None));
            assert_eq!(
                reported,
                format!(
                    "notice API Gateway's record of the last automatic deployment of stage v1 says: {words}; waiting for \
                     its next one\n"
                )
            );
        }
    }

    #[tokio::test]
    async fn a_stage_whose_record_still_complains_is_left_to_the_probe() {
        for words in COMPLAINTS {
            let says = Some(Unready::Reported(words.to_owned()));
            let (verified, _) = verified("ab", says, u32::MAX).await;
            assert_eq!(verified.unwrap(), same(Some(words)));
        }
    }

    #[tokio::test]
    async fn a_stage_that_never_comes_is_given_up() {
        let waits = Unready::NotYet("there is no stage yet".into());
        assert!(verified("ab", Some(waits), u32::MAX).await.0.is_err());
    }
}
