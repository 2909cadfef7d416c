//! A page for browsers, on a gateway's port or on its own.

use std::sync::Arc;

use hyper::body::{Bytes, Incoming};
use hyper::header::{HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;

use super::browser::is_this_machine;
use crate::BoxFuture;
use crate::http::response::{HttpResponse, with_body};
use crate::http::{self, Timeouts};

/// The most connections of browsers on a port that only serves the page.
const CONNECTIONS: usize = 64;

/// What answers requests that are not for a page; `None` is a 404.
pub type OtherRequests = Arc<dyn Fn(&PageRequest<'_>) -> Option<PageResponse> + Send + Sync>;

/// An HTML document at `GET /`, with headers that protect it from other sites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    html: Bytes,
    policy: HeaderValue,
}

impl Page {
    /// A page with its `Content-Security-Policy`. A policy that is not a valid header value becomes `default-src
    /// 'none'`.
    pub fn new(html: impl Into<String>, policy: &str) -> Self {
        let nothing = HeaderValue::from_static("default-src 'none'");
        Self {
            html: Bytes::from(html.into()),
            policy: HeaderValue::from_str(policy).unwrap_or(nothing),
        }
    }

    /// Serves `GET /` on `listener` until the future is dropped; all other requests get 404.
    pub fn serve(self, listener: TcpListener) -> BoxFuture<'static, ()> {
        self.serve_with(listener, Arc::new(|_| None))
    }

    /// [`Page::serve`], where `other` answers what is not for the page. It has to judge itself who asks.
    pub fn serve_with(self, listener: TcpListener, other: OtherRequests) -> BoxFuture<'static, ()> {
        let handle = move |request: Request<Incoming>| {
            let asked = || PageRequest {
                method: request.method().as_str(),
                path: request.uri().path(),
                headers: request.headers(),
            };
            let answer = self
                .response(&request)
                .or_else(|| Some(other(&asked())?.response()))
                .unwrap_or_else(|| said(StatusCode::NOT_FOUND, "Only the page at / is here.\n"));
            std::future::ready(answer)
        };
        Box::pin(http::serve(
            listener,
            CONNECTIONS,
            Timeouts::default(),
            handle,
        ))
    }

    /// The response to a request for the page; `None` for any other request.
    ///
    /// A `Host` that does not mean this machine is refused: a site whose name resolves to 127.0.0.1 could otherwise
    /// read the page as its own (DNS rebinding).
    pub(crate) fn response<B>(&self, request: &Request<B>) -> Option<HttpResponse> {
        let body = match *request.method() {
            Method::GET => self.html.clone(),
            Method::HEAD => Bytes::new(),
            _ => return None,
        };
        if request.uri().path() != "/" {
            return None;
        }
        let host = request.headers().get(HOST);
        if !host.is_some_and(is_this_machine) {
            return Some(said(
                StatusCode::MISDIRECTED_REQUEST,
                "This page is only available on this machine: open it as http://127.0.0.1, with the same port.\n",
            ));
        }
        let builder = protected(Response::builder())
            .header("Content-Type", "text/html; charset=utf-8")
            .header("Content-Security-Policy", &self.policy);
        Some(with_body(builder, body))
    }
}

/// A request that is not for the page. Its body is not read.
#[derive(Debug)]
pub struct PageRequest<'a> {
    /// Its method.
    pub method: &'a str,
    /// The path of its target, without the query.
    pub path: &'a str,
    headers: &'a HeaderMap,
}

impl PageRequest<'_> {
    /// The value of a header that comes once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(only), None) => only.to_str().ok(),
            _ => None,
        }
    }

    /// Whether there is a header of that name.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }
}

/// What is answered beside a page: JSON, which no other site may read and no browser keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageResponse {
    /// The HTTP status; one that is none becomes 500.
    pub status: u16,
    /// The body.
    pub json: String,
}

impl PageResponse {
    fn response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let builder = protected(Response::builder().status(status));
        with_body(
            builder.header("Content-Type", "application/json"),
            self.json,
        )
    }
}

fn said(status: StatusCode, text: &'static str) -> HttpResponse {
    let builder = protected(Response::builder().status(status))
        .header("Content-Type", "text/plain; charset=utf-8");
    with_body(builder, text)
}

/// Other sites cannot frame it, and browsers neither guess its type, nor store it, nor send its address (which may
/// contain names).
fn protected(builder: hyper::http::response::Builder) -> hyper::http::response::Builder {
    builder
        .header("X-Content-Type-Options", "nosniff")
        .header("X-Frame-Options", "DENY")
        .header("Referrer-Policy", "no-referrer")
        .header("Cross-Origin-Opener-Policy", "same-origin")
        .header("Cross-Origin-Resource-Policy", "same-origin")
        .header("Cache-Control", "no-store")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: Method, target: &str, host: &str) -> Option<HttpResponse> {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(HOST, host);
        Page::new("<p>hi", "default-src 'self'").response(&request.body(()).unwrap())
    }

    fn status(host: &str) -> u16 {
        ask(Method::GET, "/", host).unwrap().status().as_u16()
    }

    #[test]
    fn only_this_machine_s_names_open_it() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:4711",
            "localhost:1",
            "LocalHost",
            "[::1]:1",
            "chat.localhost",
        ] {
            assert_eq!(status(host), 200, "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example:4711",
            "localhost.evil.example",
            "evil.example:127.0.0.1",
            "10.0.0.1:80",
            "",
        ] {
            assert_eq!(status(host), 421, "{host}");
        }
    }

    #[test]
    fn it_has_its_policy_and_cannot_be_framed_or_stored() {
        let answer = ask(Method::GET, "/?from=Tom", "localhost").unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("Content-Security-Policy"), "default-src 'self'");
        assert_eq!(header("Content-Type"), "text/html; charset=utf-8");
        assert_eq!(header("X-Frame-Options"), "DENY");
        assert_eq!(header("Referrer-Policy"), "no-referrer");
        assert_eq!(header("X-Content-Type-Options"), "nosniff");
        assert_eq!(header("Cache-Control"), "no-store");
    }

    #[test]
    fn other_methods_and_paths_are_not_served() {
        assert!(ask(Method::POST, "/", "localhost").is_none());
        assert!(ask(Method::GET, "/v1", "localhost").is_none());
    }

    #[test]
    fn an_invalid_policy_becomes_one_that_forbids_everything() {
        assert_eq!(
            Page::new("", "default-src *\r\nX: y").policy,
            "default-src 'none'"
        );
    }
}
