//! Who somebody is in a chat: a signed token (JWT, RFC 7519) says it, and a public key proves it.
//!
//! A token names its key, never its algorithm: the algorithm is a property of the key. What a token must say is in
//! [`Rules`]; what it says besides reaches the handlers as it is.
//!
//! Nothing here reads a clock, a file or the network: times, keys and documents are handed over.

mod algorithm;
mod claims;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod key;
mod key_set;
mod pem;
mod private_key;
mod provider;
mod refusal;
mod verifier;

pub use algorithm::Algorithm;
pub use claims::{Claims, MAX_TOKEN_BYTES};
pub use key::{KeyError, PublicKey};
pub use key_set::{KeySet, KeySetError, MAX_KEY_SET_BYTES, MAX_KEYS};
pub use private_key::{PrivateKey, PrivateKeyError, TokenRequest};
pub use refusal::Refusal;
pub use verifier::{LEEWAY_SECONDS, Rules, Verifier};
