//! Proves that what was deployed is what runs: before any message is sent, as AWS's own records say.

use std::collections::BTreeMap;

use super::refusal::{Refusal, TargetError};
use super::target::{Asset, Functions, Gateways, Inventory, Stacks, Trouble};
use crate::config::names::{StackName, StageName};

/// How often something that is not ready yet is asked again.
const PATIENCE: u32 = 40;

const FUNCTION: &str = "AWS::Lambda::Function";
const API: &str = "AWS::ApiGatewayV2::Api";

/// What a stack's functions run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verified {
    /// All of them what they should; the line for the reader.
    Same(String),
    /// These, by logical id, run something else: somebody has changed them past the stack.
    Different(Vec<String>),
}

/// Waits until every function of `stack` can be invoked, then compares what they run with `code` (by their
/// logical ids), and asks whether `stage` serves.
///
/// # Errors
/// [`TargetError`] when something will not serve by itself, or has not after a while.
pub(crate) async fn verify(
    stacks: &(impl Stacks + Inventory),
    functions: &impl Functions,
    gateways: &impl Gateways,
    stack: &StackName,
    stage: &StageName,
    code: &BTreeMap<String, Asset>,
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
    for api in of(API) {
        let mut quiet = 0;
        while let Some(trouble) = gateways.stage_trouble(&api.physical_id, stage).await? {
            let subject = format!("stage {stage}");
            wait_or_give_up(&subject, &trouble, &mut quiet, stacks).await?;
        }
    }
    Ok(Verified::Same(match of(FUNCTION).count() {
        0 => "the stage serves".into(),
        1 => "the function runs what was published".into(),
        count => format!("{count} functions run what was published"),
    }))
}

async fn wait_or_give_up(
    subject: &str,
    trouble: &Trouble,
    quiet: &mut u32,
    stacks: &impl Stacks,
) -> Result<(), TargetError> {
    let (reason, is_over) = match trouble {
        Trouble::Broken(reason) => (reason, true),
        Trouble::NotYet(reason) => (reason, *quiet == PATIENCE),
    };
    if is_over {
        let message = format!("{subject} does not serve: {reason}");
        return Err(TargetError::new(Refusal::Failed, message)
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
    use crate::engine::fake::FakeStacks;
    use std::cell::Cell;

    /// Functions that become ready at the second question, and a stage that says `stage`.
    struct Deployed {
        digest: &'static str,
        asked: Cell<usize>,
        stage: Option<Trouble>,
    }

    impl Functions for Deployed {
        async fn code(&self, _function: &str) -> Result<FunctionCode, TargetError> {
            let asked = self.asked.replace(self.asked.get() + 1);
            Ok(FunctionCode {
                digest: self.digest.into(),
                trouble: (asked == 0).then(|| Trouble::NotYet("Pending".into())),
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
        ) -> Result<Option<Trouble>, TargetError> {
            Ok(self.stage.clone())
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
        stage: Option<Trouble>,
    ) -> Result<Verified, TargetError> {
        let deployed = Deployed {
            digest,
            asked: Cell::new(0),
            stage,
        };
        let stacks = FakeStacks::absent();
        let (stack, stage) = ("chat".parse().unwrap(), "v1".parse().unwrap());
        let code = [("F".to_owned(), asset("ab"))].into();
        verify(&stacks, &deployed, &deployed, &stack, &stage, &code).await
    }

    #[tokio::test]
    async fn functions_that_become_ready_with_the_published_code_pass() {
        let line = "the function runs what was published".to_owned();
        assert_eq!(verified("AB", None).await.unwrap(), Verified::Same(line));
    }

    #[tokio::test]
    async fn a_function_with_other_code_is_named() {
        assert_eq!(
            verified("cd", None).await.unwrap(),
            Verified::Different(vec!["F".into()])
        );
    }

    #[tokio::test]
    async fn a_stage_that_could_not_be_deployed_is_an_error_with_its_reason() {
        let broken = Trouble::Broken("Deployment attempt failed: no routes".into());
        let error = verified("ab", Some(broken)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "stage v1 does not serve: Deployment attempt failed: no routes"
        );
    }

    #[tokio::test]
    async fn a_stage_that_never_comes_is_given_up() {
        let waits = Trouble::NotYet("there is no stage yet".into());
        assert!(verified("ab", Some(waits)).await.is_err());
    }
}
