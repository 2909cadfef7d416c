//! What the commands for AWS share: preflight, and a deployment put together from settings.

use std::collections::BTreeMap;
use std::path::Path;

use crate::aws::{AwsTarget, Identity};
use crate::config::Settings;
use crate::engine::preflight::Check;
use crate::engine::{Asset, Deployment, Pace, Refusal, TargetError};
use crate::error::CommandError;
use crate::stack::render::{for_emulator, parameter, render};

/// Looks at everything that a deployment needs; touches nothing. The identity is there when the credentials are.
pub(super) async fn preflight(
    settings: &Settings,
    prebuilt: Option<&Path>,
) -> (Vec<Check>, Option<(AwsTarget, Identity)>) {
    let mut checks = vec![Check::new("handlers", toolchain(prebuilt).await)];
    let target = match AwsTarget::connect(&settings.aws).await {
        Ok(target) => target,
        Err(error) => {
            checks.push(Check::new("region", Err(error)));
            return (checks, None);
        }
    };
    checks.push(Check::new("region", Ok(target.region.clone())));
    let identity = match target.identity().await {
        Ok(identity) => identity,
        // Whatever else is asked would be refused for the same reason.
        Err(error) => {
            checks.push(Check::new("credentials", Err(error)));
            return (checks, None);
        }
    };
    let who = format!("account {} as {}", identity.account, identity.short());
    checks.push(Check::new("credentials", Ok(who)));
    let bucket = target.bucket(&identity);
    let (bucket_found, stack_found) =
        tokio::join!(bucket.exists(), target.stacks.record(&settings.stack));
    let found = bucket_found.map(|exists| match exists {
        true => "bucket is there".to_owned(),
        false => "bucket will be made".to_owned(),
    });
    checks.push(Check::new("bucket", found));
    let found = stack_found.and_then(|record| match record {
        None => Ok(format!("stack {} is new", settings.stack)),
        Some(record) => match record.stuck() {
            Some(error) => Err(error),
            None => Ok(format!("stack {} is {}", record.name, record.status.word())),
        },
    });
    checks.push(Check::new("stack", found));
    (checks, Some((target, identity)))
}

/// Whether handlers can be had.
async fn toolchain(prebuilt: Option<&Path>) -> Result<String, TargetError> {
    if let Some(path) = prebuilt {
        return match path.exists() {
            true => Ok("handlers given".into()),
            false => Err(TargetError::new(
                Refusal::Usage,
                format!("there are no handlers at {}", path.display()),
            )
            .with_hint("`--handlers` takes an executable, or a folder with one named `bootstrap`")),
        };
    }
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = tokio::process::Command::new(&cargo)
        .arg("--version")
        .output()
        .await;
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Ok(output) => Err(TargetError::new(
            Refusal::Usage,
            format!(
                "`{cargo} --version` failed: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            ),
        )
        .with_hint("repair the Rust toolchain, or pass built handlers with `--handlers FILE`")),
        Err(source) => Err(TargetError {
            source: Some(Box::new(source)),
            ..TargetError::new(Refusal::Usage, format!("could not start {cargo}"))
        }
        .with_hint("install a Rust toolchain, or pass built handlers with `--handlers FILE`")),
    }
}

/// The deployment of `settings` with the handlers in `asset`.
///
/// # Errors
/// The handlers are built for another processor than the config asks for.
pub(super) fn deployment(
    settings: &Settings,
    asset: Asset,
    tags: BTreeMap<String, String>,
    pace: Pace,
) -> Result<Deployment, CommandError> {
    if let Some(wanted) = settings.aws.architecture
        && wanted.word() != asset.architecture
    {
        let message = format!(
            "the handlers are built for {}, and chatctl.toml asks for {}",
            asset.architecture,
            wanted.word()
        );
        let hint = "build them for that processor, or change `architecture` under `[aws]`";
        return Err(CommandError::usage(message, hint));
    }
    let template = render(settings);
    let template = match &settings.aws.endpoint {
        Some(endpoint) => for_emulator(&template, endpoint),
        None => template,
    };
    Ok(Deployment {
        stack: settings.stack.clone(),
        template,
        parameters: BTreeMap::from([
            (parameter::CODE_BUCKET.to_owned(), asset.bucket.clone()),
            (parameter::CODE_KEY.to_owned(), asset.key.clone()),
            (
                parameter::ARCHITECTURE.to_owned(),
                asset.architecture.to_owned(),
            ),
        ]),
        asset,
        tags,
        pace,
    })
}

/// The error of a command that needs a deployed stack.
pub(super) fn not_deployed(settings: &Settings, region: &str) -> CommandError {
    CommandError::usage(
        format!("there is no stack `{}` in {region}", settings.stack),
        "`chatctl deploy` makes it; another region or account may have it (`--region`, `--profile`)",
    )
}
