//! From AWS.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::json;

use crate::commands::or_interrupted;
use crate::commands::waits::asking;
use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chatctl_deploy::aws::{AwsTarget, Bucket, Identity};
use chatctl_deploy::config::Settings;
use chatctl_deploy::config::names::StackName;
use chatctl_deploy::engine::cloud::StackRecord;
use chatctl_deploy::engine::preflight::chain;
use chatctl_deploy::engine::{
    self, Data, ErrorKind, Inventory, Resource, Stacks, TargetError, Teardown, silence,
};
use chatctl_deploy::stack::few::few;
use chatctl_deploy::stack::render::parameter;

/// How the reason begins that is none to be warned of.
const USED: &str = "used by ";

const TABLE: &str = "AWS::DynamoDB::Table";

/// What stays in the account after a teardown.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Left {
    /// Tables that were to be kept, by name.
    tables: Vec<String>,
    /// What could not be deleted, by type and name.
    spared: Vec<String>,
    /// The bucket for handlers, which every stack of the account and region shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<String>,
    /// Why published handlers of the stack are still in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    handlers: Option<String>,
}

pub(super) async fn run(
    terminal: Terminal,
    settings: &Settings,
    data: Data,
    yes: bool,
) -> Result<(), CommandError> {
    let stack = &settings.stack;
    let found = or_interrupted(asking(terminal, found(terminal, settings, data, yes))).await?;
    let Found {
        target,
        identity,
        record,
        resources,
        is_shell,
    } = found;
    // The empty shell of a change set that was never agreed to is nothing to be asked about.
    if record.is_some() {
        let question = format!(
            "This cannot be taken back. Type the stack's name to tear it down in account {}, {}:",
            identity.account, target.region
        );
        if !terminal
            .confirm_by_typing(&question, stack.as_ref(), yes)
            .await?
        {
            return Err(CommandError::usage(
                "declined, nothing was changed",
                "`--keep-data` keeps the table",
            ));
        }
    }
    let outcome = if record.is_some() || is_shell {
        let reporter = RefCell::new(terminal.reporter());
        let mut shared = &reporter;
        let tearing_down = engine::teardown(&target.stacks, stack, data, &mut shared);
        silence::reporting(&reporter, tearing_down).await?
    } else {
        Teardown::NothingThere
    };
    let bucket = target.bucket(&identity);
    let mut left = Left::default();
    if let (Some(_), Teardown::Done { spared }) = (&record, &outcome) {
        left = left_of(&resources, spared, data);
    }
    let looking = async {
        match bucket.exists().await {
            Ok(false) => {}
            Ok(true) => {
                left.handlers = forget_handlers(&target, stack, record.as_ref(), &bucket).await;
                left.bucket = Some(bucket.name.clone());
            }
            // The stack is what was to go. They expire by themselves.
            Err(error) => {
                left.handlers = Some(format!("if there are any, they expire: {}", chain(&error)));
            }
        }
        Ok::<_, CommandError>(())
    };
    if or_interrupted(asking(terminal, looking)).await.is_err() {
        left.handlers = Some("if there are any, they expire: S3 did not answer".to_owned());
    }
    if let Some(reason) = &left.handlers
        && !reason.starts_with(USED)
    {
        terminal.warn(&format!(
            "the published handlers were not removed: {reason}"
        ));
    }
    report(terminal, stack, &target.region, &outcome, &left);
    Ok(())
}

/// What there is before anything is torn down.
struct Found {
    target: AwsTarget,
    identity: Identity,
    record: Option<StackRecord>,
    resources: Vec<Resource>,
    /// There is a stack, with nothing in it.
    is_shell: bool,
}

/// Finds out what there is, and prints what goes and what stays.
async fn found(
    terminal: Terminal,
    settings: &Settings,
    data: Data,
    yes: bool,
) -> Result<Found, CommandError> {
    let target = AwsTarget::connect(&settings.aws).await?;
    let stack = &settings.stack;
    let identity = target.identity().await?;
    let record = target.stacks.record(stack).await?;
    let mut resources = Vec::new();
    let mut is_shell = false;
    if let Some(record) = &record {
        target.stacks.own_template(stack).await?;
        check_protection(record)?;
        resources = target.stacks.resources(stack).await?;
        announce(terminal, &target, record, &resources, data, yes).await;
    } else {
        is_shell = target.stacks.describe(stack).await?.is_some();
    }
    Ok(Found {
        target,
        identity,
        record,
        resources,
        is_shell,
    })
}

fn check_protection(record: &StackRecord) -> Result<(), CommandError> {
    if !record.protected {
        return Ok(());
    }
    let message = format!("stack `{}` is protected against deletion", record.name);
    Err(TargetError::new(ErrorKind::Usage, message)
        .with_hint("`chatctl deploy --protect=false` lifts the protection")
        .into())
}

async fn announce(
    terminal: Terminal,
    target: &AwsTarget,
    record: &StackRecord,
    resources: &[Resource],
    data: Data,
    yes: bool,
) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for resource in resources {
        let short = resource
            .resource_type
            .rsplit("::")
            .next()
            .unwrap_or_default();
        *counts.entry(short).or_default() += 1;
    }
    let counted: Vec<_> = counts
        .iter()
        .map(|(short, count)| format!("{count} {short}"))
        .collect();
    let goes = format!(
        "goes:  stack `{}` ({}): {}",
        record.name,
        record.status,
        counted.join(", ")
    );
    terminal.say_before_asking(&goes, yes);
    for table in resources
        .iter()
        .filter(|resource| resource.resource_type == TABLE)
    {
        let items = match target.tables.items(&table.physical_id).await {
            Ok(Some(1)) => "about 1 item".into(),
            Ok(Some(items)) => format!("about {items} items"),
            Ok(None) => "which is gone already".into(),
            Err(error) => format!("how much it holds is not known: {}", chain(&error)),
        };
        let verb = match data {
            Data::Keep => "stays:",
            Data::Remove => "goes: ",
        };
        let table = format!("{verb} table {} ({items})", table.physical_id);
        terminal.say_before_asking(&table, yes);
    }
}

fn left_of(resources: &[Resource], spared: &[String], data: Data) -> Left {
    let named = |resource: &&Resource| spared.contains(&resource.logical_id);
    let tables = resources
        .iter()
        .filter(|resource| data == Data::Keep && resource.resource_type == TABLE);
    Left {
        tables: tables.map(|table| table.physical_id.clone()).collect(),
        spared: resources
            .iter()
            .filter(named)
            .map(|resource| format!("{} {}", resource.resource_type, resource.physical_id))
            .collect(),
        ..Left::default()
    }
}

/// Removes the published handlers that the stack was ever deployed with, but for those that another stack uses. They
/// expire by themselves, so failing to is worth a word and no error.
async fn forget_handlers(
    target: &AwsTarget,
    stack: &StackName,
    record: Option<&StackRecord>,
    bucket: &Bucket,
) -> Option<String> {
    let ours =
        |record: &&StackRecord| record.parameters.get(parameter::CODE_BUCKET) == Some(&bucket.name);
    let current = record.filter(ours).map(StackRecord::code_keys);
    let known = async {
        let uses = bucket.uses().await?;
        let others = target.stacks.code_of_others(stack).await?;
        let now = SystemTime::now();
        Ok::<_, TargetError>(uses.leftovers(stack, current.unwrap_or_default(), &others, now))
    };
    let leftovers = match known.await {
        Ok(leftovers) => leftovers,
        Err(error) => {
            return Some(format!(
                "it is not known who else uses them, they expire: {}",
                chain(&error)
            ));
        }
    };
    if let Err(error) = bucket.forget(stack, &leftovers).await {
        return Some(format!(
            "could not be removed, they expire: {}",
            chain(&error)
        ));
    }
    let users: Vec<_> = leftovers.users.into_iter().collect();
    (!users.is_empty()).then(|| format!("{USED}{}", few(&users)))
}

fn report(terminal: Terminal, stack: &StackName, region: &str, outcome: &Teardown, left: &Left) {
    let is_gone_now = *outcome != Teardown::NothingThere;
    if terminal.output == Output::Json {
        terminal.result_json(&json!({
            "type": "result", "stack": stack, "removed": is_gone_now, "left": left,
        }));
        return;
    }
    terminal.say(&if is_gone_now {
        format!("stack `{stack}` in {region} is gone")
    } else {
        format!("there is no stack `{stack}` in {region}")
    });
    for line in lines(left) {
        terminal.say(&line);
    }
}

/// What is left in the account, a line each.
fn lines(left: &Left) -> Vec<String> {
    let mut lines = Vec::new();
    for table in &left.tables {
        lines.push(format!(
            "left: table {table}; `aws dynamodb delete-table --table-name {table}` removes it"
        ));
    }
    for spared in &left.spared {
        lines.push(format!("left: {spared}, which could not be deleted"));
    }
    if let Some(reason) = &left.handlers {
        lines.push(format!("left: the published handlers ({reason})"));
    }
    if let Some(bucket) = &left.bucket {
        lines.push(format!(
            "left: bucket {bucket}, for the next deployment; empty it costs nothing"
        ));
    }
    if lines.is_empty() {
        lines.push("left: nothing".into());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(id: &str, kind: &str) -> Resource {
        Resource {
            logical_id: id.into(),
            physical_id: format!("chat-{id}"),
            resource_type: kind.into(),
        }
    }

    #[test]
    fn what_is_left_is_reported_by_name() {
        let resources = [resource("T", TABLE), resource("R", "AWS::IAM::Role")];
        let left = left_of(&resources, &["R".into()], Data::Keep);
        assert_eq!(
            lines(&left),
            [
                "left: table chat-T; `aws dynamodb delete-table --table-name chat-T` removes it",
                "left: AWS::IAM::Role chat-R, which could not be deleted",
            ]
        );
        assert_eq!(
            lines(&left_of(&resources, &[], Data::Remove)),
            ["left: nothing"]
        );
    }
}
