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
    /// The route does not grant the needed permission.
    #[error(
        "the handler may not {attempt}; in chatctl.toml its route needs `permissions = [{grants}]` (a review: `review-permissions`)"
    )]
    NotPermitted {
        /// The attempted action, in the infinitive.
        attempt: &'static str,
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
    /// The config has no secret of this name.
    #[error(
        "there is no secret `{0}`; in chatctl.toml the route needs `secrets = {{ {0} = {{ ssm = \"/NAME\", file = \"{0}.secret\" }} }}`"
    )]
    NoSecret(String),
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

impl ChatError {
    /// A failed request to the table, for which the route must grant `grants`.
    pub(crate) fn from_table(error: StoreError, grants: &'static str) -> Self {
        match error.denied {
            Some(_) => Self::NotPermitted {
                attempt: error.attempt,
                grants,
                source: error.into(),
            },
            None => Self::Table(error),
        }
    }

    /// A failed post, for which the route must grant `grants`.
    pub(crate) fn from_post(error: DeliveryError, grants: &'static str) -> Self {
        match error {
            DeliveryError::Forbidden => Self::NotPermitted {
                attempt: "post to connections",
                grants,
                source: error.into(),
            },
            error => Self::Post(error),
        }
    }
}
