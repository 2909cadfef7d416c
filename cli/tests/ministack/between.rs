//! What sits between chatctl and the emulator, passes everything on, and changes what a test asks for.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_LENGTH;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

type Edit = Box<dyn Fn(&mut Value) + Send + Sync>;

/// What is to be changed.
#[derive(Default)]
struct Wishes {
    /// Done to the template of every change set.
    edit: Option<Edit>,
    /// An action, a status, a body, and how many more times to answer with it.
    answers: Vec<(&'static str, u16, String, usize)>,
    asked: Vec<String>,
}

pub(crate) struct Between {
    pub(crate) url: String,
    wishes: Arc<Mutex<Wishes>>,
}

impl Between {
    /// In front of the emulator on `port`.
    pub(crate) async fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let wishes: Arc<Mutex<Wishes>> = Arc::default();
        let shared = wishes.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let shared = shared.clone();
                let service = service_fn(move |request| pass(request, port, shared.clone()));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { url, wishes }
    }

    /// From now on, `edit` is done to every template that passes.
    pub(crate) fn edit_templates(&self, edit: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.wishes.lock().unwrap().edit = Some(Box::new(edit));
    }

    pub(crate) fn leave_templates_alone(&self) {
        self.wishes.lock().unwrap().edit = None;
    }

    /// The next `times` requests for `action` are refused with `code`, as CloudFormation and STS put it.
    pub(crate) fn refuse(&self, action: &'static str, times: usize, code: &str, message: &str) {
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        );
        self.wishes
            .lock()
            .unwrap()
            .answers
            .push((action, 400, body, times));
    }

    /// The actions that were asked for, and `METHOD /path` where there is no action.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.wishes.lock().unwrap().asked.clone()
    }
}

async fn pass(
    request: Request<Incoming>,
    port: u16,
    wishes: Arc<Mutex<Wishes>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (mut parts, body) = request.into_parts();
    let mut body = body.collect().await.unwrap().to_bytes();
    let action = action(&body);
    {
        let mut wishes = wishes.lock().unwrap();
        let name = action
            .clone()
            .unwrap_or_else(|| format!("{} {}", parts.method, parts.uri.path()));
        wishes.asked.push(name);
        let prepared = wishes
            .answers
            .iter_mut()
            .find(|(wanted, .., times)| action.as_deref() == Some(*wanted) && *times > 0);
        if let Some((_, status, body, times)) = prepared {
            *times -= 1;
            let response = Response::builder().status(*status);
            return Ok(response.body(Full::new(Bytes::from(body.clone()))).unwrap());
        }
        if let (Some("CreateChangeSet"), Some(edit)) = (action.as_deref(), &wishes.edit) {
            body = edited(&body, edit).into();
            parts.headers.insert(CONTENT_LENGTH, body.len().into());
        }
    }
    let response = send(port, Request::from_parts(parts, Full::new(body)))
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    Ok(Response::from_parts(parts, Full::new(body)))
}

/// The `Action` of a query request.
fn action(body: &Bytes) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once("Action=")?;
    Some(rest.split('&').next()?.to_owned())
}

fn edited(body: &Bytes, edit: &Edit) -> String {
    let text = std::str::from_utf8(body).unwrap();
    let pairs = text.split('&').map(|pair| {
        let Some(encoded) = pair.strip_prefix("TemplateBody=") else {
            return pair.to_owned();
        };
        let template = percent_decode_str(encoded).decode_utf8().unwrap();
        let mut template = serde_json::from_str(&template).unwrap();
        edit(&mut template);
        format!(
            "TemplateBody={}",
            utf8_percent_encode(&template.to_string(), NON_ALPHANUMERIC)
        )
    });
    pairs.collect::<Vec<_>>().join("&")
}

async fn send(
    port: u16,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (parts, body) = sender.send_request(request).await?.into_parts();
    Ok(Response::from_parts(
        parts,
        body.collect().await?.to_bytes(),
    ))
}

/// Asks the emulator itself; the answer is the status.
pub(crate) async fn fetch(
    port: u16,
    method: &str,
    path: &str,
) -> Result<u16, Box<dyn std::error::Error + Send + Sync>> {
    let request = Request::builder()
        .method(Method::from_bytes(method.as_bytes())?)
        .uri(path)
        .header("host", format!("127.0.0.1:{port}"))
        .body(Full::default())?;
    Ok(send(port, request).await?.status().as_u16())
}
