//! To AWS.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::json;

use super::{DeployArgs, DeployedChat, log_role};
use crate::commands::aws::{Found, build, deployment, located, marked, moved, preflight, template};
use crate::commands::plan::{self, StackLocation};
use crate::commands::tokens::Prover;
use crate::commands::waits::asked;
use crate::commands::{leaving, named, or_interrupted};
use crate::error::CommandError;
use crate::terminal::{AnyReporter, Output, Terminal};
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::preflight::judge;
use chatctl_deploy::engine::{
    self, ChangeSet, Cloud, CloudOptions, DeployMode, DeployRequest, ErrorKind, Reporter, Step,
    TargetError, silence,
};
use chatctl_deploy::packaging::{Artifact, Built};
use chatctl_deploy::stack::capability::named_by_hand;
use chatctl_deploy::stack::change::ChangeSummary;
use chatctl_deploy::stack::few::few;
use chatctl_deploy::stack::outline::outline;
use chatctl_deploy::stack::overlay::Additions;
use chatctl_deploy::stack::render::render;

pub(super) async fn run(
    args: &DeployArgs,
    terminal: Terminal,
    settings: &Settings,
    prover: &Prover,
    tags: &BTreeMap<String, String>,
) -> Result<Option<DeployedChat>, CommandError> {
    let reporter = RefCell::new(terminal.reporter());
    let deploying = deploy(args, terminal, settings, prover, tags, &reporter);
    silence::reporting(&reporter, deploying).await
}

async fn deploy(
    args: &DeployArgs,
    terminal: Terminal,
    settings: &Settings,
    prover: &Prover,
    tags: &BTreeMap<String, String>,
    shared: &RefCell<AnyReporter>,
) -> Result<Option<DeployedChat>, CommandError> {
    let mut reporter = shared;
    let untouched = "nothing was touched in AWS";
    let found = or_interrupted(checked(args, settings, &mut reporter))
        .await
        .map_err(leaving(untouched))?;
    let target = &found.target;
    if found.is_new {
        let location = StackLocation::Aws(&target.region);
        plan::tell(terminal, settings, args.handlers.prebuilt(), &location)?;
    }
    let building = build(
        settings,
        args.handlers.source(),
        found.deployed,
        &mut reporter,
    );
    let built = or_interrupted(building).await.map_err(leaving(untouched))?;
    let cautions = cautions(args, settings, &found, &built);
    let store = target.bucket(&found.identity).with_tags(tags.clone());
    if args.dry_run {
        let code = or_interrupted(asked(located(settings, &store, &built))).await?;
        let deployment = deployment(
            settings,
            &target.region,
            code,
            &found.naming,
            tags.clone(),
            mode(args),
        );
        let summary = engine::preview(&target.stacks, deployment, &mut reporter)
            .await
            .map_err(|error| leaving("nothing was changed")(error.into()))?;
        let summary = marked(Additions::from_settings(settings).as_ref(), summary);
        show_dry_run(terminal, settings, summary.as_ref(), &cautions);
        return Ok(None);
    }
    if found.lacks_log_role {
        log_role::make(args, terminal, settings, target, &mut reporter).await?;
    }
    let cloud = Cloud {
        stacks: &target.stacks,
        store: &store,
        functions: &target.functions,
        gateways: &target.gateways,
    };
    let mint = |name: &str| prover.short(name);
    let request = DeployRequest {
        settings,
        template: template(settings, &target.region),
        handlers: &built,
        is_probed: !args.no_probe,
        credential: prover.probe_credential(&mint),
    };
    let options = CloudOptions {
        tags: tags.clone(),
        parameters: found.naming.parameters.clone(),
        mode: mode(args),
        is_hotswap: args.hotswap,
        protect: args.protect,
        upload: built
            .values()
            .map(|artifact| artifact.zip.len() as u64)
            .sum(),
        obstacle: found.identity.obstacle(),
    };
    let agrees = async |change_set: &ChangeSet| {
        agree(change_set, settings, &cautions, terminal, args.yes).await
    };
    let url = cloud
        .deploy(request, &options, agrees, &mut reporter)
        .await?;
    let record = named::missing_record(settings, target, &found.naming);
    Ok(Some(DeployedChat {
        url,
        page: None,
        record: or_interrupted(asked(record)).await?,
        next: "`chatctl status` tells how it is, `chatctl teardown` removes it",
    }))
}

fn mode(args: &DeployArgs) -> DeployMode {
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
    Step::Check
        .run(reporter, async |_| {
            let (checks, found) = preflight(settings, args.handlers.source()).await;
            let detail = judge(checks)?;
            let found = found.ok_or_else(|| {
                let message = "the checks passed without an identity";
                TargetError::new(ErrorKind::Unexpected, message)
            })?;
            Ok((found, detail))
        })
        .await
}

/// What the user should know before agreeing.
fn cautions(
    args: &DeployArgs,
    settings: &Settings,
    found: &Found,
    built: &Built<Artifact>,
) -> Vec<String> {
    let of_account = found.cautions.iter().cloned();
    let of_partition = found.identity.caution().map(str::to_owned);
    let cautions = settings.cautions().into_iter().chain(of_account);
    cautions
        .chain(moved(
            settings,
            args.handlers.source(),
            found.deployed,
            built,
        ))
        .chain(of_partition)
        .chain(named(settings))
        .collect()
}

/// A sentence where CloudFormation must be allowed to make resources of IAM with names of their own.
fn named(settings: &Settings) -> Option<String> {
    let template = render(settings);
    let named = named_by_hand(&template);
    (!named.is_empty()).then(|| {
        format!(
            "the overlay names resources of IAM ({}), which CloudFormation makes only with CAPABILITY_NAMED_IAM: it gets that",
            few(&named)
        )
    })
}

/// Shows what `change_set` changes, and asks whether to deploy it.
async fn agree(
    change_set: &ChangeSet,
    settings: &Settings,
    cautions: &[String],
    terminal: Terminal,
    yes: bool,
) -> Result<bool, TargetError> {
    let additions = Additions::from_settings(settings);
    let summary = marked(additions.as_ref(), Some(change_set.summary.clone()));
    let reported = additions.iter().map(Additions::reported);
    let changes = summary.iter().flat_map(outline);
    for line in reported.chain(changes).chain([settings.throttling()]) {
        terminal.say_before_asking(&format!("          {line}"), yes);
    }
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
    let reported = Additions::from_settings(settings).map(|additions| additions.reported());
    for line in reported.into_iter().chain(outline(summary)) {
        terminal.result_text(&line);
    }
    terminal.result_text(&settings.throttling());
    for caution in cautions {
        terminal.warn(caution);
    }
    terminal.say(&format!("\n{summary}; nothing was changed"));
}
