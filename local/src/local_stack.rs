//! A stack that runs: its start, its updates, its end.

mod errors;
mod parts;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use self::errors::{FunctionCodeError, StartError, UpdateError};
use self::parts::{
    check_tables, create, listen, load, open_tables, prepare, resolve_beside, runnables,
    stage_address,
};
use crate::budget::Budget;
use crate::dynamodb::{Prepared, Tables, TablesError};
use crate::front::Front;
use crate::http::page::Page;
use crate::iam::credentials::Credentials;
use crate::lambda::{Code, Functions, Scratch};
use crate::observer::Observer;
use crate::options::{Options, StackRequest};
use crate::stack::{LogicalId, Resource, Stack};
use crate::status::{Status, TableStatus};
use crate::transition::{ChangeSummary, Teller};
use crate::websocket::Gateway;
use crate::websocket::deployed::Deployed;

/// How long asynchronous invocations that run may take to end when the stack stops.
const EVENT_PATIENCE: Duration = Duration::from_secs(2);

/// A stack that runs on this machine.
///
/// [`LocalStack::stop`] ends it in good order. Dropping it ends the functions' processes as well, but without waiting
/// for them and without telling the clients.
#[derive(Debug)]
pub struct LocalStack {
    front: Arc<Front>,
    gateway: Arc<Gateway>,
    functions: Arc<Functions>,
    credentials: Arc<Credentials>,
    tables: Arc<Tables>,
    scratch: Arc<Scratch>,
    observer: Observer,
    options: Options,
    port: u16,
    started_at: SystemTime,
    current: Mutex<Current>,
    /// One update at a time.
    updating: tokio::sync::Mutex<()>,
    stop: watch::Sender<bool>,
    serving: Option<JoinHandle<()>>,
    watching_clocks: JoinHandle<()>,
}

/// What runs now.
#[derive(Debug, Clone)]
struct Current {
    stack: Arc<Stack>,
    codes: BTreeMap<LogicalId, Code>,
}

impl LocalStack {
    /// Resolves the template and runs it. When this returns, sockets are accepted; functions start with their first event.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub async fn start(
        request: StackRequest,
        options: Options,
        observer: Observer,
    ) -> Result<Self, StartError> {
        let identity = options.identity(&request.stack_name);
        let stack = resolve_beside(&request, identity).await?;
        Self::start_resolved(stack, request.code, options, observer).await
    }

    /// Like [`LocalStack::start`], for a stack that is resolved already.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub async fn start_resolved(
        stack: Stack,
        code: BTreeMap<LogicalId, PathBuf>,
        options: Options,
        observer: Observer,
    ) -> Result<Self, StartError> {
        let stack = Arc::new(stack);
        let scratch = Arc::new(Scratch::new(options.scratch.clone()));
        let codes = load(&stack, code, &scratch).await?;
        let listener = listen(options.port).await?;
        let port = listener
            .local_addr()
            .map_err(|source| StartError::Listen {
                port: options.port,
                source,
            })?
            .port();
        let credentials = Arc::new(Credentials::default());
        credentials.adopt(&stack);
        let tables = open_tables(&stack, &options, &credentials).await?;

        let teller = Teller::new(&observer, &stack.identity.stack_name);
        teller.stack("CREATE_IN_PROGRESS", None);
        for resource in &stack.resources {
            if let Err(error) = create(&stack, resource, &tables, &teller).await {
                teller.resource(resource, "CREATE_FAILED", Some(error.to_string()));
                teller.stack("ROLLBACK_IN_PROGRESS", Some(error.to_string()));
                teller.stack("ROLLBACK_COMPLETE", None);
                return Err(error.into());
            }
        }

        let budget = Budget::new(options.limits.queued_bytes);
        let functions = Arc::new(Functions::new(
            options.limits.clone(),
            options.clock.clone(),
            Arc::clone(&budget),
            observer.clone(),
        ));
        functions.replace(runnables(
            &stack,
            &codes,
            &options,
            &credentials,
            tables.endpoint(),
            port,
        ));
        let gateway = Gateway::new(
            Deployed::of(&stack),
            Arc::clone(&functions),
            Arc::clone(&credentials),
            options.limits.clone(),
            options.clock.clone(),
            budget,
            observer.clone(),
        );
        for warning in Deployed::warnings(&stack) {
            observer.warn(warning);
        }
        let (stop, stopped) = watch::channel(false);
        let front = Front::new(Arc::clone(&gateway), Arc::clone(&functions));
        let serving = Some(tokio::spawn(Arc::clone(&front).serve(listener, stopped)));
        let watching_clocks = tokio::spawn(Arc::clone(&gateway).watch_clocks());
        teller.stack("CREATE_COMPLETE", None);
        Ok(Self {
            front,
            gateway,
            functions,
            credentials,
            tables,
            scratch,
            observer,
            options,
            port,
            started_at: SystemTime::now(),
            current: Mutex::new(Current { stack, codes }),
            updating: tokio::sync::Mutex::new(()),
            stop,
            serving,
            watching_clocks,
        })
    }

    /// The gateway's port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where clients connect: `ws://127.0.0.1:{port}/{stage}`, with the first stage by name.
    pub fn endpoint(&self) -> String {
        format!("ws://{}", stage_address(&self.current().stack, self.port))
    }

    /// Has the gateway answer `GET /` with `page` from now on; without one it refuses, as API Gateway does.
    pub fn show_page(&self, page: Option<Page>) {
        self.front.show(page);
    }

    /// The template's outputs.
    pub fn outputs(&self) -> BTreeMap<String, String> {
        self.current().stack.outputs.clone()
    }

    /// The template's resources, in creation order.
    pub fn resources(&self) -> Vec<Resource> {
        self.current().stack.resources.clone()
    }

    /// Changes the running stack. Open connections stay, unless their stage goes; table data stays, unless the table's
    /// keys change; functions with other code or configuration get new processes, the old ones finish what they run.
    ///
    /// # Errors
    /// [`UpdateError`]; the stack runs on as it was.
    pub async fn update(&self, request: StackRequest) -> Result<ChangeSummary, UpdateError> {
        let identity = self.options.identity(&request.stack_name);
        let stack = resolve_beside(&request, identity).await?;
        self.update_resolved(stack, request.code).await
    }

    /// Like [`LocalStack::update`], for a stack that is resolved already.
    ///
    /// # Errors
    /// [`UpdateError`]; the stack runs on as it was.
    pub async fn update_resolved(
        &self,
        stack: Stack,
        code: BTreeMap<LogicalId, PathBuf>,
    ) -> Result<ChangeSummary, UpdateError> {
        let _alone = self.updating.lock().await;
        let before = self.current().clone();
        let running = &before.stack.identity.stack_name;
        if stack.identity.stack_name != *running {
            let requested = stack.identity.stack_name;
            return Err(UpdateError::OtherStack {
                running: running.clone(),
                requested,
            });
        }
        let after = Arc::new(stack);
        let codes = load(&after, code, &self.scratch).await?;
        check_tables(&after).await?;
        let is_new = |id: &&LogicalId| {
            before
                .codes
                .get(*id)
                .is_some_and(|old| Some(old) != codes.get(*id))
        };
        let new_code: Vec<LogicalId> = codes.keys().filter(is_new).cloned().collect();
        let summary = ChangeSummary::between(&before.stack, &after, &new_code);

        let teller = Teller::new(&self.observer, running);
        teller.stack("UPDATE_IN_PROGRESS", None);
        for resource in &after.resources {
            if let Err(error) = self.renew(&after, resource, &summary, &teller).await {
                teller.resource(resource, "UPDATE_FAILED", Some(error.to_string()));
                teller.stack("UPDATE_ROLLBACK_IN_PROGRESS", Some(error.to_string()));
                teller.stack("UPDATE_ROLLBACK_COMPLETE", None);
                return Err(error.into());
            }
        }
        // Permissions first, functions next, routes last: a new route never meets an old function.
        self.credentials.adopt(&after);
        let endpoint = self.tables.endpoint();
        self.functions.replace(runnables(
            &after,
            &codes,
            &self.options,
            &self.credentials,
            endpoint,
            self.port,
        ));
        self.gateway.deploy(Deployed::of(&after));
        let known = Deployed::warnings(&before.stack);
        for warning in Deployed::warnings(&after) {
            // Once is enough, however often the template is saved.
            if !known.contains(&warning) {
                self.observer.warn(warning);
            }
        }
        *self.current() = Current {
            stack: Arc::clone(&after),
            codes,
        };

        teller.stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None);
        self.remove_tables(&before.stack, &after).await;
        for resource in before
            .stack
            .resources
            .iter()
            .rev()
            .filter(|old| summary.removed.contains(&old.logical_id))
        {
            teller.done(resource, "DELETE", None);
        }
        teller.stack("UPDATE_COMPLETE", None);
        Ok(summary)
    }

    /// The stack at this moment.
    pub fn status(&self) -> Status {
        let stack = Arc::clone(&self.current().stack);
        let table = |table: &crate::stack::Table| TableStatus {
            logical_id: table.logical_id.clone(),
            name: table.name.clone(),
        };
        Status {
            started_at: self.started_at,
            connections: self.gateway.connections.count(),
            sockets: self.front.open(),
            queued_bytes: self.gateway.budget.used(),
            functions: self.functions.status(),
            tables: stack.tables.values().map(table).collect(),
            tables_endpoint: self.tables.endpoint().to_owned(),
            resources: stack.resources.clone(),
        }
    }

    /// Ends everything: connections are closed with 1001 and their `$disconnect` runs, then the processes end. When this
    /// returns, no process and no port is left.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(serving) = self.serving.take() {
            // It ends by itself; a panic in it was told on standard error already.
            let _panicked = serving.await;
        }
        self.functions.settle_events(EVENT_PATIENCE).await;
        self.functions.stop().await;
        let tables = Arc::clone(&self.tables);
        let _joined = tokio::task::spawn_blocking(move || tables.stop()).await;
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings one resource of an update into being, and tells of it.
    async fn renew(
        &self,
        after: &Arc<Stack>,
        resource: &Resource,
        summary: &ChangeSummary,
        teller: &Teller<'_>,
    ) -> Result<(), TablesError> {
        let id = &resource.logical_id;
        if summary.added.contains(id) {
            return create(after, resource, &self.tables, teller).await;
        }
        if summary.changed.contains(id) {
            teller.resource(resource, "UPDATE_IN_PROGRESS", None);
            let lost = match prepare(after, id, &self.tables).await? {
                Some(Prepared::Replaced) => {
                    Some("its keys changed, so it was replaced; what it held is lost".to_owned())
                }
                _ => None,
            };
            teller.resource(resource, "UPDATE_COMPLETE", lost);
        }
        Ok(())
    }

    /// Deletes the tables that no longer belong to the stack.
    async fn remove_tables(&self, before: &Stack, after: &Stack) {
        let names = |stack: &Stack| {
            stack
                .tables
                .values()
                .map(|table| table.name.clone())
                .collect::<Vec<_>>()
        };
        let kept = names(after);
        let tables = Arc::clone(&self.tables);
        let gone: Vec<String> = names(before)
            .into_iter()
            .filter(|name| !kept.contains(name))
            .collect();
        let _joined =
            tokio::task::spawn_blocking(move || gone.iter().all(|name| tables.delete(name))).await;
    }
}

impl Drop for LocalStack {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        drop(self.functions.abandon());
        self.watching_clocks.abort();
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}
