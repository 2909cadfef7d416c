//! Creates, changes and deletes resources that have state. Only tables do; all other resources are served from their
//! description.

use std::sync::Arc;

use super::parts::blocking;
use crate::dynamodb::{Prepared, Tables, TablesError};
use crate::stack::{Resource, Stack};
use crate::transition::{ChangeSummary, Reporter};

/// Lets the services check every resource before any is changed.
pub(super) async fn check(stack: &Arc<Stack>) -> Result<(), TablesError> {
    let stack = Arc::clone(stack);
    blocking(move || Tables::check(stack.tables.values())).await
}

/// Creates or updates one resource of `after`, if the summary contains it, and reports it.
pub(super) async fn renew(
    after: &Arc<Stack>,
    resource: &Resource,
    summary: &ChangeSummary,
    tables: &Arc<Tables>,
    reporter: &Reporter<'_>,
) -> Result<(), TablesError> {
    let is_new = summary.added.contains(&resource.logical_id);
    let verb = match is_new {
        true => "CREATE",
        false if summary.changed.contains(&resource.logical_id) => "UPDATE",
        false => return Ok(()),
    };
    reporter.resource(resource, &format!("{verb}_IN_PROGRESS"), None);
    let reason = match (prepare(after, resource, tables).await?, is_new) {
        (Some(Prepared::Replaced), true) => {
            Some("a table with other keys existed; its items are lost")
        }
        (Some(Prepared::Replaced), false) => {
            Some("its keys changed, so it was replaced; its items are lost")
        }
        (Some(Prepared::Kept), true) => Some("the table existed already and keeps its items"),
        _ => None,
    };
    let reason = reason.map(str::to_owned);
    reporter.resource(resource, &format!("{verb}_COMPLETE"), reason);
    Ok(())
}

/// Creates a table unless it exists; `None` for other resources, which have no state.
async fn prepare(
    stack: &Arc<Stack>,
    resource: &Resource,
    tables: &Arc<Tables>,
) -> Result<Option<Prepared>, TablesError> {
    let Some(table) = stack.tables.get(&resource.logical_id).cloned() else {
        return Ok(None);
    };
    let tables = Arc::clone(tables);
    blocking(move || tables.prepare(&table)).await.map(Some)
}

/// Removes the tables of `before` that `after` does not have, and reports it.
pub(super) async fn remove(
    before: &Stack,
    after: &Stack,
    summary: &ChangeSummary,
    tables: &Arc<Tables>,
    reporter: &Reporter<'_>,
) {
    let names = |stack: &Stack| -> Vec<String> {
        let tables = stack.tables.values();
        tables.map(|table| table.name.clone()).collect()
    };
    let kept = names(after);
    let mut gone = names(before);
    gone.retain(|name| !kept.contains(name));
    let tables = Arc::clone(tables);
    blocking(move || {
        for name in gone {
            tables.delete(&name);
        }
    })
    .await;
    let is_gone = |old: &&Resource| summary.removed.contains(&old.logical_id);
    for resource in before.resources.iter().rev().filter(is_gone) {
        reporter.done(resource, "DELETE", None);
    }
}
