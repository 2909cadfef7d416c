//! A handshake, before it is decided whether its client may connect.

use chat_lambdas::event::{Offered, SocketEvent};
use chat_protocol::Field;

/// What a client says when it connects. None of it is proven.
///
/// A browser cannot set headers: it has the query string, the subprotocols and its cookies.
#[derive(Debug, Clone)]
pub struct Handshake {
    event: SocketEvent,
}

impl Handshake {
    pub(crate) const fn new(event: SocketEvent) -> Self {
        Self { event }
    }

    /// The first value of the header `name`, in any case.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, allow, deny, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
    ///     match handshake.header("x-code") {
    ///         Some("7391") => Ok(allow("Tom")),
    ///         _ => Ok(deny("its code is wrong")),
    ///     }
    /// }
    /// let attempt = Attempt::new().with_header("X-Code", "7391");
    /// assert!(FakeChat::new().try_connect(&attempt, decide).is_ok());
    /// ```
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.event.headers_named(name).next()
    }

    /// The first value of the query parameter `name`, decoded. Addresses reach logs: take nothing lasting from here.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, allow, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
    ///     Ok(allow(handshake.query("as").unwrap_or("guest")))
    /// }
    /// let attempt = Attempt::new().with_query("as", "Tom");
    /// assert_eq!(FakeChat::new().try_connect(&attempt, decide).unwrap().name(), Some("Tom"));
    /// ```
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.event.parameters_named(name).next()
    }

    /// The subprotocols that the client offers, in its order. The chat selects `chatctl` where it is among them, and none else.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, allow, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
    ///     Ok(allow(handshake.subprotocols().nth(1).unwrap_or("guest")))
    /// }
    /// let attempt = Attempt::new().with_header("Sec-WebSocket-Protocol", "chatctl, Tom");
    /// assert_eq!(FakeChat::new().try_connect(&attempt, decide).unwrap().name(), Some("Tom"));
    /// ```
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        self.event.subprotocols()
    }

    /// The token in one of the places where chatctl's own clients put it: `Authorization: Bearer`, the subprotocol
    /// `chatctl.token.…`, or `?token=`. `None` where there is none, or several differ. It is not verified.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, allow, deny, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
    ///     match handshake.token() {
    ///         Some("a.b.c") => Ok(allow("Tom")),
    ///         _ => Ok(deny("its token is unknown")),
    ///     }
    /// }
    /// let attempt = Attempt::new().with_header("authorization", "Bearer a.b.c");
    /// assert!(FakeChat::new().try_connect(&attempt, decide).is_ok());
    /// ```
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        match self.event.offered_token() {
            Offered::One(token) => Some(token),
            Offered::Nothing | Offered::Several => None,
        }
    }

    /// The name that the client claims in `msgfrom`.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, allow, deny, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
    ///     match handshake.name() {
    ///         Some(name) => Ok(allow(name)),
    ///         None => Ok(deny("it has no name")),
    ///     }
    /// }
    /// let attempt = Attempt::new().with_header("msgfrom", "Tom");
    /// assert_eq!(FakeChat::new().try_connect(&attempt, decide).unwrap().name(), Some("Tom"));
    /// ```
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.event.claim(Field::From)
    }

    /// The friend that the client names in `msgto`.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, allow, deny, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
    ///     match handshake.friend() {
    ///         Some("Jerry") => Ok(allow("Tom")),
    ///         _ => Ok(deny("only Jerry is at home")),
    ///     }
    /// }
    /// let to = |friend| Attempt::new().with_header("msgto", friend);
    /// assert!(FakeChat::new().try_connect(&to("Jerry"), decide).is_ok());
    /// assert!(FakeChat::new().try_connect(&to("Ann"), decide).is_err());
    /// ```
    #[must_use]
    pub fn friend(&self) -> Option<&str> {
        self.event.claim(Field::To)
    }

    /// The room that the client names in `msgroom`.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, allow, deny, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
    ///     match handshake.room() {
    ///         Some("office") => Ok(deny("the office is closed")),
    ///         _ => Ok(allow("Tom")),
    ///     }
    /// }
    /// let to = |room| Attempt::new().with_query("msgroom", room);
    /// assert!(FakeChat::new().try_connect(&to("kitchen"), decide).is_ok());
    /// assert!(FakeChat::new().try_connect(&to("office"), decide).is_err());
    /// ```
    #[must_use]
    pub fn room(&self) -> Option<&str> {
        self.event.claim(Field::Room)
    }

    /// The client's IP address, as API Gateway sees it.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, allow, deny, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
    ///     match handshake.source_ip() {
    ///         Some(ip) if ip.starts_with("203.0.113.") => Ok(allow("Tom")),
    ///         _ => Ok(deny("it comes from outside")),
    ///     }
    /// }
    /// assert!(FakeChat::new().try_connect(&Attempt::new(), decide).is_ok());
    /// ```
    #[must_use]
    pub fn source_ip(&self) -> Option<&str> {
        self.event.source_ip()
    }
}
