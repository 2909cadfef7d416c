//! What the commands for AWS share: preflight, and a deployment put together from settings.

use std::collections::BTreeMap;
use std::time::Instant;

use super::waits::late_target;
use crate::aws::{AwsTarget, Bucket, Identity};
use crate::config::Settings;
use crate::engine::preflight::Check;
use crate::engine::{
    Asset, AssetStore, DeployEvent, Deployment, Gateways, Inventory, Pace, Refusal, Reporter, Step,
    TargetError, limits,
};
use crate::error::CommandError;
use crate::packaging::{self, Artifact, Built, Source};
use crate::stack::Outputs;
use crate::stack::render::{for_emulator, output, render};
use crate::terminal::megabytes;

/// Looks at everything that a deployment needs; touches nothing. The identity is there when the credentials are.
pub(super) async fn preflight(
    settings: &Settings,
    source: Source<'_>,
) -> (Vec<Check>, Option<(AwsTarget, Identity)>) {
    let mut checks = packaging::checks(settings, source).await;
    checks.extend(reachable(settings));
    let mut found = None;
    let asking = async {
        ask_aws(settings, &mut checks, &mut found).await;
        Ok(())
    };
    let outcome = limits::within(limits::ASKING, asking, |minutes| {
        late_target("find out what there is in AWS", minutes)
    });
    if let Err(error) = outcome.await {
        checks.push(Check::new("AWS", Err(error)));
    }
    (checks, found)
}

async fn ask_aws(
    settings: &Settings,
    checks: &mut Vec<Check>,
    found: &mut Option<(AwsTarget, Identity)>,
) {
    let target = match AwsTarget::connect(&settings.aws).await {
        Ok(target) => target,
        Err(error) => {
            checks.push(Check::new("region", Err(error)));
            return;
        }
    };
    checks.push(Check::new("region", Ok(target.region.clone())));
    let identity = match target.identity().await {
        Ok(identity) => identity,
        // Whatever else is asked would be refused for the same reason.
        Err(error) => {
            checks.push(Check::new("credentials", Err(error)));
            return;
        }
    };
    let who = format!("account {} as {}", identity.account, identity.short());
    checks.push(Check::new("credentials", Ok(who)));
    let bucket = target.bucket(&identity);
    let (bucket_found, stack_found) =
        tokio::join!(bucket.exists(), target.stacks.record(&settings.stack));
    let bucket_found = bucket_found.map(|exists| match exists {
        true => "bucket is there".to_owned(),
        false => "bucket will be made".to_owned(),
    });
    if settings.has_functions() {
        checks.push(Check::new("bucket", bucket_found));
    }
    let stack_found = stack_found.and_then(|record| match record {
        None => Ok(format!("stack {} is new", settings.stack)),
        Some(record) => match record.stuck() {
            Some(error) => Err(error),
            None => Ok(format!("stack {} is {}", record.name, record.status.word())),
        },
    });
    checks.push(Check::new("stack", stack_found));
    *found = Some((target, identity));
}

/// Whether API Gateway could reach the backends that routes lead to, as far as their addresses say.
fn reachable(settings: &Settings) -> Option<Check> {
    let found: Vec<_> = settings
        .backends()
        .map(|(key, url)| (key, url, url.private()))
        .collect();
    if found.is_empty() {
        return None;
    }
    let mut private: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for (key, url, why) in &found {
        if let Some(why) = why {
            let routes = private.entry((url.origin(), why)).or_default();
            routes.push(format!("`{key}`"));
        }
    }
    let told: Vec<_> = private
        .iter()
        .map(|((origin, why), routes)| {
            format!("AWS cannot reach {origin} ({}): {why}", routes.join(", "))
        })
        .collect();
    let outcome = match told.len() {
        0 => Ok(format!("{} backend addresses are public", found.len())),
        _ => Err(TargetError::new(Refusal::Usage, told.join("; ")).with_hint(
            "give it a public address, for example that of a tunnel to this machine; `--local` can use it as it is",
        )),
    };
    Some(Check::new("backend", outcome))
}

/// Makes what functions run, and tells how big it is, what it runs on and why.
///
/// # Errors
/// It cannot be built, or Lambda could not run it.
pub(super) async fn build(
    settings: &Settings,
    source: Source<'_>,
    reporter: &mut impl Reporter,
) -> Result<Built<Artifact>, CommandError> {
    if !settings.has_functions() {
        return Ok(Built::new());
    }
    let started = Instant::now();
    reporter.report(&DeployEvent::Started(Step::Build));
    let built = packaging::artifacts(settings, source, reporter).await?;
    let told = built.values().map(|artifact| {
        format!(
            "{} {}, zip {} ({})",
            artifact.name,
            megabytes(artifact.size),
            megabytes(artifact.zip.len() as u64),
            artifact.note
        )
    });
    reporter.report(&DeployEvent::Finished {
        step: Step::Build,
        detail: told.collect::<Vec<_>>().join("; "),
        took: started.elapsed(),
    });
    Ok(built)
}

/// Where everything in `built` would be published.
///
/// # Errors
/// The target cannot be asked.
pub(super) async fn located(
    settings: &Settings,
    bucket: &Bucket,
    built: &Built<Artifact>,
) -> Result<Built<Asset>, CommandError> {
    let mut assets = Built::new();
    for (parameter, artifact) in built {
        let asset = bucket.locate(&settings.stack, artifact).await?;
        assets.insert(parameter.clone(), asset);
    }
    Ok(assets)
}

/// The deployment of `settings` with `code`.
pub(super) fn deployment(
    settings: &Settings,
    code: Built<Asset>,
    tags: BTreeMap<String, String>,
    pace: Pace,
) -> Deployment {
    let template = render(settings);
    let template = match &settings.aws.endpoint {
        Some(endpoint) => for_emulator(&template, endpoint),
        None => template,
    };
    Deployment {
        tags,
        pace,
        ..Deployment::new(settings.stack.clone(), template, code)
    }
}

/// The stack's WebSocket URL: from its outputs; else, for a stack that has lost them, from API Gateway itself.
///
/// # Errors
/// API Gateway cannot be asked.
pub(super) async fn endpoint(
    settings: &Settings,
    target: &AwsTarget,
    outputs: &Outputs,
) -> Result<Option<String>, TargetError> {
    match outputs.get(output::URL) {
        Some(url) => Ok(Some(url.clone())),
        None => {
            let resources = target.stacks.resources(&settings.stack).await?;
            // Not by its tags: a stack's have been reported to be missing on WebSocket APIs
            // (https://github.com/serverless/serverless/pull/10931).
            let api = resources
                .iter()
                .find(|resource| resource.resource_type == "AWS::ApiGatewayV2::Api");
            let Some(api) = api else {
                return Ok(None);
            };
            let (api, stage) = (&api.physical_id, &settings.stage);
            target.gateways.endpoint(api, stage).await
        }
    }
}

/// The error of a command that needs a deployed stack.
pub(super) fn not_deployed(settings: &Settings, region: &str) -> CommandError {
    CommandError::usage(
        format!("there is no stack `{}` in {region}", settings.stack),
        "`chatctl deploy` makes it; another region or account may have it (`--region`, `--profile`)",
    )
}
