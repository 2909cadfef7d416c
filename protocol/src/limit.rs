//! API Gateway's limits on what a client sends.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>.

/// The largest frame, in bytes. A larger one ends its connection.
pub const MAX_FRAME_BYTES: usize = 32 * 1024;

/// The largest message, in bytes. One that is larger than a frame must come in several.
pub const MAX_MESSAGE_BYTES: usize = 128 * 1024;
