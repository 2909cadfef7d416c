//! From AWS: what the command shows and asks.

use std::collections::BTreeMap;

use serde_json::json;

use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chatctl_deploy::aws::{AwsAccount, AwsTarget};
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::cloud::StackRecord;
use chatctl_deploy::engine::{
    CloudTeardown, CloudTeardownSteps, Data, Left, Reporter, Resource, TargetError, Teardown,
    chain, teardown_cloud,
};

pub(super) async fn run(
    terminal: Terminal,
    settings: &Settings,
    data: Data,
    yes: bool,
) -> Result<(), CommandError> {
    let steps = AwsSteps {
        terminal,
        settings,
        data,
        yes,
    };
    let done = teardown_cloud(&steps, &settings.stack, data).await?;
    report(terminal, settings, &done);
    Ok(())
}

struct AwsSteps<'a> {
    terminal: Terminal,
    settings: &'a Settings,
    data: Data,
    /// Whether the question is answered beforehand.
    yes: bool,
}

impl CloudTeardownSteps for AwsSteps<'_> {
    type Account = AwsAccount;

    async fn connect(&self) -> Result<AwsAccount, TargetError> {
        let target = AwsTarget::connect(&self.settings.aws).await?;
        let identity = target.identity().await?;
        Ok(AwsAccount::new(target, identity))
    }

    fn show_stack(&self, record: &StackRecord, resources: &[Resource]) {
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
        self.terminal.say_before_asking(&goes, self.yes);
    }

    fn show_table(&self, table: &str, items: Result<Option<u64>, TargetError>) {
        let items = match items {
            Ok(Some(1)) => "about 1 item".into(),
            Ok(Some(items)) => format!("about {items} items"),
            Ok(None) => "which is gone already".into(),
            Err(error) => format!("how much it holds is not known: {}", chain(&error)),
        };
        let verb = match self.data {
            Data::Keep => "stays:",
            Data::Remove => "goes: ",
        };
        let table = format!("{verb} table {table} ({items})");
        self.terminal.say_before_asking(&table, self.yes);
    }

    async fn agree(&self, account: &AwsAccount) -> Result<bool, TargetError> {
        let question = format!(
            "This cannot be taken back. Type the stack's name to tear it down in account {}, {}:",
            account.identity.account, account.target.region
        );
        let stack = self.settings.stack.as_ref();
        self.terminal
            .confirm_by_typing(&question, stack, self.yes)
            .await
    }

    fn warn(&self, text: &str) {
        self.terminal.warn(text);
    }

    fn progress(&self) -> impl Reporter {
        self.terminal.progress()
    }

    fn reporter(&self) -> impl Reporter {
        self.terminal.reporter()
    }
}

fn report(terminal: Terminal, settings: &Settings, done: &CloudTeardown<AwsAccount>) {
    let (stack, region) = (&settings.stack, &done.account.target.region);
    let is_gone_now = done.outcome != Teardown::NothingThere;
    if terminal.output == Output::Json {
        terminal.result_json(&json!({
            "type": "result", "stack": stack, "removed": is_gone_now, "left": done.left,
        }));
        return;
    }
    terminal.say(&if is_gone_now {
        format!("stack `{stack}` in {region} is gone")
    } else {
        format!("there is no stack `{stack}` in {region}")
    });
    for line in lines(&done.left) {
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

    #[test]
    fn what_is_left_is_reported_by_name() {
        let left = Left {
            tables: vec!["chat-T".into()],
            spared: vec!["AWS::IAM::Role chat-R".into()],
            ..Left::default()
        };
        assert_eq!(
            lines(&left),
            [
                "left: table chat-T; `aws dynamodb delete-table --table-name chat-T` removes it",
                "left: AWS::IAM::Role chat-R, which could not be deleted",
            ]
        );
        assert_eq!(lines(&Left::default()), ["left: nothing"]);
    }
}
