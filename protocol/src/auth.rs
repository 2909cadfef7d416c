//! How a client proves who it is: where its token travels, what the token says, and what a refusal is called.
//!
//! A token is a JSON Web Token (RFC 7519). Its claims are `sub` (the name), `aud` (the stack's name), `exp`, and, if they
//! are to narrow something, [`TO`], [`ROOM`] and `can` (the list of the holder's rights; without it, [`SEND`]).

use serde::{Deserialize, Serialize};

/// Why a stack believes a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It does not ask: a name is a claim.
    #[default]
    Claimed,
    /// A token proves it that one of the stack's own keys has signed.
    Token,
    /// A token proves it that an OpenID Connect issuer has signed.
    Jwt,
    /// A handler of the stack's owner decides. No word of the config: `handler` under `[auth]` selects it.
    #[serde(skip_deserializing)]
    Handler,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::Claimed, Self::Token, Self::Jwt, Self::Handler];

    /// The config's word for it, and the one in a function's environment.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Token => "token",
            Self::Jwt => "jwt",
            Self::Handler => "handler",
        }
    }

    /// Whether the authorizer proves names: its context then has an expiry, and handlers believe no other context.
    #[must_use]
    pub const fn proves_names(self) -> bool {
        !matches!(self, Self::Claimed)
    }
}

/// The header that carries a token, after [`SCHEME`] and a space. Headers may be of any case.
pub const HEADER: &str = "authorization";

/// The scheme in front of a token in [`HEADER`] (RFC 6750). It may be of any case.
pub const SCHEME: &str = "Bearer";

/// The query parameter that carries a token. The last resort: URLs reach logs.
pub const QUERY: &str = "token";

/// The header by which a client offers subprotocols (RFC 6455).
pub const SUBPROTOCOL_HEADER: &str = "sec-websocket-protocol";

/// The subprotocol that the server selects, if a client offers it. It says nothing but that the client offers a token, too.
pub const SUBPROTOCOL: &str = "chatctl";

/// With what the second offer of such a client begins; the token follows. The server never selects it.
pub const SUBPROTOCOL_TOKEN: &str = "chatctl.token.";

/// The `iss` of tokens that chatctl makes. It is not checked: the key says who has signed.
pub const ISSUER: &str = "chatctl";

/// The claim with the only friend that the holder may write to, or a list of them.
pub const TO: &str = "to";

/// The claim with the only room that the holder may enter, or a list of them.
pub const ROOM: &str = "room";

/// The right to send messages.
pub const SEND: &str = "send";

/// The right to moderate. It means what the stack's own handlers make of it.
pub const MODERATE: &str = "moderate";

/// Every right that has a meaning here; handlers may know others.
pub const RIGHTS: [&str; 2] = [SEND, MODERATE];

/// Whether a token that lists `rights` allows `right`. One that lists none allows to [`SEND`], as does no token.
#[must_use]
pub fn allows(rights: Option<&[String]>, right: &str) -> bool {
    match rights {
        Some(rights) => rights.iter().any(|it| it == right),
        None => right == SEND,
    }
}

/// The file with the public keys of [`Mode::Token`], beside the config: a JWK Set (RFC 7517). It is committed.
pub const KEYS_FILE: &str = "chatctl.keys.json";

/// How many keys [`KEYS_FILE`] may have.
pub const MAX_KEYS: usize = 8;

/// How large [`KEYS_FILE`] may be, in bytes.
pub const MAX_KEYS_BYTES: usize = 16 * 1024;

/// What the environment of one function holds, in bytes: names and values
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
pub const MAX_ENVIRONMENT_BYTES: usize = 4 * 1024;

/// The `error` of the frame that answers a frame after the token has expired. The connection is closed then.
pub const TOKEN_EXPIRED: &str = "TokenExpired";

/// The `error` of the frame that answers a frame whose sender lacks the right to send it.
pub const NOT_ALLOWED: &str = "NotAllowed";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_read_back_from_its_word() {
        for mode in Mode::ALL {
            let word = serde_json::to_string(&mode).unwrap();
            assert_eq!(word, format!("{:?}", mode.word()));
            match mode {
                // `mode = "handler"` would name no crate.
                Mode::Handler => assert!(serde_json::from_str::<Mode>(&word).is_err()),
                mode => assert_eq!(serde_json::from_str::<Mode>(&word).unwrap(), mode),
            }
        }
        assert!(!Mode::default().proves_names() && Mode::Handler.proves_names());
    }

    #[test]
    fn a_token_without_a_list_of_rights_allows_to_send_and_nothing_else() {
        let listed = [MODERATE.to_owned()];
        for (rights, sends, moderates) in [
            (None, true, false),
            (Some(&[][..]), false, false),
            (Some(&listed[..]), false, true),
        ] {
            assert_eq!(allows(rights, SEND), sends, "{rights:?}");
            assert_eq!(allows(rights, MODERATE), moderates, "{rights:?}");
        }
    }

    #[test]
    fn an_offered_token_is_not_taken_for_the_subprotocol() {
        assert!(SUBPROTOCOL_TOKEN.starts_with(SUBPROTOCOL));
        assert_ne!(SUBPROTOCOL_TOKEN, SUBPROTOCOL);
    }
}
