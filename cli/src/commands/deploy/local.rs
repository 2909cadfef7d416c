//! To this machine: what the command shows and asks there, and what it composes.

use super::{DeployArgs, DeployedChat};
use crate::commands::plan::{self, StackLocation};
use crate::error::CommandError;
use crate::terminal::Terminal;
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::{
    Change, ChangeSet, DeployRequest, LocalSteps, Reporter, Steps, TargetError, deploy_here,
};
use chatctl_deploy::local::{LocalTarget, secrets, template_here};
use chatctl_deploy::packaging::{self, Built, Executable};
use chatctl_deploy::stack::connect::RequiredIdentity;
use chatctl_deploy::stack::page::{PageProof, beside, page_settings};

pub(super) async fn run(
    args: &DeployArgs,
    terminal: Terminal,
    request: &DeployRequest<'_>,
) -> Result<DeployedChat, CommandError> {
    let settings = request.settings;
    let identity = RequiredIdentity::from_settings(settings);
    let target = LocalTarget::new(&settings.folder, args.port.or(settings.local_port))
        .showing(page_settings(
            settings,
            identity,
            PageProof::from_settings(settings),
            None,
        ))
        .with_references(secrets::values(settings)?)
        .hiding(settings.secret_variables());
    let steps = BackgroundSteps {
        args,
        terminal,
        settings,
        target: &target,
    };
    let here = template_here(settings);
    let mut reporter = terminal.reporter();
    let url = deploy_here(&target, &steps, request, here, &mut reporter).await?;
    Ok(DeployedChat {
        page: Some(beside(&url)),
        url,
        record: None,
        next: "`chatctl status --local` tells what runs, `chatctl teardown --local` ends it",
    })
}

struct BackgroundSteps<'a> {
    args: &'a DeployArgs,
    terminal: Terminal,
    settings: &'a Settings,
    target: &'a LocalTarget,
}

impl Steps for BackgroundSteps<'_> {
    type Found = ();
    type Handlers = Executable;

    fn announce(&self, (): &()) -> Result<(), TargetError> {
        let state = self.target.state_folder(&self.settings.stack);
        let location = StackLocation::Background(std::path::absolute(&state).unwrap_or(state));
        let prebuilt = self.args.handlers.prebuilt();
        plan::tell(self.terminal, self.settings, prebuilt, &location)
    }

    async fn build(
        &self,
        (): &(),
        reporter: &mut impl Reporter,
    ) -> Result<Built<Executable>, TargetError> {
        let prebuilt = self.args.handlers.prebuilt();
        Ok(packaging::executables(self.settings, prebuilt, reporter).await?)
    }

    fn built(&self, handlers: &Built<Executable>) -> String {
        packaging::sizes(handlers)
    }

    /// Asks before data is lost; anything else can be taken back.
    async fn agree(
        &self,
        (): &(),
        _: &Built<Executable>,
        change_set: &ChangeSet,
    ) -> Result<bool, TargetError> {
        match change_set.change {
            Change::Restart => self.terminal.say(
                "          the stack was deployed before but does not run; it starts with its data",
            ),
            Change::Move => self.terminal.say(
                "          the stack changes its port: it starts again with its data, and open connections end",
            ),
            Change::Create | Change::Update => {}
        }
        let lost: Vec<_> = change_set
            .summary
            .lost_tables()
            .map(|change| change.logical_id.as_str())
            .collect();
        if lost.is_empty() {
            return Ok(true);
        }
        let question = format!(
            "Table {} will be replaced and its items are lost. Go on?",
            lost.join(", ")
        );
        self.terminal.confirm(&question, self.args.yes).await
    }
}

impl LocalSteps for BackgroundSteps<'_> {
    fn warn(&self, text: &str) {
        self.terminal.warn_between_steps(text);
    }
}
