//! What resources need beyond their description: the one place where they come into being, change and go. Only tables
//! have a life of their own; what else a template names is served from its description.

use std::sync::Arc;

use super::parts::blocking;
use crate::dynamodb::{Prepared, Tables, TablesError};
use crate::stack::{Resource, Stack};
use crate::transition::{ChangeSummary, Reporter};

/// Lets the services judge every resource before anything is touched.
pub(super) async fn check(stack: &Arc<Stack>) -> Result<(), TablesError> {
    let stack = Arc::clone(stack);
    blocking(move || Tables::check(stack.tables.values())).await
}

/// Brings one resource of `after` into being, if the summary says so, and tells of it.
pub(super) async fn renew(
    after: &Arc<Stack>,
    resource: &Resource,
    summary: &ChangeSummary,
    tables: &Arc<Tables>,
    teller: &Reporter<'_>,
) -> Result<(), TablesError> {
    let is_new = summary.added.contains(&resource.logical_id);
    let verb = match is_new {
        true => "CREATE",
        false if summary.changed.contains(&resource.logical_id) => "UPDATE",
        false => return Ok(()),
    };
    teller.resource(resource, &format!("{verb}_IN_PROGRESS"), None);
    let reason = match (prepare(after, resource, tables).await?, is_new) {
        (Some(Prepared::Replaced), true) => {
            Some("a table with other keys was there; what it held is lost")
        }
        (Some(Prepared::Replaced), false) => {
            Some("its keys changed, so it was replaced; what it held is lost")
        }
        (Some(Prepared::Kept), true) => Some("the table was there already and keeps what it holds"),
        _ => None,
    };
    let reason = reason.map(str::to_owned);
    teller.resource(resource, &format!("{verb}_COMPLETE"), reason);
    Ok(())
}

/// Makes sure that a table is there; `None` for other resources, which need nothing of the kind.
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

/// Removes what `before` has and `after` does not, and tells of it.
pub(super) async fn remove(
    before: &Stack,
    after: &Stack,
    summary: &ChangeSummary,
    tables: &Arc<Tables>,
    teller: &Reporter<'_>,
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
        teller.done(resource, "DELETE", None);
    }
}
