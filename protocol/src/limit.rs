//! API Gateway's limits of frames and messages.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>.

/// The largest frame, in bytes. A larger one ends its connection.
pub const MAX_FRAME_BYTES: usize = 32 * 1024;

/// The largest message, in bytes. A message larger than a frame must be sent in several.
pub const MAX_MESSAGE_BYTES: usize = 128 * 1024;
