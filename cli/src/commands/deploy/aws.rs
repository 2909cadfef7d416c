//! To AWS.

use std::cell::RefCell;
use std::time::Instant;

use serde_json::json;

use super::proof::prove;
use super::{DeployArgs, print, publish, tags};
use crate::commands::aws::{Found, build, deployment, located, moved, preflight};
use crate::commands::plan::{self, Place};
use crate::commands::waits::{asked, late, late_target};
use crate::commands::{leaving, or_interrupted};
use crate::error::CommandError;
use crate::terminal::{AnyReporter, Output, Terminal};
use chatctl_deploy::aws::AwsTarget;
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::preflight::judge;
use chatctl_deploy::engine::{
    self, ChangeSet, DeployEvent, DeployMode, Deployment, ErrorKind, Prepared, Reporter, Stacks,
    Step, TargetError, limits, silence,
};
use chatctl_deploy::packaging::{Artifact, Built, Source};
use chatctl_deploy::stack::Outputs;
use chatctl_deploy::stack::change::ChangeSummary;
use chatctl_deploy::stack::outline::outline;
use chatctl_deploy::stack::render::is_code_only;

pub(super) async fn run(
    args: &DeployArgs,
    terminal: Terminal,
    settings: &Settings,
) -> Result<(), CommandError> {
    let reporter = RefCell::new(terminal.reporter());
    silence::telling(&reporter, deploy(args, terminal, settings, &reporter)).await
}

async fn deploy(
    args: &DeployArgs,
    terminal: Terminal,
    settings: &Settings,
    shared: &RefCell<AnyReporter>,
) -> Result<(), CommandError> {
    let mut reporter = shared;
    let untouched = "nothing was touched in AWS";
    let found = or_interrupted(checked(args, settings, &mut reporter))
        .await
        .map_err(leaving(untouched))?;
    let (target, bucket) = (&found.target, &found.target.bucket(&found.identity));
    if found.is_new {
        let place = Place::Aws(&target.region);
        plan::tell(terminal, settings, args.handlers.as_deref(), &place)?;
    }
    let building = build(settings, source(args), found.deployed, &mut reporter);
    let built = or_interrupted(building).await.map_err(leaving(untouched))?;
    let moved = moved(settings, source(args), found.deployed, &built);
    let of_partition = found.identity.caution().map(str::to_owned);
    let cautions = settings
        .cautions()
        .into_iter()
        .chain(found.cautions.clone());
    let cautions: Vec<_> = cautions.chain(moved).chain(of_partition).collect();
    if args.dry_run {
        let code = or_interrupted(located(settings, bucket, &built)).await?;
        let deployment = deployment(settings, &target.region, code, tags(args)?, pace(args));
        let summary = engine::preview(&target.stacks, deployment, &mut reporter)
            .await
            .map_err(|error| leaving("nothing was changed")(error.into()))?;
        shared.replace(terminal.quiet());
        show_dry_run(terminal, settings, summary.as_ref(), &cautions);
        return Ok(());
    }
    let left = "no stack was touched; what was published already serves the next deployment";
    let publishing = published(args, settings, &found, &built, &mut reporter);
    let deployment = or_interrupted(publishing)
        .await
        .map_err(leaving(left))
        .map_err(|error| error.after(left))?;
    let code = deployment.code_of_functions();
    let outputs = match swapped(args, settings, target, &deployment, &mut reporter).await? {
        Some(outputs) => outputs,
        None => {
            deployed(
                args, terminal, settings, &cautions, target, deployment, shared,
            )
            .await?
        }
    };
    let stack = &settings.stack;
    if let Some(protected) = args.protect {
        let protecting = target.stacks.protect(stack, protected).await;
        protecting.map_err(|error| {
            error.after(|| {
                format!(
                    "stack `{stack}` is deployed; whether it may be deleted is as it was before"
                )
            })
        })?;
    }
    let identity = &found.identity;
    let proving = prove(
        args,
        settings,
        target,
        identity,
        &code,
        &outputs,
        &mut reporter,
    );
    let unproven =
        format!("stack `{stack}` is deployed, only the proof that it answers is missing");
    let proven = limits::within(limits::PROVING, proving, |minutes| {
        late("find out whether what was deployed answers", minutes)
    });
    let url = proven
        .await
        .map_err(leaving(format!(
            "{unproven}; `chatctl print-connect-commands` prints how to connect"
        )))
        .map_err(|error| error.after(unproven))?;
    shared.replace(terminal.quiet());
    let next = "`chatctl status` tells how it is, `chatctl teardown` removes it";
    print(terminal, settings, &url, None, next)
}

fn source(args: &DeployArgs) -> Source<'_> {
    Source::of_flags(args.handlers.as_deref(), args.skip_target_check)
}

fn pace(args: &DeployArgs) -> DeployMode {
    if args.express {
        DeployMode::Express
    } else {
        DeployMode::Standard
    }
}

/// Everything that could stand in the way, before anything is touched.
async fn checked(
    args: &DeployArgs,
    settings: &Settings,
    reporter: &mut impl Reporter,
) -> Result<Found, CommandError> {
    let started = Instant::now();
    reporter.report(&DeployEvent::Started(Step::Check));
    let (checks, found) = preflight(settings, source(args)).await;
    let detail = judge(checks)?;
    reporter.report(&DeployEvent::Finished {
        step: Step::Check,
        detail,
        took: started.elapsed(),
    });
    let found = found.ok_or_else(|| {
        TargetError::new(
            ErrorKind::Unexpected,
            "the checks passed without an identity",
        )
    })?;
    Ok(found)
}

async fn published(
    args: &DeployArgs,
    settings: &Settings,
    found: &Found,
    built: &Built<Artifact>,
    reporter: &mut impl Reporter,
) -> Result<Deployment, CommandError> {
    let bytes: usize = built.values().map(|artifact| artifact.zip.len()).sum();
    let limit = limits::PUBLISHING.and(limits::upload(bytes as u64));
    let bucket = found.target.bucket(&found.identity);
    let publishing = publish(settings, &bucket, built, reporter);
    let code = limits::within(limit, publishing, |minutes| {
        late("publish the handlers", minutes)
    })
    .await?;
    let region = &found.target.region;
    Ok(deployment(settings, region, code, tags(args)?, pace(args)))
}

/// Puts new code into the functions directly if that is asked for and code is all that has changed.
async fn swapped(
    args: &DeployArgs,
    settings: &Settings,
    target: &AwsTarget,
    deployment: &Deployment,
    reporter: &mut impl Reporter,
) -> Result<Option<Outputs>, CommandError> {
    if !args.hotswap {
        return Ok(None);
    }
    let stack = &settings.stack;
    let looking = async {
        let record = target.stacks.record(stack).await?;
        let deployed = match &record {
            Some(_) => Some(target.stacks.deployed_template(stack).await?),
            None => None,
        };
        Ok::<_, TargetError>(record.zip(deployed))
    };
    let Some((record, deployed)) = or_interrupted(asked(looking)).await? else {
        reporter.report(&DeployEvent::Notice(
            "there is no stack yet: a full deployment".into(),
        ));
        return Ok(None);
    };
    let is_code_only = record.status.is_settled()
        && args.tag.is_empty()
        && is_code_only(
            (&deployed, &record.parameters),
            (&deployment.template, &deployment.parameters),
        );
    if !is_code_only {
        let text = "more than the handlers has changed: a full deployment";
        reporter.report(&DeployEvent::Notice(text.into()));
        return Ok(None);
    }
    let code = deployment.code_of_functions();
    let swapping = engine::hotswap(&target.stacks, &target.functions, stack, &code, reporter);
    limits::within(limits::PROVING, swapping, |minutes| {
        let so_far =
            "some functions may have the new code; the same command again puts it into the rest";
        late_target("put the new code into all functions", minutes).after(|| so_far.to_owned())
    })
    .await?;
    let text = "the stack's own record now differs from what runs, until the next `chatctl deploy`";
    reporter.report(&DeployEvent::Notice(text.into()));
    Ok(Some(record.outputs))
}

/// The full deployment, with its question, which needs the terminal for itself.
async fn deployed(
    args: &DeployArgs,
    terminal: Terminal,
    settings: &Settings,
    cautions: &[String],
    target: &AwsTarget,
    deployment: Deployment,
    shared: &RefCell<AnyReporter>,
) -> Result<Outputs, CommandError> {
    let mut reporter = shared;
    let taken_back = "what was being prepared has been taken back, nothing that serves was changed";
    let prepared = engine::prepare(&target.stacks, deployment, &mut reporter).await;
    let change_set = match prepared.map_err(|error| leaving(taken_back)(error.into()))? {
        Prepared::NoChanges(outputs) => return Ok(outputs),
        Prepared::ChangeSet(change_set) => change_set,
    };
    // Bars would be drawn over the question.
    shared.replace(terminal.quiet());
    let limits = settings.limits();
    let agreed = agree(&change_set, &limits, cautions, terminal, args.yes).await;
    if !matches!(agreed, Ok(true)) {
        let discarded = target.stacks.discard(&change_set).await;
        agreed.map_err(leaving(taken_back))?;
        discarded.map_err(|error| {
            let so_far = "nothing was changed; what was prepared is still there, and the next deployment removes it";
            error.after(|| so_far.to_owned())
        })?;
        return Err(CommandError::usage(
            "declined, nothing was changed",
            "`chatctl diff` shows again what would change",
        ));
    }
    shared.replace(terminal.reporter());
    let executing = engine::execute_with_second_try(&target.stacks, *change_set, &mut reporter);
    Ok(executing.await?)
}

async fn agree(
    change_set: &ChangeSet,
    limits: &str,
    cautions: &[String],
    terminal: Terminal,
    yes: bool,
) -> Result<bool, CommandError> {
    for line in outline(&change_set.summary) {
        terminal.say(&format!("          {line}"));
    }
    terminal.say(&format!("          {limits}"));
    for caution in cautions {
        match terminal.output {
            Output::Json => {
                terminal.result_json(&json!({"type": "notice", "message": caution}));
            }
            Output::Text => terminal.warn(&format!("          {caution}")),
        }
    }
    let lost: Vec<_> = change_set
        .summary
        .lost_tables()
        .map(|change| change.logical_id.as_str())
        .collect();
    if !lost.is_empty() {
        terminal.warn(&format!(
            "          the items of table {} are lost",
            lost.join(", ")
        ));
    }
    terminal.confirm("Deploy this?", yes).await
}

fn show_dry_run(
    terminal: Terminal,
    settings: &Settings,
    summary: Option<&ChangeSummary>,
    cautions: &[String],
) {
    if terminal.output == Output::Json {
        terminal.result_json(&json!({
            "type": "result",
            "stack": settings.stack,
            "dryRun": true,
            "changed": summary.is_some(),
            "summary": summary,
            "throttle": settings.throttle,
            "notices": cautions,
        }));
        return;
    }
    let Some(summary) = summary else {
        terminal.result("nothing would change");
        return;
    };
    for line in outline(summary) {
        terminal.result_text(&line);
    }
    terminal.result_text(&settings.limits());
    for caution in cautions {
        terminal.warn(caution);
    }
    terminal.say(&format!("\n{summary}; nothing was changed"));
}
