//! The requests that a command makes, each reported as it ends: what `-v` shows.
//!
//! A request is shown by its method, service, operation, outcome and time. Headers, bodies and queries may hold secrets,
//! so nothing here ever takes one.

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use hyper::Uri;

/// A request that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedRequest {
    /// HTTP's method, or the operation's.
    pub method: String,
    /// What answers, such as `cloudformation`.
    pub service: String,
    /// What was asked of it, such as `DescribeStacks` or a path.
    pub operation: String,
    /// The status, or why there is none.
    pub outcome: String,
    /// The time until the answer.
    pub took: Duration,
}

impl fmt::Display for EndedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            method,
            service,
            operation,
            outcome,
            took,
        } = self;
        let milliseconds = took.as_millis();
        write!(
            f,
            "{method} {service} {operation} {outcome} {milliseconds} ms"
        )
    }
}

type Observer = Box<dyn Fn(&EndedRequest) + Send + Sync>;

/// A command's requests are made in places that share nothing but the process.
static OBSERVER: OnceLock<Observer> = OnceLock::new();

/// Has `observer` called with every request that ends from now on. Only the first call counts.
pub fn observe(observer: impl Fn(&EndedRequest) + Send + Sync + 'static) {
    drop(OBSERVER.set(Box::new(observer)));
}

/// A request that has begun. Dropped without an outcome, it counts as given up.
#[derive(Debug)]
pub(crate) struct Request {
    method: String,
    service: String,
    operation: String,
    began: Instant,
    has_ended: bool,
}

impl Request {
    /// `operation` must contain neither a query nor anything else that a log must not show.
    pub(crate) fn begin(
        method: impl Into<String>,
        service: impl Into<String>,
        operation: impl Into<String>,
    ) -> Self {
        Self {
            method: method.into(),
            service: service.into(),
            operation: operation.into(),
            began: Instant::now(),
            has_ended: false,
        }
    }

    /// Tells how it ended: with a status, or the reason why there is none.
    pub(crate) fn ended(mut self, outcome: impl fmt::Display) {
        self.tell(outcome.to_string());
    }

    fn tell(&mut self, outcome: String) {
        self.has_ended = true;
        if let Some(observer) = OBSERVER.get() {
            observer(&EndedRequest {
                method: std::mem::take(&mut self.method),
                service: std::mem::take(&mut self.service),
                operation: std::mem::take(&mut self.operation),
                outcome,
                took: self.began.elapsed(),
            });
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if !self.has_ended {
            self.tell("given up".to_owned());
        }
    }
}

/// Host, port and path of `uri`: all of it that is no secret.
pub(crate) fn place(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().map(|port| format!(":{port}"));
    format!("{host}{}{}", port.unwrap_or_default(), uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn a_request_is_reported_once_with_its_outcome_or_as_given_up() {
        let reported: Arc<Mutex<Vec<String>>> = Arc::default();
        let lines = reported.clone();
        // The other tests of this process may make requests, too.
        observe(move |request| {
            if request.service == "under-test" {
                let request = EndedRequest {
                    took: Duration::from_millis(143),
                    ..request.clone()
                };
                lines.lock().unwrap().push(request.to_string());
            }
        });
        Request::begin("POST", "under-test", "DescribeStacks").ended(200);
        drop(Request::begin("GET", "under-test", "/status"));
        assert_eq!(
            *reported.lock().unwrap(),
            [
                "POST under-test DescribeStacks 200 143 ms",
                "GET under-test /status given up 143 ms"
            ]
        );
    }

    #[test]
    fn of_an_address_neither_a_password_nor_a_query_is_reported() {
        let uri = "wss://ann:secret@example.com:8443/v1?token=secret";
        assert_eq!(place(&uri.parse().unwrap()), "example.com:8443/v1");
        let uri = "ws://127.0.0.1:46233/v1".parse().unwrap();
        assert_eq!(place(&uri), "127.0.0.1:46233/v1");
    }
}
