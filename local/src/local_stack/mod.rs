//! A running stack: its start, its updates, its end.

mod errors;
mod lifecycle;
mod parts;
mod services;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

pub use self::errors::{FunctionCodeError, StartError, UpdateError};
pub use self::lifecycle::ResourceError;
use self::parts::{listen, load, resolve_beside, stage_address};
use self::services::{References, Services, Version};
use crate::BoxFuture;
use crate::http::page::Page;
use crate::lambda::Scratch;
use crate::observer::Observer;
use crate::options::{Options, StackRequest};
use crate::stack::{LogicalId, Resource, Stack};
use crate::status::{Status, TableStatus};
use crate::transition::ChangeSummary;

/// The time that running asynchronous invocations have to end when the stack stops.
const EVENT_TIMEOUT: Duration = Duration::from_secs(2);

/// A stack that runs on this machine.
///
/// [`LocalStack::stop`] ends it in good order. Dropping it also ends the functions' processes, but without waiting for
/// them and without closing the connections properly.
#[derive(Debug)]
pub struct LocalStack {
    services: Services,
    scratch: Arc<Scratch>,
    options: Options,
    port: u16,
    started_at: SystemTime,
    current: Mutex<Version>,
    /// Serialises updates.
    updating: tokio::sync::Mutex<()>,
    stop: watch::Sender<bool>,
    serving: Option<AbortOnDropHandle<()>>,
    _watching_clocks: AbortOnDropHandle<()>,
}

impl LocalStack {
    /// Resolves the template and runs it. When this returns, connections are accepted; functions start with their first
    /// event.
    ///
    /// # Errors
    /// [`StartError`]; then nothing is left running.
    pub fn start(
        request: StackRequest,
        options: Options,
        observer: Observer,
    ) -> BoxFuture<'static, Result<Self, StartError>> {
        Box::pin(async move {
            let identity = options.identity(&request.stack_name);
            let stack = resolve_beside(&request, identity).await?;
            let references = References(Arc::new(request.references));
            Self::run(stack, request.code, references, options, observer).await
        })
    }

    /// Like [`LocalStack::start`], for a resolved stack.
    ///
    /// # Errors
    /// [`StartError`]; then nothing is left running.
    pub fn start_resolved(
        stack: Stack,
        code: BTreeMap<LogicalId, PathBuf>,
        options: Options,
        observer: Observer,
    ) -> BoxFuture<'static, Result<Self, StartError>> {
        let references = References::default();
        Box::pin(Self::run(stack, code, references, options, observer))
    }

    async fn run(
        stack: Stack,
        code: BTreeMap<LogicalId, PathBuf>,
        references: References,
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
        let services = Services::open(&stack, &options, &observer, port).await?;
        let version = Version {
            stack,
            codes,
            references,
        };
        services.apply(None, &version).await?;
        let (stop, stopped) = watch::channel(false);
        let front = Arc::clone(&services.front);
        let gateway = Arc::clone(&services.gateway);
        Ok(Self {
            services,
            scratch,
            options,
            port,
            started_at: SystemTime::now(),
            current: Mutex::new(version),
            updating: tokio::sync::Mutex::new(()),
            stop,
            serving: Some(AbortOnDropHandle::new(tokio::spawn(
                front.serve(listener, stopped),
            ))),
            _watching_clocks: AbortOnDropHandle::new(tokio::spawn(gateway.watch_clocks())),
        })
    }

    /// The gateway's port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address for clients: `ws://127.0.0.1:{port}/{stage}`, with the first stage by name.
    pub fn endpoint(&self) -> String {
        format!("ws://{}", stage_address(&self.current().stack, self.port))
    }

    /// Serves `page` at `GET /` of the gateway from now on. Without one the gateway refuses, as API Gateway does.
    pub fn show_page(&self, page: Option<Page>) {
        self.services.front.show(page);
    }

    /// The template's outputs.
    pub fn outputs(&self) -> BTreeMap<String, String> {
        self.current().stack.outputs.clone()
    }

    /// The template's resources, in creation order.
    pub fn resources(&self) -> Vec<Resource> {
        self.current().stack.resources.clone()
    }

    /// Updates the running stack. Open connections are kept, unless their stage is removed. Table data is kept, unless
    /// the table's keys, local indexes or attribute types change. Functions with new code or configuration get new
    /// processes, and the old ones finish their running invocations.
    ///
    /// # Errors
    /// [`UpdateError`]; the stack keeps running unchanged, unless [`ResourceError::NotUndone`] names what did change.
    pub fn update(
        &self,
        request: StackRequest,
    ) -> BoxFuture<'_, Result<ChangeSummary, UpdateError>> {
        Box::pin(async move {
            let identity = self.options.identity(&request.stack_name);
            let stack = resolve_beside(&request, identity).await?;
            let references = References(Arc::new(request.references));
            self.change(stack, request.code, references).await
        })
    }

    /// Like [`LocalStack::update`], for a resolved stack.
    ///
    /// # Errors
    /// [`UpdateError`]; the stack keeps running unchanged, unless [`ResourceError::NotUndone`] names what did change.
    pub fn update_resolved(
        &self,
        stack: Stack,
        code: BTreeMap<LogicalId, PathBuf>,
    ) -> BoxFuture<'_, Result<ChangeSummary, UpdateError>> {
        let references = self.current().references.clone();
        Box::pin(self.change(stack, code, references))
    }

    async fn change(
        &self,
        stack: Stack,
        code: BTreeMap<LogicalId, PathBuf>,
        references: References,
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
        let stack = Arc::new(stack);
        let codes = load(&stack, code, &self.scratch).await?;
        let after = Version {
            stack,
            codes,
            references,
        };
        let summary = self.services.apply(Some(&before), &after).await?;
        *self.current() = after;
        Ok(summary)
    }

    /// The current status of the stack.
    pub fn status(&self) -> Status {
        let stack = Arc::clone(&self.current().stack);
        let table = |table: &crate::stack::Table| TableStatus {
            logical_id: table.logical_id.clone(),
            name: table.name.clone(),
        };
        Status {
            started_at: self.started_at,
            connections: self.services.gateway.connections.count(),
            traffic: self.services.gateway.traffic.read(),
            sockets: self.services.front.open(),
            queued_bytes: self.services.gateway.budget.used(),
            functions: self.services.functions.status(),
            tables: stack.tables.values().map(table).collect(),
            tables_endpoint: self.services.stateful.tables_endpoint().to_owned(),
            resources: stack.resources.clone(),
        }
    }

    /// Stops the stack: closes connections with 1001 and runs their `$disconnect`, then ends the processes. When this
    /// returns, no process and no port is left.
    pub fn stop(mut self) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            self.stop.send_replace(true);
            if let Some(serving) = self.serving.take() {
                // It ends by itself; a panic in it was already printed on standard error.
                let _panicked = serving.await;
            }
            self.services.functions.settle_events(EVENT_TIMEOUT).await;
            self.services.functions.stop().await;
            self.services.stateful.stop().await;
        })
    }

    fn current(&self) -> MutexGuard<'_, Version> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LocalStack {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        drop(self.services.functions.abandon());
    }
}
