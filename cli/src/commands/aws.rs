//! What the commands for AWS share: preflight, the build, and what is said of them.

use std::collections::BTreeMap;

use super::{concurrency, named, quota};
use crate::error::CommandError;
use chatctl_deploy::aws::{AwsAccount, AwsTarget};
use chatctl_deploy::config::auth::Proof;
use chatctl_deploy::config::{Architecture, Settings};
use chatctl_deploy::engine::cloud::StackRecord;
use chatctl_deploy::engine::preflight::Check;
use chatctl_deploy::engine::{self, ErrorKind, Reporter, TargetError, limits};
use chatctl_deploy::packaging::{self, Artifact, Built, Source};
use chatctl_deploy::stack::Outputs;
use chatctl_deploy::stack::change::ChangeSummary;
use chatctl_deploy::stack::few::{few, few_between};
use chatctl_deploy::stack::overlay::Additions;
use chatctl_deploy::stack::quota::needs_bucket;
use chatctl_deploy::stack::render::{parameter, render_for_account};
use chatctl_deploy::stack::size::megabytes;

/// What [`preflight`] has found out on its way.
pub(super) type Found = engine::Found<AwsAccount>;

/// Looks at everything that a deployment needs; touches nothing. The answer is there when the credentials are.
pub(super) async fn preflight(
    settings: &Settings,
    source: Source<'_>,
) -> (Vec<Check>, Option<Found>) {
    let (of_account, found) = in_the_account(settings).await;
    let deployed = found.as_ref().and_then(|found| found.deployed);
    let mut checks = packaging::checks(settings, source, deployed).await;
    checks.extend(quota::preflight(settings));
    checks.extend(reachable(settings));
    checks.extend(proof(settings));
    checks.extend(of_account);
    (checks, found)
}

async fn in_the_account(settings: &Settings) -> (Vec<Check>, Option<Found>) {
    let (mut checks, mut found) = (Vec::new(), None);
    let asking = async {
        ask_aws(settings, &mut checks, &mut found).await;
        Ok(())
    };
    let outcome = limits::within(limits::ASKING, asking, |minutes| {
        TargetError::late("find out what there is in AWS", minutes)
    });
    if let Err(error) = outcome.await {
        checks.push(Check::new("AWS", Err(error)));
    }
    (checks, found)
}

async fn ask_aws(settings: &Settings, checks: &mut Vec<Check>, found: &mut Option<Found>) {
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
        // AWS would refuse the other requests for the same reason.
        Err(error) => {
            checks.push(Check::new("credentials", Err(error)));
            return;
        }
    };
    let who = format!("account {} as {}", identity.account, identity.short());
    checks.push(Check::new("credentials", Ok(who)));
    if let Err(error) = target.check_account(&identity) {
        checks.push(Check::new("rules", Err(error)));
    }
    let account = AwsAccount::new(target, identity);
    let target = &account.target;
    let (bucket_found, stack_found) = tokio::join!(
        account.bucket.check(),
        target.stacks.record(&settings.stack)
    );
    // On its own, so that a silence is reported for it alone.
    let concurrency = match settings.has_functions() {
        true => {
            let is_new = matches!(stack_found, Ok(None));
            Some(concurrency::check(&target.functions, settings, is_new).await)
        }
        false => None,
    };
    if settings.has_functions() || needs_bucket(&render_for_account(settings, &target.region)) {
        checks.push(Check::new("bucket", bucket_found));
    }
    let (domain, naming) = named::check(settings, target).await;
    let (access_logs, lacks_log_role) = named::check_logs(settings, target).await;
    let record = stack_found.as_ref().ok().and_then(Option::as_ref);
    *found = Some(Found {
        is_new: record.is_none(),
        deployed: record.and_then(processor),
        naming,
        lacks_log_role,
        cautions: concurrency
            .iter()
            .chain(&access_logs)
            .filter_map(|check| check.caution.clone())
            .chain(record.and_then(|record| kept_role(settings, record)))
            .collect(),
        account,
    });
    checks.extend(concurrency);
    checks.extend(domain);
    checks.extend(access_logs);
    let stack = stack_found.and_then(|record| match record {
        None => Ok(format!("stack {} is new", settings.stack)),
        Some(record) => match record.stuck() {
            Some(error) => Err(error),
            None => Ok(format!("stack {} is {}", record.name, record.status.word())),
        },
    });
    checks.push(Check::new("stack", stack));
}

/// A sentence where CloudFormation acts with a role that the config does not name.
pub(super) fn kept_role(settings: &Settings, record: &StackRecord) -> Option<String> {
    let role = record.role.as_ref()?;
    settings.aws.rules.role_arn.is_none().then(|| {
        format!(
            "CloudFormation acts with {role}, with which the stack was deployed before: a stack keeps its role until \
             another one is named (`role-arn` under `[aws]`)"
        )
    })
}

/// What the functions of a deployed stack run on.
pub(super) fn processor(record: &StackRecord) -> Option<Architecture> {
    Architecture::from_word(record.parameters.get(parameter::ARCHITECTURE)?)
}

/// A sentence where functions that are deployed are to run on another processor, and why.
pub(super) fn moved(
    settings: &Settings,
    source: Source<'_>,
    deployed: Option<Architecture>,
    built: &Built<Artifact>,
) -> Option<String> {
    let (from, to) = (deployed?, built.values().next()?.architecture);
    if from == to {
        return None;
    }
    let why = match source {
        _ if settings.aws.architecture.is_some() => "set in the config".to_owned(),
        Source::Prebuilt(_) => "the given handlers are made for it".to_owned(),
        Source::Crate(_) => format!(
            "this machine cannot build for {0}; `chatctl doctor` with `architecture = \"{0}\"` under `[aws]` tells what is missing",
            from.word()
        ),
    };
    Some(format!(
        "the functions move from {} to {}: {why}",
        from.word(),
        to.word()
    ))
}

/// Whether what proves names is there, and could be asked from AWS.
fn proof(settings: &Settings) -> Option<Check> {
    let outcome = match &settings.auth.proof {
        Proof::Claimed => return None,
        Proof::Token(held) => match settings.check_keys() {
            Ok(()) => Ok(format!("{} keys for tokens", held.keys.keys().len())),
            Err(error) => Err(TargetError::new(ErrorKind::Usage, error.to_string())
                .with_hint("`chatctl keys new` makes a key, `chatctl keys retire` takes one away")),
        },
        Proof::Jwt(issuer) if issuer.url.is_in_clear() => {
            let reported = format!("AWS cannot ask {} for keys: it is this machine", issuer.url);
            Err(TargetError::new(ErrorKind::Usage, reported)
                .with_hint("name an https `issuer` under `[auth]`, or deploy with `--local`"))
        }
        Proof::Jwt(issuer) => Ok(format!("tokens of {}", issuer.url)),
        Proof::Handler(handler) => Ok(format!(
            "your authorizer in {} decides",
            handler.folder.display()
        )),
    };
    Some(Check::new("auth", outcome))
}

/// Whether API Gateway could reach the backends that routes lead to, as far as their addresses say.
fn reachable(settings: &Settings) -> Option<Check> {
    let found: Vec<_> = settings
        .backends()
        .map(|(key, backend)| (key, &backend.url, backend.url.private()))
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
    let reported: Vec<_> = private
        .iter()
        .map(|((origin, why), routes)| {
            format!("AWS cannot reach {origin} ({}): {why}", few(routes))
        })
        .collect();
    let outcome = match reported.len() {
        0 => Ok(format!("{} backend addresses are public", found.len())),
        _ => Err(TargetError::new(ErrorKind::Usage, few_between(&reported, "; ")).with_hint(
            "give it a public address, for example that of a tunnel to this machine; `--local` can use it as it is",
        )),
    };
    Some(Check::new("backend", outcome))
}

/// What was built: its size, its processor and why it is that one.
pub(super) fn in_words(built: &Built<Artifact>) -> String {
    let reported = built.values().map(|artifact| {
        format!(
            "{} {}, zip {} ({})",
            artifact.name,
            megabytes(artifact.size),
            megabytes(artifact.zip.len() as u64),
            artifact.note
        )
    });
    few_between(&reported.collect::<Vec<_>>(), "; ")
}

/// Builds the functions' code, where there are functions, and reports what [`in_words`] says of it.
///
/// # Errors
/// It cannot be built, or Lambda could not run it.
pub(super) async fn build(
    settings: &Settings,
    source: Source<'_>,
    deployed: Option<Architecture>,
    reporter: &mut impl Reporter,
) -> Result<Built<Artifact>, CommandError> {
    let work =
        async |reporter: &mut _| packaging::artifacts(settings, source, deployed, reporter).await;
    let built = engine::build(settings, reporter, work, in_words);
    Ok(built.await?)
}

/// `summary`, with what is the overlay's marked.
pub(super) fn marked(
    additions: Option<&Additions>,
    mut summary: Option<ChangeSummary>,
) -> Option<ChangeSummary> {
    if let (Some(additions), Some(summary)) = (additions, &mut summary) {
        additions.mark(summary);
    }
    summary
}

/// The stack's WebSocket URL, where it has one.
///
/// # Errors
/// API Gateway cannot be asked.
pub(super) async fn endpoint(
    settings: &Settings,
    target: &AwsTarget,
    outputs: &Outputs,
) -> Result<Option<String>, TargetError> {
    let (stack, stage) = (&settings.stack, &settings.stage);
    engine::endpoint(&target.stacks, &target.gateways, stack, stage, outputs).await
}

/// The error of a command that needs a deployed stack.
pub(super) fn not_deployed(settings: &Settings, region: &str) -> CommandError {
    CommandError::usage(
        format!("there is no stack `{}` in {region}", settings.stack),
        "`chatctl deploy` makes it; another region or account may have it (`--region`, `--profile`)",
    )
}
