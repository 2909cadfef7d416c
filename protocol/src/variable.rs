//! The environment variables that a stack sets for its functions.
//!
//! Variables of Lambda itself and of AWS's SDKs are not included.

/// The name of the table of connections.
pub const TABLE_NAME: &str = "TABLE_NAME";

/// The address for posts to clients, stage included: `https://ID.execute-api.REGION.amazonaws.com/STAGE`.
pub const CONNECTIONS_ENDPOINT: &str = "CONNECTIONS_ENDPOINT";

/// Whether a client must send its names: a word of [`Names`](crate::Names). Not set: `required`.
pub const NAMES: &str = "NAMES";

/// The key that connections are found by: a word of [`Index`](crate::Index). Not set: `friend`.
pub const INDEX: &str = "INDEX";

/// The parsing of each route's frames: [`Rule`](crate::Rule)s as JSON by route key. Not set: the whole frame is the
/// message.
pub const ROUTES: &str = "ROUTES";

/// The function that serves one shard of a large room: its name or ARN.
pub const DELIVER_FUNCTION: &str = "DELIVER_FUNCTION";

/// `true` for a function whose return value goes to the sender.
pub const REPLY: &str = "REPLY";

/// Every variable.
pub const ALL: [&str; 7] = [
    TABLE_NAME,
    CONNECTIONS_ENDPOINT,
    NAMES,
    INDEX,
    ROUTES,
    DELIVER_FUNCTION,
    REPLY,
];
