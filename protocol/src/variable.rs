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

/// The reviews of routes: [`Reviewer`](crate::review::Reviewer)s as JSON by route key. Not set: messages are not reviewed.
pub const REVIEWS: &str = "REVIEWS";

/// The function that serves one shard of a large room: its name or ARN.
pub const DELIVER_FUNCTION: &str = "DELIVER_FUNCTION";

/// The function that says in a room who has come and who has left: its name or ARN. Not set: no function does.
pub const ANNOUNCE_FUNCTION: &str = "ANNOUNCE_FUNCTION";

/// `true` for a function whose return value goes to the sender.
pub const REPLY: &str = "REPLY";

/// Why names are believed: a word of [`Mode`](crate::Mode). Not set: `claimed`.
pub const AUTH_MODE: &str = "AUTH_MODE";

/// The public keys of [`Mode::Token`](crate::Mode::Token), as a JWK Set.
pub const AUTH_KEYS: &str = "AUTH_KEYS";

/// The issuer of [`Mode::Jwt`](crate::Mode::Jwt): a URL.
pub const AUTH_ISSUER: &str = "AUTH_ISSUER";

/// The audiences of which a token must name one, as a JSON list.
pub const AUTH_AUDIENCE: &str = "AUTH_AUDIENCE";

/// The claim with the person's name. Not set: `sub`.
pub const AUTH_NAME_CLAIM: &str = "AUTH_NAME_CLAIM";

/// The origins whose pages may connect, as a JSON list. Not set: all.
pub const AUTH_ORIGINS: &str = "AUTH_ORIGINS";

/// How many messages of one connection are accepted in a second. Not set: any number.
pub const MESSAGES_PER_SECOND: &str = "MESSAGES_PER_SECOND";

/// How many connections of one name are accepted at a time. Not set: any number.
pub const CONNECTIONS_PER_NAME: &str = "CONNECTIONS_PER_NAME";

/// How many members of a room are accepted at a time. Not set: any number.
pub const ROOM_SIZE: &str = "ROOM_SIZE";

/// Where the secrets of a user's function are: [`Reference`](crate::secret::Reference)s as JSON by the secret's name. Not
/// set: it has none.
pub const SECRETS: &str = "SECRETS";

/// For how many seconds the routes of a stack keep messages at most. Not set: they keep none.
pub const HISTORY: &str = "HISTORY";

/// Every variable.
pub const ALL: [&str; 20] = [
    TABLE_NAME,
    CONNECTIONS_ENDPOINT,
    NAMES,
    INDEX,
    ROUTES,
    REVIEWS,
    DELIVER_FUNCTION,
    ANNOUNCE_FUNCTION,
    REPLY,
    AUTH_MODE,
    AUTH_KEYS,
    AUTH_ISSUER,
    AUTH_AUDIENCE,
    AUTH_NAME_CLAIM,
    AUTH_ORIGINS,
    MESSAGES_PER_SECOND,
    CONNECTIONS_PER_NAME,
    ROOM_SIZE,
    SECRETS,
    HISTORY,
];
