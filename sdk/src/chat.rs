//! The chat, for a handler.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use chat_lambdas::delivery::{Delivery, DeliveryError, Posted};
use chat_lambdas::fan_out::{FanOut, send_to_person};
use chat_lambdas::handlers::Invocation;
use chat_lambdas::room::{RoomPost, Tally};
use chat_lambdas::session::{ConnectionId, Name, Room};
use chat_protocol::Index;

use crate::error::{FIND_AND_POST, HandlerKind, POST};
use crate::services::{Services, Watched, over};
use crate::{ChatError, Message, Secret, Table};

/// The handler's chat: its users, its rooms and its table, during one message.
#[derive(Debug, Clone)]
pub struct Chat {
    pub(crate) services: Services,
    pub(crate) invocation: Invocation,
    pub(crate) about: Arc<About>,
}

/// The chat's settings in a function's environment.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) kind: HandlerKind,
    pub(crate) index: Index,
    pub(crate) table: String,
    pub(crate) connections_endpoint: String,
    pub(crate) variables: BTreeMap<String, String>,
}

/// The outcome of a message to one or more connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Posts {
    /// The number of connections that accepted it.
    pub delivered: usize,
    /// The number of connections that were closed, or not yet open.
    pub gone: usize,
    /// The number of connections that did not accept it, although some were tried several times. The reasons are in the
    /// function's log.
    pub refused: usize,
    /// Whether the function's time ended before every member was posted to.
    pub cut_short: bool,
}

impl Chat {
    /// Posts `text` to the connection of `message`, before the handler ends.
    ///
    /// The usual way to respond is the handler's return value, which needs no permission. Use this for several
    /// responses, and for routes without `reply = true`.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn count(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     chat.post_to_sender(message, "one").await?;
    ///     chat.post_to_sender(message, "two").await?;
    ///     Ok("three".into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// chat.send(&tom, "count", count).unwrap();
    /// assert_eq!(chat.received(&tom), ["one", "two"]);
    /// ```
    ///
    /// # Errors
    /// [`ChatError`] if the route does not grant it, or the post was not accepted. A sender who has left is no error.
    pub async fn post_to_sender(&self, message: &Message, text: &str) -> Result<Posts, ChatError> {
        over!(&self.services, |_, _, delivery, _| {
            match delivery.post(message.connection(), text).await {
                Ok(Posted::Delivered) => Ok(Posts {
                    delivered: 1,
                    ..Posts::default()
                }),
                Ok(Posted::Gone) => Ok(Posts {
                    gone: 1,
                    ..Posts::default()
                }),
                Err(error) => Err(ChatError::from_post(error, POST, self.about.kind)),
            }
        })
    }

    /// Posts `text` to every device of the user `name`. If none is connected, nothing is delivered.
    ///
    /// Users are only found by name in a chat that has a route with `receivers = "friend"`.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn call(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     let posts = chat.post_to_person("Jerry", message.text()).await?;
    ///     Ok(format!("{} devices", posts.delivered).into())
    /// }
    /// let chat = FakeChat::new();
    /// let (tom, jerry) = (chat.connect("Tom", "kitchen"), chat.connect("Jerry", "garden"));
    /// assert_eq!(chat.send(&tom, "dinner!", call).unwrap().text(), Some("1 devices"));
    /// assert_eq!(chat.received(&jerry), ["dinner!"]);
    /// ```
    ///
    /// # Errors
    /// [`ChatError`] if the route does not grant it, the chat does not record names, `name` is invalid, or the devices
    /// could not be looked up. A failed post to a device is only counted.
    pub async fn post_to_person(&self, name: &str, text: &str) -> Result<Posts, ChatError> {
        if !self.about.index.has_friend() {
            return Err(ChatError::NotRecorded {
                key: "name",
                receivers: "friend",
            });
        }
        let name = Name::parse(name).map_err(|source| not_a_name(name, source))?;
        let Invocation { now, log, .. } = &self.invocation;
        let sent = over!(&self.services, |store, _, delivery, _| {
            send_to_person(text, &name, (store, delivery), *now, log).await
        })
        .map_err(|error| ChatError::from_table(error, FIND_AND_POST, self.about.kind))?;
        let mut errors = sent.refused.iter().map(|(_, error)| error);
        if errors.any(|error| matches!(error, DeliveryError::Forbidden)) {
            return Err(ChatError::from_post(
                DeliveryError::Forbidden,
                FIND_AND_POST,
                self.about.kind,
            ));
        }
        Ok(sent.into())
    }

    /// Posts `text` to every member of `room`, the sender included, as long as the function has time.
    ///
    /// This function makes all of the posts itself. A route with `receivers = "room"` leaves rooms of more than 1,000
    /// members to functions of their own; a handler does not, so a large room may be served in part:
    /// [`Posts::cut_short`] says so. A function has the seconds of its `timeout`: 29 without one.
    ///
    /// Members are only found in a chat that has a route with `receivers = "room"`, or no route with receivers at all.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn ring(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     chat.post_to_room(message.room(), "ding dong").await?;
    ///     Ok(().into())
    /// }
    /// let chat = FakeChat::new();
    /// let (tom, jerry) = (chat.connect("Tom", "kitchen"), chat.connect("Jerry", "kitchen"));
    /// chat.send(&tom, "ring", ring).unwrap();
    /// assert_eq!(chat.received(&tom), ["ding dong"]);
    /// assert_eq!(chat.received(&jerry), ["ding dong"]);
    /// ```
    ///
    /// # Errors
    /// [`ChatError`] if the route does not grant it, the chat does not record rooms, `room` is invalid, or the room
    /// could not be read. A failed post to a member is only counted.
    pub async fn post_to_room(&self, room: &str, text: &str) -> Result<Posts, ChatError> {
        // No connection has an empty id.
        self.post_to_all(room, &ConnectionId::new(""), text).await
    }

    /// Posts `text` to every member of the room of `message` except the connection that sent it.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn relay(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     let posts = chat.post_to_others(message, message.text()).await?;
    ///     Ok(format!("{} have it", posts.delivered).into())
    /// }
    /// let chat = FakeChat::new();
    /// let (tom, jerry) = (chat.connect("Tom", "kitchen"), chat.connect("Jerry", "kitchen"));
    /// assert_eq!(chat.send(&tom, "hi", relay).unwrap().text(), Some("1 have it"));
    /// assert_eq!(chat.received(&jerry), ["hi"]);
    /// assert_eq!(chat.received(&tom), [""; 0]);
    /// ```
    ///
    /// # Errors
    /// As [`post_to_room`](Self::post_to_room).
    pub async fn post_to_others(&self, message: &Message, text: &str) -> Result<Posts, ChatError> {
        self.post_to_all(message.room(), message.connection(), text)
            .await
    }

    async fn post_to_all(
        &self,
        room: &str,
        except: &ConnectionId,
        text: &str,
    ) -> Result<Posts, ChatError> {
        if !self.about.index.has_room() {
            return Err(ChatError::NotRecorded {
                key: "room",
                receivers: "room",
            });
        }
        let room = Room::parse(room).map_err(|source| not_a_name(room, source))?;
        over!(&self.services, |store, _, _, crowd| {
            let delivery = &Watched::new(crowd);
            let services = (store, delivery);
            let post = RoomPost::new(&room, text, except, services, &self.invocation);
            let tally = post.post_to_everybody().await;
            if delivery.is_forbidden() {
                let forbidden = DeliveryError::Forbidden;
                return Err(ChatError::from_post(
                    forbidden,
                    FIND_AND_POST,
                    self.about.kind,
                ));
            }
            let tally = tally
                .map_err(|error| ChatError::from_table(error, FIND_AND_POST, self.about.kind))?;
            Ok(tally.into())
        })
    }

    /// The handler's items in the chat's table, which persist between messages.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn visit(chat: &Chat, _: &Message) -> Result<Reply, Error> {
    ///     let visits = chat.table().count("visits", 1).await?;
    ///     Ok(visits.to_string().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// chat.send(&tom, "hi", visit).unwrap();
    /// assert_eq!(chat.send(&tom, "hi", visit).unwrap().text(), Some("2"));
    /// ```
    #[must_use]
    pub fn table(&self) -> Table {
        Table {
            services: self.services.clone(),
            name: self.about.table.clone(),
            kind: self.about.kind,
        }
    }

    /// The address of the `@connections` API, stage included, for requests of your own.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn address(chat: &Chat, _: &Message) -> Result<Reply, Error> {
    ///     Ok(chat.connections_endpoint().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.send(&tom, "hi", address).unwrap().text(), Some("memory:"));
    /// ```
    #[must_use]
    pub fn connections_endpoint(&self) -> &str {
        &self.about.connections_endpoint
    }

    /// The function's environment variable `name`; `None` if it is not set or empty.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn region(chat: &Chat, _: &Message) -> Result<Reply, Error> {
    ///     Ok(chat.variable("AWS_REGION").unwrap_or("nowhere").into())
    /// }
    /// let mut chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.send(&tom, "hi", region).unwrap().text(), Some("nowhere"));
    /// chat.set_variable("AWS_REGION", "eu-west-1");
    /// assert_eq!(chat.send(&tom, "hi", region).unwrap().text(), Some("eu-west-1"));
    /// ```
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.about.variables.get(name).map(String::as_str)
    }

    /// The secret `name` that the route has under `secrets` (a review: `review-secrets`; `[auth]`: `secrets`). It is read from where it is kept when it is needed first, by the
    /// function's own role, and kept in memory; after five minutes it is read again.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn ask(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     let key = chat.secret("API_KEY").await?;
    ///     let header = format!("Bearer {}", key.expose());
    ///     # let _ = header;
    ///     Ok("asked".into())
    /// }
    /// let mut chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert!(chat.send(&tom, "hi", ask).is_err());
    /// chat.set_secret("API_KEY", "hush");
    /// assert!(chat.send(&tom, "hi", ask).is_ok());
    /// ```
    ///
    /// # Errors
    /// [`ChatError`] if the config has no such secret, it is not there, the role may not read it or use its key, or the
    /// service does not answer within four seconds.
    pub async fn secret(&self, name: &str) -> Result<Secret, ChatError> {
        match &self.services {
            Services::Aws(aws) => {
                let (kind, log) = (self.about.kind, &self.invocation.log);
                aws.vault.secret(name, kind, log).await
            }
            Services::Memory(memory) => {
                let secrets = memory
                    .secrets
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                let secret = secrets.get(name).cloned();
                secret.ok_or_else(|| ChatError::no_fake_secret(name))
            }
        }
    }

    /// Writes `line` to the function's log, with the id of the request. `chatctl logs` shows it.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn quiet(chat: &Chat, _: &Message) -> Result<Reply, Error> {
    ///     chat.log("a message came in");
    ///     Ok(().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// chat.send(&tom, "hi", quiet).unwrap();
    /// assert!(chat.logged().contains("a message came in"));
    /// ```
    pub fn log(&self, line: &str) {
        self.invocation.log.info(line, []);
    }
}

fn not_a_name(text: &str, source: chat_lambdas::session::InvalidName) -> ChatError {
    ChatError::Name {
        text: text.to_owned(),
        source,
    }
}

impl From<FanOut> for Posts {
    fn from(sent: FanOut) -> Self {
        Self {
            delivered: sent.delivered,
            gone: sent.gone.len(),
            refused: sent.refused.len(),
            cut_short: false,
        }
    }
}

impl From<Tally> for Posts {
    fn from(tally: Tally) -> Self {
        let Tally {
            delivered,
            gone,
            refused,
            cut_short,
        } = tally;
        Self {
            delivered,
            gone,
            refused,
            cut_short,
        }
    }
}
