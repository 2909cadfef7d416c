//! Where a chat's first token comes from.

use std::io::{BufRead, IsTerminal};

use super::ChatArgs;
use super::identity::{Source, read};
use crate::commands::tokens::{Prover, TOKEN_VARIABLE, no_key};
use crate::error::CommandError;
use chat_protocol::Mode;
use chatctl_deploy::config::Settings;
use chatctl_deploy::config::auth::Proof;
use chatctl_deploy::config::names::PersonName;
use chatctl_deploy::engine::client::Address;
use chatctl_deploy::engine::{NoToken, Token};

/// A token that the user has handed over.
#[derive(Debug)]
pub(super) struct SuppliedToken {
    pub(super) token: Token,
    pub(super) source: Source,
}

impl SuppliedToken {
    /// The name that it says to prove, where it can be one.
    pub(super) fn name(&self, settings: &Settings) -> Option<PersonName> {
        let claim = match &settings.auth.proof {
            Proof::Jwt(issuer) => &issuer.name_claim,
            _ => "sub",
        };
        self.token.claim(claim)?.parse().ok()
    }
}

/// The token in `--token-file`, else in the environment where the chat asks for one.
///
/// # Errors
/// What was handed over is no token. It is not quoted.
pub(super) fn given(args: &ChatArgs, mode: Mode) -> Result<Option<SuppliedToken>, CommandError> {
    match &args.token_file {
        Some(path) if path.as_os_str() == "-" && std::io::stdin().is_terminal() => {
            Err(CommandError::usage(
                "could not read a token from stdin: it is a terminal, which would show it",
                format!("pipe it in, or give it in {TOKEN_VARIABLE}"),
            ))
        }
        Some(path) if path.as_os_str() == "-" => {
            let line = from_stdin().map_err(|error| {
                CommandError::usage(
                    format!("could not read a token from stdin: {error}"),
                    "the first line of stdin must be a token",
                )
            })?;
            Ok(Some(SuppliedToken {
                token: parsed(&line, "the first line of stdin")?,
                source: Source::Nowhere,
            }))
        }
        Some(path) => Ok(Some(SuppliedToken {
            token: read(path)?,
            source: Source::File(path.clone()),
        })),
        None => {
            let text = std::env::var_os(TOKEN_VARIABLE).filter(|text| !text.is_empty());
            // An address may be that of a stack which the config does not describe.
            let is_wanted = mode.proves_names() || args.url.is_some();
            let Some(text) = text.filter(|_| is_wanted) else {
                return Ok(None);
            };
            Ok(Some(SuppliedToken {
                token: parsed(&text.to_string_lossy(), TOKEN_VARIABLE)?,
                source: Source::Nowhere,
            }))
        }
    }
}

fn parsed(text: &str, source: &str) -> Result<Token, CommandError> {
    Token::parse(text).map_err(|error: NoToken| {
        CommandError::usage(
            format!("could not use the token in {source}: {error}"),
            "give it whole, as `chatctl token` or the issuer has printed it",
        )
    })
}

/// The rest of stdin is the chat's.
fn from_stdin() -> std::io::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}

/// Puts a first token for `me` into `address` where the chat asks for one; the answer is where further ones come from.
///
/// # Errors
/// None can be made here.
pub(super) fn made(
    settings: &Settings,
    mode: Mode,
    me: Option<PersonName>,
    address: &mut Address,
) -> Result<Source, CommandError> {
    let prover = Prover::new(settings, mode)?;
    match (&prover, me) {
        // An authorizer of the user's may take no token at all.
        (Prover::Claimed | Prover::Custom, _) => Ok(Source::Nowhere),
        (Prover::Here(_), Some(me)) => {
            address.token = prover.token(&me)?;
            Ok(Source::Made(prover, me))
        }
        (Prover::Here(_), None) => Err(CommandError::usage(
            "the chat asks for a token, and a token needs a name",
            "name yourself: `--as NAME`",
        )),
        (Prover::Elsewhere, _) => Err(no_key(settings)),
        (Prover::Issuer { issuer }, _) => {
            let whose = match issuer {
                Some((issuer, _)) => format!("a token of {issuer}"),
                None => "a token of its issuer".to_owned(),
            };
            Err(CommandError::usage(
                format!("the chat asks for {whose}"),
                format!(
                    "give it in {TOKEN_VARIABLE} or by `--token-file FILE` (`-`: the first line of stdin)"
                ),
            ))
        }
    }
}

/// Whether a token may travel to `address`.
///
/// # Errors
/// It would travel unencrypted to another machine, where every hop on the way could use it.
pub(super) fn check_way(address: &Address) -> Result<(), CommandError> {
    let Some(rest) = address.url.strip_prefix("ws://") else {
        return Ok(());
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_here = name.eq_ignore_ascii_case("localhost")
        || name
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    if address.token.is_none() || is_here {
        return Ok(());
    }
    Err(CommandError::usage(
        format!(
            "did not send the token to {}: it would travel unencrypted",
            address.url
        ),
        "give an address that begins with wss://",
    ))
}

#[cfg(test)]
mod tests {
    use chat_protocol::Handshake;

    use super::*;

    #[test]
    fn a_token_travels_encrypted_or_stays_on_this_machine() {
        let may = |url: &str, token: Option<&str>| {
            let address = Address {
                url: url.to_owned(),
                handshake: Handshake::default(),
                token: token.map(|token| Token::parse(token).unwrap()),
            };
            check_way(&address).is_ok()
        };
        for url in [
            "wss://chat.example",
            "ws://127.0.0.1:1/v1",
            "ws://localhost/v1",
            "ws://[::1]:1/v1",
        ] {
            assert!(may(url, Some("a.b.c")), "{url}");
        }
        for url in [
            "ws://chat.example/v1",
            "ws://127.0.0.1.chat.example/v1",
            "ws://localhost@chat.example/v1",
            "ws://10.0.0.1:80",
        ] {
            assert!(!may(url, Some("a.b.c")), "{url}");
            assert!(may(url, None), "{url}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused_and_not_quoted() {
        let error = parsed("my password", TOKEN_VARIABLE).unwrap_err();
        assert!(error.chain().contains(TOKEN_VARIABLE));
        assert!(!error.chain().contains("password"));
    }
}
