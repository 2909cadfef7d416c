//! Creates the AWS clients: once, at init, small and with short timeouts.

use super::http::{Http, read_certificates};
use super::service::Service;
use super::{CallbackDelivery, DynamoStore, LambdaDispatch, LambdaReviewers, Timeouts};
use crate::environment::{FunctionAddress, Identity, TableAddress};
use crate::runtime::Trace;

/// Creates clients that share one HTTP client, and thus its connections and trusted certificates.
#[derive(Debug)]
pub struct Clients {
    identity: Identity,
    trace: Trace,
    http: Http,
}

impl Clients {
    /// Prepares clients for services at `endpoints`; `None` is AWS itself. Each request has the id in `trace`.
    ///
    /// Reading the machine's trusted certificates takes time at every cold start, so it only happens if one of the
    /// endpoints needs them.
    #[must_use]
    pub fn new(identity: Identity, trace: Trace, endpoints: &[Option<&str>]) -> Self {
        let is_plain =
            |endpoint: &Option<&str>| endpoint.is_some_and(|url| url.starts_with("http://"));
        if !endpoints.iter().all(is_plain) {
            read_certificates();
        }
        Self {
            identity,
            trace,
            http: Http::new(Timeouts::CONNECT),
        }
    }

    /// The table at `address`.
    #[must_use]
    pub fn table(&self, address: TableAddress, timeouts: Timeouts) -> DynamoStore {
        let service = self.service("dynamodb", address.endpoint, timeouts);
        DynamoStore::new(service, address.name)
    }

    /// Posts through the management API at `endpoint`, stage included.
    #[must_use]
    pub fn delivery(&self, endpoint: String, timeouts: Timeouts) -> CallbackDelivery {
        CallbackDelivery::new(self.service("execute-api", Some(endpoint), timeouts))
    }

    /// Posts without retries after a 429, for callers that post to many connections and schedule retries themselves.
    #[must_use]
    pub fn crowd_delivery(&self, endpoint: String, timeouts: Timeouts) -> CallbackDelivery {
        let service = self.service("execute-api", Some(endpoint), timeouts);
        CallbackDelivery::new(service.without_retries_of_429())
    }

    /// The function at `address`.
    #[must_use]
    pub fn dispatch(&self, address: FunctionAddress, timeouts: Timeouts) -> LambdaDispatch {
        let service = self.service("lambda", address.endpoint, timeouts);
        LambdaDispatch::new(service, address.name)
    }

    /// The review functions, of Lambda at `endpoint`.
    #[must_use]
    pub fn reviewers(&self, endpoint: Option<String>, timeouts: Timeouts) -> LambdaReviewers {
        LambdaReviewers::new(self.service("lambda", endpoint, timeouts))
    }

    fn service(&self, name: &'static str, endpoint: Option<String>, timeouts: Timeouts) -> Service {
        let service = Service::new(self.http.clone(), &self.identity, name, endpoint, timeouts);
        service.with_trace(&self.trace)
    }
}
