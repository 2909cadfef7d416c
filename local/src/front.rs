//! Requests on the gateway's port that ask for no WebSocket: the @connections API, Lambda's Invoke API, a page if there
//! is one, and everything that is refused.

use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response};
use percent_encoding::percent_decode_str;
use tokio::net::TcpStream;

use crate::budget::Share;
use crate::connections_api;
use crate::http;
use crate::http::browser;
use crate::http::sockets::Place;
use crate::lambda::invoke_api;
use crate::websocket::Gateway;
use crate::websocket::handshake::{Head, Refusal};

/// An answer with its whole body.
pub(crate) type Answer = Response<Full<Bytes>>;

/// Serves the requests of one keep-alive connection, of which `head` is the first.
pub(crate) async fn serve(gateway: Arc<Gateway>, socket: TcpStream, head: Head, place: Place) {
    let share = gateway.budget.share();
    let idle = gateway.limits.keep_alive_timeout;
    http::go_on(socket, head.bytes, &place, idle, |request| {
        answer(&gateway, &share, request)
    })
    .await;
}

async fn answer(gateway: &Gateway, share: &Arc<Share>, request: Request<Incoming>) -> Answer {
    if let Some(answer) = gateway.page().and_then(|page| page.answer(&request)) {
        return answer;
    }
    let path = request.uri().path().to_owned();
    let decoded: Vec<_> = path
        .trim_start_matches('/')
        .split('/')
        .map(decode)
        .collect();
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let deployed = gateway.deployed();
    match segments.as_slice() {
        [stage, "@connections", id]
            if deployed.stage(stage).is_some_and(|stage| stage.is_deployed) =>
        {
            if browser::asks(request.headers()) {
                return refuse(of_a_page());
            }
            connections_api::answer(gateway, share, &deployed, (stage, id), request).await
        }
        [connections_api::ANY_STAGE, "@connections", id] => {
            if browser::asks(request.headers()) {
                return refuse(of_a_page());
            }
            // A connection that is gone was on any of them.
            let stage = gateway.connections.stage_of(id);
            let stage = stage.or_else(|| deployed.first_stage()).unwrap_or_default();
            connections_api::answer(gateway, share, &deployed, (&stage, id), request).await
        }
        ["2015-03-31", "functions", name, "invocations"] if request.method() == Method::POST => {
            if browser::asks(request.headers()) {
                return refuse(of_a_page());
            }
            let callers = (&*gateway.credentials, &deployed.identity);
            invoke_api::answer(&gateway.functions, callers, share, name, request).await
        }
        [stage] | [stage, ""]
            if request.method() == Method::GET && deployed.stage(stage).is_some() =>
        {
            let refusal = Refusal::gateway(426, "UpgradeRequiredException", "Upgrade Required");
            let upgrade = ("Upgrade".to_owned(), "websocket".to_owned());
            refuse(Refusal {
                headers: [refusal.headers, vec![upgrade]].concat(),
                ..refusal
            })
        }
        _ => refuse(Refusal::forbidden()),
    }
}

fn of_a_page() -> Refusal {
    Refusal::gateway(403, "ForbiddenException", browser::REFUSED)
}

/// A refusal as an answer of a keep-alive connection.
pub(crate) fn refuse(refusal: Refusal) -> Answer {
    let mut builder = Response::builder()
        .status(refusal.status)
        .header("Content-Type", "application/json");
    for (name, value) in refusal.headers {
        builder = builder.header(name, value);
    }
    builder
        .body(Full::new(refusal.body.into()))
        .expect("refusals hold plain names and values")
}

fn decode(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
