//! A running stack with scripted functions, and clients for it over real sockets.
//!
//! Start reading at [`a_worked_example`], which uses every part of a test once: a [`World`] is a stack that [`Setup`]
//! describes; [`Puppets`] are its functions, processes of `examples/scripted.rs` that ask the test what to do with an
//! event; a [`Client`] is a WebSocket; a [`ManualClock`] moves the stack's clock. A test of a statement of
//! `checklist.toml` has the statement's id in front of its name: `limits_3_…`.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatctl_local::{
    Limits, LocalStack, ManualClock, Observer, Options, StackNotice, StackRequest,
};
use serde_json::{Value, json};
pub(crate) use testing::until::{until, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::puppets::{Act, Faults, Puppets};
use crate::setup::Setup;

#[tokio::test]
async fn a_worked_example() {
    // `$connect`, `$disconnect`, `$default` and a route that answers, each with a function; a clock that stands still.
    let (world, manual) = World::by_hand(|setup| setup.chat().two_way("echo", "echo")).await;

    // What a function does with each event. Without a script it answers status 200.
    world.puppets.on("echo", |received| {
        Act::json(&json!({ "statusCode": 200, "body": received.event["body"] }))
    });

    // When a client is connected, the function `connect` has answered; its first event is number 0.
    let mut tom = world.connect().await;
    let event = world.puppets.event("connect", 0).await;
    assert_eq!(event.context()["routeKey"], "$connect");

    // `receive` fails at any other frame than a text, so a test sees what it does not expect.
    let text = r#"{"action":"echo"}"#;
    tom.send(text).await;
    assert_eq!(tom.receive().await, text);

    // The @connections API, asked as the owner of the stack.
    let id = world.connection_id(0).await;
    let answer = world.operate("POST", &id, b"hello").await;
    assert_eq!(
        (answer.status, tom.receive().await),
        (200, "hello".to_owned())
    );

    // Ten idle minutes. No test waits for a time: `settled` returns when no function works on anything.
    world.settled().await;
    manual.advance(Duration::from_secs(600));
    assert_eq!(tom.close_code().await, 1001);
    world.puppets.event("disconnect", 0).await;
}

/// A running stack.
pub(crate) struct World {
    pub(crate) stack: LocalStack,
    pub(crate) puppets: Puppets,
    pub(crate) notices: Arc<Mutex<Vec<StackNotice>>>,
    /// Fails the test at its end if a function received what the test does not expect.
    _faults: Faults,
}

impl World {
    /// Runs the stack that `setup` makes of scripted functions.
    pub(crate) async fn start(setup: impl FnOnce(Setup) -> Setup) -> Self {
        Self::start_with(Options::default(), setup).await
    }

    pub(crate) async fn start_with(options: Options, setup: impl FnOnce(Setup) -> Setup) -> Self {
        let puppets = Puppets::new().await;
        let setup = setup(Setup::empty(puppets.bootstrap()));
        let (observer, notices) = recorder();
        let stack = LocalStack::start_resolved(setup.stack, setup.code, options, observer)
            .await
            .unwrap();
        Self {
            stack,
            notices,
            _faults: puppets.faults(),
            puppets,
        }
    }

    /// Like [`World::start`], with a clock that only the test moves.
    pub(crate) async fn by_hand(setup: impl FnOnce(Setup) -> Setup) -> (Self, ManualClock) {
        let manual = ManualClock::default();
        let options = Options::default().with_clock(manual.clock());
        (Self::start_with(options, setup).await, manual)
    }

    /// Runs a template of `tests/templates` whose only function is `function`.
    pub(crate) async fn from_template(name: &str, function: &str) -> Self {
        let puppets = Puppets::new().await;
        let (executable, variables) = puppets.bootstrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/templates")
            .join(name);
        let request = StackRequest::new("test", std::fs::read_to_string(path).unwrap())
            .with_parameters(BTreeMap::from([(
                "Controller".to_owned(),
                variables["CONTROLLER"].clone(),
            )]))
            .with_code(BTreeMap::from([(function.to_owned(), executable)]));
        let (observer, notices) = recorder();
        let stack = LocalStack::start(request, Options::default(), observer)
            .await
            .unwrap();
        Self {
            stack,
            notices,
            _faults: puppets.faults(),
            puppets,
        }
    }

    /// Runs a template without functions.
    pub(crate) async fn with_template(template: &str) -> Self {
        let request = StackRequest::new("test", template);
        let (observer, notices) = recorder();
        let stack = LocalStack::start(request, Options::default(), observer)
            .await
            .unwrap_or_else(|error| panic!("{error}\n{template}"));
        let puppets = Puppets::new().await;
        Self {
            stack,
            notices,
            _faults: puppets.faults(),
            puppets,
        }
    }

    /// `$connect`, `$disconnect` and `$default`.
    pub(crate) async fn chat() -> Self {
        Self::start(Setup::chat).await
    }

    /// Like [`World::chat`], within `limits`.
    pub(crate) async fn limited_chat(limits: Limits) -> Self {
        let options = Options::default().with_limits(limits);
        Self::start_with(options, Setup::chat).await
    }

    /// Every notice so far.
    pub(crate) fn notices(&self) -> Vec<StackNotice> {
        self.notices.lock().unwrap().clone()
    }

    /// Waits until all functions are idle, so that no integration waits when the clock is moved.
    pub(crate) async fn settled(&self) {
        let busy = || {
            let functions = self.stack.status().functions;
            functions.iter().any(|one| one.in_flight > 0)
        };
        until(async || (!busy()).then_some(())).await;
    }

    /// All warnings so far.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warning = |notice| match notice {
            StackNotice::Warning(text) => Some(text),
            _ => None,
        };
        self.notices().into_iter().filter_map(warning).collect()
    }

    /// A connection to stage `v1`.
    pub(crate) async fn connect(&self) -> Client {
        self.connect_to("/v1", "").await
    }

    /// A connection to `target` with more headers, each with its line end.
    pub(crate) async fn connect_to(&self, target: &str, headers: &str) -> Client {
        let answer = self.upgrade(target, headers).await;
        assert_eq!(answer.status, 101, "{answer:?}");
        answer.into_client().await
    }

    /// Sends an upgrade request and returns the gateway's response, whatever it is.
    pub(crate) async fn upgrade(&self, target: &str, headers: &str) -> Answer {
        let port = self.stack.port();
        let head = testing::upgrade_head(&format!("127.0.0.1:{port}"), target, headers);
        within(exchange(port, &head, b"")).await
    }

    /// A request to the @connections API, signed by `key`.
    pub(crate) async fn manage(&self, key: &str, method: &str, path: &str, body: &[u8]) -> Answer {
        let authorization = format!("Authorization: {}\r\n", signed_by(key, "execute-api"));
        self.request(method, path, &authorization, body).await
    }

    /// A request to the @connections API, signed by the operator.
    pub(crate) async fn operate(&self, method: &str, connection_id: &str, body: &[u8]) -> Answer {
        self.manage(
            "AKIAOPERATOR",
            method,
            &format!("/v1/@connections/{connection_id}"),
            body,
        )
        .await
    }

    /// A plain request.
    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> Answer {
        let port = self.stack.port();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        within(exchange(port, &head, body)).await
    }

    /// The connection id of the `index`th connection.
    pub(crate) async fn connection_id(&self, index: usize) -> String {
        let connect = self.puppets.event("connect", index).await;
        connect.context()["connectionId"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

/// A header value in the format of AWS's SDKs; the signature is never checked.
pub(crate) fn signed_by(key: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20260101/eu-central-1/{service}/aws4_request, SignedHeaders=host, Signature=00"
    )
}

/// An observer, and its notices.
pub(crate) fn recorder() -> (Observer, Arc<Mutex<Vec<StackNotice>>>) {
    let notices: Arc<Mutex<Vec<StackNotice>>> = Arc::default();
    let received = Arc::clone(&notices);
    (
        Observer::new(move |notice| received.lock().unwrap().push(notice)),
        notices,
    )
}

/// An HTTP response and its socket.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In their order and case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    socket: TcpStream,
    rest: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) async fn into_client(self) -> Client {
        Client(testing::Client::upgraded(self.socket, self.rest).await)
    }
}

/// Sends one request and reads one response.
pub(crate) async fn exchange(port: u16, head: &str, body: &[u8]) -> Answer {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    socket.set_nodelay(true).unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    // A server that refuses a large body responds before all of it is written.
    let _refused_early = socket.write_all(body).await;
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        assert_ne!(
            socket.read_buf(&mut bytes).await.unwrap(),
            0,
            "no response to {head}"
        );
    };
    let text = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let status: u16 = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let header = |line: &str| {
        line.split_once(": ")
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let headers: Vec<_> = lines.filter_map(header).collect();
    let mut answer = Answer {
        status,
        headers,
        body: String::new(),
        socket,
        rest: bytes[end..].to_vec(),
    };
    let length: usize = answer
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    while answer.rest.len() < length {
        assert_ne!(
            answer.socket.read_buf(&mut answer.rest).await.unwrap(),
            0,
            "the body ends early"
        );
    }
    answer.body = String::from_utf8(answer.rest.drain(..length).collect()).unwrap();
    answer
}

/// A WebSocket client of the gateway.
pub(crate) struct Client(testing::Client);

impl Client {
    /// Sends `text`, and expects an error frame with `message`.
    pub(crate) async fn gets_error(&mut self, text: &str, message: &str) {
        self.send(text).await;
        let frame = self.receive().await;
        let start = format!(r#"{{"message": "{message}", "connectionId":""#);
        assert!(frame.starts_with(&start), "{frame}");
        serde_json::from_str::<Value>(&frame).expect("an error frame is JSON");
    }

    pub(crate) async fn close(self, frame: Option<CloseFrame>) {
        self.0.close(frame).await;
    }
}

impl Deref for Client {
    type Target = testing::Client;

    fn deref(&self) -> &testing::Client {
        &self.0
    }
}

impl DerefMut for Client {
    fn deref_mut(&mut self) -> &mut testing::Client {
        &mut self.0
    }
}
