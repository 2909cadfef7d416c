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
    self, Asset, DeployEvent, Refusal, Reporter, Step, TargetError, Verified, limits,
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
        TargetError::new(Refusal::Failed, message)
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
    let probed = probed.map_err(|error| where_it_failed(error, identity));
    let Some(words) = complaint else {
        return probed.map(|()| url);
    };
    probed.map_err(|error| match error.exit {
        exit::STACK_FAILED => error.or_hint(Some(engine::complaining(stage, &words))),
        _ => error,
    })?;
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

/// What fails in one partition only has its reason there.
fn where_it_failed(error: CommandError, identity: &Identity) -> CommandError {
    let is_interrupted = error.exit == exit::INTERRUPTED;
    match identity.partition() {
        "aws-cn" if !is_interrupted => error.or_hint(Some(CHINA.to_owned())),
        _ => error,
    }
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
                    let error = TargetError::new(Refusal::Failed, message);
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
