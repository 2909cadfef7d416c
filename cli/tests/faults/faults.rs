//! What can go wrong with an answer.

/// A way to spoil the answer to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection breaks before the request is served.
    LostBefore,
    /// It is served, and then the connection breaks.
    LostAfter,
    /// AWS has an internal error.
    Internal,
    /// AWS says that a permission is missing.
    Denied,
    /// AWS has been asked too often.
    Throttled,
    /// It is served, and the answer breaks off in the middle.
    Truncated,
    /// A portal answers with its page, and 200.
    WebPage,
    /// Something answers with 200 and nothing else.
    Empty,
    /// Nothing comes back.
    Silence,
}

impl Fault {
    pub(crate) const ALL: [Self; 9] = [
        Self::LostBefore,
        Self::LostAfter,
        Self::Internal,
        Self::Denied,
        Self::Throttled,
        Self::Truncated,
        Self::WebPage,
        Self::Empty,
        Self::Silence,
    ];

    /// What a failure must say of it: one of these.
    pub(crate) fn words(self) -> &'static [&'static str] {
        match self {
            Self::LostBefore | Self::LostAfter => &["check the network"],
            Self::Internal => &["AWS had an internal error"],
            Self::Denied => &["lacks the permission"],
            Self::Throttled => &["AWS throttled the request"],
            // Without a body, as S3 often answers, there is only a connection that breaks.
            Self::Truncated => &["check the network", "not all of it"],
            Self::WebPage => &["responded with a web page"],
            Self::Empty => &[
                "check the network",
                "incomplete or not AWS's",
                "nothing was begun",
                "NoSuch",
            ],
            Self::Silence => &["did not respond in time", " within "],
        }
    }
}
