//! Identities in a chat: a signed token (JWT, RFC 7519) names the user, and a public key verifies it.
//!
//! A token names its key, never its algorithm, because the algorithm is a property of the key. [`Rules`] are the
//! requirements for a token; its other claims reach the handlers unchanged.
//!
//! This crate reads no clock, file or network: times, keys and documents are parameters.

mod algorithm;
mod claims;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod invalid_token;
mod key;
mod key_set;
mod pem;
mod private_key;
mod provider;
mod small_order;
mod verifier;

pub use algorithm::Algorithm;
pub use claims::{Claims, object};
pub use invalid_token::InvalidToken;
pub use key::{KeyError, PublicKey};
pub use key_set::{KeySet, KeySetError, MAX_KEY_SET_BYTES, MAX_KEYS};
pub use private_key::{PrivateKey, PrivateKeyError, TokenRequest};
pub use verifier::{LEEWAY_SECONDS, Rules, Verifier};

/// The longest token. API Gateway accepts 10,240 bytes of header lines in total
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>).
pub(crate) const MAX_TOKEN_BYTES: usize = 8 * 1024;
