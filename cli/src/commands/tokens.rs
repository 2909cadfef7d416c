//! How the command's own clients prove who they are.

use std::time::Duration;

use crate::error::CommandError;
use crate::terminal::invoked;
use chat_protocol::Mode;
use chatctl_deploy::config::Settings;
use chatctl_deploy::config::auth::Proof;
use chatctl_deploy::config::names::PersonName;
use chatctl_deploy::engine::preflight::Check;
use chatctl_deploy::engine::probe::ProbeCredential;
use chatctl_deploy::engine::{ErrorKind, TargetError, Token};
use chatctl_deploy::keys::{NewToken, PublicKeyFile, Signer, VARIABLE};
use chatctl_deploy::stack::connect::{
    ConnectCommand, Credential, RequiredIdentity, connect_commands,
};

/// A token that cannot be taken back should not be good for longer.
pub(super) const MAX_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// For how long a token is good that is made on the way, and made anew when it is over.
pub(super) const ON_THE_WAY: Duration = Duration::from_secs(3600);

/// For how long a token of the probe is good.
const PROBING: Duration = Duration::from_secs(5 * 60);

/// For how long a token is good that is printed in full.
const PRINTED: Duration = Duration::from_secs(12 * 3600);

/// The variable with a token, for users who have no private key.
pub(super) const TOKEN_VARIABLE: &str = "CHATCTL_TOKEN";

/// Reads a time: a whole number and its unit.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit: u64 = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return Err("it must be a whole number and a unit: 90s, 15m, 12h or 7d".into()),
    };
    let count: u64 = digits
        .parse()
        .map_err(|_| "it must be a whole number and a unit: 90s, 15m, 12h or 7d")?;
    Ok(Duration::from_secs(count.saturating_mul(unit)))
}

/// Reads the lifetime of a token.
pub(super) fn lifetime(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("a token that is good for no time is of no use".into()),
        lifetime if lifetime <= MAX_LIFETIME => Ok(lifetime),
        _ => Err("30d at most: a token cannot be taken back, so make a new one then".into()),
    }
}

/// Reads a right: a word.
pub(super) fn right(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    match (1..=64).contains(&text.len()) && text.chars().all(is_allowed) {
        true => Ok(text.to_owned()),
        false => Err("it must be 1 to 64 ASCII letters, digits and any of `- _ . :`".into()),
    }
}

/// The key that signs for the stack of `settings`.
///
/// # Errors
/// The stack takes no tokens of chatctl's keys; or no private key is here.
pub(super) fn signer(settings: &Settings) -> Result<Signer, CommandError> {
    let stack = &settings.stack;
    match &settings.auth.proof {
        Proof::Token(_) => {}
        Proof::Claimed => {
            return Err(CommandError::usage(
                format!(
                    "could not make a token for stack `{stack}`: in its config, names are claims (`mode = \"claimed\"`)"
                ),
                "set `mode = \"token\"` under `[auth]` in chatctl.toml, then `chatctl deploy`",
            ));
        }
        Proof::Handler(handler) => {
            return Err(CommandError::usage(
                format!(
                    "could not make a token for stack `{stack}`: its authorizer is your own, in {} (`handler` under `[auth]`)",
                    handler.folder.display()
                ),
                "what it asks for is its own; `mode = \"token\"` instead would accept tokens of your own keys",
            ));
        }
        Proof::Jwt(issuer) => {
            return Err(CommandError::usage(
                format!(
                    "could not make a token for stack `{stack}`: its tokens come from {} (`mode = \"jwt\"`)",
                    issuer.url
                ),
                "get one there; `mode = \"token\"` under `[auth]` would accept tokens of your own keys instead",
            ));
        }
    }
    signer_here(settings)?.ok_or_else(|| no_key(settings))
}

/// The key that signs for the stack of `settings`, whatever its config says about tokens; `None` without a private key.
pub(super) fn signer_here(settings: &Settings) -> Result<Option<Signer>, CommandError> {
    let file = PublicKeyFile::load(&settings.folder)?;
    Ok(Signer::find(&file, &settings.stack)?)
}

/// Whether tokens can be made here, where the stack asks for tokens of its own keys.
pub(super) fn check(settings: &Settings) -> Option<Check> {
    if settings.auth.mode() != Mode::Token {
        return None;
    }
    let file = match PublicKeyFile::load(&settings.folder) {
        Ok(file) => file,
        Err(error) => return Some(Check::new("keys", Err(error))),
    };
    let keys = match file.keys().len() {
        1 => "1 key".to_owned(),
        many => format!("{many} keys"),
    };
    Some(match Signer::find(&file, &settings.stack) {
        Err(error) => Check::new("keys", Err(error)),
        Ok(Some(signer)) => Check::new("keys", Ok(format!("{keys}, `{}` signs", signer.id()))),
        Ok(None) => Check::aside(
            "keys",
            keys,
            Some(format!(
                "no private key is here, so a deployment cannot send messages through the chat; {VARIABLE} may hold one"
            )),
        ),
    })
}

pub(super) fn no_key(settings: &Settings) -> CommandError {
    CommandError::usage(
        format!(
            "could not make a token for stack `{}`: no private key of it is on this machine",
            settings.stack
        ),
        format!(
            "`chatctl keys new` makes a key, which counts after the next `chatctl deploy`; where a key comes from \
             elsewhere, put it into {VARIABLE}"
        ),
    )
}

/// How the clients of one chat prove their names.
#[derive(Debug)]
pub(super) enum Prover {
    /// They claim them.
    Claimed,
    /// By tokens that are made here.
    Here(Signer),
    /// By tokens that are made elsewhere, because no private key is here.
    Elsewhere,
    /// By tokens of an issuer.
    Issuer {
        /// Its address, and the claim with the name; `None` where the config says neither.
        issuer: Option<(String, String)>,
    },
    /// As an authorizer of the user's asks, which chatctl cannot tell.
    Custom,
}

impl Prover {
    /// For a chat that is deployed in `mode`; the config may say something else by now.
    pub(super) fn new(settings: &Settings, mode: Mode) -> Result<Self, CommandError> {
        Ok(match mode {
            Mode::Claimed => Self::Claimed,
            Mode::Handler => Self::Custom,
            Mode::Token => signer_here(settings)?.map_or(Self::Elsewhere, Self::Here),
            Mode::Jwt => Self::Issuer {
                issuer: match &settings.auth.proof {
                    Proof::Jwt(issuer) => Some((issuer.url.to_string(), issuer.name_claim.clone())),
                    _ => None,
                },
            },
        })
    }

    /// A token for `name`; `None` where names are claims, or no token can be made here.
    pub(super) fn token(&self, name: &PersonName) -> Result<Option<Token>, CommandError> {
        self.token_for(name, ON_THE_WAY)
    }

    /// How the probe's clients prove their names, where `mint` is [`Prover::short`].
    pub(super) fn probe_credential<'a>(
        &self,
        mint: &'a dyn Fn(&str) -> Result<Token, TargetError>,
    ) -> ProbeCredential<'a> {
        match self {
            Self::Claimed => ProbeCredential::Claims,
            Self::Here(_) => ProbeCredential::Tokens(mint),
            Self::Elsewhere | Self::Issuer { .. } => ProbeCredential::Nothing,
            Self::Custom => ProbeCredential::Custom { is_settled: false },
        }
    }

    /// A token for one of the probe's clients, which is soon of no use any more.
    pub(super) fn short(&self, name: &str) -> Result<Token, TargetError> {
        let failed = || TargetError::new(ErrorKind::Unexpected, "no token can be made here");
        let Self::Here(signer) = self else {
            return Err(failed());
        };
        let minted = signer.mint(&NewToken {
            name: &name.parse().map_err(|_| failed())?,
            to: None,
            room: None,
            can: None,
            lifetime: PROBING,
        })?;
        Ok(minted.token)
    }

    fn token_for(
        &self,
        name: &PersonName,
        lifetime: Duration,
    ) -> Result<Option<Token>, CommandError> {
        let Self::Here(signer) = self else {
            return Ok(None);
        };
        let minted = signer.mint(&NewToken {
            name,
            to: None,
            room: None,
            can: None,
            lifetime,
        })?;
        Ok(Some(minted.token))
    }

    /// How `name` proves itself in a command to paste; `in_full`: by a token that the command holds.
    ///
    /// # Errors
    /// A token is to be printed, and there is none.
    fn credential(
        &self,
        settings: &Settings,
        name: &PersonName,
        in_full: bool,
    ) -> Result<Credential, CommandError> {
        Ok(match self {
            // The token of a custom authorizer, if it takes one, is in no place that chatctl could name.
            Self::Claimed | Self::Custom => Credential::None,
            Self::Here(_) if in_full => match self.token_for(name, PRINTED)? {
                Some(token) => Credential::Token(token.secret().to_owned()),
                None => return Err(no_key(settings)),
            },
            Self::Elsewhere if in_full => return Err(no_key(settings)),
            Self::Issuer { .. } if in_full => {
                return Err(CommandError::usage(
                    "could not print commands with tokens: they come from an issuer (`mode = \"jwt\"`)",
                    format!(
                        "leave `--with-tokens` out; the commands take the token from {TOKEN_VARIABLE}"
                    ),
                ));
            }
            Self::Here(_) => Credential::Shell(format!("$({})", minting(settings, name))),
            Self::Elsewhere | Self::Issuer { .. } => {
                Credential::Shell(format!("${TOKEN_VARIABLE}"))
            }
        })
    }

    /// The commands of the two people of `settings`, at `url`.
    ///
    /// # Errors
    /// As for [`Prover::credential`].
    pub(super) fn commands(
        &self,
        url: &str,
        settings: &Settings,
        required: RequiredIdentity,
        in_full: bool,
    ) -> Result<[ConnectCommand; 2], CommandError> {
        let credentials = [
            self.credential(settings, &settings.from, in_full)?,
            self.credential(settings, &settings.to, in_full)?,
        ];
        Ok(connect_commands(url, settings, required, &credentials))
    }

    /// What stands behind the `#` of the page's links for the two people, so that they carry tokens.
    ///
    /// # Errors
    /// As for [`Prover::credential`].
    pub(super) fn fragments(
        &self,
        settings: &Settings,
    ) -> Result<[Option<String>; 2], CommandError> {
        let fragment = |name| {
            let credential = self.credential(settings, name, true)?;
            Ok::<_, CommandError>(match credential {
                Credential::Token(token) => Some(format!("token={token}")),
                Credential::None | Credential::Shell(_) => None,
            })
        };
        Ok([fragment(&settings.from)?, fragment(&settings.to)?])
    }

    /// What the user has to do before the commands work; `None` where they work as they are.
    pub(super) fn advice(&self, settings: &Settings) -> Option<String> {
        match self {
            Self::Claimed | Self::Here(_) => None,
            Self::Custom => Some(
                "Your authorizer decides who may connect: add to each command what it asks for, such as `-H 'x-code: …'`. Names in \
                 the commands must be those that it allows (`--from`, `--to`)"
                    .to_owned(),
            ),
            Self::Elsewhere => Some(format!(
                "Before that, in each terminal: `export {TOKEN_VARIABLE}=…`, a token for that person, made where a private \
                 key of stack `{}` is (`chatctl token --as NAME`)",
                settings.stack
            )),
            Self::Issuer {
                issuer: Some((issuer, claim)),
            } => Some(format!(
                "Before that, in each terminal: `export {TOKEN_VARIABLE}=…`, a token of {issuer} whose `{claim}` is that \
                 person's name; names in the commands must be those of the tokens (`--from`, `--to`)"
            )),
            Self::Issuer { issuer: None } => Some(format!(
                "Before that, in each terminal: `export {TOKEN_VARIABLE}=…`, a token of the stack's issuer for that person"
            )),
        }
    }
}

/// The command that makes a token for `name`, to be pasted anywhere on this machine.
fn minting(settings: &Settings, name: &PersonName) -> String {
    let quoted = |text: &str| shell_words::quote(text).into_owned();
    let mut words = format!(
        "{} token --as {}",
        invoked::program(),
        quoted(name.as_ref())
    );
    // The terminal that it is pasted into may be in another folder.
    if let Some(config) = &settings.config_file
        && let Ok(config) = std::path::absolute(config)
    {
        words += &format!(" --config {}", quoted(&config.to_string_lossy()));
    }
    if settings.is_stack_overridden {
        words += &format!(" --stack {}", settings.stack);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_has_a_unit_and_an_end() {
        for (text, seconds) in [
            ("90s", 90),
            ("15m", 900),
            ("12h", 43_200),
            ("30d", 2_592_000),
        ] {
            assert_eq!(lifetime(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "12",
            "h",
            "1.5h",
            "-1h",
            "1w",
            "12H",
            " 1h",
            "0s",
            "31d",
            "2592001s",
            "99999999999999999999s",
            "18446744073709551615d",
            "1h30m",
            "١h",
        ] {
            assert!(lifetime(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_right_is_a_word() {
        assert_eq!(right("moderate"), Ok("moderate".into()));
        for text in ["", "a b", "a,b", "ü", &"x".repeat(65)] {
            assert!(right(text).is_err(), "{text}");
        }
    }
}
