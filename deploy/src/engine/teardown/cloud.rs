//! In an account: AWS's, or one of anything that speaks like it.

use std::cell::RefCell;
use std::fmt;
use std::time::SystemTime;

use super::account::{Holdings, Published as _, Tables as _};
use super::steps::CloudTeardownSteps;
use super::{Teardown, delete_stack};
use crate::config::names::StackName;
use crate::engine::cloud::StackRecord;
use crate::engine::deploy::Account as _;
use crate::engine::execute::DeployError;
use crate::engine::limits::{self, Share};
use crate::engine::silence;
use crate::engine::target::{Data, Inventory, Resource, Stacks};
use crate::engine::target_error::{ErrorKind, TargetError, chain, or_interrupted};
use crate::stack::few::few;
use crate::stack::render::parameter;
use crate::stack::retain::TABLE_TYPE;

/// A teardown that has come to its end.
#[derive(Debug)]
pub struct CloudTeardown<A> {
    /// The account.
    pub account: A,
    /// What it came to.
    pub outcome: Teardown,
    /// What stays in the account.
    pub left: Left,
}

/// What stays in the account after a teardown.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// Tables that were to be kept, by name.
    pub tables: Vec<String>,
    /// What could not be deleted, by type and name.
    pub spared: Vec<String>,
    /// The bucket for handlers, which every stack of the account and Region shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// Why published handlers of the stack are still in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handlers: Option<LeftHandlers>,
}

/// Why published handlers stay.
#[derive(Debug, PartialEq, Eq)]
pub enum LeftHandlers {
    /// These other stacks use them, in a few words.
    Used(String),
    /// They could not be removed, or it is not known whether they may be. They expire by themselves.
    Unremoved(String),
}

impl fmt::Display for LeftHandlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Used(users) => write!(f, "used by {users}"),
            Self::Unremoved(reason) => f.write_str(reason),
        }
    }
}

impl serde::Serialize for LeftHandlers {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Tears `stack` down: a look at what there is, the question, the deletion, and the published handlers that only this stack
/// has used. The empty shell of a change set that was never agreed to goes without a question.
///
/// Published handlers expire by themselves, so not to remove them is no error.
///
/// # Errors
/// The stack is protected, is no chat, or the user declines: nothing was touched. Otherwise those of the deletion.
pub async fn teardown_cloud<S: CloudTeardownSteps>(
    steps: &S,
    stack: &StackName,
    data: Data,
) -> Result<CloudTeardown<S::Account>, DeployError> {
    // The question between them is not counted.
    let share = Share::new(limits::ASKING);
    let looking = asking(steps, &share, look(steps, stack));
    let (account, there) = or_interrupted(looking).await?;
    if let There::Stack { .. } = there
        && !steps.agree(&account).await?
    {
        return Err(TargetError::declined("`--keep-data` keeps the table").into());
    }
    let outcome = match there {
        There::Nothing => Teardown::NothingThere,
        There::Shell | There::Stack { .. } => {
            let reporter = RefCell::new(steps.reporter());
            let mut shared = &reporter;
            let deleting = delete_stack(account.stacks(), stack, data, &mut shared);
            silence::reporting(&reporter, deleting).await?
        }
    };
    let (record, mut left) = match (there, &outcome) {
        (There::Stack { record, resources }, Teardown::Done { spared }) => {
            let left = left_of(&resources, spared, data);
            (Some(*record), left)
        }
        (There::Stack { record, .. }, Teardown::NothingThere) => (Some(*record), Left::default()),
        (There::Nothing | There::Shell, _) => (None, Left::default()),
    };
    let forgetting = asking(
        steps,
        &share,
        forget(&account, stack, record.as_ref(), &mut left),
    );
    if let Err(error) = or_interrupted(forgetting).await {
        let why = match error.kind {
            ErrorKind::Interrupted => "interrupted",
            _ => "AWS did not answer",
        };
        let reason = format!("if there are any, they expire: {why}");
        left.handlers = Some(LeftHandlers::Unremoved(reason));
    }
    if let Some(LeftHandlers::Unremoved(reason)) = &left.handlers {
        steps.warn(&format!(
            "the published handlers were not removed: {reason}"
        ));
    }
    Ok(CloudTeardown {
        account,
        outcome,
        left,
    })
}

/// What is found under a stack's name.
enum There {
    Nothing,
    /// A stack with nothing in it.
    Shell,
    Stack {
        record: Box<StackRecord>,
        resources: Vec<Resource>,
    },
}

/// Finds out what there is, and shows what goes and what stays.
async fn look<S: CloudTeardownSteps>(
    steps: &S,
    stack: &StackName,
) -> Result<(S::Account, There), TargetError> {
    let account = steps.connect().await?;
    let stacks = account.stacks();
    let Some(record) = stacks.record(stack).await? else {
        let there = match stacks.describe(stack).await? {
            Some(_) => There::Shell,
            None => There::Nothing,
        };
        return Ok((account, there));
    };
    stacks.own_template(stack).await?;
    if let Some(error) = record.protection() {
        return Err(error);
    }
    let resources = stacks.resources(stack).await?;
    steps.show_stack(&record, &resources);
    for table in tables(&resources) {
        let items = account.tables().items(&table.physical_id).await;
        steps.show_table(&table.physical_id, items);
    }
    let record = Box::new(record);
    Ok((account, There::Stack { record, resources }))
}

/// Does `work`, which only asks, within what is left of `share`; a long silence is reported.
async fn asking<T>(
    steps: &impl CloudTeardownSteps,
    share: &Share,
    work: impl Future<Output = Result<T, TargetError>>,
) -> Result<T, TargetError> {
    let reporter = RefCell::new(steps.progress());
    let asking = share.within(work, |minutes| {
        TargetError::late("find out everything that is needed", minutes)
    });
    silence::reporting(&reporter, asking).await
}

fn tables(resources: &[Resource]) -> impl Iterator<Item = &Resource> {
    resources
        .iter()
        .filter(|resource| resource.resource_type == TABLE_TYPE)
}

/// What of `resources` stays, of which the deletion has left `spared` alone.
fn left_of(resources: &[Resource], spared: &[String], data: Data) -> Left {
    let kept = tables(resources).filter(|_| data == Data::Keep);
    let could_not_go = resources
        .iter()
        .filter(|resource| spared.contains(&resource.logical_id));
    Left {
        tables: kept.map(|table| table.physical_id.clone()).collect(),
        spared: could_not_go
            .map(|resource| format!("{} {}", resource.resource_type, resource.physical_id))
            .collect(),
        ..Left::default()
    }
}

/// Removes the published handlers that the stack was ever deployed with, but for those that another stack uses; writes into
/// `left` what stays. `record` is of the stack before it was deleted.
async fn forget(
    account: &impl Holdings,
    stack: &StackName,
    record: Option<&StackRecord>,
    left: &mut Left,
) -> Result<(), TargetError> {
    match account.store().exists().await {
        Ok(false) => {}
        Ok(true) => {
            left.handlers = forget_handlers(account, stack, record).await;
            left.bucket = Some(account.store().bucket().to_owned());
        }
        Err(error) => {
            let reason = format!("if there are any, they expire: {}", chain(&error));
            left.handlers = Some(LeftHandlers::Unremoved(reason));
        }
    }
    Ok(())
}

async fn forget_handlers(
    account: &impl Holdings,
    stack: &StackName,
    record: Option<&StackRecord>,
) -> Option<LeftHandlers> {
    let published = account.store();
    let is_ours = |record: &&StackRecord| {
        let bucket = record.parameters.get(parameter::CODE_BUCKET);
        bucket.is_some_and(|bucket| bucket == published.bucket())
    };
    let current = record.filter(is_ours).map(StackRecord::code_keys);
    let looking = async {
        let uses = published.uses().await?;
        let others = account.stacks().code_of_others(stack).await?;
        let now = SystemTime::now();
        Ok::<_, TargetError>(uses.leftovers(stack, current.unwrap_or_default(), &others, now))
    };
    let leftovers = match looking.await {
        Ok(leftovers) => leftovers,
        Err(error) => {
            return Some(LeftHandlers::Unremoved(format!(
                "it is not known who else uses them, they expire: {}",
                chain(&error)
            )));
        }
    };
    if let Err(error) = published.forget(stack, &leftovers).await {
        return Some(LeftHandlers::Unremoved(format!(
            "could not be removed, they expire: {}",
            chain(&error)
        )));
    }
    let users: Vec<_> = leftovers.users.into_iter().collect();
    (!users.is_empty()).then(|| LeftHandlers::Used(few(&users)))
}
