//! The chat's services: AWS's, or fakes in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use chat_lambdas::aws::{CallbackDelivery, Clients, DynamoStore, HttpSecrets, Timeouts};
use chat_lambdas::delivery::{Delivery, DeliveryError, Posted};
use chat_lambdas::environment::{Environment, EnvironmentError};
use chat_lambdas::memory::{MemoryDelivery, MemoryItems, MemoryStore};
use chat_lambdas::runtime::Trace;
use chat_lambdas::session::ConnectionId;

use crate::secret::{Secret, Vault};

/// The services of a chat.
#[derive(Debug, Clone)]
pub(crate) enum Services {
    Aws(Arc<Aws>),
    Memory(Arc<Memory>),
}

#[derive(Debug)]
pub(crate) struct Aws {
    pub(crate) store: DynamoStore,
    /// Retries posts that got 429.
    pub(crate) delivery: CallbackDelivery,
    /// Does not retry them, for callers that post to many connections.
    pub(crate) crowd: CallbackDelivery,
    pub(crate) vault: Vault<HttpSecrets>,
}

#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) store: MemoryStore,
    pub(crate) delivery: MemoryDelivery,
    pub(crate) items: MemoryItems,
    pub(crate) secrets: Mutex<BTreeMap<String, Secret>>,
}

impl Services {
    /// AWS's services, as set in a function's environment.
    pub(crate) fn from_environment(
        environment: Environment<'_>,
        trace: &Trace,
    ) -> Result<Self, EnvironmentError> {
        let table = environment.table()?;
        let endpoint = environment.connections_endpoint()?;
        let endpoints = [table.endpoint.as_deref(), Some(endpoint.as_str())];
        let clients = Clients::new(environment.identity()?, trace.clone(), &endpoints);
        Ok(Self::Aws(Arc::new(Aws {
            store: clients.table(table, Timeouts::TABLE),
            delivery: clients.delivery(endpoint.clone(), Timeouts::POST),
            crowd: clients.crowd_delivery(endpoint, Timeouts::POST),
            vault: Vault::new(
                environment.secrets()?,
                HttpSecrets::new(environment.identity()?, environment.secret_endpoints()?),
            ),
        })))
    }
}

/// Runs the same code with either. `$delivery` is for a few receivers, `$crowd` for many.
macro_rules! over {
    ($services:expr, |$store:pat_param, $items:pat_param, $delivery:pat_param, $crowd:pat_param| $code:expr) => {
        match $services {
            $crate::services::Services::Aws(aws) => {
                let ($store, $items) = (&aws.store, &aws.store);
                let ($delivery, $crowd) = (&aws.delivery, &aws.crowd);
                $code
            }
            $crate::services::Services::Memory(memory) => {
                let ($store, $items) = (&memory.store, &memory.items);
                let ($delivery, $crowd) = (&memory.delivery, &memory.delivery);
                $code
            }
        }
    };
}
pub(crate) use over;

/// A delivery that records whether a post was forbidden, because posts to many only count refusals.
pub(crate) struct Watched<'a, D> {
    delivery: &'a D,
    is_forbidden: AtomicBool,
}

impl<'a, D> Watched<'a, D> {
    pub(crate) const fn new(delivery: &'a D) -> Self {
        Self {
            delivery,
            is_forbidden: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_forbidden(&self) -> bool {
        self.is_forbidden.load(Ordering::Relaxed)
    }
}

impl<D: Delivery + Sync> Delivery for Watched<'_, D> {
    async fn post(&self, connection: &ConnectionId, text: &str) -> Result<Posted, DeliveryError> {
        let posted = self.delivery.post(connection, text).await;
        if matches!(posted, Err(DeliveryError::Forbidden)) {
            self.is_forbidden.store(true, Ordering::Relaxed);
        }
        posted
    }

    async fn end(&self, connection: &ConnectionId) -> Result<Posted, DeliveryError> {
        self.delivery.end(connection).await
    }
}
