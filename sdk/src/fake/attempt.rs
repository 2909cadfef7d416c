//! Handshakes with an authorizer.

use std::collections::BTreeMap;

use chat_lambdas::event::SocketEvent;
use chat_lambdas::handlers::{Admission, HandlerError};
use chat_lambdas::session::Names;
use serde_json::{Value, json};

use super::{Client, FakeChat, block_on};
use crate::error::HandlerKind;
use crate::run::judged;
use crate::{Chat, Decision, Error, Handshake};

/// A client's attempt to connect, as an authorizer receives it.
///
/// ```
/// # use chat_sdk::{Chat, Decision, Error, Handshake, allow, deny, fake::{Attempt, FakeChat}};
/// async fn decide(_: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
///     match (handshake.token(), handshake.friend()) {
///         (Some("a.b.c"), Some("Jerry")) => Ok(allow("Tom")),
///         _ => Ok(deny("its token is unknown")),
///     }
/// }
/// let attempt = Attempt::new().with_header("authorization", "Bearer a.b.c").with_query("msgto", "Jerry");
/// assert!(FakeChat::new().try_connect(&attempt, decide).is_ok());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Attempt {
    headers: BTreeMap<String, Vec<String>>,
    query: BTreeMap<String, Vec<String>>,
}

/// An [`Attempt`] was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the handshake was refused with {status}")]
#[non_exhaustive]
pub struct ConnectError {
    /// The HTTP status, which is all that the client sees: 403 if it is denied, 500 if the authorizer failed.
    pub status: u16,
}

impl Attempt {
    /// An attempt without headers and query parameters.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, deny, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
    ///     Ok(deny(format!("its name is {:?}", handshake.name())))
    /// }
    /// let chat = FakeChat::new();
    /// assert!(chat.try_connect(&Attempt::new(), decide).is_err());
    /// assert!(chat.logged().contains("its name is None"));
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same attempt with one more header.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, allow, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
    ///     Ok(allow(handshake.header("x-user").ok_or("it has no user")?))
    /// }
    /// let attempt = Attempt::new().with_header("X-User", "Tom");
    /// assert_eq!(FakeChat::new().try_connect(&attempt, decide).unwrap().name(), Some("Tom"));
    /// ```
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        let values = self.headers.entry(name.to_owned()).or_default();
        values.push(value.to_owned());
        self
    }

    /// The same attempt with one more query parameter.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, allow, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
    ///     Ok(allow(handshake.query("user").ok_or("it has no user")?))
    /// }
    /// let attempt = Attempt::new().with_query("user", "Tom");
    /// assert_eq!(FakeChat::new().try_connect(&attempt, decide).unwrap().name(), Some("Tom"));
    /// ```
    #[must_use]
    pub fn with_query(mut self, name: &str, value: &str) -> Self {
        let values = self.query.entry(name.to_owned()).or_default();
        values.push(value.to_owned());
        self
    }

    /// The event of API Gateway, whose maps of single values have the last of several.
    fn event(&self) -> SocketEvent {
        let last = |values: &BTreeMap<String, Vec<String>>| -> Value {
            let values = values.iter();
            values
                .map(|(name, values)| (name.clone(), json!(values.last())))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let event = json!({
            "type": "REQUEST",
            "methodArn": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/v1/$connect",
            "headers": last(&self.headers),
            "multiValueHeaders": self.headers,
            "queryStringParameters": last(&self.query),
            "multiValueQueryStringParameters": self.query,
            "requestContext": { "identity": { "sourceIp": "203.0.113.7" } },
        });
        serde_json::from_value(event).expect("it has the shape of API Gateway's events")
    }
}

impl FakeChat {
    /// Connects a client if `decide` allows its `attempt`, with the name, the friend, the room and the rights that it
    /// decides on.
    ///
    /// Names may be missing, as in a chat without routes to a friend. Origins are not looked at.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Decision, Error, Handshake, allow, deny, fake::{Attempt, FakeChat}};
    /// async fn decide(_: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
    ///     match handshake.header("x-code") {
    ///         Some("7391") => Ok(allow("Tom")),
    ///         Some(_) => Ok(deny("its code is wrong")),
    ///         None => Err("it has no code".into()),
    ///     }
    /// }
    /// let chat = FakeChat::new();
    /// let with = |code| Attempt::new().with_header("x-code", code);
    /// assert_eq!(chat.try_connect(&Attempt::new(), decide).unwrap_err().status, 500);
    /// assert_eq!(chat.try_connect(&with("1"), decide).unwrap_err().status, 403);
    /// assert_eq!(chat.try_connect(&with("7391"), decide).unwrap().name(), Some("Tom"));
    /// ```
    ///
    /// # Errors
    /// [`ConnectError`] with the status that the client sees. The reason is [logged](FakeChat::logged).
    pub fn try_connect<H, E>(&self, attempt: &Attempt, decide: H) -> Result<Client, ConnectError>
    where
        H: AsyncFn(&Chat, &Handshake) -> Result<Decision, E>,
        E: Into<Error>,
    {
        let admission = Admission::new(Names::Optional);
        let judged = block_on(async {
            let chat = self.chat(HandlerKind::Authorizer);
            let judged = judged(&attempt.event(), &admission, &chat, &decide).await;
            if let Err(HandlerError::Own(error)) = &judged {
                let reason = json!(error.to_string());
                chat.invocation
                    .log
                    .error("invocation failed", [("reason", reason)]);
            }
            judged
        });
        let Ok(policy) = judged else {
            return Err(ConnectError { status: 500 });
        };
        let policy = json!(policy);
        if policy["policyDocument"]["Statement"][0]["Effect"] != "Allow" {
            return Err(ConnectError { status: 403 });
        }
        // As API Gateway repeats it in every later event.
        let event = json!({ "requestContext": { "authorizer": policy["context"] } });
        let event: SocketEvent = serde_json::from_value(event).expect("a context is of texts");
        let session = event.proven_session(Names::Optional).ok().flatten();
        let session = session.expect("what the authorizer allows is valid");
        Ok(self.opened(session, event.proof()))
    }
}
