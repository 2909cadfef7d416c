//! The clients that handlers use.

use std::sync::Arc;

use super::epoch_seconds;
use crate::aws::{CallbackDelivery, Clients, DynamoStore, LambdaDispatch, Timeouts};
use crate::environment::{Environment, EnvironmentError, FunctionAddress, TableAddress};
use crate::log::Log;
use crate::presence::{Announcing, Clock};
use crate::runtime::Trace;

/// The table, which has changes of rooms announced where the environment names the function for it.
pub(super) type Store = Announcing<Arc<DynamoStore>, LambdaDispatch>;

/// The clients of functions: what they share, and how each is made.
pub(super) struct ServiceClients<'a> {
    pub(super) clients: Clients,
    log: &'a Log,
    table: TableAddress,
    announcer: Option<FunctionAddress>,
}

impl<'a> ServiceClients<'a> {
    /// For services at `endpoints` beside those of the table and of the announcer.
    pub(super) fn new(
        environment: Environment<'_>,
        log: &'a Log,
        trace: &Trace,
        endpoints: &[Option<&str>],
    ) -> Result<Self, EnvironmentError> {
        let (table, announcer) = (environment.table()?, environment.announce_function()?);
        let of_announcer = announcer.iter().map(|it| it.endpoint.as_deref());
        let all = of_announcer.chain([table.endpoint.as_deref()]);
        let all: Vec<_> = all.chain(endpoints.iter().copied()).collect();
        Ok(Self {
            clients: Clients::new(environment.identity()?, trace.clone(), &all),
            log,
            table,
            announcer,
        })
    }

    pub(super) fn store(&self) -> Store {
        let announcer = self
            .announcer
            .clone()
            .map(|function| self.clients.dispatch(function, Timeouts::POST));
        let store = Arc::new(self.table());
        Announcing::new(
            store,
            announcer,
            Clock::new(epoch_seconds),
            self.log.clone(),
        )
    }

    pub(super) fn table(&self) -> DynamoStore {
        self.clients.table(self.table.clone(), Timeouts::TABLE)
    }
}

pub(super) fn store(
    environment: Environment<'_>,
    log: &Log,
    trace: &Trace,
) -> Result<Store, EnvironmentError> {
    Ok(ServiceClients::new(environment, log, trace, &[])?.store())
}

pub(super) fn store_and_delivery(
    environment: Environment<'_>,
    log: &Log,
    trace: &Trace,
) -> Result<(Store, CallbackDelivery), EnvironmentError> {
    let endpoint = environment.connections_endpoint()?;
    let clients = ServiceClients::new(environment, log, trace, &[Some(&endpoint)])?;
    let delivery = clients.clients.delivery(endpoint, Timeouts::POST);
    Ok((clients.store(), delivery))
}

/// Table and clients, and the connection to `function`.
pub(super) fn all_clients(
    environment: Environment<'_>,
    log: &Log,
    trace: &Trace,
    function: FunctionAddress,
) -> Result<(Store, CallbackDelivery, LambdaDispatch), EnvironmentError> {
    let endpoint = environment.connections_endpoint()?;
    let endpoints = [Some(endpoint.as_str()), function.endpoint.as_deref()];
    let clients = ServiceClients::new(environment, log, trace, &endpoints)?;
    Ok((
        clients.store(),
        clients.clients.crowd_delivery(endpoint, Timeouts::POST),
        clients.clients.dispatch(function, Timeouts::POST),
    ))
}
