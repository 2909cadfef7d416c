//! Connections to a chat in memory.

use std::sync::atomic::Ordering;

use chat_lambdas::event::{Proof, SocketEvent};
use chat_lambdas::handlers::{Gate, Policy};
use chat_lambdas::session::{ConnectionId, Name, Names, Session};
use chat_lambdas::store::{ConnectionStore as _, Presence};
use chat_protocol::Mode;
use serde_json::json;

use super::{FakeChat, NOW, block_on};
use crate::Value;

/// What a client connects with: at first no name, no friend, no token, and the room `everybody`.
///
/// ```
/// use chat_sdk::fake::{ConnectOptions, FakeChat};
///
/// let chat = FakeChat::new();
/// let tom = ConnectOptions::new().with_name("Tom").with_friend("Jerry").with_room("kitchen");
/// let (tom, guest) = (chat.connect_with(tom), chat.connect_with(ConnectOptions::new()));
/// assert_eq!((tom.name(), guest.name()), (Some("Tom"), None));
/// ```
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    name: Option<String>,
    friend: Option<String>,
    room: Option<String>,
    proof: Option<Proof>,
}

/// One open connection to a [`FakeChat`].
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) connection: ConnectionId,
    pub(super) session: Session,
    pub(super) proof: Option<Proof>,
}

impl ConnectOptions {
    /// Options without a name, a friend and a token, for the room `everybody`.
    ///
    /// ```
    /// # use chat_sdk::fake::{ConnectOptions, FakeChat};
    /// assert_eq!(FakeChat::new().connect_with(ConnectOptions::new()).name(), None);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same options with the user's name.
    ///
    /// ```
    /// # use chat_sdk::fake::{ConnectOptions, FakeChat};
    /// let tom = FakeChat::new().connect_with(ConnectOptions::new().with_name("Tom"));
    /// assert_eq!(tom.name(), Some("Tom"));
    /// ```
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same options with a friend, which [`Message::friend`](crate::Message::friend) returns.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::{ConnectOptions, FakeChat}};
    /// async fn call(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     let friend = message.friend().ok_or("it has no friend")?;
    ///     chat.post_to_person(friend, message.text()).await?;
    ///     Ok(().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect_with(ConnectOptions::new().with_name("Tom").with_friend("Jerry"));
    /// let jerry = chat.connect("Jerry", "garden");
    /// chat.send(&tom, "dinner!", call).unwrap();
    /// assert_eq!(chat.received(&jerry), ["dinner!"]);
    /// ```
    #[must_use]
    pub fn with_friend(mut self, friend: impl Into<String>) -> Self {
        self.friend = Some(friend.into());
        self
    }

    /// The same options with another room than `everybody`.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::{ConnectOptions, FakeChat}};
    /// async fn relay(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     chat.post_to_others(message, message.text()).await?;
    ///     Ok(().into())
    /// }
    /// let chat = FakeChat::new();
    /// let guest = chat.connect_with(ConnectOptions::new().with_room("kitchen"));
    /// let tom = chat.connect("Tom", "kitchen");
    /// chat.send(&guest, "hi", relay).unwrap();
    /// assert_eq!(chat.received(&tom), ["hi"]);
    /// ```
    #[must_use]
    pub fn with_room(mut self, room: impl Into<String>) -> Self {
        self.room = Some(room.into());
        self
    }

    /// The same options with a token that has `claims`. Its `can` lists the rights; without it the client may `send`.
    ///
    /// The name is still that of [`with_name`](Self::with_name), and not the claim `sub`.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::{ConnectOptions, FakeChat}, json};
    /// async fn clear(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     Ok(message.can("moderate").to_string().into())
    /// }
    /// let chat = FakeChat::new();
    /// let ann = ConnectOptions::new().with_name("Ann").with_claims(json!({"can": ["send", "moderate"]}));
    /// let ann = chat.connect_with(ann);
    /// assert_eq!(chat.send(&ann, "clear", clear).unwrap().text(), Some("true"));
    /// ```
    ///
    /// # Panics
    /// `claims` is no object, or its `can` is no list of strings.
    #[must_use]
    pub fn with_claims(mut self, claims: Value) -> Self {
        let Value::Object(claims) = claims else {
            panic!("the claims of a token are an object, not {claims}");
        };
        let can = claims
            .get("can")
            .cloned()
            .map(|can| serde_json::from_value(can).expect("rights are a list of strings"));
        self.proof = Some(Proof {
            expires_at: u64::MAX,
            can,
            claims,
        });
        self
    }
}

impl FakeChat {
    /// Connects `name`, in `room`.
    ///
    /// ```
    /// # use chat_sdk::fake::FakeChat;
    /// let tom = FakeChat::new().connect("Tom", "kitchen");
    /// assert_eq!(tom.name(), Some("Tom"));
    /// ```
    ///
    /// # Panics
    /// One of them is not a valid name.
    pub fn connect(&self, name: &str, room: &str) -> Client {
        self.connect_with(ConnectOptions::new().with_name(name).with_room(room))
    }

    /// Connects a client with `options`: with a friend or a token, or without a name.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::{ConnectOptions, FakeChat}};
    /// async fn who(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     Ok(format!("{:?} in {}", message.sender(), message.room()).into())
    /// }
    /// let chat = FakeChat::new();
    /// let guest = chat.connect_with(ConnectOptions::new().with_room("kitchen"));
    /// assert_eq!(chat.send(&guest, "hi", who).unwrap().text(), Some("None in kitchen"));
    /// ```
    ///
    /// # Panics
    /// The name, the friend or the room is not a valid name.
    pub fn connect_with(&self, options: ConnectOptions) -> Client {
        let session = Session::parse(
            ("the name", options.name.as_deref()),
            ("the friend", options.friend.as_deref()),
            ("the room", options.room.as_deref()),
            Names::Optional,
        );
        let session = session.unwrap_or_else(|error| panic!("{error}: {options:?}"));
        self.opened(session, options.proof)
    }

    pub(super) fn opened(&self, session: Session, proof: Option<Proof>) -> Client {
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
}

impl Client {
    /// The value of [`Message::connection_id`](crate::Message::connection_id) in a handler.
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

    /// The event of its `frame` on `route`, with the authorizer's context that API Gateway repeats.
    pub(super) fn event(&self, route: &str, frame: &str) -> SocketEvent {
        let names = Names::Optional;
        let policy = Policy::allow("", &self.session, names, self.proof.as_ref());
        let event = json!({
            "requestContext": {
                "routeKey": route,
                "eventType": "MESSAGE",
                "connectionId": self.connection_id(),
                "authorizer": policy.context(),
            },
            "body": frame,
        });
        serde_json::from_value(event).expect("it has the shape of API Gateway's events")
    }

    /// What stands before every handler; it asks for rights only where the client has proven its name.
    pub(super) fn gate(&self) -> Gate {
        Gate::for_mode(match self.proof {
            Some(_) => Mode::Handler,
            None => Mode::Claimed,
        })
    }
}
