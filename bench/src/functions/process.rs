//! A minimal Runtime API that drives the handlers' binary.
//!
//! See <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc};
use tokio_util::task::AbortOnDropHandle;

/// Longer than a start or an invocation takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Why a function could not be driven.
#[derive(Debug, thiserror::Error)]
#[error("{attempt}")]
pub(crate) struct FunctionError {
    attempt: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// A handler, and its event.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    /// Its name in the handlers' binary.
    pub(crate) handler: &'static str,
    /// Its environment besides Lambda's variables.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// The event of every invocation.
    pub(crate) event: Bytes,
    /// A part of every response.
    pub(crate) answer: &'static str,
}

/// A running process of the handlers' binary.
#[derive(Debug)]
pub(crate) struct Function {
    child: Child,
    role: Role,
    events: mpsc::UnboundedSender<Bytes>,
    notices: mpsc::UnboundedReceiver<Notice>,
    _server: AbortOnDropHandle<()>,
}

#[derive(Debug)]
enum Notice {
    /// The process requests an event.
    Asks,
    Answered(Bytes),
    Failed(Bytes),
}

struct RuntimeApi {
    /// The number of the next event: each has its own trace id, as on AWS.
    number: AtomicU64,
    events: Mutex<mpsc::UnboundedReceiver<Bytes>>,
    notices: mpsc::UnboundedSender<Notice>,
}

impl Function {
    /// Starts `handlers` in `role`; returns the time until it requested an event.
    pub(crate) async fn start(
        handlers: &Path,
        role: &Role,
    ) -> Result<(Self, Duration), FunctionError> {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.map_err(failed("no port for the Runtime API"))?;
        let address = listener.local_addr().map_err(failed("no address"))?;
        let (events, queue) = mpsc::unbounded_channel();
        let (tell, notices) = mpsc::unbounded_channel();
        let api = Arc::new(RuntimeApi {
            number: AtomicU64::new(1),
            events: Mutex::new(queue),
            notices: tell,
        });
        let server = AbortOnDropHandle::new(tokio::spawn(serve(listener, api)));
        let started = Instant::now();
        let child = Command::new(handlers)
            .env_clear()
            .env("_HANDLER", role.handler)
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", role.handler)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "bench")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
            .envs(role.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed("the handlers do not start"))?;
        let mut function = Self {
            child,
            role: role.clone(),
            events,
            notices,
            _server: server,
        };
        match function.notice().await? {
            Notice::Asks => Ok((function, started.elapsed())),
            other => Err(unexpected(other)),
        }
    }

    /// Invokes it `count` times, each time after it requested an event; returns the times until the responses.
    pub(crate) async fn invoke(&mut self, count: usize) -> Result<Vec<Duration>, FunctionError> {
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let started = Instant::now();
            let sent = self.events.send(self.role.event.clone());
            sent.map_err(failed("the Runtime API has ended"))?;
            match self.notice().await? {
                Notice::Answered(answer) if contains(&answer, self.role.answer.as_bytes()) => {
                    times.push(started.elapsed());
                }
                other => return Err(unexpected(other)),
            }
            match self.notice().await? {
                Notice::Asks => {}
                other => return Err(unexpected(other)),
            }
        }
        Ok(times)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    pub(crate) async fn stop(mut self) -> Result<(), FunctionError> {
        self.child
            .kill()
            .await
            .map_err(failed("it cannot be ended"))
    }

    async fn notice(&mut self) -> Result<Notice, FunctionError> {
        let waited = tokio::time::timeout(TIMEOUT, self.notices.recv()).await;
        let notice = waited.map_err(failed("the process does not respond in time"))?;
        notice.ok_or_else(|| failed("the Runtime API has ended")("no notice"))
    }
}

fn failed<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    attempt: &'static str,
) -> impl FnOnce(E) -> FunctionError {
    move |source| FunctionError {
        attempt,
        source: source.into(),
    }
}

fn unexpected(notice: Notice) -> FunctionError {
    let text = match notice {
        Notice::Asks => "it requested another event before it had responded".to_owned(),
        Notice::Answered(body) | Notice::Failed(body) => {
            String::from_utf8_lossy(&body).into_owned()
        }
    };
    failed("the process sent an unexpected response")(text)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

async fn serve(listener: TcpListener, api: Arc<RuntimeApi>) {
    let answer = move |request, _connection| answer(Arc::clone(&api), request);
    testing::http::serve(listener, answer).await;
}

async fn answer(
    api: Arc<RuntimeApi>,
    request: Request<Incoming>,
) -> hyper::Result<Response<Full<Bytes>>> {
    let is_failure = request.uri().path().ends_with("/error");
    if request.method() == Method::POST {
        let body = request.into_body().collect().await?.to_bytes();
        let notice = if is_failure {
            Notice::Failed(body)
        } else {
            Notice::Answered(body)
        };
        // The receiver is gone: the function is being stopped.
        let _unreceived = api.notices.send(notice);
        let mut accepted = Response::new(Full::default());
        *accepted.status_mut() = StatusCode::ACCEPTED;
        return Ok(accepted);
    }
    let mut events = api.events.lock().await;
    let _unreceived = api.notices.send(Notice::Asks);
    let Some(event) = events.recv().await else {
        return std::future::pending().await;
    };
    let response = Response::builder()
        .header(
            "Lambda-Runtime-Aws-Request-Id",
            "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
        )
        .header("Lambda-Runtime-Deadline-Ms", "9999999999999")
        .header(
            "Lambda-Runtime-Invoked-Function-Arn",
            "arn:aws:lambda:us-east-1:000000000000:function:authorize",
        )
        .header(
            "Lambda-Runtime-Trace-Id",
            format!(
                "Root=1-5bef4de7-{:024x};Parent=9a9197af755a6419;Sampled=0;Lineage=1:a87bd80c:0",
                api.number.fetch_add(1, Ordering::Relaxed)
            ),
        )
        .body(Full::new(event));
    Ok(response.expect("the headers are plain ASCII"))
}
