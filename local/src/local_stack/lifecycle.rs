//! Creates, changes and deletes resources that have state, and runs the services that serve it: the one place to add
//! such a type to a running stack. Only tables have state; all other resources are served from their description.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::dynamodb::{Before, Occasion, Prepared, Scope, Tables, TablesError, is_replaced};
use crate::iam::credentials::Credentials;
use crate::options::Options;
use crate::stack::{Identity, LogicalId, Resource, Stack, Table};
use crate::transition::{ChangeSummary, Reporter};
use crate::worker_threads::blocking;

/// Why the services of resources with state, or one of the resources, could not be opened, created or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResourceError {
    /// The tables, or one of them.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// A resource could not be created or changed, and what was changed before it could not be taken back.
    #[error(
        "the stack's tables are no longer what they were: {left}; update the stack with a template that can be applied"
    )]
    NotUndone {
        /// What is not as it was.
        left: String,
        /// The first error.
        source: Box<ResourceError>,
    },
}

/// What resources with state were before an update changed them, in the order of the changes.
#[derive(Debug, Default)]
pub(super) struct Journal(Vec<(LogicalId, Before)>);

/// The services of resources with state.
#[derive(Debug)]
pub(super) struct Stateful {
    tables: Arc<Tables>,
    /// The resources that a failed update has left changed: the stack does not say what they are.
    left: Mutex<BTreeSet<LogicalId>>,
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
            left: Mutex::default(),
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

    /// Lets the services check every resource of `after` before any is changed.
    ///
    /// # Errors
    /// The first resource that cannot become what the template says.
    pub(super) async fn check(
        &self,
        before: Option<&Stack>,
        after: &Stack,
    ) -> Result<(), (LogicalId, ResourceError)> {
        let wanted: Vec<(Table, Occasion)> = after
            .tables
            .values()
            .map(|table| (table.clone(), self.occasion(before, table)))
            .collect();
        let tables = Arc::clone(&self.tables);
        let checked = blocking(move || {
            let wanted = wanted.iter();
            tables.check(wanted.map(|(table, occasion)| (table, *occasion)))
        });
        let checked = checked.await;
        checked.map_err(|(id, error)| (id, error.into()))
    }

    fn occasion(&self, before: Option<&Stack>, table: &Table) -> Occasion {
        let Some(before) = before else {
            return Occasion::Start;
        };
        let id = &table.logical_id;
        match before.tables.get(id) {
            Some(earlier) if earlier.name == table.name && !is_replaced(earlier, table) => {
                match self.left().contains(id) {
                    true => Occasion::Renewal,
                    false => Occasion::Update,
                }
            }
            _ => Occasion::Renewal,
        }
    }

    /// Creates or updates one resource of `after`, if the summary contains it or a failed update has left it changed,
    /// and reports it. What [`Stateful::undo`] needs is added to `journal` before.
    pub(super) async fn renew(
        &self,
        before: Option<&Stack>,
        after: &Stack,
        resource: &Resource,
        summary: &ChangeSummary,
        reporter: &Reporter<'_>,
        journal: &mut Journal,
    ) -> Result<(), ResourceError> {
        let id = &resource.logical_id;
        let is_new = summary.added.contains(id);
        let verb = match is_new {
            true => "CREATE",
            false if summary.changed.contains(id) || self.left().contains(id) => "UPDATE",
            false => return Ok(()),
        };
        reporter.resource(resource, &format!("{verb}_IN_PROGRESS"), None);
        match self.prepare(before, after, resource, journal).await {
            Ok(prepared) => {
                let remark = prepared.and_then(|prepared| prepared.remark(is_new));
                let reason = remark.map(str::to_owned);
                reporter.resource(resource, &format!("{verb}_COMPLETE"), reason);
                Ok(())
            }
            Err(error) => {
                let reason = Some(error.to_string());
                reporter.resource(resource, &format!("{verb}_FAILED"), reason);
                Err(error)
            }
        }
    }

    /// Makes the state of a resource, if its type has state, what the stack says.
    async fn prepare(
        &self,
        before: Option<&Stack>,
        after: &Stack,
        resource: &Resource,
        journal: &mut Journal,
    ) -> Result<Option<Prepared>, ResourceError> {
        let Some(table) = after.tables.get(&resource.logical_id).cloned() else {
            return Ok(None);
        };
        let occasion = self.occasion(before, &table);
        let tables = Arc::clone(&self.tables);
        let (before, prepared) = blocking(move || {
            let before = tables.before(&table.name);
            let prepared = before.is_ok().then(|| tables.prepare(&table, occasion));
            (before, prepared)
        })
        .await;
        journal.0.push((resource.logical_id.clone(), before?));
        Ok(prepared.transpose()?)
    }

    /// Takes back what the journal has, the last change first. What is left changed is renewed by the next update.
    ///
    /// # Errors
    /// What is not as it was.
    pub(super) async fn undo(&self, journal: Journal) -> Result<(), String> {
        let tables = Arc::clone(&self.tables);
        let left: Vec<(LogicalId, String)> = blocking(move || {
            let changes = journal.0.into_iter().rev();
            changes
                .filter_map(|(id, before)| Some((id, tables.restore(&before).err()?)))
                .collect()
        })
        .await;
        if left.is_empty() {
            return Ok(());
        }
        let (ids, left): (Vec<_>, Vec<_>) = left.into_iter().unzip();
        self.left().extend(ids);
        Err(left.join("; "))
    }

    /// Notes that an update has renewed all resources.
    pub(super) fn settle(&self) {
        self.left().clear();
    }

    fn left(&self) -> MutexGuard<'_, BTreeSet<LogicalId>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the state of `before` that `after` does not have, and reports the removed resources. Returns the logical
    /// ids of those that could not be deleted, whose state stays.
    pub(super) async fn remove(
        &self,
        before: &Stack,
        after: &Stack,
        summary: &ChangeSummary,
        reporter: &Reporter<'_>,
    ) -> Vec<LogicalId> {
        let kept: BTreeSet<&str> = after.tables.values().map(|table| &*table.name).collect();
        let mut stay = Vec::new();
        for resource in before.resources.iter().rev() {
            let id = &resource.logical_id;
            let table = before.tables.get(id);
            let name = table.map(|table| table.name.clone());
            let gone = name.filter(|name| !kept.contains(&**name));
            let deleted = match gone {
                Some(name) => {
                    let tables = Arc::clone(&self.tables);
                    blocking(move || tables.delete(&name)).await
                }
                None => Ok(()),
            };
            match deleted {
                Err(error) => {
                    reporter.resource(resource, "DELETE_FAILED", Some(error.to_string()));
                    stay.push(id.clone());
                }
                Ok(()) if summary.removed.contains(id) => reporter.done(resource, "DELETE", None),
                Ok(()) => {}
            }
        }
        stay
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
        (Some(old), Some(new)) => is_replaced(old, new),
        _ => false,
    }
}
