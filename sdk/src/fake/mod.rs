//! A chat in memory, to test a handler.

mod attempt;
mod draft;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chat_lambdas::event::Proof;
use chat_lambdas::handlers::Invocation;
use chat_lambdas::log::{Level, Log};
use chat_lambdas::session::{ConnectionId, Name, Names, Session};
use chat_lambdas::store::{ConnectionStore as _, Presence};
use chat_protocol::{Field, Index};
use tokio::time::Instant;

pub use attempt::{Attempt, Refused};
pub use chat_protocol::Handshake;
pub use draft::Draft;

use crate::chat::About;
use crate::services::{Memory, Services};
use crate::{Chat, Error, Message, Reply, Secret, Table, Value};

/// A chat in memory: clients connect to it, send messages to a handler, and receive its posts.
///
/// Every permission is granted. Time does not pass in it, and nothing is lost.
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
/// let reply = chat.says(&tom, r#"{"action":"greet"}"#, greet).unwrap();
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

/// One open connection to a [`FakeChat`].
#[derive(Debug, Clone)]
pub struct Client {
    connection: ConnectionId,
    session: Session,
    proof: Option<Proof>,
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
    /// # assert_eq!(chat.logged(), "");
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

    /// Connects `name`, in `room`.
    ///
    /// ```
    /// # use chat_sdk::fake::FakeChat;
    /// let tom = FakeChat::new().connect("Tom", "kitchen");
    /// # assert!(!tom.connection_id().is_empty());
    /// ```
    ///
    /// # Panics
    /// One of them is not a valid name.
    pub fn connect(&self, name: &str, room: &str) -> Client {
        let handshake = Handshake::default().with(Field::From, name);
        self.connect_as(&handshake.with(Field::Room, room))
    }

    /// Connects a client with `handshake`.
    ///
    /// ```
    /// # use chat_sdk::fake::{FakeChat, Handshake};
    /// let chat = FakeChat::new();
    /// let tom = chat.connect_as(&Handshake::between("Tom", "Jerry"));
    /// let nobody = chat.connect_as(&Handshake::default());
    /// # assert_ne!(tom.connection_id(), nobody.connection_id());
    /// ```
    ///
    /// # Panics
    /// One of its values is not a valid name.
    pub fn connect_as(&self, handshake: &Handshake) -> Client {
        let [name, friend, room] =
            [Field::From, Field::To, Field::Room].map(|field| (field.name(), handshake.get(field)));
        let session = Session::parse(name, friend, room, Names::Optional)
            .unwrap_or_else(|error| panic!("{error}: {handshake:?}"));
        self.opened(session, None)
    }

    fn opened(&self, session: Session, proof: Option<Proof>) -> Client {
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        let connection = ConnectionId::new(format!("connection-{number}="));
        let presence = Presence {
            session: session.clone(),
            connection: connection.clone(),
            // Long enough ago that a missing connection counts as gone.
            connected_at: NOW - 60,
        };
        let recorded = block_on(async {
            self.memory.store.remember(&presence).await?;
            self.memory.store.join(&presence).await
        });
        recorded.expect("the table in memory takes everything");
        self.memory.delivery.open(&connection);
        Client {
            connection,
            session,
            proof,
        }
    }

    /// Connects a client whose token has `claims`, and who says what `handshake` says.
    ///
    /// ```
    /// # use chat_sdk::{fake::{FakeChat, Handshake}, json};
    /// let token = json!({"sub": "Ann", "can": ["send", "moderate"]});
    /// let ann = FakeChat::new().connect_with(&Handshake::between("Ann", "Tom"), token);
    /// # assert!(!ann.connection_id().is_empty());
    /// ```
    ///
    /// # Panics
    /// When something that it says is not a name, `claims` is no object, or its `can` is no list of texts.
    pub fn connect_with(&self, handshake: &Handshake, claims: Value) -> Client {
        let Value::Object(claims) = claims else {
            panic!("the claims of a token are an object, not {claims}");
        };
        let can = claims
            .get("can")
            .cloned()
            .map(|can| serde_json::from_value(can).expect("rights are a list of texts"));
        let proof = Proof {
            expires_at: u64::MAX,
            can,
            claims,
        };
        Client {
            proof: Some(proof),
            ..self.connect_as(handshake)
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
    /// assert_eq!(chat.says(&tom, "hi", call).unwrap().text(), Some("0 delivered, 1 gone"));
    /// ```
    pub fn vanish(&self, client: &Client) {
        self.memory.delivery.close(&client.connection);
    }

    /// Runs `handler` with `frame` from `client`; returns its reply. The route is the frame's `action`, else
    /// `$default`.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn echo(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     Ok(message.text().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.says(&tom, "hi", echo).unwrap().text(), Some("hi"));
    /// ```
    ///
    /// # Errors
    /// The handler's own.
    pub fn says<H, R, E>(&self, client: &Client, frame: &str, handler: H) -> Result<Reply, Error>
    where
        H: AsyncFn(&Chat, &Message) -> Result<R, E>,
        R: Into<Reply>,
        E: Into<Error>,
    {
        let json: serde_json::Value = serde_json::from_str(frame).unwrap_or_default();
        let route = json["action"].as_str().unwrap_or("$default");
        let Client {
            connection,
            session,
            proof,
        } = client.clone();
        let message = Message::new(connection, (session, proof), route, frame.to_owned());
        let handled = block_on(async {
            let chat = self.chat();
            handler(&chat, &message).await
        });
        handled.map(Into::into).map_err(Into::into)
    }

    /// The messages posted to `client` since the last call, in order, without the handler's replies.
    ///
    /// ```
    /// # use chat_sdk::fake::FakeChat;
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
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
    /// # assert_eq!(table.name(), "memory");
    /// ```
    #[must_use]
    pub fn table(&self) -> Table {
        Table {
            services: Services::Memory(Arc::clone(&self.memory)),
            name: "memory".to_owned(),
        }
    }

    /// Sets the environment variable `name` for the handlers that run from now on.
    ///
    /// ```
    /// # use chat_sdk::fake::FakeChat;
    /// let mut chat = FakeChat::new();
    /// chat.set_variable("AWS_REGION", "eu-west-1");
    /// ```
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Sets the secret `name` for the handlers that run from now on.
    ///
    /// ```
    /// # use chat_sdk::fake::FakeChat;
    /// let mut chat = FakeChat::new();
    /// chat.set_secret("API_KEY", "hush");
    /// ```
    pub fn set_secret(&mut self, name: &str, value: &str) {
        let secrets = self.memory.secrets.lock();
        let mut secrets = secrets.unwrap_or_else(PoisonError::into_inner);
        secrets.insert(name.to_owned(), Secret::new(value.to_owned()));
    }

    /// Everything that was logged so far, one JSON object per line.
    ///
    /// ```
    /// # use chat_sdk::fake::FakeChat;
    /// assert_eq!(FakeChat::new().logged(), "");
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

    fn chat(&self) -> Chat {
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
                index: Index::FriendAndRoom,
                table: "memory".to_owned(),
                connections_endpoint: "memory:".to_owned(),
                variables: self.variables.clone(),
            }),
        }
    }
}

impl Client {
    /// The value of [`Message::connection_id`] in a handler.
    ///
    /// ```
    /// # use chat_sdk::fake::FakeChat;
    /// let chat = FakeChat::new();
    /// let [phone, laptop] = [chat.connect("Tom", "kitchen"), chat.connect("Tom", "kitchen")];
    /// assert_ne!(phone.connection_id(), laptop.connection_id());
    /// ```
    #[must_use]
    pub fn connection_id(&self) -> &str {
        self.connection.as_str()
    }

    /// The name under which it was let in.
    ///
    /// ```
    /// # use chat_sdk::fake::FakeChat;
    /// assert_eq!(FakeChat::new().connect("Tom", "kitchen").name(), Some("Tom"));
    /// ```
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.session.name.as_ref().map(Name::as_str)
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime
        .expect("a runtime without I/O needs nothing of the system")
        .block_on(work)
}
