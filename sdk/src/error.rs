//! Errors of posts and of requests to the table.

pub use chat_lambdas::delivery::DeliveryError;
pub use chat_lambdas::secrets::SecretError;
pub use chat_lambdas::session::InvalidName;
pub use chat_lambdas::store::StoreError;

/// Why a post or a request to the table failed.
///
/// ```
/// # use chat_sdk::{Chat, ChatError, Error, InvalidName, Message, Reply, fake::FakeChat};
/// async fn tell(chat: &Chat, _: &Message) -> Result<Reply, Error> {
///     chat.post_to_person("not/a/name", "hi").await?;
///     Ok(().into())
/// }
/// let chat = FakeChat::new();
/// let tom = chat.connect("Tom", "kitchen");
/// let error = chat.send(&tom, "hi", tell).unwrap_err();
/// assert_eq!(error.to_string(), r#""not/a/name" is not a name"#);
/// let Some(ChatError::Name { source, .. }) = error.downcast_ref() else {
///     panic!("{error}");
/// };
/// assert_eq!(*source, InvalidName::Character('/'));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The config does not grant the needed permission.
    #[error("the handler may not {attempt}; in chatctl.toml {place} = [{grants}]`")]
    NotPermitted {
        /// The attempted action, in the infinitive.
        attempt: &'static str,
        /// What needs the list, and its name after a backtick, such as ``its route needs `permissions``.
        place: &'static str,
        /// The missing entries of the list `permissions`.
        grants: &'static str,
        /// AWS's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The chat does not record this key of connections.
    #[error(
        "this chat does not record connections by {key}; in chatctl.toml it needs a route with `receivers = \"{receivers}\"`"
    )]
    NotRecorded {
        /// `name` or `room`.
        key: &'static str,
        /// The config's word.
        receivers: &'static str,
    },
    /// A string is not a valid name of a user or a room.
    #[error("{text:?} is not a name")]
    Name {
        /// The string.
        text: String,
        /// The violated rule.
        source: InvalidName,
    },
    /// The handler has no secret of this name.
    #[error("there is no secret `{name}`; {hint}")]
    NoSecret {
        /// The name.
        name: String,
        /// What to do about it.
        hint: String,
    },
    /// A secret could not be read.
    #[error("the secret `{name}` could not be read")]
    Secret {
        /// Its name in the config.
        name: String,
        /// The reason.
        source: SecretError,
    },
    /// The table could not be read or written.
    #[error(transparent)]
    Table(StoreError),
    /// A post was not accepted.
    #[error("the message was not posted")]
    Post(#[source] DeliveryError),
}

/// The permission to post to a connection.
pub(crate) const POST: &str =
    r#"{ actions = ["execute-api:ManageConnections"], resources = ["connections"] }"#;

/// The permissions to find connections and post to them.
pub(crate) const FIND_AND_POST: &str = r#"{ actions = ["execute-api:ManageConnections"], resources = ["connections"] }, { actions = ["dynamodb:Query", "dynamodb:DeleteItem"], resources = ["table"] }"#;

/// The kinds of handlers, each with settings of its own in `chatctl.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HandlerKind {
    /// The `handler` of a route.
    Route,
    /// The `review` of a route.
    Review,
    /// The `handler` under `[auth]`.
    Authorizer,
}

impl HandlerKind {
    const fn permissions(self) -> &'static str {
        match self {
            Self::Route => "its route needs `permissions",
            Self::Review => "its route needs `review-permissions",
            Self::Authorizer => "[auth] needs `permissions",
        }
    }

    const fn secrets(self) -> &'static str {
        match self {
            Self::Route => "the route needs `secrets",
            Self::Review => "the route needs `review-secrets",
            Self::Authorizer => "[auth] needs `secrets",
        }
    }
}

impl ChatError {
    /// There is no secret `name` in the environment of a function of this kind.
    pub(crate) fn no_secret(name: &str, kind: HandlerKind) -> Self {
        let hint = format!(
            "in chatctl.toml {} = {{ {name} = {{ ssm = \"/NAME\", file = \"{name}.secret\" }} }}`",
            kind.secrets()
        );
        let name = name.to_owned();
        Self::NoSecret { name, hint }
    }

    /// There is no secret `name` in a test's chat.
    pub(crate) fn no_fake_secret(name: &str) -> Self {
        let hint = format!("the test needs `FakeChat::set_secret({name:?}, …)` before this");
        let name = name.to_owned();
        Self::NoSecret { name, hint }
    }

    /// A failed request to the table, for which the config must grant `grants`.
    pub(crate) fn from_table(error: StoreError, grants: &'static str, kind: HandlerKind) -> Self {
        match error.denied {
            Some(_) => Self::NotPermitted {
                attempt: error.attempt,
                place: kind.permissions(),
                grants,
                source: error.into(),
            },
            None => Self::Table(error),
        }
    }

    /// A failed post, for which the config must grant `grants`.
    pub(crate) fn from_post(error: DeliveryError, grants: &'static str, kind: HandlerKind) -> Self {
        match error {
            DeliveryError::Forbidden => Self::NotPermitted {
                attempt: "post to connections",
                place: kind.permissions(),
                grants,
                source: error.into(),
            },
            error => Self::Post(error),
        }
    }
}
