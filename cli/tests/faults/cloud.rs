//! AWS, as far as chatctl asks it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::BufReader;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::answers;
use crate::faults::Fault;
use crate::stack::{Failure, Stack};
use crate::wire::{self, Answer, Delivery};

/// What AWS keeps.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) stack: Option<Stack>,
    /// The keys in the bucket, if there is one.
    pub(crate) bucket: Option<BTreeSet<String>>,
    /// What the objects say that are templates.
    pub(crate) templates: BTreeMap<String, Value>,
    pub(crate) policy: String,
    /// The documents of the bucket's other settings, by their names in a query.
    pub(crate) settings: BTreeMap<String, String>,
    /// How many stacks there were.
    pub(crate) made: usize,
    /// What comes of the next operations on stacks; of those after them nothing fails.
    pub(crate) failures: VecDeque<Vec<Failure>>,
    /// What API Gateway has on record of the stage's last deployment, and how often it still says so.
    pub(crate) stage_says: Option<(&'static str, usize)>,
    /// The partition that the account is in; the commercial one where there is none.
    pub(crate) partition: Option<&'static str>,
    /// What was asked for and served, in order.
    pub(crate) served: Vec<String>,
    /// Something that served was changed, or a deletion begun.
    pub(crate) is_begun: bool,
}

impl State {
    /// What the stack's functions run.
    pub(crate) fn code(&self) -> BTreeMap<String, String> {
        self.stack
            .as_ref()
            .map(|stack| stack.code.clone())
            .unwrap_or_default()
    }

    /// The status of the stack; empty where there is none.
    pub(crate) fn status(&self) -> &str {
        self.stack
            .as_ref()
            .map_or("", |stack| stack.status.as_str())
    }
}

/// One AWS, on a loopback port.
pub(crate) struct Cloud {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    _serving: AbortOnDropHandle<()>,
}

impl Cloud {
    /// Serves `state`; every request called `spoiled.0` goes wrong as `spoiled.1`.
    pub(crate) async fn with(mut state: State, spoiled: Option<(String, Fault)>) -> Self {
        (state.served, state.is_begun) = (Vec::new(), false);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(state));
        let shared = state.clone();
        let serving = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (state, spoiled) = (shared.clone(), spoiled.clone());
                connections.spawn(async move {
                    let mut stream = BufReader::new(stream);
                    let Some(request) = wire::read(&mut stream).await else {
                        return;
                    };
                    let name = request.name();
                    let fault = spoiled.filter(|(wanted, _)| *wanted == name);
                    let fault = fault.map(|(_, fault)| fault);
                    let serve = || {
                        let mut state = state.lock().unwrap();
                        state.served.push(name.clone());
                        answers::answer(&mut state, &request)
                    };
                    let delivery = match fault {
                        None => Delivery::Whole(serve()),
                        Some(fault) => spoil(fault, &request, serve),
                    };
                    wire::write(&mut stream, request.method == "HEAD", delivery).await;
                });
            }
        });
        Self {
            url,
            state,
            _serving: AbortOnDropHandle::new(serving),
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state.lock().unwrap().clone()
    }
}

fn spoil(
    fault: Fault,
    request: &crate::request::Request,
    serve: impl FnOnce() -> Answer,
) -> Delivery {
    let said = |status: u16, code: &str, message: &str| {
        Delivery::Whole(answers::refusal(request, status, code, message))
    };
    match fault {
        Fault::LostBefore => Delivery::Nothing,
        Fault::LostAfter => {
            serve();
            Delivery::Nothing
        }
        Fault::Truncated => Delivery::Half(serve()),
        Fault::Internal => said(500, "InternalFailure", "We encountered an internal error"),
        Fault::Denied => said(403, "AccessDenied", "You are not allowed to"),
        Fault::Throttled => said(400, "Throttling", "Rate exceeded"),
        Fault::WebPage => Delivery::Whole(Answer {
            status: 200,
            etag: false,
            kind: "text/html",
            body: "<!DOCTYPE html><html><body>Please sign in</body></html>".into(),
        }),
        Fault::Empty => Delivery::Whole(Answer {
            status: 200,
            etag: false,
            kind: "text/plain",
            body: String::new(),
        }),
        Fault::Silence => Delivery::Silence,
    }
}
