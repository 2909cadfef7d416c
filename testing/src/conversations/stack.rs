//! The stacks that scripts are written for.

pub use chat_protocol::{Answers, Receivers};

/// A stack: the routes that its clients can speak to.
#[derive(Debug, PartialEq, Eq)]
pub struct Stack {
    /// What scripts call it.
    pub name: &'static str,
    /// In the order of the config file.
    pub routes: &'static [Route],
    /// The keys of routes that answer requests.
    pub answers: &'static [(&'static str, Answers)],
}

/// One route of a stack.
#[derive(Debug, PartialEq, Eq)]
pub struct Route {
    /// The route key: what a frame's `action` says, or `$default`.
    pub key: &'static str,
    /// Who gets what is sent.
    pub receivers: Receivers,
    /// The member that carries the text; `None` for the whole frame.
    pub text: Option<&'static str>,
    /// Whether the sender gets it, too.
    pub include_sender: bool,
    /// The longest text, in bytes.
    pub max_text_bytes: usize,
    /// Whether texts arrive with their sender.
    pub envelope: bool,
    /// Whether a function reviews them first, by the rules of [`review`].
    pub review: bool,
    /// For how many seconds they are kept.
    pub history: Option<u32>,
}

/// What becomes of a text on a reviewed route: the text that is delivered, or the reason of its refusal.
///
/// # Errors
/// The reason, for the sender.
pub fn review(text: &str) -> Result<String, &'static str> {
    match text.contains("spam") {
        true => Err("no advertising, please"),
        false => Ok(text.replace(|c: char| c.is_ascii_digit(), "*")),
    }
}

/// The folder of the crate with that function, beside the config.
pub const REVIEW_FOLDER: &str = "filter";

/// The longest text in a room that says nothing about it.
const ROOM_BYTES: usize = Receivers::Room.max_text_bytes();

/// What a script is written for unless it says otherwise.
pub(crate) const DIRECT: Stack = Stack {
    name: "direct",
    routes: &[Route {
        key: "$default",
        receivers: Receivers::Friend,
        text: None,
        include_sender: false,
        max_text_bytes: Receivers::Friend.max_text_bytes(),
        envelope: false,
        review: false,
        history: None,
    }],
    answers: &[],
};

/// Every stack that a script may name.
pub const STACKS: [Stack; 9] = [
    DIRECT,
    // Each client receives every message, its own included.
    Stack {
        name: "broadcast",
        routes: &[room("onMessage", Some("message"), true, ROOM_BYTES)],
        answers: &[],
    },
    // Each client receives every other's messages, and frames are not looked into.
    Stack {
        name: "relay",
        routes: &[room("$default", None, false, ROOM_BYTES)],
        answers: &[],
    },
    // As `broadcast`, with other words.
    Stack {
        name: "cleanup",
        routes: &[room("broadcast", Some("data"), true, ROOM_BYTES)],
        answers: &[],
    },
    // Rooms for who says nothing special, and a word for the friend.
    Stack {
        name: "mixed",
        routes: &[
            room("$default", Some("message"), true, 100),
            Route {
                key: "whisper",
                receivers: Receivers::Friend,
                text: Some("message"),
                include_sender: false,
                max_text_bytes: Receivers::Friend.max_text_bytes(),
                envelope: false,
                review: false,
                history: None,
            },
        ],
        answers: &[],
    },
    // As `mixed`, and each message arrives with its sender.
    Stack {
        name: "envelopes",
        routes: &[
            Route {
                envelope: true,
                ..room("$default", Some("message"), true, 100)
            },
            Route {
                key: "whisper",
                receivers: Receivers::Friend,
                text: Some("message"),
                include_sender: false,
                max_text_bytes: Receivers::Friend.max_text_bytes(),
                envelope: true,
                review: false,
                history: None,
            },
            Route {
                envelope: true,
                ..room("shout", None, false, 100)
            },
        ],
        answers: &[],
    },
    // A function sees the messages to the room and to the friend first, but for those on one route.
    Stack {
        name: "reviewed",
        routes: &[
            Route {
                envelope: true,
                review: true,
                ..room("$default", Some("message"), true, 100)
            },
            Route {
                key: "whisper",
                receivers: Receivers::Friend,
                text: Some("message"),
                include_sender: false,
                max_text_bytes: Receivers::Friend.max_text_bytes(),
                envelope: true,
                review: true,
                history: None,
            },
            Route {
                envelope: true,
                ..room("free", Some("message"), false, 100)
            },
            Route {
                envelope: true,
                review: true,
                history: DAY,
                ..room("keep", Some("message"), false, 100)
            },
        ],
        answers: &[("history", Answers::History)],
    },
    // Messages are kept, and can be read and deleted.
    Stack {
        name: "history",
        routes: &[
            Route {
                envelope: true,
                history: DAY,
                ..room("$default", Some("message"), false, ROOM_BYTES)
            },
            Route {
                key: "whisper",
                receivers: Receivers::Friend,
                text: Some("message"),
                include_sender: false,
                max_text_bytes: Receivers::Friend.max_text_bytes(),
                envelope: true,
                review: false,
                history: DAY,
            },
        ],
        answers: &[("history", Answers::History), ("delete", Answers::Delete)],
    },
    // Rooms with announcements of who comes and who leaves.
    Stack {
        name: ANNOUNCING,
        routes: &[room("say", Some("text"), true, 100)],
        answers: &[("who", Answers::Who)],
    },
];

const ANNOUNCING: &str = "presence";
const DAY: Option<u32> = Some(24 * 60 * 60);

const fn room(
    key: &'static str,
    text: Option<&'static str>,
    include_sender: bool,
    max_text_bytes: usize,
) -> Route {
    Route {
        key,
        receivers: Receivers::Room,
        text,
        include_sender,
        max_text_bytes,
        envelope: false,
        review: false,
        history: None,
    }
}

impl Stack {
    /// The stack with this name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        const { &STACKS }.iter().find(|stack| stack.name == name)
    }

    /// Its routes that lead to `receivers`.
    pub fn routes_to(&self, receivers: Receivers) -> impl Iterator<Item = &'static Route> {
        let routes = self.routes.iter();
        routes.filter(move |route| route.receivers == receivers)
    }

    /// Whether it is announced who comes and who leaves.
    #[must_use]
    pub fn announces(&self) -> bool {
        self.name == ANNOUNCING
    }

    /// Its routes as `chatctl.toml` has them. Empty for the stack that needs none.
    #[must_use]
    pub fn to_toml(&self) -> String {
        if *self == DIRECT {
            return String::new();
        }
        let answers = self.answers.iter().map(|(key, answers)| {
            format!(
                "[[routes]]\nkey = \"{key}\"\nanswers = \"{}\"\n",
                answers.word()
            ) + match self.announces() {
                true => "announce = true\n",
                false => "",
            }
        });
        let routes = self.routes.iter().map(Route::to_toml);
        routes.chain(answers).collect()
    }
}

impl Route {
    fn to_toml(&self) -> String {
        let mut toml = format!("[[routes]]\nkey = \"{}\"\n", self.key);
        if let Some(member) = self.text {
            toml += &format!("text = \"{member}\"\n");
        }
        if self.receivers == Receivers::Room {
            toml += &format!(
                "receivers = \"room\"\ninclude-sender = {}\n",
                self.include_sender
            );
        }
        if self.envelope {
            toml += "envelope = true\n";
        }
        if self.review {
            toml += &format!("review = \"{REVIEW_FOLDER}\"\n");
        }
        if let Some(seconds) = self.history {
            toml += &format!("history = \"{}h\"\n", seconds / 3_600);
        }
        toml + &format!("max-text-bytes = {}\n", self.max_text_bytes)
    }
}
