//! The keys of a chat whose `[auth] mode` is `token`: public ones beside the config, private ones in the user's own folder.
//!
//! A stack holds public keys only. The private part stays on the machine that makes tokens, in a file that only its user
//! can read, or in an environment variable where there is no such file.

mod given;
mod private;
mod public;
mod signing;

pub use chat_identity::PublicKey;
pub use given::public_keys;
pub use private::{PrivateKeyFolder, VARIABLE};
pub use public::{Added, PublicKeyFile};
pub use signing::{
    KeyState, NewKeyPair, NewToken, PrivateKeyLocation, SignedToken, Signer, new_key, states,
};
