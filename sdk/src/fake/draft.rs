//! A message that is to be reviewed, for tests.

use std::collections::BTreeMap;

use chat_protocol::envelope::Message;
use chat_protocol::review::{Question, Sender};

use super::{Client, FakeChat, block_on};
use crate::error::HandlerKind;
use crate::run::refused;
use crate::{Chat, Error, Review, Verdict};

/// A message of a test, before its review: at first to the sender's room, on the route `say`, without attributes.
///
/// ```
/// use chat_sdk::{Chat, Error, Review, Verdict, fake::{Draft, FakeChat}};
///
/// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
///     match (review.route(), review.attributes().get("color")) {
///         ("shout", Some(_)) => Ok(Verdict::refuse("no colours while you shout")),
///         _ => Ok(Verdict::Allow),
///     }
/// }
///
/// let chat = FakeChat::new();
/// let tom = chat.connect("Tom", "kitchen");
/// let draft = Draft::new("hi").on_route("shout").with_attribute("color", "red");
/// assert_ne!(chat.review(&tom, draft, review).unwrap(), Verdict::Allow);
/// ```
#[derive(Debug, Clone)]
pub struct Draft {
    text: String,
    route: String,
    attributes: BTreeMap<String, String>,
    is_to_friend: bool,
}

impl Draft {
    /// A message with `text`.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::{Draft, FakeChat}};
    /// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     Ok(Verdict::refuse(format!("{} on {}", review.text(), review.route())))
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// let draft = Draft::new("hi");
    /// assert_eq!(chat.review(&tom, draft, review).unwrap(), Verdict::refuse("hi on say"));
    /// ```
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            route: "say".to_owned(),
            attributes: BTreeMap::new(),
            is_to_friend: false,
        }
    }

    /// The same message on the route with `key`.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::{Draft, FakeChat}};
    /// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     Ok(Verdict::refuse(review.route()))
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// let draft = Draft::new("hi").on_route("shout");
    /// assert_eq!(chat.review(&tom, draft, review).unwrap(), Verdict::refuse("shout"));
    /// ```
    #[must_use]
    pub fn on_route(mut self, key: impl Into<String>) -> Self {
        self.route = key.into();
        self
    }

    /// The same message to the sender's friend.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::{ConnectOptions, Draft, FakeChat}};
    /// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     Ok(Verdict::refuse(review.friend().unwrap_or("no friend")))
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect_with(ConnectOptions::new().with_name("Tom").with_friend("Jerry"));
    /// let draft = Draft::new("hi").to_friend();
    /// assert_eq!(chat.review(&tom, draft, review).unwrap(), Verdict::refuse("Jerry"));
    /// ```
    #[must_use]
    pub fn to_friend(mut self) -> Self {
        self.is_to_friend = true;
        self
    }

    /// The same message with one more attribute.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::{Draft, FakeChat}};
    /// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     Ok(Verdict::refuse(&review.attributes()["color"]))
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// let draft = Draft::new("hi").with_attribute("color", "red");
    /// assert_eq!(chat.review(&tom, draft, review).unwrap(), Verdict::refuse("red"));
    /// ```
    #[must_use]
    pub fn with_attribute(mut self, name: &str, text: &str) -> Self {
        self.attributes.insert(name.to_owned(), text.to_owned());
        self
    }
}

impl From<&str> for Draft {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// The id of every reviewed message of a fake.
const ID: &str = "01KDVDN9W00000000000000000";

/// The time of every reviewed message of a fake, which is that of everything in it.
const AT: &str = "2026-01-01T00:00:00.000Z";

impl FakeChat {
    /// Runs `review` with the message of `client` that `draft` makes; returns its verdict. The message is not delivered.
    ///
    /// A client whose token does not allow to `send` [receives](Self::received) the error frame `NotAllowed`, and there is
    /// no review.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::FakeChat};
    /// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     match review.text() {
    ///         "spam" => Ok(Verdict::refuse("no advertising")),
    ///         "" => Err("nothing to review".into()),
    ///         _ => Ok(Verdict::Allow),
    ///     }
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.review(&tom, "hi", review).unwrap(), Verdict::Allow);
    /// assert_eq!(chat.review(&tom, "spam", review).unwrap(), Verdict::refuse("no advertising"));
    /// assert!(chat.review(&tom, "", review).is_err());
    /// ```
    ///
    /// # Errors
    /// The function's own, and one if the client may not `send`.
    pub fn review<H, E>(
        &self,
        client: &Client,
        draft: impl Into<Draft>,
        review: H,
    ) -> Result<Verdict, Error>
    where
        H: AsyncFn(&Chat, &Review) -> Result<Verdict, E>,
        E: Into<Error>,
    {
        let Draft {
            text,
            route,
            attributes,
            is_to_friend,
        } = draft.into();
        let (event, gate) = (client.event(&route, &text), client.gate());
        let Client {
            connection,
            session,
            proof,
        } = client.clone();
        let name = |name: chat_lambdas::session::Name| name.to_string().into();
        let question = Question {
            message: Message {
                id: ID.into(),
                route: route.into(),
                from: session.name.map(name),
                room: (!is_to_friend).then(|| session.room.to_string().into()),
                to: session.friend.filter(|_| is_to_friend).map(name),
                text: text.into(),
                at: AT.into(),
                attributes,
            },
            sender: Sender {
                connection_id: connection.to_string(),
                can: proof.as_ref().and_then(|proof| proof.can.clone()),
                claims: proof.map(|proof| proof.claims).unwrap_or_default(),
            },
        };
        block_on(async {
            let chat = self.chat(HandlerKind::Review);
            if refused(&event, &gate, &chat).await?.is_some() {
                return Err("the client may not send, so there is no review".into());
            }
            let verdict = review(&chat, &Review::new(question)).await;
            verdict.map_err(Into::into)
        })
    }
}
