//! Which key signs, and the tokens that it makes.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chat_identity::{PrivateKey, PublicKey, TokenRequest};

use super::private::{PrivateKeyFolder, VARIABLE, from_environment};
use super::public::PublicKeyFile;
use crate::config::names::{PersonName, StackName};
use crate::engine::{ErrorKind, TargetError, Token};

/// Where a private key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivateKeyLocation {
    /// This file of the user's.
    File(PathBuf),
    /// The variable [`VARIABLE`].
    Environment,
}

/// One public key of a chat, and what this machine has of it.
#[derive(Debug)]
pub struct KeyState<'a> {
    /// The key as it lies in the keys file.
    pub public: &'a PublicKey,
    /// Where its private part is, if it is here.
    pub private: Option<PrivateKeyLocation>,
    /// Whether tokens that are made here are signed with it.
    pub signs: bool,
}

/// What a new token says.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    /// The name to prove.
    pub name: &'a PersonName,
    /// The only friend that its holder may write to.
    pub to: Option<&'a PersonName>,
    /// The only room that its holder may enter.
    pub room: Option<&'a PersonName>,
    /// What its holder may do; `None` leaves that to the chat.
    pub can: Option<Vec<String>>,
    /// The time until it expires.
    pub lifetime: Duration,
}

/// A token, and when it expires.
#[derive(Debug, Clone)]
pub struct SignedToken {
    /// The token itself.
    pub token: Token,
    /// In seconds since the Unix epoch.
    pub expires_at: u64,
}

/// Makes tokens for one stack.
#[derive(Debug)]
pub struct Signer {
    key: PrivateKey,
    /// The stack, which a token names as its audience.
    stack: StackName,
}

/// A key pair that was just made.
#[derive(Debug)]
pub struct NewKeyPair {
    /// The key that was added to the keys file.
    pub public: PublicKey,
    /// The file with the private part.
    pub private: PathBuf,
}

/// Makes a key pair: its private part into `folder`, its public one into `file`.
///
/// # Errors
/// One of them cannot be written; nothing is left of the other then.
pub fn new_key(
    file: &mut PublicKeyFile,
    folder: &PrivateKeyFolder,
) -> Result<NewKeyPair, TargetError> {
    let generated = || {
        PrivateKey::generate().map_err(|error| TargetError {
            source: Some(Box::new(error)),
            ..TargetError::new(ErrorKind::Unexpected, "could not make a key")
        })
    };
    let mut key = generated()?;
    // An id at the beginning of an argument would look like a flag.
    while key.public().id().starts_with('-') {
        key = generated()?;
    }
    let public = key.public().clone();
    let private = folder.write(&key)?;
    if let Err(error) = file.add(&public) {
        folder.delete(public.id())?;
        return Err(error);
    }
    Ok(NewKeyPair { public, private })
}

/// What this machine has of each key in `file`.
///
/// The first key whose private part is here signs: one that was added for a rotation follows it until the old one is
/// retired, so that a deployment can come in between. A key in the environment precedes all of them.
///
/// # Errors
/// A private key cannot be used; or the one in the environment is none of `file`'s.
pub fn states(file: &PublicKeyFile) -> Result<Vec<KeyState<'_>>, TargetError> {
    Ok(found(file)?.0)
}

impl Signer {
    /// The key that signs for `stack`, whose public keys are in `file`; `None` where none of their private parts is here.
    ///
    /// # Errors
    /// As for [`states`].
    pub fn find(file: &PublicKeyFile, stack: &StackName) -> Result<Option<Self>, TargetError> {
        let stack = stack.clone();
        Ok(found(file)?.1.map(|key| Self { key, stack }))
    }

    /// The id of the key.
    pub fn id(&self) -> &str {
        self.key.public().id()
    }

    /// Makes a token that is good from now on.
    ///
    /// # Errors
    /// It would be longer than a token may be, or the clock is wrong.
    pub fn mint(&self, wish: &NewToken<'_>) -> Result<SignedToken, TargetError> {
        let failed = |what: &str| {
            let message = format!("could not make a token for `{}`: {what}", wish.name);
            TargetError::new(ErrorKind::Unexpected, message)
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|_| failed("this machine's clock is before 1970"))?;
        let request = TokenRequest {
            name: wish.name.to_string(),
            to: wish.to.map(ToString::to_string),
            room: wish.room.map(ToString::to_string),
            can: wish.can.clone(),
            issuer: Some(chat_protocol::auth::ISSUER.to_owned()),
            audience: Some(self.stack.to_string()),
            now: now.as_secs(),
            seconds: wish.lifetime.as_secs(),
        };
        let text = self
            .key
            .token(&request)
            .map_err(|error| failed(&error.to_string()))?;
        Ok(SignedToken {
            token: Token::parse(&text).map_err(|error| failed(&error.to_string()))?,
            expires_at: request.now + request.seconds,
        })
    }
}

type KeysAndSigner<'a> = (Vec<KeyState<'a>>, Option<PrivateKey>);

fn found(file: &PublicKeyFile) -> Result<KeysAndSigner<'_>, TargetError> {
    let environment = from_environment()?;
    if let Some(key) = &environment
        && !file.keys().contains(key.public())
    {
        let message = format!(
            "the private key in {VARIABLE} (id `{}`) has no public part in {}",
            key.public().id(),
            file.path().display()
        );
        let hint = "its stack would refuse what it signs: use the private part of a key that `chatctl keys list` shows";
        return Err(TargetError::new(ErrorKind::Usage, message).with_hint(hint));
    }
    // A machine whose key is in the environment may have no home.
    let folder = match &environment {
        Some(_) => PrivateKeyFolder::for_user().ok().flatten(),
        None => PrivateKeyFolder::for_user()?,
    };
    found_in(file, folder.as_ref(), environment)
}

fn found_in<'a>(
    file: &'a PublicKeyFile,
    folder: Option<&PrivateKeyFolder>,
    environment: Option<PrivateKey>,
) -> Result<KeysAndSigner<'a>, TargetError> {
    let is_given = environment.is_some();
    let mut signing = environment;
    let mut states = Vec::new();
    for public in file.keys() {
        if is_given && signing.as_ref().is_some_and(|key| key.public() == public) {
            let private = Some(PrivateKeyLocation::Environment);
            states.push(KeyState {
                public,
                private,
                signs: true,
            });
            continue;
        }
        let read = match folder {
            Some(folder) => folder.read(public.id())?,
            None => None,
        };
        // A file of that name may hold the private part of another key.
        let read = read.filter(|key| key.public() == public);
        let path = folder.and_then(|folder| folder.file(public.id()));
        let private = read.as_ref().and(path).map(PrivateKeyLocation::File);
        let signs = signing.is_none() && read.is_some();
        if signs {
            signing = read;
        }
        states.push(KeyState {
            public,
            private,
            signs,
        });
    }
    Ok((states, signing))
}

#[cfg(test)]
mod tests;
