//! `chatctl policy`

use super::{AwsArgs, Context, Run, StackArgs};
use crate::error::CommandError;
use crate::terminal::{Output, escaped};
use chatctl_deploy::aws::{AwsTarget, bucket_name, named_region};
use chatctl_deploy::config::{ConfigError, Settings};
use chatctl_deploy::stack::few::few;
use chatctl_deploy::stack::policy::{MAX_MANAGED, Subject, policies, terraform, uncovered};

/// Print the least IAM policy with which this stack can be deployed, updated, looked at and torn down
///
/// It is for the config, the account and the Region as they are: print it again when routes or rules of the account change.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::asking_help())]
pub(super) struct PolicyArgs {
    /// The account, in 12 digits [default: that of the credentials]
    #[arg(long, value_name = "ID", value_parser = account)]
    account: Option<String>,
    /// Split it: the part of the person who deploys, and that of the role that CloudFormation acts with
    #[arg(long)]
    service_role: bool,
    /// The notation [default: json]
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    aws: AwsArgs,
    #[command(flatten)]
    stack: StackArgs,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Json,
    Terraform,
}

fn account(text: &str) -> Result<String, String> {
    match text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(text.to_owned()),
        false => Err("an account's id has 12 digits".to_owned()),
    }
}

impl Run for PolicyArgs {
    const ENDS_ANYWHERE: bool = true;

    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        if let (Some(Format::Terraform), Output::Json) = (self.format, terminal.output) {
            return Err(CommandError::usage(
                "`--format terraform` cannot be answered in JSON",
                "leave out `--format`, or `--output json`",
            ));
        }
        let settings = self.stack.settings(None, Some(&self.aws))?;
        settings.check_keys()?;
        let (account, region) = match &self.account {
            None => super::waits::asking(terminal, asked(&settings)).await?,
            Some(account) => (account.clone(), region(&settings).await?),
        };
        let rules = &settings.aws.rules;
        rules
            .check_account(&account)
            .map_err(ConfigError::Invalid)?;
        let bucket = bucket_name(rules, &account, &region);
        let subject = Subject {
            settings: &settings,
            region: &region,
            account: &account,
            bucket: &bucket,
        };
        let all = policies(&subject, self.service_role || rules.role_arn.is_some());
        let text = match self.format {
            Some(Format::Terraform) => terraform(&all, &settings.stack),
            Some(Format::Json) | None => escaped(&format!("{:#}", all.to_json())),
        };
        terminal.result(text.trim_end());
        for (name, size) in all.too_long() {
            terminal.warn(&format!(
                "the policy `{name}` has {size} characters, and a managed policy has {MAX_MANAGED} at most: put it into a \
                 role as an inline policy, or divide its statements between two"
            ));
        }
        let uncovered = uncovered(&settings);
        if !uncovered.is_empty() {
            terminal.warn(&format!(
                "the policy may lack what CloudFormation needs for {} of the overlay: the handlers in `aws cloudformation \
                 describe-type --type RESOURCE --type-name TYPE --query Schema` list it",
                few(&uncovered)
            ));
        }
        if settings.has_functions() && rules.permissions_boundary.is_none() {
            terminal.warn(
                "an identity that can make roles for functions can have every permission through one: `permissions-boundary` under `[aws]` \
                 limits the roles, and this policy to roles with that boundary",
            );
        }
        Ok(())
    }
}

/// The account and the Region of the credentials.
async fn asked(settings: &Settings) -> Result<(String, String), CommandError> {
    let target = AwsTarget::connect(&settings.aws).await?;
    let identity = target.identity().await.map_err(|error| {
        let hint = error.hint.clone().unwrap_or_default();
        error.with_hint(format!(
            "{hint}; `--account ID` prints it without credentials"
        ))
    })?;
    Ok((identity.account, target.region))
}

/// The Region, without a request.
async fn region(settings: &Settings) -> Result<String, CommandError> {
    let Some(region) = named_region(&settings.aws).await else {
        return Err(CommandError::usage(
            "no Region is set, and a policy is for one",
            "name it: `--region`, `region` under `[aws]`, or AWS_REGION",
        ));
    };
    let checked = settings.aws.rules.check_region(&region);
    checked.map_err(ConfigError::Invalid)?;
    Ok(region)
}
