//! What an authorizer decides about a handshake.

use std::time::{SystemTime, UNIX_EPOCH};

use chat_lambdas::handlers::{self, Allowed};
use serde_json::Value;

/// The decision about a handshake, made by [`allow`] or [`deny`].
///
/// The methods narrow what is allowed, and change nothing of a denial.
///
/// ```
/// use chat_sdk::{Decision, allow, deny};
///
/// fn decide(code: &str) -> Decision {
///     match code {
///         "guest" => allow("Guest").with_room("lobby").with_rights(["read"]),
///         "tom-7391" => allow("Tom"),
///         _ => deny("its code is unknown"),
///     }
/// }
/// assert_eq!(decide("tom-7391"), allow("Tom"));
/// assert_eq!(decide("guess"), deny("its code is unknown").with_room("lobby"));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a decision counts when the handler returns it"]
pub struct Decision(handlers::Decision);

/// Lets a connection in as `name`, the only name that it has.
///
/// A client that says another one in `msgfrom` is refused with 403. A name has 1 to 64 ASCII letters, digits and ``._@+'-``,
/// with spaces between them; any other is refused, too.
///
/// ```
/// # use chat_sdk::{Chat, Decision, Error, Handshake, allow, fake::{Attempt, FakeChat}};
/// async fn decide(_: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
///     Ok(allow(handshake.header("x-user").unwrap_or("guest")))
/// }
/// let chat = FakeChat::new();
/// let attempt = Attempt::new().with_header("x-user", "Tom");
/// assert_eq!(chat.try_connect(&attempt, decide).unwrap().name(), Some("Tom"));
/// let other = attempt.with_header("msgfrom", "Jerry");
/// assert_eq!(chat.try_connect(&other, decide).unwrap_err().status, 403);
/// ```
pub fn allow(name: impl Into<String>) -> Decision {
    Decision(handlers::Decision::Allow(Allowed {
        name: name.into(),
        ..Allowed::default()
    }))
}

/// Refuses a handshake with 403. The client sees the status only; `reason` is in the function's log.
///
/// ```
/// # use chat_sdk::{Chat, Decision, Error, Handshake, deny, fake::{Attempt, FakeChat}};
/// async fn decide(_: &Chat, _: &Handshake) -> Result<Decision, Error> {
///     Ok(deny("the chat is closed at night"))
/// }
/// let chat = FakeChat::new();
/// assert_eq!(chat.try_connect(&Attempt::new(), decide).unwrap_err().status, 403);
/// assert!(chat.logged().contains("closed at night"));
/// ```
pub fn deny(reason: impl Into<String>) -> Decision {
    Decision(handlers::Decision::Deny(reason.into()))
}

impl Decision {
    /// The only friend. A client that says another one in `msgto` is refused; one that says none gets this one.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, allow, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, _: &Handshake) -> Result<Decision, Error> {
    ///     Ok(allow("Tom").with_friend("Jerry"))
    /// }
    /// let chat = FakeChat::new();
    /// assert!(chat.try_connect(&Attempt::new(), decide).is_ok());
    /// let other = Attempt::new().with_header("msgto", "Ann");
    /// assert_eq!(chat.try_connect(&other, decide).unwrap_err().status, 403);
    /// ```
    pub fn with_friend(self, friend: impl Into<String>) -> Self {
        self.narrowed(|allowed| allowed.friend = Some(friend.into()))
    }

    /// The only room. A client that says another one in `msgroom` is refused; one that says none gets this one.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, Message, Reply, allow, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, _: &Handshake) -> Result<Decision, Error> {
    ///     Ok(allow("Tom").with_room("kitchen"))
    /// }
    /// async fn room(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     Ok(message.room().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.try_connect(&Attempt::new(), decide).unwrap();
    /// assert_eq!(chat.send(&tom, "hi", room).unwrap().text(), Some("kitchen"));
    /// ```
    pub fn with_room(self, room: impl Into<String>) -> Self {
        self.narrowed(|allowed| allowed.room = Some(room.into()))
    }

    /// The rights that [`Message::can`](crate::Message::can) asks for. Without this call the connection may `send`; with it,
    /// and without `send` among the rights, its frames are answered with the error frame `NotAllowed`.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, Message, Reply, allow, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, _: &Handshake) -> Result<Decision, Error> {
    ///     Ok(allow("Ann").with_rights(["send", "moderate"]))
    /// }
    /// async fn clear(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     Ok(message.can("moderate").to_string().into())
    /// }
    /// let chat = FakeChat::new();
    /// let ann = chat.try_connect(&Attempt::new(), decide).unwrap();
    /// assert_eq!(chat.send(&ann, "clear", clear).unwrap().text(), Some("true"));
    /// ```
    pub fn with_rights<R: Into<String>>(self, rights: impl IntoIterator<Item = R>) -> Self {
        let rights = rights.into_iter().map(Into::into).collect();
        self.narrowed(|allowed| allowed.rights = Some(rights))
    }

    /// What handlers find in [`Message::claims`](crate::Message::claims) under `name`. All of it together has some 7 KB of
    /// room; beyond that handlers see none.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, Message, Reply, allow, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, _: &Handshake) -> Result<Decision, Error> {
    ///     Ok(allow("Tom").with_claim("team", "blue"))
    /// }
    /// async fn team(_: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     Ok(message.claims()["team"].as_str().unwrap_or_default().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.try_connect(&Attempt::new(), decide).unwrap();
    /// assert_eq!(chat.send(&tom, "hi", team).unwrap().text(), Some("blue"));
    /// ```
    pub fn with_claim(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.narrowed(|allowed| {
            allowed.claims.insert(name.into(), value.into());
        })
    }

    /// Until when frames are accepted. The next one after it is answered with the error frame `TokenExpired`, and the
    /// connection is closed. Without this call it lasts as long as API Gateway lets a connection last: two hours. With a time
    /// that has passed the connection is refused.
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime, UNIX_EPOCH};
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, allow, fake::{Attempt, FakeChat}};
    /// async fn ten_minutes(_: &Chat, _: &Handshake) -> Result<Decision, Error> {
    ///     Ok(allow("Tom").until(SystemTime::now() + Duration::from_secs(600)))
    /// }
    /// async fn too_late(_: &Chat, _: &Handshake) -> Result<Decision, Error> {
    ///     Ok(allow("Tom").until(UNIX_EPOCH))
    /// }
    /// let chat = FakeChat::new();
    /// assert!(chat.try_connect(&Attempt::new(), ten_minutes).is_ok());
    /// assert_eq!(chat.try_connect(&Attempt::new(), too_late).unwrap_err().status, 403);
    /// ```
    pub fn until(self, time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.narrowed(|allowed| allowed.until = Some(since.as_secs()))
    }

    fn narrowed(mut self, narrow: impl FnOnce(&mut Allowed)) -> Self {
        if let handlers::Decision::Allow(allowed) = &mut self.0 {
            narrow(allowed);
        }
        self
    }

    pub(crate) fn into_parts(self) -> handlers::Decision {
        self.0
    }
}
