//! API Gateway's limits of frames and messages, and the chat's own (`[limits]` in the config).
//!
//! Source of API Gateway's: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>.

/// The largest frame, in bytes. A larger one ends its connection.
pub const MAX_FRAME_BYTES: usize = 32 * 1024;

/// The largest message, in bytes. A message larger than a frame must be sent in several.
pub const MAX_MESSAGE_BYTES: usize = 128 * 1024;

/// The error code of the frame that answers a frame beyond `messages-per-second`.
pub const TOO_MANY_MESSAGES: &str = "TooManyMessages";

/// The largest `messages-per-second`. Each message of a connection is a write to the same partition, which takes some 1,000
/// a second (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>).
pub const MAX_MESSAGES_PER_SECOND: u32 = 500;

/// The largest `connections-per-name`.
pub const MAX_CONNECTIONS_PER_NAME: u32 = 1_000;

/// The smallest `room-size`: a room of one has no receiver.
pub const MIN_ROOM_SIZE: u32 = 2;

/// The largest `room-size`. Each handshake counts its room, a read unit for 60 members.
pub const MAX_ROOM_SIZE: u32 = 10_000;
