//! What the operator of a deployed chat sees of it and does to it, with the operator's own permissions.

pub(super) mod connections;
pub(super) mod kick;
pub(super) mod send;

use std::time::{SystemTime, UNIX_EPOCH};

use super::aws::not_deployed;
use crate::error::CommandError;
use crate::terminal::Terminal;
use chatctl_deploy::aws::{ApiConnections, AwsTarget, ChatLocation, DynamoConnections, stand_in};
use chatctl_deploy::config::Settings;
use chatctl_deploy::config::names::StackName;
use chatctl_deploy::engine::preflight::chain;
use chatctl_deploy::engine::{ErrorKind, Stacks, TargetError};
use chatctl_deploy::local::LocalTarget;
use chatctl_deploy::stack::records::Records;
use chatctl_deploy::stack::render::{output, render};
use chatctl_deploy::stack::{Outputs, Template};

/// A deployed chat as its operator uses it.
#[derive(Debug)]
struct Chat {
    records: Records,
    table: DynamoConnections,
    gateway: ApiConnections,
}

/// The chat that runs on this machine (`local`) or on AWS under the name in `settings`.
///
/// A stack on this machine serves AWS's protocols, so that it is used in the same way.
///
/// # Errors
/// There is no such stack, it does not run, or its functions record no connections.
async fn open(terminal: Terminal, settings: &Settings, local: bool) -> Result<Chat, CommandError> {
    let stack = &settings.stack;
    if !local {
        let target = AwsTarget::connect(&settings.aws).await?;
        let Some(record) = target.stacks.record(stack).await? else {
            return Err(not_deployed(settings, &target.region));
        };
        let template = match target.stacks.deployed_template(stack).await {
            Ok(template) => template,
            Err(error) => {
                terminal.warn(&format!(
                    "{}; how connections are recorded is taken from the config instead",
                    chain(&error)
                ));
                render(settings)
            }
        };
        let records = records(stack, Some(&template))?;
        let (table, gateway) = target.chat(&place(stack, &record.outputs)?);
        return Ok(Chat {
            records,
            table,
            gateway,
        });
    }
    let target = LocalTarget::new(&settings.folder, None);
    let Some(status) = target.status(stack).await? else {
        return Err(super::status::not_running(&target, stack)?);
    };
    let description = target.describe(stack).await?;
    let outputs = description.map(|description| description.outputs);
    let records = records(stack, target.running_template(stack)?.as_ref())?;
    let place = place(stack, &outputs.unwrap_or_default())?;
    let (table, gateway) = stand_in(&status.tables_endpoint, &place).await?;
    Ok(Chat {
        records,
        table,
        gateway,
    })
}

fn records(stack: &StackName, template: Option<&Template>) -> Result<Records, CommandError> {
    template.and_then(Records::from_deployed).ok_or_else(|| {
        CommandError::usage(
            format!("stack `{stack}` has no function that records connections"),
            "only the backend that its routes lead to has a list of them",
        )
    })
}

fn place(stack: &StackName, outputs: &Outputs) -> Result<ChatLocation, TargetError> {
    let named = |name: &str| {
        outputs.get(name).cloned().ok_or_else(|| {
            let message = format!("stack `{stack}` has no output {name}, by which it is found");
            TargetError::new(ErrorKind::Failed, message)
                .with_hint("`chatctl deploy` restores the outputs")
        })
    };
    Ok(ChatLocation {
        table: named(output::TABLE_NAME)?,
        connections_url: named(output::CONNECTIONS_URL)?,
    })
}

/// Seconds since the Unix epoch.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Milliseconds since the Unix epoch.
fn milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// `2 connections`
fn connections_in_words(count: usize) -> String {
    match count {
        1 => "1 connection".to_owned(),
        many => format!("{many} connections"),
    }
}

/// Seconds since the Unix epoch as RFC 3339.
fn moment(seconds: u64) -> Option<String> {
    chatctl_deploy::aws::rfc3339(seconds as f64)
}
