//! A message, with its sender.

use std::sync::LazyLock;

use chat_lambdas::event::{Proof, SocketEvent, UnexpectedEvent};
use chat_lambdas::session::{ConnectionId, Name, Names, Session};
use chat_protocol::auth;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A message on the handler's route.
#[derive(Debug, Clone)]
pub struct Message {
    connection: ConnectionId,
    route: Option<String>,
    text: String,
    session: Session,
    proof: Option<Proof>,
}

impl Message {
    pub(crate) fn read(event: &SocketEvent) -> Result<Self, UnexpectedEvent> {
        let (connection, text) = event.message()?;
        // Without an authorizer there is no session, because the sender could have made it up.
        let session = event.proven_session(Names::Optional);
        Ok(Self {
            connection,
            route: event.route().map(str::to_owned),
            text: text.to_owned(),
            session: session.ok().flatten().unwrap_or_default(),
            proof: event.proof(),
        })
    }

    /// The frame, unchanged.
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
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The frame as JSON; `Value::Null` if it is not JSON.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn double(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     let number = message.json()["number"].as_u64().ok_or("send a number")?;
    ///     Ok((number * 2).to_string().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.send(&tom, r#"{"number":2}"#, double).unwrap().text(), Some("4"));
    /// assert_eq!(chat.send(&tom, "hi", double).unwrap_err().to_string(), "send a number");
    /// ```
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The frame, parsed as your type `T`.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn sum(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     let numbers: Vec<u32> = message.parse()?;
    ///     Ok(numbers.iter().sum::<u32>().to_string().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.send(&tom, "[1,2,3]", sum).unwrap().text(), Some("6"));
    /// ```
    ///
    /// # Errors
    /// The frame is not JSON, or not a `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.text)
    }

    /// The sender's name, as the authorizer accepted it. `None` if the sender sent none, or if no authorizer of the
    /// chat handles connections.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn who(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     Ok(format!("{:?} in {}", message.sender(), message.room()).into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// let reply = chat.send(&tom, "who am I?", who).unwrap();
    /// assert_eq!(reply.text(), Some(r#"Some("Tom") in kitchen"#));
    /// ```
    #[must_use]
    pub fn sender(&self) -> Option<&str> {
        self.session.name.as_ref().map(Name::as_str)
    }

    /// The friend that the sender named when connecting.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::{ConnectOptions, FakeChat}};
    /// async fn friend(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     Ok(message.friend().unwrap_or("no friend").into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect_with(ConnectOptions::new().with_name("Tom").with_friend("Jerry"));
    /// assert_eq!(chat.send(&tom, "hi", friend).unwrap().text(), Some("Jerry"));
    /// ```
    #[must_use]
    pub fn friend(&self) -> Option<&str> {
        self.session.friend.as_ref().map(Name::as_str)
    }

    /// The sender's room; `everybody` by default.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::{ConnectOptions, FakeChat}};
    /// async fn room(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     Ok(message.room().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect_with(ConnectOptions::new().with_name("Tom"));
    /// assert_eq!(chat.send(&tom, "hi", room).unwrap().text(), Some("everybody"));
    /// ```
    #[must_use]
    pub fn room(&self) -> &str {
        self.session.room.as_str()
    }

    /// Every claim of the sender's token. Empty where the chat asks for no tokens (`mode = "claimed"`), and where the claims are
    /// longer than the 8 KB that API Gateway passes on.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::{ConnectOptions, FakeChat}, json};
    /// async fn level(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     let level = message.claims().get("level").and_then(|it| it.as_u64());
    ///     Ok(format!("{level:?}").into())
    /// }
    /// let chat = FakeChat::new();
    /// let token = json!({"sub": "Tom", "level": 3});
    /// let tom = chat.connect_with(ConnectOptions::new().with_name("Tom").with_claims(token));
    /// assert_eq!(chat.send(&tom, "hi", level).unwrap().text(), Some("Some(3)"));
    /// ```
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        self.proof.as_ref().map_or(&NONE, |proof| &proof.claims)
    }

    /// Whether the sender's token allows `right`, such as `moderate`. A token that lists no rights (`can`) allows to `send`, and
    /// so does a chat that asks for no tokens; anything else is allowed by a token only.
    ///
    /// [`run()`](crate::run()) passes on no message of a sender who may not `send`.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::{ConnectOptions, FakeChat}, json};
    /// async fn clear(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     match message.can("moderate") {
    ///         true => Ok("cleared".into()),
    ///         false => Ok("only moderators may do that".into()),
    ///     }
    /// }
    /// let chat = FakeChat::new();
    /// let token = json!({"sub": "Ann", "can": ["send", "moderate"]});
    /// let ann = chat.connect_with(ConnectOptions::new().with_name("Ann").with_claims(token));
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.send(&ann, "clear", clear).unwrap().text(), Some("cleared"));
    /// assert_eq!(chat.send(&tom, "clear", clear).unwrap().text(), Some("only moderators may do that"));
    /// ```
    #[must_use]
    pub fn can(&self, right: &str) -> bool {
        let rights = self.proof.as_ref().and_then(|proof| proof.can.as_deref());
        auth::allows(rights, right)
    }

    /// The key of the message's route.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn route(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     Ok(message.route().unwrap_or_default().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.send(&tom, r#"{"action":"roll"}"#, route).unwrap().text(), Some("roll"));
    /// assert_eq!(chat.send(&tom, "roll", route).unwrap().text(), Some("$default"));
    /// ```
    #[must_use]
    pub fn route(&self) -> Option<&str> {
        self.route.as_deref()
    }

    /// API Gateway's id of the message's connection. It is opaque.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn id(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     Ok(message.connection_id().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.send(&tom, "hi", id).unwrap().text(), Some(tom.connection_id()));
    /// ```
    #[must_use]
    pub fn connection_id(&self) -> &str {
        self.connection.as_str()
    }

    pub(crate) const fn connection(&self) -> &ConnectionId {
        &self.connection
    }
}
