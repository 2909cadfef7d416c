//! The control port, through which commands talk to the process that runs their stack. It listens on loopback and
//! accepts only this user's requests that carry the secret from the stack's private folder.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::open_files::ReservedFiles;
use super::records::Running;
use super::response_timeout::ResponseTimeout;
use super::secrets::References;
use super::warnings::Warnings;
use crate::engine::requests;
use crate::engine::{ErrorKind, TargetError, limits};

/// The status of a running stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalStatus {
    /// `ws://127.0.0.1:PORT/STAGE`.
    pub endpoint: String,
    /// The process that runs the stack.
    pub pid: u32,
    /// Seconds since the Unix epoch.
    pub started_at: u64,
    /// The number of open connections.
    pub connections: usize,
    /// The functions by logical id.
    pub functions: BTreeMap<String, FunctionStatus>,
    /// Memory of all its processes, with shared pages counted once; `None` where the system does not tell.
    pub memory_bytes: Option<u64>,
    /// Where the tables answer, in DynamoDB's protocol.
    pub tables_endpoint: String,
    /// What has passed the gateway.
    pub traffic: LocalTraffic,
    /// Warnings since the start.
    pub warnings: Warnings,
}

/// What has passed the gateway of a local stack since its process started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalTraffic {
    /// Handshakes that have reached the integration of `$connect`.
    pub handshakes: u64,
    /// Messages from clients.
    pub received: u64,
    /// Messages to clients.
    pub sent: u64,
    /// What the gateway has refused itself, with 4XX.
    pub client_errors: u64,
    /// What of that was beyond a limit.
    pub throttled: u64,
    /// Responses of integrations with 4XX or 5XX.
    pub integration_errors: u64,
    /// Integrations that failed before they responded.
    pub execution_errors: u64,
}

/// One function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionStatus {
    /// Live processes.
    pub processes: usize,
    /// Invocations that have begun.
    pub invocations: u64,
    /// Invocations that ended with a function error.
    pub errors: u64,
    /// The number of invocations that wait or run.
    pub in_flight: usize,
    /// Invocations that were refused because none may run.
    pub throttles: u64,
    /// How long ended invocations have taken, by ranges in order: the longest of a range in microseconds, and how many
    /// were in it.
    pub durations: Vec<(u64, u64)>,
}

/// Requests the status.
pub(super) async fn status(
    running: &Running,
    waiting: &ResponseTimeout,
) -> Result<LocalStatus, TargetError> {
    let body = call((running, waiting), Method::GET, "/status", Bytes::new()).await?;
    serde_json::from_slice(&body).map_err(|error| TargetError {
        source: Some(Box::new(error)),
        ..TargetError::new(
            ErrorKind::Unexpected,
            "the local stack's process is of another chatctl version",
        )
    })
}

/// Requests an update to the current `request.json`, with the values of its secrets, which no file has.
pub(super) async fn update(
    running: &Running,
    references: &References,
    waiting: &ResponseTimeout,
) -> Result<(), TargetError> {
    let values = serde_json::to_vec(references).expect("texts have a JSON form");
    let answer = call((running, waiting), Method::POST, "/update", values.into());
    answer.await.map(drop)
}

/// Requests the process to stop.
pub(super) async fn stop(running: &Running, waiting: &ResponseTimeout) -> Result<(), TargetError> {
    let answer = call((running, waiting), Method::POST, "/stop", Bytes::new());
    answer.await.map(drop)
}

/// The most bytes that all values of a stack's secrets may have together.
pub(super) const MAX_GIVEN: u64 = 4 * 1024 * 1024;

async fn call(
    (running, waiting): (&Running, &ResponseTimeout),
    method: Method,
    path: &str,
    body: Bytes,
) -> Result<Bytes, TargetError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| TargetError {
        source: Some(source),
        ..TargetError::new(
            ErrorKind::Failed,
            format!("could not reach the local stack's process {}", running.pid),
        )
    };
    let reported = requests::Request::begin(method.as_str(), "local-stack", path);
    let exchange = async {
        let stream = TcpStream::connect(("127.0.0.1", running.control_port)).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "127.0.0.1")
            .header(AUTHORIZATION, format!("Bearer {}", running.secret))
            .body(Full::new(body))?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, body))
    };
    let outcome: Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> =
        match waiting.response(exchange).await {
            Some(outcome) => outcome,
            None => Err(format!(
                "it accepts connections but has not responded for {} s",
                limits::ANSWERING.in_seconds()
            )
            .into()),
        };
    reported.ended(match &outcome {
        Ok((status, _)) => status.as_u16().to_string(),
        Err(error) => format!("failed ({error})"),
    });
    match outcome {
        Ok((status, body)) if status.is_success() => Ok(body),
        Ok((status, _)) => Err(failed(format!("it responded with {status}").into())),
        Err(error) => Err(failed(error)),
    }
}

/// A command's request.
#[derive(Debug)]
pub(super) enum ControlRequest {
    Status(tokio::sync::oneshot::Sender<LocalStatus>),
    Update(References),
    Stop,
}

/// The most commands that are served at once. For a further one, the first is dropped.
const COMMANDS: usize = 16;

/// The time that a command has to send its request.
const HEAD: Duration = Duration::from_secs(5);

/// The time that a command waits for its response, see [`call`].
const EXCHANGE: Duration = Duration::from_secs(15);

/// Serves commands that send `secret`, until the receiver of `asked` is dropped.
///
/// It keeps file descriptors in reserve, because clients of the chat can use up all others.
pub(super) async fn serve(
    listener: TcpListener,
    secret: String,
    asked: mpsc::Sender<ControlRequest>,
) {
    let mut served: VecDeque<tokio::task::JoinHandle<()>> = VecDeque::new();
    let mut reserved = ReservedFiles::default();
    loop {
        reserved.fill();
        let mut stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => {
                    // All file descriptors are in use, so one of the reserve is freed for the next accept. Other
                    // threads may take it first; then this waits a moment.
                    if !reserved.release() {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    continue;
                }
            },
            () = asked.closed() => return,
        };
        served.retain(|one| !one.is_finished());
        if served.len() >= COMMANDS
            && let Some(first) = served.pop_front()
        {
            first.abort();
        }
        let (secret, asked) = (secret.clone(), asked.clone());
        served.push_back(tokio::spawn(async move {
            if chatctl_local::peers::admit(&mut stream).await.is_err() {
                return;
            }
            let service = hyper::service::service_fn(move |request| {
                respond(request, secret.clone(), asked.clone())
            });
            let serving = hyper::server::conn::http1::Builder::new()
                .keep_alive(false)
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .serve_connection(TokioIo::new(stream), service);
            // A command that disconnects in the middle needs no response.
            drop(tokio::time::timeout(EXCHANGE, serving).await);
        }));
    }
}

async fn respond(
    request: Request<Incoming>,
    secret: String,
    asked: mpsc::Sender<ControlRequest>,
) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
    let authorized = request
        .headers()
        .get(AUTHORIZATION)
        .is_some_and(|given| same(given.as_bytes(), format!("Bearer {secret}").as_bytes()));
    let (status, body) = match (authorized, request.method(), request.uri().path()) {
        (false, _, _) => (StatusCode::FORBIDDEN, Bytes::new()),
        (true, &Method::GET, "/status") => {
            let (sender, receiver) = tokio::sync::oneshot::channel();
            match (
                asked.send(ControlRequest::Status(sender)).await,
                receiver.await,
            ) {
                (Ok(()), Ok(status)) => (
                    StatusCode::OK,
                    serde_json::to_vec(&status)
                        .expect("a status has a JSON form")
                        .into(),
                ),
                _ => (StatusCode::SERVICE_UNAVAILABLE, Bytes::new()),
            }
        }
        (true, &Method::POST, "/update") => match references(request.into_body()).await {
            Some(values) => (
                sent(asked.send(ControlRequest::Update(values)).await),
                Bytes::new(),
            ),
            None => (StatusCode::BAD_REQUEST, Bytes::new()),
        },
        (true, &Method::POST, "/stop") => {
            (sent(asked.send(ControlRequest::Stop).await), Bytes::new())
        }
        _ => (StatusCode::NOT_FOUND, Bytes::new()),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    Ok(response)
}

/// The values in a request; `None` if they cannot be read.
async fn references(body: Incoming) -> Option<References> {
    let most = usize::try_from(MAX_GIVEN).unwrap_or(usize::MAX);
    let body = Limited::new(body, most).collect().await.ok()?.to_bytes();
    serde_json::from_slice(&body).ok()
}

fn sent<E>(outcome: Result<(), E>) -> StatusCode {
    if outcome.is_ok() {
        StatusCode::ACCEPTED
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

/// Compares in constant time, so that the duration does not reveal where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_secret_opens_the_control_port() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let running = |secret: &str| Running {
            secret: secret.into(),
            ..running_at(&listener)
        };
        let (good, bad) = (running("right"), running("wrong"));
        let (sender, mut receiver) = mpsc::channel(1);
        tokio::spawn(serve(listener, "right".into(), sender));
        let error = stop(&bad, &ResponseTimeout::default()).await.unwrap_err();
        assert!(error.source.unwrap().to_string().contains("403"));
        stop(&good, &ResponseTimeout::default()).await.unwrap();
        assert!(matches!(receiver.recv().await, Some(ControlRequest::Stop)));
    }

    fn running_at(listener: &TcpListener) -> Running {
        Running {
            pid: 1,
            port: 1,
            control_port: listener.local_addr().unwrap().port(),
            secret: "s".into(),
            applied: String::new(),
            template: None,
            outputs: Default::default(),
        }
    }

    #[tokio::test]
    async fn a_process_of_another_version_is_named_as_one() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let running = running_at(&listener);
        let other = hyper::service::service_fn(async |_| {
            Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from("{\"pid\":1}"))))
        });
        let serving = async {
            let (socket, _) = listener.accept().await.unwrap();
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), other)
                .await
        };
        let waiting = ResponseTimeout::default();
        let (error, _) = tokio::join!(status(&running, &waiting), serving);
        let error = error.unwrap_err();
        assert!(error.message.contains("another chatctl version"), "{error}");
        assert!(error.source.unwrap().to_string().contains("missing field"));
    }

    #[tokio::test]
    async fn any_number_of_silent_connections_keep_no_command_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let running = running_at(&listener);
        let (sender, mut receiver) = mpsc::channel(1);
        tokio::spawn(serve(listener, "s".into(), sender));
        let mut silent = Vec::new();
        for _ in 0..3 * COMMANDS {
            silent.push(
                TcpStream::connect(("127.0.0.1", running.control_port))
                    .await
                    .unwrap(),
            );
        }
        stop(&running, &ResponseTimeout::default()).await.unwrap();
        assert!(matches!(receiver.recv().await, Some(ControlRequest::Stop)));
        // The first of them was closed for the others.
        let read = tokio::io::AsyncReadExt::read(&mut silent[0], &mut [0; 1]).await;
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    }

    #[tokio::test]
    async fn a_port_without_a_listener_is_an_error_and_not_a_hang() {
        let closed = testing::ports::Closed::new();
        let port = closed.address.port();
        let running = Running {
            pid: 7,
            port: 1,
            control_port: port,
            secret: "s".into(),
            applied: String::new(),
            template: None,
            outputs: Default::default(),
        };
        assert!(
            stop(&running, &ResponseTimeout::default())
                .await
                .unwrap_err()
                .message
                .contains("process 7")
        );
    }
}
