//! Proves that what was deployed to AWS is what runs, and that it answers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{DeployArgs, probe};
use crate::commands::aws::endpoint;
use crate::commands::or_interrupted;
use crate::error::{CommandError, exit};
use chatctl_deploy::aws::{AwsTarget, CHINA, Identity};
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::{
    self, Asset, DeployEvent, ErrorKind, Reporter, Step, TargetError, Verified, limits,
};
use chatctl_deploy::stack::Outputs;
use chatctl_deploy::stack::few::few;

/// A stage that has just been deployed may answer 403, or not know all of its routes, for some seconds.
const PATIENCE: Duration = Duration::from_secs(40);

/// Compares what runs with `code`, by the functions' logical ids, and sends messages through it unless `args` forbid
/// that; the answer is the endpoint.
///
/// Of the two proofs the messages weigh more: what API Gateway has on record of the stage may be older than what it
/// serves. Where they go through it is only told.
///
/// # Errors
/// Something else runs, or it does not answer.
pub(super) async fn prove(
    args: &DeployArgs,
    settings: &Settings,
    target: &AwsTarget,
    identity: &Identity,
    code: &BTreeMap<String, Asset>,
    outputs: &Outputs,
    reporter: &mut impl Reporter,
) -> Result<String, CommandError> {
    let (stack, stage) = (&settings.stack, &settings.stage);
    let complaint = verified(settings, target, code, reporter).await?;
    let url = endpoint(settings, target, outputs).await?.ok_or_else(|| {
        let message = format!("stack `{stack}` has no WebSocket API");
        TargetError::new(ErrorKind::Failed, message)
    })?;
    if args.no_probe {
        if let Some(words) = complaint {
            let text = format!(
                "{}; whether it answers was not tried (`--no-probe`), `chatctl chat` tries it",
                engine::complaining(stage, &words)
            );
            reporter.report(&DeployEvent::Notice(text));
        }
        return Ok(url);
    }
    let probed = probe(&url, settings, limits::scaled(PATIENCE), reporter).await;
    let complained = complaint
        .as_ref()
        .map(|words| engine::complaining(stage, words));
    probed.map_err(|error| explained(error, identity.partition(), complained))?;
    if complaint.is_none() {
        return Ok(url);
    }
    let asking = engine::complaint(&target.stacks, &target.gateways, stack, stage);
    if let Some(words) = or_interrupted(asking).await? {
        let text = format!(
            "{}; it answers all the same. If something that has just changed is missing, deploy again",
            engine::complaining(stage, &words)
        );
        reporter.report(&DeployEvent::Notice(text));
    }
    Ok(url)
}

/// A failed probe with what is known besides: what only this partition asks for, and what the stage's record complains of.
fn explained(error: CommandError, partition: &str, complained: Option<String>) -> CommandError {
    if error.exit != exit::STACK_FAILED {
        return error;
    }
    let of_partition = (partition == "aws-cn").then(|| CHINA.to_owned());
    let known: Vec<_> = of_partition.into_iter().chain(complained).collect();
    error.or_hint((!known.is_empty()).then(|| known.join("; ")))
}

/// Compares what the functions run with what was published, and puts it right where somebody has changed it past
/// the stack, which CloudFormation does not notice. The answer is what the stage's record still complains of.
async fn verified(
    settings: &Settings,
    target: &AwsTarget,
    code: &BTreeMap<String, Asset>,
    reporter: &mut impl Reporter,
) -> Result<Option<String>, CommandError> {
    let (stack, stage) = (&settings.stack, &settings.stage);
    let AwsTarget {
        stacks,
        functions,
        gateways,
        ..
    } = target;
    let started = Instant::now();
    reporter.report(&DeployEvent::Started(Step::Verify));
    let asking = engine::verify(stacks, functions, gateways, stack, stage, code, reporter);
    let (detail, complaint) = match or_interrupted(asking).await? {
        Verified::Same { told, complaint } => (told, complaint),
        Verified::Different(others) => {
            reporter.report(&DeployEvent::Notice(format!(
                "{} run other code than the stack's record says; putting the published code in",
                few(&others)
            )));
            engine::hotswap(stacks, functions, stack, code, reporter).await?;
            let asking = engine::verify(stacks, functions, gateways, stack, stage, code, reporter);
            match or_interrupted(asking).await? {
                Verified::Same { told, complaint } => (told, complaint),
                Verified::Different(others) => {
                    let message = format!(
                        "{} do not run what was published, also after it was put in again",
                        few(&others)
                    );
                    let error = TargetError::new(ErrorKind::Failed, message);
                    return Err(error
                        .with_hint("see who else changes these functions")
                        .into());
                }
            }
        }
    };
    reporter.report(&DeployEvent::Finished {
        step: Step::Verify,
        detail,
        took: started.elapsed(),
    });
    Ok(complaint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_probe_in_china_names_the_licence_also_beside_what_the_stage_complains_of() {
        let failed = || CommandError::from(TargetError::new(ErrorKind::Failed, "no answer"));
        let hint = |partition: &str, complained: Option<&str>| {
            let error = explained(failed(), partition, complained.map(str::to_owned));
            error.hint().unwrap_or_default().to_owned()
        };
        assert!(hint("aws-cn", None).contains("ICP licence"));
        let both = hint("aws-cn", Some("the stage complains"));
        assert!(both.contains("ICP licence") && both.ends_with("the stage complains"));
        assert_eq!(
            hint("aws", Some("the stage complains")),
            "the stage complains"
        );
        assert_eq!(hint("aws", None), "");
        let interrupted = CommandError::from(TargetError::interrupted());
        assert_eq!(explained(interrupted, "aws-cn", None).hint(), None);
    }
}
