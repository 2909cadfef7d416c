//! Creates, changes and deletes resources that have state, and runs the services that serve it: the one place to add such a
//! type to a running stack. Only tables have state; all other resources are served from their description.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dynamodb::{Scope, Tables, TablesError, same_keys};
use crate::iam::credentials::Credentials;
use crate::options::Options;
use crate::stack::{Identity, LogicalId, Resource, Stack};
use crate::transition::{ChangeSummary, Reporter};
use crate::worker_threads::blocking;

/// Why the services of resources with state, or one of the resources, could not be opened, created or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResourceError {
    /// The tables, or one of them.
    #[error(transparent)]
    Tables(#[from] TablesError),
}

/// The services of resources with state.
#[derive(Debug)]
pub(super) struct Stateful {
    tables: Arc<Tables>,
}

impl Stateful {
    /// Starts the services, with the state that earlier runs of the stack have left.
    pub(super) async fn open(
        identity: &Identity,
        options: &Options,
        credentials: &Arc<Credentials>,
    ) -> Result<Self, ResourceError> {
        let scope = Scope {
            region: identity.region.clone(),
            account_id: identity.account_id.clone(),
        };
        let (storage, credentials) = (options.tables.clone(), Arc::clone(credentials));
        let tables = blocking(move || Tables::open(&storage, credentials, scope)).await?;
        Ok(Self {
            tables: Arc::new(tables),
        })
    }

    /// The addresses of the services, by the variable that leads AWS's SDKs there
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
    pub(super) fn endpoints(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([(
            "AWS_ENDPOINT_URL_DYNAMODB",
            self.tables.endpoint().to_owned(),
        )])
    }

    pub(super) fn tables_endpoint(&self) -> &str {
        self.tables.endpoint()
    }

    /// Lets the services check every resource before any is changed.
    pub(super) async fn check(stack: &Arc<Stack>) -> Result<(), ResourceError> {
        let stack = Arc::clone(stack);
        blocking(move || Tables::check(stack.tables.values())).await?;
        Ok(())
    }

    /// Creates or updates one resource of `after`, if the summary contains it, and reports it.
    pub(super) async fn renew(
        &self,
        after: &Stack,
        resource: &Resource,
        summary: &ChangeSummary,
        reporter: &Reporter<'_>,
    ) -> Result<(), ResourceError> {
        let is_new = summary.added.contains(&resource.logical_id);
        let verb = match is_new {
            true => "CREATE",
            false if summary.changed.contains(&resource.logical_id) => "UPDATE",
            false => return Ok(()),
        };
        reporter.resource(resource, &format!("{verb}_IN_PROGRESS"), None);
        let reason = self.prepare(after, resource, is_new).await?;
        let reason = reason.map(str::to_owned);
        reporter.resource(resource, &format!("{verb}_COMPLETE"), reason);
        Ok(())
    }

    /// Creates the state of a resource, if its type has state, unless it exists. Returns what a stack event should say of
    /// it.
    async fn prepare(
        &self,
        stack: &Stack,
        resource: &Resource,
        is_new: bool,
    ) -> Result<Option<&'static str>, ResourceError> {
        if let Some(table) = stack.tables.get(&resource.logical_id).cloned() {
            let tables = Arc::clone(&self.tables);
            let prepared = blocking(move || tables.prepare(&table)).await?;
            return Ok(prepared.remark(is_new));
        }
        Ok(None)
    }

    /// Removes the state of `before` that `after` does not have, and reports the removed resources.
    pub(super) async fn remove(
        &self,
        before: &Stack,
        after: &Stack,
        summary: &ChangeSummary,
        reporter: &Reporter<'_>,
    ) {
        let names = |stack: &Stack| -> Vec<String> {
            let tables = stack.tables.values();
            tables.map(|table| table.name.clone()).collect()
        };
        let kept = names(after);
        let mut gone = names(before);
        gone.retain(|name| !kept.contains(name));
        let tables = Arc::clone(&self.tables);
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

    /// Ends the services.
    pub(super) async fn stop(&self) {
        let tables = Arc::clone(&self.tables);
        // A panic in it was already printed on standard error.
        let _joined = tokio::task::spawn_blocking(move || tables.stop()).await;
    }
}

/// Whether an update from `before` to `after` makes the resource's state anew, which loses it.
pub(super) fn is_remade(before: &Stack, after: &Stack, id: &LogicalId) -> bool {
    match (before.tables.get(id), after.tables.get(id)) {
        (Some(old), Some(new)) => !same_keys(&old.create, &new.create),
        _ => false,
    }
}
