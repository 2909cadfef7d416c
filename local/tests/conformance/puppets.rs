//! The test's side of `examples/scripted.rs`: it controls the functions and records their events.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};

use crate::world::within;

/// A function's reaction to an event.
#[derive(Debug)]
pub(crate) enum Act {
    /// Responds with this text.
    Answer(String),
    /// Reports an error of this type and with this message.
    Fail(&'static str, &'static str),
    /// Ends the process with this code.
    Exit(i32),
    /// Does what the test sends, once it is sent.
    Later(oneshot::Receiver<Act>),
}

impl Act {
    pub(crate) fn ok() -> Self {
        Self::status(200)
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::json(&json!({ "statusCode": status }))
    }

    /// The reaction to an event that the test does not expect. The test fails when its world ends ([`Faults`]).
    pub(crate) fn unexpected() -> Self {
        panic!("the test expects no such event")
    }

    pub(crate) fn json(answer: &Value) -> Self {
        Self::Answer(answer.to_string())
    }
}

/// A reaction that the test decides later, and the sender for it.
pub(crate) fn later() -> (oneshot::Sender<Act>, Act) {
    let (sender, receiver) = oneshot::channel();
    (sender, Act::Later(receiver))
}

/// An event that a function received.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) function: String,
    pub(crate) event: Value,
    /// Of the response to `next`, in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) pid: u32,
}

impl Received {
    pub(crate) fn context(&self) -> &Value {
        &self.event["requestContext"]
    }

    pub(crate) fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = self
            .event
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        keys.sort_unstable();
        keys
    }
}

type Script = Arc<dyn Fn(&Received) -> Act + Send + Sync>;

/// All scripted functions of a test.
#[derive(Clone)]
pub(crate) struct Puppets {
    address: String,
    scripts: Arc<Mutex<HashMap<String, Script>>>,
    by_hand: Arc<Mutex<HashMap<String, mpsc::UnboundedSender<Puppet>>>>,
    received: watch::Sender<Vec<Received>>,
    greeted: watch::Sender<Vec<BTreeMap<String, String>>>,
    faults: Arc<Mutex<Vec<String>>>,
}

/// The panics of scripts, which run beside the test. Dropping it fails the test if there are any.
pub(crate) struct Faults(Arc<Mutex<Vec<String>>>);

impl Drop for Faults {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let faults = self.0.lock().unwrap();
        assert!(faults.is_empty(), "scripts panicked: {faults:#?}");
    }
}

impl Puppets {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let puppets = Self {
            address: listener.local_addr().unwrap().to_string(),
            scripts: Arc::default(),
            by_hand: Arc::default(),
            received: watch::Sender::default(),
            greeted: watch::Sender::default(),
            faults: Arc::default(),
        };
        let served = puppets.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let puppets = served.clone();
                tokio::spawn(async move {
                    let Some(puppet) = Puppet::greet(socket).await else {
                        return;
                    };
                    puppets
                        .greeted
                        .send_modify(|greeted| greeted.push(puppet.variables.clone()));
                    let by_hand = puppets
                        .by_hand
                        .lock()
                        .unwrap()
                        .get(&puppet.function)
                        .cloned();
                    match by_hand {
                        Some(hand) => drop(hand.send(puppet)),
                        None => puppets.play(puppet).await,
                    }
                });
            }
        });
        puppets
    }

    /// The executable and the environment of a scripted function.
    pub(crate) fn bootstrap(&self) -> (PathBuf, BTreeMap<String, String>) {
        let test = std::env::current_exe().unwrap();
        let example = test
            .parent()
            .unwrap()
            .parent()
            .unwrap()
            .join("examples/scripted");
        assert!(
            example.exists(),
            "`{}` is built together with the tests",
            example.display()
        );
        (
            example,
            BTreeMap::from([("CONTROLLER".to_owned(), self.address.clone())]),
        )
    }

    /// Sets the reaction of `function` to every event from now on. By default, every event gets status 200.
    pub(crate) fn on(
        &self,
        function: &str,
        script: impl Fn(&Received) -> Act + Send + Sync + 'static,
    ) {
        self.scripts
            .lock()
            .unwrap()
            .insert(function.to_owned(), Arc::new(script));
    }

    /// The first event of `function` waits for the test's decision; `rest` decides on later ones.
    pub(crate) fn later(
        &self,
        function: &str,
        rest: impl Fn() -> Act + Send + Sync + 'static,
    ) -> oneshot::Sender<Act> {
        let (sender, act) = later();
        let first = Mutex::new(Some(act));
        self.on(function, move |_| {
            let first = first.lock().unwrap().take();
            first.unwrap_or_else(&rest)
        });
        sender
    }

    /// Passes every new process of `function` to the test.
    pub(crate) fn by_hand(&self, function: &str) -> mpsc::UnboundedReceiver<Puppet> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.by_hand
            .lock()
            .unwrap()
            .insert(function.to_owned(), sender);
        receiver
    }

    /// The `index`th event of `function`, once it has come.
    pub(crate) async fn event(&self, function: &str, index: usize) -> Received {
        let mut received = self.received.subscribe();
        let of = |list: &[Received]| {
            list.iter()
                .filter(|one| one.function == function)
                .nth(index)
                .cloned()
        };
        let list = within(received.wait_for(|list| of(list).is_some()))
            .await
            .unwrap();
        of(&list).unwrap()
    }

    /// The messages that `function` has received so far.
    pub(crate) fn bodies(&self, function: &str) -> Vec<String> {
        let received = self.received.borrow();
        let its = received.iter().filter(|one| one.function == function);
        let body = |one: &Received| Some(one.event["body"].as_str()?.to_owned());
        its.filter_map(body).collect()
    }

    /// The number of events that `function` has received so far.
    pub(crate) fn count(&self, function: &str) -> usize {
        self.received
            .borrow()
            .iter()
            .filter(|one| one.function == function)
            .count()
    }

    /// The environments of all processes so far.
    pub(crate) fn variables(&self) -> Vec<BTreeMap<String, String>> {
        self.greeted.borrow().clone()
    }

    /// What fails the test at its end if a script has panicked by then.
    pub(crate) fn faults(&self) -> Faults {
        Faults(Arc::clone(&self.faults))
    }

    /// Runs a script; a panic in it becomes an error of the function, and a fault.
    fn react(&self, script: &Script, received: &Received) -> Act {
        let script = AssertUnwindSafe(|| script(received));
        catch_unwind(script).unwrap_or_else(|panic| {
            let why = panic.downcast_ref::<&str>().map(|why| (*why).to_owned());
            let why = why.or_else(|| panic.downcast_ref::<String>().cloned());
            let fault = format!(
                "{} at {}: {}",
                received.function,
                received.event,
                why.unwrap_or_default()
            );
            self.faults.lock().unwrap().push(fault);
            Act::Fail("Unexpected", "the test expects no such event")
        })
    }

    async fn play(&self, mut puppet: Puppet) {
        while let Some(received) = puppet.next().await {
            let script = self.scripts.lock().unwrap().get(&puppet.function).cloned();
            let request = received.headers["lambda-runtime-aws-request-id"].clone();
            self.received
                .send_modify(|list| list.push(received.clone()));
            let act = script.map_or_else(Act::ok, |script| self.react(&script, &received));
            if puppet.perform(&request, act).await.is_none() {
                return;
            }
        }
    }
}

/// One process.
pub(crate) struct Puppet {
    pub(crate) function: String,
    pub(crate) pid: u32,
    pub(crate) folder: PathBuf,
    pub(crate) variables: BTreeMap<String, String>,
    replies: Lines<BufReader<OwnedReadHalf>>,
    commands: OwnedWriteHalf,
}

/// A response of the Runtime API.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Puppet {
    async fn greet(socket: TcpStream) -> Option<Self> {
        socket.set_nodelay(true).ok()?;
        let (read, commands) = socket.into_split();
        let mut replies = BufReader::new(read).lines();
        let hello: Value = serde_json::from_str(&replies.next_line().await.ok()??).ok()?;
        let variables: BTreeMap<String, String> =
            serde_json::from_value(hello["variables"].clone()).ok()?;
        Some(Self {
            function: variables["AWS_LAMBDA_FUNCTION_NAME"].clone(),
            pid: u32::try_from(hello["pid"].as_u64()?).ok()?,
            folder: hello["folder"].as_str()?.into(),
            variables,
            replies,
            commands,
        })
    }

    /// Waits for an event; `None` if the process has ended.
    pub(crate) async fn next(&mut self) -> Option<Received> {
        let reply = self
            .call("GET", "/2018-06-01/runtime/invocation/next", "")
            .await?;
        (reply.status == 200).then(|| Received {
            function: self.function.clone(),
            event: serde_json::from_str(&reply.body).unwrap(),
            headers: reply.headers,
            pid: self.pid,
        })
    }

    /// Responds to the invocation `request`.
    pub(crate) async fn respond(&mut self, request: &str, body: &str) -> Option<Reply> {
        self.call(
            "POST",
            &format!("/2018-06-01/runtime/invocation/{request}/response"),
            body,
        )
        .await
    }

    /// Calls the Runtime API; `None` if the process has ended.
    pub(crate) async fn call(&mut self, method: &str, path: &str, body: &str) -> Option<Reply> {
        self.command(&json!({ "do": "call", "method": method, "path": path, "body": body }))
            .await?;
        let reply: Value = serde_json::from_str(&self.replies.next_line().await.ok()??).ok()?;
        Some(Reply {
            status: u16::try_from(reply["status"].as_u64()?).ok()?,
            headers: serde_json::from_value(reply["headers"].clone()).ok()?,
            body: reply["body"].as_str()?.to_owned(),
        })
    }

    pub(crate) async fn command(&mut self, command: &Value) -> Option<()> {
        self.commands
            .write_all(format!("{command}\n").as_bytes())
            .await
            .ok()
    }

    async fn perform(&mut self, request: &str, act: Act) -> Option<()> {
        let mut act = act;
        while let Act::Later(receiver) = act {
            act = receiver.await.ok()?;
        }
        match act {
            Act::Answer(text) => self.respond(request, &text).await.map(drop),
            Act::Fail(kind, message) => {
                let body = json!({ "errorType": kind, "errorMessage": message }).to_string();
                let path = format!("/2018-06-01/runtime/invocation/{request}/error");
                self.call("POST", &path, &body).await.map(drop)
            }
            Act::Exit(code) => self.command(&json!({ "do": "exit", "code": code })).await,
            Act::Later(_) => None,
        }
    }
}

#[tokio::test]
#[should_panic(expected = "the test expects no such event")]
async fn an_unexpected_event_fails_its_test() {
    let world = crate::world::World::chat().await;
    world.puppets.on("disconnect", |_| Act::unexpected());
    world.connect().await.close(None).await;
    world.puppets.event("disconnect", 0).await;
    world.settled().await;
}
