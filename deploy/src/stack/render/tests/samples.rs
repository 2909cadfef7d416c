//! Configs that renderings are tested with.

/// A room whose members can ask who is there, and whose moderators can end connections; and messages that are kept, also between friends.
pub(in crate::stack) const REQUESTS: &str = r#"
[auth]
mode = "jwt"
issuer = "https://issuer.example"
audience = ["chat"]
[[routes]]
key = "say"
receivers = "room"
envelope = true
[[routes]]
key = "note"
receivers = "room"
envelope = true
history = "12h"
[[routes]]
key = "tell"
envelope = true
history = "7d"
[[routes]]
key = "who"
answers = "who"
[[routes]]
key = "kick"
answers = "kick"
[[routes]]
key = "history"
answers = "history"
[[routes]]
key = "delete"
answers = "delete"
"#;

/// The same, with announcements of who comes and who leaves.
pub(in crate::stack) const ANNOUNCE: &str = r#"
[auth]
mode = "jwt"
issuer = "https://issuer.example"
audience = ["chat"]
[[routes]]
key = "say"
receivers = "room"
[[routes]]
key = "who"
answers = "who"
announce = true
[[routes]]
key = "kick"
answers = "kick"
"#;

/// A chat with everything that works together with our own functions.
pub(in crate::stack) const FULL: &str = r#"
[[routes]]
key = "$default"
[[routes]]
key = "tell"
text = "words"
[[routes]]
key = "onMessage"
receivers = "room"
text = "message"
include-sender = true
[[routes]]
key = "relay"
receivers = "room"
max-text-bytes = 1000
[[routes]]
key = "roll"
handler = "roll"
reply = true
[[routes.permissions]]
actions = ["dynamodb:Query", "dynamodb:GetItem"]
resources = ["table"]
[[routes.permissions]]
actions = ["execute-api:ManageConnections"]
resources = ["connections"]
[[routes.permissions]]
actions = ["s3:GetObject"]
resources = ["arn:aws:s3:::pictures/*"]
[[routes]]
key = "count"
handler = "count"
[[routes]]
key = "send"
http = "https://backend.example/send"
text = "message"
"#;

pub(in crate::stack) const ROOM: &str = "[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n";

pub(in crate::stack) const BACKEND: &str = r#"
[[routes]]
key = "$connect"
http = "https://backend.example/connect"
[[routes]]
key = "$disconnect"
http = "https://backend.example/disconnect"
[[routes]]
key = "sendMessage"
http = "https://backend.example/send"
text = "message"
[[routes]]
key = "$default"
http = "https://backend.example/else"
"#;

pub(in crate::stack) const ALONE: &str =
    "[[routes]]\nkey = \"$default\"\nhandler = \".\"\nreply = true\n";

/// Messages to a room and to a friend, reviewed by one function, and others by another.
pub(in crate::stack) const REVIEWED: &str = r#"
[[routes]]
key = "$default"
envelope = true
review = "filter"
[[routes]]
key = "say"
receivers = "room"
envelope = true
review = "./filter"
review-fallback = "allow"
review-timeout = "500ms"
[[routes.review-permissions]]
actions = ["dynamodb:GetItem"]
resources = ["table"]
[[routes]]
key = "shout"
receivers = "room"
envelope = true
review = "../loud-filter"
review-timeout = "10s"
[[routes]]
key = "free"
receivers = "room"
envelope = true
"#;
