//! The options that several commands share, each group under a heading of its own.
//!
//! A command declares its own options first, then flattens groups in the order of `HEADINGS`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::CommandError;
use crate::terminal::{Output, Volume};
use chatctl_deploy::aws::named_region;
use chatctl_deploy::config::names::{
    EndpointTemplate, PersonName, RegionName, StackName, StageName,
};
use chatctl_deploy::config::{ConfigError, Overrides, Settings};
use chatctl_deploy::packaging::Source;
use chatctl_deploy::stack::overlay;

const HANDLERS: &str = "Options for the handlers";
const PEOPLE: &str = "Options for the two people";
const TARGET: &str = "Options for the target";
const ACCOUNT: &str = "Options for AWS";
const STACK: &str = "Options of every command about a stack";
const EVERY: &str = "Options of every command";

/// The headings of shared options, in the order of every help text.
#[cfg(test)]
pub(super) const HEADINGS: [&str; 6] = [HANDLERS, PEOPLE, TARGET, ACCOUNT, STACK, EVERY];

/// The handlers that a deployment would have.
#[derive(Debug, Args)]
pub(super) struct HandlersArgs {
    /// Built handlers to use instead of building them: an executable, or a folder with `bootstrap`
    #[arg(long, value_name = "PATH", help_heading = HANDLERS)]
    handlers: Option<PathBuf>,
    /// Build for a processor whose Rust target does not seem to be installed
    #[arg(long, conflicts_with = "handlers", help_heading = HANDLERS)]
    skip_target_check: bool,
}

impl HandlersArgs {
    /// Where the handlers for AWS come from.
    pub(super) fn source(&self) -> Source<'_> {
        Source::from_flags(self.prebuilt(), self.skip_target_check)
    }

    /// The handlers that are built already.
    pub(super) fn prebuilt(&self) -> Option<&Path> {
        self.handlers.as_deref()
    }
}

/// The two people in the connect commands.
#[derive(Debug, Args)]
pub(super) struct PeopleArgs {
    /// The name of the person at the first terminal [default: from the config, else Tom]
    #[arg(long, value_name = "NAME", help_heading = PEOPLE)]
    from: Option<PersonName>,
    /// The name of the person at the second terminal [default: from the config, else Jerry]
    #[arg(long, value_name = "NAME", help_heading = PEOPLE)]
    to: Option<PersonName>,
}

/// Which target a command is about.
#[derive(Debug, Args)]
pub(super) struct TargetArgs {
    /// Use this machine instead of AWS: no account, no Docker
    #[arg(long, conflicts_with_all = ["region", "profile"], help_heading = TARGET)]
    pub(super) local: bool,
    #[command(flatten)]
    pub(super) aws: AwsArgs,
}

/// The account and the Region.
#[derive(Debug, Args)]
pub(super) struct AwsArgs {
    /// The AWS Region [default: from the config, else AWS_REGION, else the profile's]
    #[arg(long, value_name = "NAME", help_heading = ACCOUNT)]
    region: Option<RegionName>,
    /// The profile in ~/.aws to act as [default: from the config, else AWS_PROFILE, else default]
    #[arg(long, value_name = "NAME", help_heading = ACCOUNT)]
    profile: Option<String>,
    /// Where the deployed API answers, for something that stands in for AWS (with AWS_ENDPOINT_URL), such as
    /// ws://127.0.0.1:4566/_aws/execute-api/{api}/{stage}
    #[arg(
        long,
        value_name = "URL",
        env = "CHATCTL_ENDPOINT_TEMPLATE",
        hide = true
    )]
    endpoint_template: Option<EndpointTemplate>,
}

/// The options of every command about a stack.
#[derive(Debug, Args)]
pub(super) struct StackArgs {
    /// The config file [default: chatctl.toml, if there is one]
    #[arg(
        long,
        value_name = "FILE",
        env = "CHATCTL_CONFIG",
        hide_env = true,
        help_heading = STACK
    )]
    pub(super) config: Option<PathBuf>,
    /// The stack's name [default: from the config, else chat]
    #[arg(
        long,
        value_name = "NAME",
        env = "CHATCTL_STACK",
        hide_env = true,
        help_heading = STACK
    )]
    pub(super) stack: Option<StackName>,
    /// The stage, the last part of the endpoint [default: from the config, else v1]
    #[arg(
        long,
        value_name = "NAME",
        env = "CHATCTL_STAGE",
        hide_env = true,
        help_heading = STACK
    )]
    stage: Option<StageName>,
}

impl StackArgs {
    pub(super) fn settings(
        &self,
        people: Option<&PeopleArgs>,
        aws: Option<&AwsArgs>,
    ) -> Result<Settings, CommandError> {
        let overrides = Overrides {
            config: self.config.clone(),
            stack: self.stack.clone(),
            stage: self.stage.clone(),
            from: people.and_then(|people| people.from.clone()),
            to: people.and_then(|people| people.to.clone()),
            region: aws.and_then(|aws| aws.region.clone()),
            profile: aws.and_then(|aws| aws.profile.clone()),
            endpoint: aws.and_then(|aws| aws.endpoint_template.clone()),
        };
        let settings = Settings::load(Path::new(""), overrides)?;
        overlay::check(&settings)?;
        Ok(settings)
    }

    /// The settings of a template that is written, with the Region that is named for it; empty where none is.
    pub(super) async fn settings_in_region(
        &self,
        aws: &AwsArgs,
    ) -> Result<(Settings, String), CommandError> {
        let settings = self.settings(None, Some(aws))?;
        settings.check_keys()?;
        let region = named_region(&settings.aws).await.unwrap_or_default();
        if !region.is_empty() {
            let checked = settings.aws.rules.check_region(&region);
            checked.map_err(ConfigError::Invalid)?;
        }
        Ok((settings, region))
    }
}

/// The options of the commands that print how to connect.
#[derive(Debug, Args)]
pub(super) struct ConnectArgs {
    #[command(flatten)]
    people: PeopleArgs,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    stack: StackArgs,
}

impl ConnectArgs {
    pub(super) fn settings(&self) -> Result<Settings, CommandError> {
        self.stack
            .settings(Some(&self.people), Some(&self.target.aws))
    }
}

/// The options of every command.
#[derive(Debug, Args)]
pub(super) struct EveryArgs {
    /// The format of what the command prints
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        help_heading = EVERY
    )]
    pub(super) output: Output,
    /// Show each request to AWS, to the chat and to a local stack on stderr, as it ends
    #[arg(long, short, global = true, conflicts_with = "quiet", help_heading = EVERY)]
    verbose: bool,
    /// Show results, warnings, errors and questions only
    #[arg(long, short, global = true, help_heading = EVERY)]
    quiet: bool,
}

impl EveryArgs {
    pub(super) fn volume(&self) -> Volume {
        match (self.quiet, self.verbose) {
            (true, _) => Volume::Quiet,
            (_, true) => Volume::Verbose,
            (false, false) => Volume::Normal,
        }
    }
}
