//! To AWS: what the command shows and asks there, and what it composes.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::json;

use super::{DeployArgs, DeployedChat, log_role};
use crate::commands::aws::{Found, in_words, marked, moved, preflight};
use crate::commands::named::Record;
use crate::commands::plan::{self, StackLocation};
use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chatctl_deploy::aws::AwsAccount;
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::preflight::Check;
use chatctl_deploy::engine::{
    ChangeSet, CloudOptions, CloudSteps, DeployMode, DeployRequest, Reporter, Steps, TargetError,
    deploy_to_cloud, silence,
};
use chatctl_deploy::packaging::{self, Artifact, Built};
use chatctl_deploy::stack::capability::named_by_hand;
use chatctl_deploy::stack::change::ChangeSummary;
use chatctl_deploy::stack::few::few;
use chatctl_deploy::stack::outline::outline;
use chatctl_deploy::stack::overlay::Additions;
use chatctl_deploy::stack::render::render;

pub(super) async fn run(
    args: &DeployArgs,
    terminal: Terminal,
    request: &DeployRequest<'_>,
    tags: &BTreeMap<String, String>,
) -> Result<Option<DeployedChat>, CommandError> {
    let reporter = RefCell::new(terminal.reporter());
    let mut shared = &reporter;
    let steps = AwsSteps {
        args,
        terminal,
        settings: request.settings,
        tags,
    };
    let options = CloudOptions {
        tags: tags.clone(),
        mode: match args.express {
            true => DeployMode::Express,
            false => DeployMode::Standard,
        },
        is_dry_run: args.dry_run,
        is_hotswap: args.hotswap,
        protect: args.protect,
    };
    let deploying = deploy_to_cloud(&steps, request, &options, &mut shared);
    let deployed = silence::reporting(&reporter, deploying).await?;
    Ok(deployed.map(|deployed| DeployedChat {
        url: deployed.url,
        page: None,
        record: deployed
            .missing_record
            .zip(request.settings.aws.domain.as_ref())
            .map(|(leads_to, domain)| Record::new(domain, leads_to)),
        next: "`chatctl status` tells how it is, `chatctl teardown` removes it",
    }))
}

struct AwsSteps<'a> {
    args: &'a DeployArgs,
    terminal: Terminal,
    settings: &'a Settings,
    tags: &'a BTreeMap<String, String>,
}

impl Steps for AwsSteps<'_> {
    type Found = Found;
    type Handlers = Artifact;

    fn announce(&self, found: &Found) -> Result<(), TargetError> {
        let location = StackLocation::Aws(&found.account.target.region);
        let prebuilt = self.args.handlers.prebuilt();
        plan::tell(self.terminal, self.settings, prebuilt, &location)
    }

    async fn build(
        &self,
        found: &Found,
        reporter: &mut impl Reporter,
    ) -> Result<Built<Artifact>, TargetError> {
        let source = self.args.handlers.source();
        Ok(packaging::artifacts(self.settings, source, found.deployed, reporter).await?)
    }

    fn built(&self, handlers: &Built<Artifact>) -> String {
        in_words(handlers)
    }

    async fn agree(
        &self,
        found: &Found,
        handlers: &Built<Artifact>,
        change_set: &ChangeSet,
    ) -> Result<bool, TargetError> {
        let Self { terminal, args, .. } = self;
        let additions = Additions::from_settings(self.settings);
        let summary = marked(additions.as_ref(), Some(change_set.summary.clone()));
        let reported = additions.iter().map(Additions::reported);
        let changes = summary.iter().flat_map(outline);
        for line in reported.chain(changes).chain([self.settings.throttling()]) {
            terminal.say_before_asking(&format!("          {line}"), args.yes);
        }
        for caution in self.cautions(found, handlers) {
            terminal.warn_between_steps(&caution);
        }
        let lost: Vec<_> = change_set
            .summary
            .lost_tables()
            .map(|change| change.logical_id.as_str())
            .collect();
        if !lost.is_empty() {
            terminal
                .warn_between_steps(&format!("the items of table {} are lost", lost.join(", ")));
        }
        terminal.confirm("Deploy this?", args.yes).await
    }
}

impl CloudSteps for AwsSteps<'_> {
    type Account = AwsAccount;

    async fn look(&self) -> (Vec<Check>, Option<Found>) {
        let (checks, found) = preflight(self.settings, self.args.handlers.source()).await;
        let found = found.map(|mut found| {
            found.account.bucket = found.account.bucket.with_tags(self.tags.clone());
            found
        });
        (checks, found)
    }

    fn show(&self, found: &Found, handlers: &Built<Artifact>, summary: Option<ChangeSummary>) {
        let Self {
            terminal, settings, ..
        } = self;
        let additions = Additions::from_settings(settings);
        let summary = marked(additions.as_ref(), summary);
        let cautions = self.cautions(found, handlers);
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
        let reported = additions.iter().map(Additions::reported);
        for line in reported.chain(outline(&summary)) {
            terminal.result_text(&line);
        }
        terminal.result_text(&settings.throttling());
        for caution in cautions {
            terminal.warn(&caution);
        }
        terminal.say(&format!("\n{summary}; nothing was changed"));
    }

    async fn agree_to_log_role(&self, found: &Found) -> Result<(), TargetError> {
        let region = &found.account.target.region;
        log_role::agree(self.terminal, region, self.args.log_role).await
    }
}

impl AwsSteps<'_> {
    /// What the user should know before agreeing.
    fn cautions(&self, found: &Found, handlers: &Built<Artifact>) -> Vec<String> {
        let Self { args, settings, .. } = self;
        let source = args.handlers.source();
        let of_account = found.cautions.iter().cloned();
        let of_partition = found.account.identity.caution().map(str::to_owned);
        let cautions = settings.cautions().into_iter().chain(of_account);
        cautions
            .chain(moved(settings, source, found.deployed, handlers))
            .chain(of_partition)
            .chain(named(settings))
            .collect()
    }
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
