//! The services of a stack, and the transition from one stack to the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lifecycle::{Journal, ResourceError, Stateful, is_remade};
use super::parts::{roles, runnables};
use sha2::{Digest as _, Sha256};

use crate::budget::Budget;
use crate::front::Front;
use crate::iam::credentials::Credentials;
use crate::lambda::{Code, Functions};
use crate::observer::Observer;
use crate::options::Options;
use crate::stack::{LogicalId, Stack};
use crate::transition::{ChangeSummary, Reporter};
use crate::websocket::Gateway;
use crate::websocket::deployed::Deployed;

/// A stack with the code of its functions.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) stack: Arc<Stack>,
    pub(super) codes: BTreeMap<LogicalId, Code>,
    pub(super) references: References,
}

/// The values of dynamic references, and of the secrets that functions read. The debug output hides them.
#[derive(Clone, Default)]
pub(super) struct References(pub(super) Arc<BTreeMap<String, String>>);

impl References {
    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for part in self.0.iter().flat_map(|(name, value)| [name, value]) {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hex::encode(hash.finalize())
    }
}

impl std::fmt::Debug for References {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// All running services.
#[derive(Debug)]
pub(super) struct Services {
    pub(super) front: Arc<Front>,
    pub(super) gateway: Arc<Gateway>,
    pub(super) functions: Arc<Functions>,
    pub(super) stateful: Stateful,
    pub(super) observer: Observer,
    credentials: Arc<Credentials>,
    options: Options,
    port: u16,
}

impl Services {
    /// Starts the services for `stack`, which has none yet.
    pub(super) async fn open(
        stack: &Stack,
        options: &Options,
        observer: &Observer,
        port: u16,
    ) -> Result<Self, ResourceError> {
        let credentials = Arc::new(Credentials::default());
        let stateful = Stateful::open(&stack.identity, options, &credentials).await?;
        let budget = Budget::new(options.limits.queued_bytes);
        let functions = Arc::new(Functions::new(
            options.limits.clone(),
            options.clock.clone(),
            Arc::clone(&budget),
            observer.clone(),
        ));
        let gateway = Gateway::new(
            Deployed::nothing(&stack.identity),
            Arc::clone(&functions),
            Arc::clone(&credentials),
            options.limits.clone(),
            options.clock.clone(),
            budget,
            observer.clone(),
        );
        Ok(Self {
            front: Front::new(Arc::clone(&gateway), Arc::clone(&functions)),
            gateway,
            functions,
            stateful,
            observer: observer.clone(),
            credentials,
            options: options.clone(),
            port,
        })
    }

    /// Changes the services from `before`, or from nothing, to `after`, and reports stack events.
    ///
    /// # Errors
    /// A resource cannot be created or changed. Then the services are unchanged, and so are the resources with state,
    /// unless it is [`ResourceError::NotUndone`]. An update that is refused before it begins reports no event.
    pub(super) async fn apply(
        &self,
        before: Option<&Version>,
        after: &Version,
    ) -> Result<ChangeSummary, ResourceError> {
        let summary = summary(before, after);
        let stack = &after.stack;
        let reporter = Reporter::new(&self.observer, &stack.identity.stack_name);
        let earlier = before.map(|before| &*before.stack);
        let checked = self.stateful.check(earlier, stack).await;
        let (verb, rollback) = match before {
            None => ("CREATE", "ROLLBACK"),
            Some(_) => ("UPDATE", "UPDATE_ROLLBACK"),
        };
        if before.is_some()
            && let Err((_, error)) = checked
        {
            return Err(error);
        }
        reporter.stack(&format!("{verb}_IN_PROGRESS"), None);
        let mut journal = Journal::default();
        let renewed = match checked {
            Ok(()) => {
                let renewed = self.renew(earlier, stack, &summary, &reporter, &mut journal);
                renewed.await
            }
            Err((id, error)) => {
                reporter.failed(stack, &id, verb, &error);
                Err(error)
            }
        };
        if let Err(error) = renewed {
            return Err(self.roll_back(error, journal, rollback, &reporter).await);
        }
        self.stateful.settle();
        self.serve(before, after);
        let mut remark = None;
        if let Some(before) = before {
            reporter.stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None);
            let removed = self
                .stateful
                .remove(&before.stack, stack, &summary, &reporter);
            let stay = removed.await;
            remark = (!stay.is_empty()).then(|| {
                let stay = stay.join(", ");
                format!("the update took effect, but these could not be deleted: {stay}")
            });
        }
        reporter.stack(&format!("{verb}_COMPLETE"), remark);
        Ok(summary)
    }

    /// Creates and changes the resources with state.
    async fn renew(
        &self,
        before: Option<&Stack>,
        after: &Stack,
        summary: &ChangeSummary,
        reporter: &Reporter<'_>,
        journal: &mut Journal,
    ) -> Result<(), ResourceError> {
        for resource in &after.resources {
            let renewed = self
                .stateful
                .renew(before, after, resource, summary, reporter, journal);
            renewed.await?;
        }
        Ok(())
    }

    /// Takes a failed change back. Returns the error of all of it.
    async fn roll_back(
        &self,
        error: ResourceError,
        journal: Journal,
        rollback: &str,
        reporter: &Reporter<'_>,
    ) -> ResourceError {
        reporter.stack(&format!("{rollback}_IN_PROGRESS"), Some(error.to_string()));
        match self.stateful.undo(journal).await {
            Ok(()) => {
                reporter.stack(&format!("{rollback}_COMPLETE"), None);
                error
            }
            Err(left) => {
                reporter.stack(&format!("{rollback}_FAILED"), Some(left.clone()));
                let source = Box::new(error);
                ResourceError::NotUndone { left, source }
            }
        }
    }

    /// Permissions first, then functions, then routes: a new route never invokes an old function.
    fn serve(&self, before: Option<&Version>, after: &Version) {
        self.credentials.adopt(roles(&after.stack));
        self.front.secrets.replace(Arc::clone(&after.references.0));
        self.functions.replace(runnables(
            &after.stack,
            &after.codes,
            &self.options,
            &self.credentials,
            &self.stateful,
            (self.port, &after.references.digest()),
        ));
        self.gateway.deploy(Deployed::new(&after.stack));
        let known = before.map_or_else(Vec::new, |before| Deployed::warnings(&before.stack));
        for warning in Deployed::warnings(&after.stack) {
            // Once is enough, however often the template is saved.
            if !known.contains(&warning) {
                self.observer.warn(warning);
            }
        }
    }
}

fn summary(before: Option<&Version>, after: &Version) -> ChangeSummary {
    let old = |id: &LogicalId| before.and_then(|before| before.codes.get(id));
    let is_new = |(id, code): &(&LogicalId, &Code)| old(id).is_some_and(|old| old != *code);
    let new_code: Vec<LogicalId> = after
        .codes
        .iter()
        .filter(is_new)
        .map(|(id, _)| id.clone())
        .collect();
    let before = before.map(|before| &*before.stack);
    ChangeSummary::between(before, &after.stack, &new_code, is_remade)
}
