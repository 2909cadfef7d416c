//! Runs the function's binary with a Runtime API for tests.

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::stub::read_request;

/// Only a failing test reaches it.
const DEADLINE: Duration = Duration::from_secs(30);

/// The prefix of each event's trace id; the event's number follows, from 1.
pub(crate) const TRACE_ID: &str = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0;Lineage=1:";

pub(crate) struct Function {
    process: Child,
    events: mpsc::UnboundedSender<String>,
    outcomes: mpsc::UnboundedReceiver<(String, Value)>,
}

impl Function {
    /// Starts the binary with `_HANDLER` and the variables that Lambda always sets.
    pub(crate) async fn start(handler: &str, variables: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let (events, queue) = mpsc::unbounded_channel();
        let (answers, outcomes) = mpsc::unbounded_channel();
        tokio::spawn(serve(listener, queue, answers));
        let process = command(handler, &address, variables)
            .spawn()
            .expect("the binary starts");
        Self {
            process,
            events,
            outcomes,
        }
    }

    /// Invokes the function. Returns the last part of the path that it reported to (`response` or `error`), and its
    /// report.
    pub(crate) async fn invoke(&mut self, event: &str) -> (String, Value) {
        self.events
            .send(event.to_owned())
            .expect("the runtime listens");
        let outcome = timeout(DEADLINE, self.outcomes.recv()).await;
        outcome.expect("an outcome in time").expect("an outcome")
    }

    /// Stops the function and returns its log.
    pub(crate) fn stop(mut self) -> String {
        self.process.kill().expect("it still runs");
        let mut log = String::new();
        let stdout = self.process.stdout.as_mut().expect("it is piped");
        std::io::Read::read_to_string(stdout, &mut log).expect("it is text");
        log
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // Both only fail if it has already ended, which is the goal.
        self.process.kill().unwrap_or_default();
        self.process.wait().map(drop).unwrap_or_default();
    }
}

/// Runs the binary without a Runtime API, for what happens before it is needed.
pub(crate) fn run_to_its_end(handler: &str, variables: &[(&str, &str)]) -> Output {
    run_at("127.0.0.1:1", handler, variables)
}

/// Runs the binary until it ends by itself, with the Runtime API at `address`.
pub(crate) fn run_at(address: &str, handler: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = command(handler, address, variables);
    command.output().expect("the binary starts")
}

fn command(handler: &str, runtime: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
    command
        .env_clear()
        .env("_HANDLER", handler)
        .env("AWS_LAMBDA_RUNTIME_API", runtime)
        .env("AWS_LAMBDA_FUNCTION_NAME", "chat")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

async fn serve(
    listener: TcpListener,
    queue: mpsc::UnboundedReceiver<String>,
    answers: mpsc::UnboundedSender<(String, Value)>,
) {
    let queue = std::sync::Arc::new(tokio::sync::Mutex::new(queue));
    loop {
        let (socket, _) = listener.accept().await.expect("it listens");
        tokio::spawn(converse(socket, queue.clone(), answers.clone()));
    }
}

async fn converse(
    mut socket: TcpStream,
    queue: std::sync::Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<String>>>,
    answers: mpsc::UnboundedSender<(String, Value)>,
) {
    let mut number = 0;
    while let Some(request) = read_request(&mut socket).await {
        let (head, body) = request.split_once("\r\n\r\n").expect("a whole request");
        let path = head.split(' ').nth(1).expect("a request line").to_owned();
        let response = match path.rsplit('/').next() {
            Some("next") => match queue.lock().await.recv().await {
                Some(event) => {
                    number += 1;
                    next(&event, number)
                }
                None => return,
            },
            Some(kind) => {
                let body = serde_json::from_str(body).expect("JSON");
                if answers.send((kind.to_owned(), body)).is_err() {
                    return;
                }
                "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned()
            }
            None => return,
        };
        if socket.write_all(response.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn next(event: &str, number: u32) -> String {
    format!(
        "HTTP/1.1 200 OK\r\n\
         Lambda-Runtime-Aws-Request-Id: 11111111-2222-3333-4444-555555555555\r\n\
         Lambda-Runtime-Deadline-Ms: 4102444800000\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:000000000000:function:chat\r\n\
         Lambda-Runtime-Trace-Id: {TRACE_ID}{number}\r\n\
         content-length: {}\r\n\r\n{event}",
        event.len()
    )
}
