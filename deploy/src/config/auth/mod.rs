//! `[auth]`: why a name is believed, and which web pages may connect.

mod table;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use chat_identity::KeySet;
use chat_protocol::{Mode, variable};

use super::function::environment;
use super::issuer::{IssuerUrl, Origin};
use super::keys::{self, KeysFileError};
use super::permission::Grant;
use super::route::CustomHandler;
use super::snippet::Snippet;
pub(super) use table::AuthTable;

/// What the user's authorizer is called where handlers are called by the keys of their routes. It is none of them.
pub const AUTHORIZER: &str = "[auth]";

/// Why names are believed, and which web pages may connect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Auth {
    /// What proves a name.
    pub proof: Proof,
    /// The origins whose pages may connect; none stands for every page. Clients without an `Origin` may connect anyway.
    pub origins: Vec<Origin>,
}

/// What proves a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Proof {
    /// Nothing: names are claims.
    #[default]
    Claimed,
    /// A token that one of the stack's keys has signed.
    Token(TokenKeys),
    /// A token of an OpenID Connect issuer.
    Jwt(Issuer),
    /// What a handler of the user's makes of the handshake.
    Handler(CustomHandler),
}

/// The public keys of `mode = "token"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKeys {
    /// Where they are; the file may not exist yet.
    pub file: PathBuf,
    /// None, as long as `chatctl keys new` was not called: [`Settings::check_keys`](super::Settings::check_keys).
    pub keys: KeySet,
    /// The line that asks for keys.
    pub(super) asked: Snippet,
}

/// Whose tokens are accepted, in `mode = "jwt"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// Its address, letter by letter as `iss` has it.
    pub url: IssuerUrl,
    /// A token must name one of them.
    pub audience: Vec<String>,
    /// The claim with the person's name.
    pub name_claim: String,
}

impl Auth {
    /// The mode's word, which functions and clients go by.
    pub const fn mode(&self) -> Mode {
        match self.proof {
            Proof::Claimed => Mode::Claimed,
            Proof::Token(_) => Mode::Token,
            Proof::Jwt(_) => Mode::Jwt,
            Proof::Handler(_) => Mode::Handler,
        }
    }

    /// The user's authorizer, where one decides.
    pub const fn handler(&self) -> Option<&CustomHandler> {
        match &self.proof {
            Proof::Handler(handler) => Some(handler),
            Proof::Claimed | Proof::Token(_) | Proof::Jwt(_) => None,
        }
    }

    /// What the authorizer's environment says of it; what is the default is not said. The audience of `mode = "token"` is the
    /// stack's name, as CloudFormation puts it in.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = Vec::new();
        if self.mode() != Mode::Claimed {
            variables.push((variable::AUTH_MODE, self.mode().word().to_owned()));
        }
        match &self.proof {
            Proof::Claimed | Proof::Handler(_) => {}
            Proof::Token(TokenKeys { keys, .. }) => {
                variables.push((variable::AUTH_KEYS, keys.to_json().to_string()));
                variables.push((variable::AUTH_AUDIENCE, json(&["${AWS::StackName}"])));
            }
            Proof::Jwt(issuer) => {
                variables.push((variable::AUTH_ISSUER, issuer.url.to_string()));
                variables.push((variable::AUTH_AUDIENCE, json(&issuer.audience)));
                if issuer.name_claim != NAME_CLAIM {
                    variables.push((variable::AUTH_NAME_CLAIM, issuer.name_claim.clone()));
                }
            }
        }
        if !self.origins.is_empty() {
            variables.push((variable::AUTH_ORIGINS, json(&self.origins)));
        }
        variables
    }

    /// What each of the user's handlers is granted beside its own permissions.
    pub(super) fn grants_of_handlers(&self) -> Vec<Grant> {
        match self.mode().proves_names() {
            true => vec![Grant::ending()],
            false => Vec::new(),
        }
    }

    /// How many bytes the authorizer's environment has, with the longest stack name and the other variables that it may have.
    pub(super) fn environment_bytes(&self) -> usize {
        const STACK_NAME: usize = 128;
        let names = environment::bytes(variable::NAMES, "optional");
        let variables = self.variables();
        let said = variables
            .iter()
            .map(|(name, value)| environment::bytes(name, value));
        2 + said.sum::<usize>() + STACK_NAME + names
    }
}

fn json(list: &[impl serde::Serialize]) -> String {
    serde_json::to_string(list).expect("texts always become JSON")
}

/// The claim with the name, unless the config names another.
const NAME_CLAIM: &str = "sub";

impl TokenKeys {
    /// Reads the keys file, if it is there.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or has more keys than the authorizer's environment holds.
    pub(super) fn load(&mut self) -> Result<(), KeysFileError> {
        self.keys = keys::load(&self.file)?;
        Ok(())
    }
}
