//! A Runtime API that follows a script and records the requests.

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncWriteExt as _, Interest};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{PROCESS, ROLE};
use crate::stub::read_request;

/// Only a failing test reaches it.
const DEADLINE: Duration = Duration::from_secs(60);

/// The response to one request.
#[derive(Debug, Clone)]
pub(super) struct Step {
    status: u16,
    headers: Vec<String>,
    body: String,
    in_chunks: bool,
    /// Whether the connection ends afterwards without an announcement.
    closing: bool,
    /// Whether it ends without a response.
    hang_up: bool,
}

impl Step {
    /// An event with every header that Lambda sends.
    pub(super) fn event(event: &str) -> Self {
        let mut step = Self::status(200, event);
        step.headers = [
            "Content-Type: application/json",
            "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "Lambda-Runtime-Deadline-Ms: 4102444800000",
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:000000000000:function:chat",
            "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
        ]
        .map(str::to_owned)
        .into();
        step
    }

    /// Lambda's response to an accepted outcome.
    pub(super) fn taken() -> Self {
        Self::status(202, r#"{"status":"OK"}"#)
    }

    pub(super) fn status(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
            in_chunks: false,
            closing: false,
            hang_up: false,
        }
    }

    pub(super) fn hang_up() -> Self {
        Self {
            hang_up: true,
            ..Self::status(0, "")
        }
    }

    pub(super) fn with(mut self, header: &str) -> Self {
        self.headers.push(header.to_owned());
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|header| !header.starts_with(name));
        self
    }

    pub(super) const fn closing(mut self) -> Self {
        self.closing = true;
        self
    }

    pub(super) const fn in_chunks(mut self) -> Self {
        self.in_chunks = true;
        self
    }

    fn bytes(&self) -> String {
        let headers: String = self
            .headers
            .iter()
            .map(|header| format!("{header}\r\n"))
            .collect();
        let body = &self.body;
        let rest = if self.in_chunks {
            let (first, second) = body.split_at(body.len() / 2);
            format!(
                "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
                first.len(),
                second.len()
            )
        } else {
            format!("Content-Length: {}\r\n\r\n{body}", body.len())
        };
        format!("HTTP/1.1 {} Whatever\r\n{headers}{rest}", self.status)
    }
}

/// Requests in order, with their responses. After the last step there are no more responses.
pub(super) struct Script(Vec<Step>);

impl Script {
    pub(super) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self(steps.into_iter().collect())
    }

    /// Checks that both make the same requests. If the script ends the process, both must fail, else both must keep
    /// running.
    pub(super) async fn is_played_alike(&self) {
        let (crates, crates_end) = self.play("crate", false).await;
        let (ours, our_end) = self.play("ours", false).await;
        assert_eq!(crates, ours);
        assert!(crates.len() >= self.0.len(), "{crates:?}");
        let is_failure = |end: Option<ExitStatus>| end.map(|status| status.success());
        assert_eq!(is_failure(crates_end), is_failure(our_end));
        assert_ne!(is_failure(our_end), Some(true));
    }

    /// Checks that both end in the same way on a signal while they wait.
    pub(super) async fn is_ended_alike(&self) {
        let (_, crates_end) = self.play("crate", true).await;
        let (_, our_end) = self.play("ours", true).await;
        assert_eq!(crates_end, our_end);
        assert_eq!(our_end.and_then(|status| status.signal()), Some(15));
    }

    /// Runs the script with a process of that role. Returns its requests, and its exit status if it ended.
    async fn play(&self, role: &str, terminate: bool) -> (Vec<Asked>, Option<ExitStatus>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let stage = Arc::new(Stage {
            left: Mutex::new(self.0.clone().into()),
            asked: Mutex::default(),
            waiting: watch::Sender::new(false),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&stage)));
        let this = std::env::current_exe().expect("a test has a binary");
        let mut process = Command::new(this)
            .args([PROCESS, "--exact", "--nocapture"])
            .env_clear()
            .env(ROLE, role)
            .env("AWS_LAMBDA_RUNTIME_API", &address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "chat")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts");
        let mut waiting = stage.waiting.subscribe();
        let at_the_end = waiting.wait_for(|waits| *waits);
        let ended = timeout(DEADLINE, async {
            tokio::select! {
                status = process.wait() => Some(status.expect("it can be waited for")),
                waits = at_the_end => {
                    waits.expect("the stage is still there");
                    None
                }
            }
        });
        let mut ended = ended.await.expect("the script comes to its end");
        if terminate {
            let id = process.id().expect("it still runs").to_string();
            let sent = Command::new("kill").args(["-TERM", &id]).status().await;
            assert!(sent.expect("kill runs").success());
            let waited = timeout(DEADLINE, process.wait()).await;
            ended = Some(waited.expect("it ends").expect("it can be waited for"));
        }
        server.abort();
        let asked = std::mem::take(&mut *stage.asked.lock().expect("no panic holds it"));
        (asked, ended)
    }
}

/// The parts of a request that must be equal.
#[derive(Debug, PartialEq)]
pub(super) struct Asked {
    line: String,
    /// Sorted; of the user agent and the address only the presence.
    headers: Vec<String>,
    body: Value,
}

struct Stage {
    left: Mutex<VecDeque<Step>>,
    asked: Mutex<Vec<Asked>>,
    /// Whether a request came for which the script has no response.
    waiting: watch::Sender<bool>,
}

async fn serve(listener: TcpListener, stage: Arc<Stage>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.expect("it listens");
        connections.spawn(converse(socket, Arc::clone(&stage)));
    }
}

async fn converse(mut socket: TcpStream, stage: Arc<Stage>) {
    while let Some(request) = read_request(&mut socket).await {
        let asked = Asked::parse(&request);
        stage.asked.lock().expect("no panic holds it").push(asked);
        let step = stage.left.lock().expect("no panic holds it").pop_front();
        let Some(step) = step else {
            stage.waiting.send_replace(true);
            return std::future::pending().await;
        };
        if step.hang_up {
            return;
        }
        if step.closing {
            return end_with(&socket, step.bytes().as_bytes()).await;
        }
        if socket.write_all(step.bytes().as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Writes `bytes` so that the end of the connection arrives with them: a client that got the bytes first could send its next
/// request on a connection that is about to end.
async fn end_with(socket: &TcpStream, bytes: &[u8]) {
    #[cfg(target_os = "linux")]
    let flags = rustix::net::SendFlags::MORE;
    #[cfg(not(target_os = "linux"))]
    let flags = rustix::net::SendFlags::empty();
    let sent = socket.async_io(Interest::WRITABLE, || {
        rustix::net::send(socket, bytes, flags).map_err(Into::into)
    });
    assert_eq!(sent.await.expect("the buffer has room"), bytes.len());
}

impl Asked {
    fn parse(request: &str) -> Self {
        let (head, body) = request.split_once("\r\n\r\n").expect("a whole request");
        let (line, headers) = head.split_once("\r\n").unwrap_or((head, ""));
        let mut headers: Vec<_> = headers
            .split("\r\n")
            .map(|header| {
                let (name, value) = header.split_once(':').expect("a header");
                let name = name.to_ascii_lowercase();
                match name.as_str() {
                    "host" | "user-agent" => name,
                    // Follows from the body.
                    "content-length" if value.trim() != "0" => name,
                    _ => format!("{name}: {}", value.trim()),
                }
            })
            .collect();
        headers.sort();
        let mut body = serde_json::from_str(body).unwrap_or(Value::Null);
        in_own_words(&mut body);
        Self {
            line: line.to_owned(),
            headers,
            body,
        }
    }
}

/// Removes intentional differences. The crate uses its own types for errors without one, and quotes unreadable events,
/// which may contain a user's message.
fn in_own_words(body: &mut Value) {
    let Some(message) = body["errorMessage"].as_str() else {
        return;
    };
    let is_unreadable = [
        "failed to deserialize the incoming data",
        "the event could not be read",
    ]
    .iter()
    .any(|words| message.starts_with(words));
    if is_unreadable {
        body["errorMessage"] = "unreadable".into();
    }
    if is_unreadable
        || body["errorMessage"]
            .as_str()
            .is_some_and(|it| it.starts_with("Lambda panicked"))
    {
        body["errorType"] = "of its own".into();
    }
}
