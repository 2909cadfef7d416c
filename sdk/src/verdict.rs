//! What becomes of a message.

use std::collections::BTreeMap;

use chat_protocol::review;

/// What a review function returns about a message.
///
/// ```
/// use chat_sdk::Verdict;
///
/// fn verdict(text: &str) -> Verdict {
///     match text {
///         "spam" => Verdict::refuse("no advertising, please"),
///         text if text.contains("7391") => Verdict::with_text(text.replace("7391", "****")),
///         _ => Verdict::Allow,
///     }
/// }
/// assert_eq!(verdict("Call 7391"), Verdict::with_text("Call ****"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a verdict counts when the function returns it"]
pub enum Verdict {
    /// The message is delivered as it is.
    Allow,
    /// The message is delivered with these parts instead, within the limits that hold for its sender: the route's
    /// `max-text-bytes`, 16 attributes, 4 KB of them. A change beyond them counts as no verdict, as does one without any part.
    Change {
        /// The text; `None` leaves it.
        text: Option<String>,
        /// All attributes; `None` leaves them.
        attributes: Option<BTreeMap<String, String>>,
    },
    /// The message is not delivered, and its sender gets the error frame `Refused` with this reason. Of a reason, 1,024 bytes are
    /// sent.
    Refuse(String),
}

impl Verdict {
    /// [`Refuse`](Self::Refuse) with `reason`.
    ///
    /// ```
    /// # use chat_sdk::Verdict;
    /// assert_eq!(Verdict::refuse("no"), Verdict::Refuse("no".to_owned()));
    /// ```
    pub fn refuse(reason: impl Into<String>) -> Self {
        Self::Refuse(reason.into())
    }

    /// [`Change`](Self::Change) to `text`, with the same attributes. The same text is no change.
    ///
    /// ```
    /// # use chat_sdk::Verdict;
    /// let verdict = Verdict::with_text("***");
    /// assert_eq!(verdict, Verdict::Change { text: Some("***".to_owned()), attributes: None });
    /// ```
    pub fn with_text(text: impl Into<String>) -> Self {
        Self::Change {
            text: Some(text.into()),
            attributes: None,
        }
    }

    /// [`Change`](Self::Change) to `attributes`, which replace all of the message's, with the same text.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Review, Verdict, fake::{Draft, FakeChat}};
    /// async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    ///     let mut attributes = review.attributes().clone();
    ///     attributes.insert("reviewed".into(), "yes".into());
    ///     Ok(Verdict::with_attributes(attributes))
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// let draft = Draft::new("hi").with_attribute("color", "red");
    /// let Ok(Verdict::Change { attributes: Some(attributes), .. }) = chat.review(&tom, draft, review) else {
    ///     panic!("it changes attributes");
    /// };
    /// assert_eq!(attributes["color"], "red");
    /// assert_eq!(attributes["reviewed"], "yes");
    /// ```
    pub fn with_attributes(attributes: BTreeMap<String, String>) -> Self {
        Self::Change {
            text: None,
            attributes: Some(attributes),
        }
    }

    /// What Lambda returns to the function that asked.
    pub(crate) fn into_answer(self) -> review::Verdict {
        match self {
            Self::Allow => review::Verdict::Allow,
            Self::Change { text, attributes } => review::Verdict::Change { text, attributes },
            Self::Refuse(reason) => review::Verdict::Refuse { reason },
        }
    }
}
