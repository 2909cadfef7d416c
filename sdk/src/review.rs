//! A message, before it is delivered.

use std::collections::BTreeMap;

use chat_protocol::auth;
use chat_protocol::review::Question;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A message that is to be reviewed, as its receivers would get it, and its sender.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Review {
    question: Question<'static, Map<String, Value>>,
}

impl Review {
    pub(crate) const fn new(question: Question<'static, Map<String, Value>>) -> Self {
        Self { question }
    }

    /// The text.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::FakeChat};
    /// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     Ok(Verdict::with_text(review.text().replace("7391", "****")))
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// let verdict = chat.review(&tom, "My number is 7391", review).unwrap();
    /// assert_eq!(verdict, Verdict::with_text("My number is ****"));
    /// ```
    #[must_use]
    pub fn text(&self) -> &str {
        &self.question.message.text
    }

    /// What the sender added to the text, within the limits of messages.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::{Draft, FakeChat}};
    /// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     match review.attributes().get("picture") {
    ///         Some(_) => Ok(Verdict::refuse("no pictures here")),
    ///         None => Ok(Verdict::Allow),
    ///     }
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.review(&tom, "hi", review).unwrap(), Verdict::Allow);
    /// let draft = Draft::new("hi").with_attribute("picture", "cat.png");
    /// assert_ne!(chat.review(&tom, draft, review).unwrap(), Verdict::Allow);
    /// ```
    #[must_use]
    pub const fn attributes(&self) -> &BTreeMap<String, String> {
        &self.question.message.attributes
    }

    /// The id that the message has on every device, a ULID. After a retry it is another one.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::FakeChat};
    /// async fn review(chat: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     chat.log(review.id());
    ///     Ok(Verdict::Allow)
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.review(&tom, "hi", review).unwrap(), Verdict::Allow);
    /// assert!(chat.logged().contains("01KDVDN9W00000000000000000"));
    /// ```
    #[must_use]
    pub fn id(&self) -> &str {
        &self.question.message.id
    }

    /// The key of the route that the message was sent to.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::{Draft, FakeChat}};
    /// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     match review.route() {
    ///         "shout" => Ok(Verdict::with_text(review.text().to_uppercase())),
    ///         _ => Ok(Verdict::Allow),
    ///     }
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.review(&tom, "hi", review).unwrap(), Verdict::Allow);
    /// let draft = Draft::new("hi").on_route("shout");
    /// assert_eq!(chat.review(&tom, draft, review).unwrap(), Verdict::with_text("HI"));
    /// ```
    #[must_use]
    pub fn route(&self) -> &str {
        &self.question.message.route
    }

    /// When API Gateway received the message: RFC 3339 in UTC, with milliseconds.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::FakeChat};
    /// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     Ok(Verdict::with_text(format!("{} ({})", review.text(), review.at())))
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// let verdict = chat.review(&tom, "hi", review).unwrap();
    /// assert_eq!(verdict, Verdict::with_text("hi (2026-01-01T00:00:00.000Z)"));
    /// ```
    #[must_use]
    pub fn at(&self) -> &str {
        &self.question.message.at
    }

    /// The sender's name, as the authorizer accepted it. `None` if the sender sent none, which rooms allow.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::FakeChat};
    /// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     match review.sender() {
    ///         Some("Tom") => Ok(Verdict::Allow),
    ///         _ => Ok(Verdict::refuse("this is Tom's kitchen")),
    ///     }
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.review(&tom, "hi", review).unwrap(), Verdict::Allow);
    /// let jerry = chat.connect("Jerry", "kitchen");
    /// assert_ne!(chat.review(&jerry, "hi", review).unwrap(), Verdict::Allow);
    /// ```
    #[must_use]
    pub fn sender(&self) -> Option<&str> {
        self.question.message.from.as_deref()
    }

    /// The room that the message goes to; `None` if it goes to a friend.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::FakeChat};
    /// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     match review.room() {
    ///         Some("library") => Ok(Verdict::refuse("silence, please")),
    ///         _ => Ok(Verdict::Allow),
    ///     }
    /// }
    /// let chat = FakeChat::new();
    /// let (tom, ann) = (chat.connect("Tom", "kitchen"), chat.connect("Ann", "library"));
    /// assert_eq!(chat.review(&tom, "hi", review).unwrap(), Verdict::Allow);
    /// assert_ne!(chat.review(&ann, "hi", review).unwrap(), Verdict::Allow);
    /// ```
    #[must_use]
    pub fn room(&self) -> Option<&str> {
        self.question.message.room.as_deref()
    }

    /// The friend that the message goes to; `None` if it goes to a room.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::{ConnectOptions, Draft, FakeChat}};
    /// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     match review.friend() {
    ///         Some("Jerry") => Ok(Verdict::refuse("Jerry sleeps")),
    ///         _ => Ok(Verdict::Allow),
    ///     }
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect_with(ConnectOptions::new().with_name("Tom").with_friend("Jerry"));
    /// let verdict = chat.review(&tom, Draft::new("hi").to_friend(), review);
    /// assert_eq!(verdict.unwrap(), Verdict::refuse("Jerry sleeps"));
    /// ```
    #[must_use]
    pub fn friend(&self) -> Option<&str> {
        self.question.message.to.as_deref()
    }

    /// API Gateway's id of the sender's connection.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::FakeChat};
    /// async fn review(chat: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     let messages = chat.table().count(review.connection_id(), 1).await?;
    ///     Ok(if messages > 1 { Verdict::refuse("one message each") } else { Verdict::Allow })
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.review(&tom, "hi", review).unwrap(), Verdict::Allow);
    /// assert_ne!(chat.review(&tom, "hi", review).unwrap(), Verdict::Allow);
    /// ```
    #[must_use]
    pub fn connection_id(&self) -> &str {
        &self.question.sender.connection_id
    }

    /// Every claim of the sender's token. Empty where the chat asks for no tokens, and where they are longer than the 8 KB that API
    /// Gateway passes on.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::{ConnectOptions, FakeChat}, json};
    /// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     match review.claims().get("age").and_then(|age| age.as_u64()) {
    ///         Some(18..) => Ok(Verdict::Allow),
    ///         _ => Ok(Verdict::refuse("for adults")),
    ///     }
    /// }
    /// let chat = FakeChat::new();
    /// let tom = ConnectOptions::new().with_name("Tom").with_claims(json!({"sub": "Tom", "age": 33}));
    /// let tom = chat.connect_with(tom);
    /// assert_eq!(chat.review(&tom, "hi", review).unwrap(), Verdict::Allow);
    /// ```
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.question.sender.claims
    }

    /// Whether the sender's token allows `right`, as [`Message::can`](crate::Message::can) says. A sender without the right `send`
    /// is answered before any review.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::{ConnectOptions, FakeChat}, json};
    /// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     match review.can("moderate") || !review.text().starts_with("!") {
    ///         true => Ok(Verdict::Allow),
    ///         false => Ok(Verdict::refuse("only moderators announce")),
    ///     }
    /// }
    /// let chat = FakeChat::new();
    /// let token = json!({"sub": "Ann", "can": ["send", "moderate"]});
    /// let ann = chat.connect_with(ConnectOptions::new().with_name("Ann").with_claims(token));
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.review(&ann, "!tea", review).unwrap(), Verdict::Allow);
    /// assert_ne!(chat.review(&tom, "!tea", review).unwrap(), Verdict::Allow);
    /// ```
    #[must_use]
    pub fn can(&self, right: &str) -> bool {
        auth::allows(self.question.sender.can.as_deref(), right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_of_a_review_is_read_with_everything_in_it_and_with_the_least() {
        let least = r#"{"message":{"id":"01J","route":"say","text":"hi","at":"x","room":"hall"},"sender":{"connectionId":"c=","claims":{}}}"#;
        let review: Review = serde_json::from_str(least).unwrap();
        assert_eq!(
            (review.text(), review.sender(), review.room()),
            ("hi", None, Some("hall"))
        );
        assert!(review.can("send") && !review.can("moderate") && review.attributes().is_empty());
        let all = r#"{"message":{"id":"01J","route":"say","from":"Ann","text":"hi","at":"x","to":"Bob","attributes":{"a":"b"},"later":1},
            "sender":{"connectionId":"c=","can":["moderate"],"claims":{"level":3}}}"#;
        let review: Review = serde_json::from_str(all).unwrap();
        assert_eq!(
            (review.sender(), review.friend(), review.room()),
            (Some("Ann"), Some("Bob"), None)
        );
        assert_eq!(
            (review.connection_id(), &review.attributes()["a"][..]),
            ("c=", "b")
        );
        assert!(review.can("moderate") && !review.can("send"));
        assert_eq!(review.claims()["level"], 3);
    }
}
