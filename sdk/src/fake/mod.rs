//! A chat in memory, to test a handler.

mod attempt;
mod connect;
mod draft;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chat_lambdas::handlers::{HandlerError, Invocation};
use chat_lambdas::log::{Level, Log};
use chat_protocol::Index;
use tokio::time::Instant;

pub use attempt::{Attempt, ConnectError};
pub use connect::{Client, ConnectOptions};
pub use draft::Draft;

use crate::chat::About;
use crate::error::HandlerKind;
use crate::run::handled;
use crate::services::{Memory, Services};
use crate::{Chat, Error, Message, Reply, Secret, Table};

/// A chat in memory: clients connect to it, send messages to a handler, and receive its posts.
///
/// Every permission is granted. Time does not pass in it, and nothing is lost.
///
/// Its methods block until the handler has ended, on an asynchronous runtime of their own, so they panic on a thread that
/// runs another one. An asynchronous test, such as one with a server for the handler, calls them in
/// `tokio::task::spawn_blocking`.
///
/// ```
/// use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
///
/// async fn greet(chat: &Chat, message: &Message) -> Result<Reply, Error> {
///     let name = message.sender().unwrap_or("a guest");
///     chat.post_to_others(message, &format!("{name} says hello")).await?;
///     Ok("greeted".into())
/// }
///
/// let chat = FakeChat::new();
/// let (tom, jerry) = (chat.connect("Tom", "kitchen"), chat.connect("Jerry", "kitchen"));
/// let reply = chat.send(&tom, r#"{"action":"greet"}"#, greet).unwrap();
/// assert_eq!(reply.text(), Some("greeted"));
/// assert_eq!(chat.received(&jerry), ["Tom says hello"]);
/// ```
#[derive(Debug)]
pub struct FakeChat {
    memory: Arc<Memory>,
    connections: AtomicUsize,
    variables: BTreeMap<String, String>,
    lines: Arc<Mutex<Vec<String>>>,
}

/// The time of everything in a fake, in seconds since the epoch.
const NOW: u64 = 1_767_225_600;

/// A function's time limit, which is more than any test needs.
const TIME: Duration = Duration::from_secs(29);

impl FakeChat {
    /// A chat without connections.
    ///
    /// ```
    /// # use chat_sdk::fake::FakeChat;
    /// let chat = FakeChat::new();
    /// assert_eq!(chat.logged(), "");
    /// ```
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "one constructor, as in the documentation"
    )]
    pub fn new() -> Self {
        Self {
            memory: Arc::default(),
            connections: AtomicUsize::new(0),
            variables: BTreeMap::new(),
            lines: Arc::default(),
        }
    }

    /// Ends the connection of `client` without an event, as when a network is lost.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn call(chat: &Chat, _: &Message) -> Result<Reply, Error> {
    ///     let posts = chat.post_to_person("Jerry", "hi").await?;
    ///     Ok(format!("{} delivered, {} gone", posts.delivered, posts.gone).into())
    /// }
    /// let chat = FakeChat::new();
    /// let (tom, jerry) = (chat.connect("Tom", "kitchen"), chat.connect("Jerry", "kitchen"));
    /// chat.vanish(&jerry);
    /// assert_eq!(chat.send(&tom, "hi", call).unwrap().text(), Some("0 delivered, 1 gone"));
    /// ```
    pub fn vanish(&self, client: &Client) {
        self.memory.delivery.close(&client.connection);
    }

    /// Runs `handler` with `frame` from `client`; returns its reply. The route is the frame's `action`, else
    /// `$default`.
    ///
    /// As with [`run()`](crate::run()), the frame of a client whose token does not allow to `send` does not reach the
    /// handler: there is no reply, and the client [receives](Self::received) the error frame `NotAllowed`.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn echo(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     Ok(message.text().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.send(&tom, "hi", echo).unwrap().text(), Some("hi"));
    /// ```
    ///
    /// # Errors
    /// The handler's own.
    pub fn send<H, R, E>(&self, client: &Client, frame: &str, handler: H) -> Result<Reply, Error>
    where
        H: AsyncFn(&Chat, &Message) -> Result<R, E>,
        R: Into<Reply>,
        E: Into<Error>,
    {
        let json: serde_json::Value = serde_json::from_str(frame).unwrap_or_default();
        let route = json["action"].as_str().unwrap_or("$default");
        let (event, gate) = (client.event(route, frame), client.gate());
        let handled = block_on(async {
            let chat = self.chat(HandlerKind::Route);
            handled(&event, &gate, &chat, &handler).await
        });
        match handled {
            Ok(Ok(reply)) => Ok(reply),
            // The client has an error frame instead.
            Ok(Err(_)) => Ok(Reply::default()),
            Err(HandlerError::Own(error)) => Err(error),
            Err(error) => Err(error.into()),
        }
    }

    /// The messages posted to `client` since the last call, in order, without the handler's replies.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn twice(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     chat.post_to_sender(message, message.text()).await?;
    ///     Ok(message.text().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// chat.send(&tom, "hi", twice).unwrap();
    /// assert_eq!(chat.received(&tom), ["hi"]);
    /// assert_eq!(chat.received(&tom), [""; 0]);
    /// ```
    pub fn received(&self, client: &Client) -> Vec<String> {
        std::iter::from_fn(|| self.memory.delivery.take(&client.connection)).collect()
    }

    /// The handlers' items in the chat's table.
    ///
    /// ```
    /// # use chat_sdk::fake::FakeChat;
    /// let table = FakeChat::new().table();
    /// assert_eq!(table.name(), "memory");
    /// ```
    #[must_use]
    pub fn table(&self) -> Table {
        Table {
            services: Services::Memory(Arc::clone(&self.memory)),
            name: "memory".to_owned(),
            kind: HandlerKind::Route,
        }
    }

    /// Sets the environment variable `name` for the handlers that run from now on.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn greet(chat: &Chat, _: &Message) -> Result<Reply, Error> {
    ///     Ok(chat.variable("GREETING").unwrap_or("hello").into())
    /// }
    /// let mut chat = FakeChat::new();
    /// chat.set_variable("GREETING", "good morning");
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.send(&tom, "hi", greet).unwrap().text(), Some("good morning"));
    /// ```
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Sets the secret `name` for the handlers that run from now on.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn length(chat: &Chat, _: &Message) -> Result<Reply, Error> {
    ///     let key = chat.secret("API_KEY").await?;
    ///     Ok(key.expose().len().to_string().into())
    /// }
    /// let mut chat = FakeChat::new();
    /// chat.set_secret("API_KEY", "hush");
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.send(&tom, "hi", length).unwrap().text(), Some("4"));
    /// ```
    pub fn set_secret(&mut self, name: &str, value: &str) {
        let secrets = self.memory.secrets.lock();
        let mut secrets = secrets.unwrap_or_else(PoisonError::into_inner);
        secrets.insert(name.to_owned(), Secret::new(value.to_owned()));
    }

    /// Everything that was logged so far, one JSON object per line.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn note(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     chat.log(message.text());
    ///     Ok(().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// chat.send(&tom, "one", note).unwrap();
    /// chat.send(&tom, "two", note).unwrap();
    /// assert_eq!(chat.logged().lines().count(), 2);
    /// ```
    #[must_use]
    pub fn logged(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.join("\n")
    }

    /// Lets the first `times` posts to `client` fail.
    #[cfg(test)]
    pub(crate) fn refuse(
        &self,
        client: &Client,
        times: usize,
        refusal: fn() -> chat_lambdas::delivery::DeliveryError,
    ) {
        let delivery = &self.memory.delivery;
        delivery.refuse_times(&client.connection, times, refusal);
    }

    /// Lets every `call` to the table of connections fail.
    #[cfg(test)]
    pub(crate) fn break_down(&self, call: chat_lambdas::memory::Call) {
        self.memory.store.break_down(call);
    }

    fn chat(&self, kind: HandlerKind) -> Chat {
        let lines = Arc::clone(&self.lines);
        let log = Log::new(Level::Debug, move |line| {
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push(line.to_owned());
        });
        Chat {
            services: Services::Memory(Arc::clone(&self.memory)),
            invocation: Invocation {
                now: NOW,
                until: Instant::now() + TIME,
                log,
            },
            about: Arc::new(About {
                kind,
                index: Index::FriendAndRoom,
                table: "memory".to_owned(),
                connections_endpoint: "memory:".to_owned(),
                variables: self.variables.clone(),
            }),
        }
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .expect("the system has what a runtime needs")
        .block_on(work)
}
