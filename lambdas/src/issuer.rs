//! The keys of an OpenID Connect issuer: found by discovery, kept, and fetched anew.
//!
//! Source: <https://openid.net/specs/openid-connect-discovery-1_0.html>.

use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chat_identity::{Claims, KeySet, KeySetError, MAX_KEY_SET_BYTES, Rules, Verifier};
use serde::Deserialize;
use serde_json::json;

use crate::invocation::Invocation;
use crate::log::{Log, reasons};
use crate::tokens::{TokenError, Tokens};

/// How documents of an issuer are fetched.
pub trait Documents {
    /// Fetches what `url` leads to, without following redirections.
    ///
    /// # Errors
    /// Any: it was not answered in time, or not with 200, or it has more than `max_bytes`.
    fn fetch(
        &self,
        url: &str,
        max_bytes: usize,
    ) -> impl Future<Output = Result<Vec<u8>, Box<dyn Error + Send + Sync>>>;
}

/// How long keys are used before they are asked for again, in seconds. Keys that an issuer has withdrawn are accepted as long.
const MAX_AGE: u64 = 600;

/// How long nothing is fetched after something was fetched, in seconds. Tokens with made-up key ids, which any client can send,
/// cost the issuer no more requests.
const PAUSE: u64 = 5;

/// The largest discovery document, in bytes.
const MAX_DISCOVERY_BYTES: usize = 64 * 1024;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
enum IssuerError {
    #[error("{url} cannot be fetched")]
    Fetch {
        url: String,
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("{url} is not a discovery document")]
    Discovery {
        url: String,
        source: serde_json::Error,
    },
    #[error(
        "{url} is about another issuer than `{expected}`; name the issuer in chatctl.toml as it names itself"
    )]
    OtherIssuer { url: String, expected: String },
    #[error("the keys lie at an address that is not encrypted")]
    InClear,
    #[error("{url} has no keys that can be used")]
    Keys { url: String, source: KeySetError },
    #[error("the keys of {issuer} could not be fetched, and are asked for again in a few seconds")]
    NoKeys { issuer: String },
}

/// Checks tokens by the keys of an issuer.
///
/// While the issuer cannot be reached, the keys that it had serve on.
#[derive(Debug)]
pub struct IssuerTokens<D> {
    issuer: String,
    rules: Rules,
    documents: D,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    verifier: Option<Verifier>,
    /// When the keys are asked for again, in seconds since the Unix epoch.
    stale_at: u64,
    /// Before when nothing is fetched.
    next_fetch: u64,
}

/// What a discovery document must say; the rest is ignored.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl<D: Documents> IssuerTokens<D> {
    /// Accepts tokens of `issuer` that keep `rules`. Nothing is fetched yet.
    pub fn new(issuer: String, rules: Rules, documents: D) -> Self {
        Self {
            issuer,
            rules,
            documents,
            state: Mutex::default(),
        }
    }

    /// Fetches the keys before the first token comes. Where that fails, the first token tries again.
    pub async fn start(&self, now: u64, log: &Log) {
        // Without the pause afterwards: a token may have a key that is newer than what was just fetched.
        self.load(now, log).await;
    }

    /// Fetches the keys, unless that was done a moment ago.
    async fn refresh(&self, now: u64, log: &Log) {
        {
            let mut state = self.state();
            if now < state.next_fetch {
                return;
            }
            state.next_fetch = now + PAUSE;
        }
        self.load(now, log).await;
    }

    async fn load(&self, now: u64, log: &Log) {
        match self.fetch().await {
            Ok(keys) => {
                log.info("keys fetched", [("keys", json!(keys.keys().len()))]);
                let mut state = self.state();
                state.verifier = Some(Verifier::new(keys, self.rules.clone()));
                state.stale_at = now + MAX_AGE;
            }
            Err(error) => log.warn("keys not fetched", [("reason", json!(reasons(&error)))]),
        }
    }

    async fn fetch(&self) -> Result<KeySet, IssuerError> {
        let base = self.issuer.trim_end_matches('/');
        let url = format!("{base}/.well-known/openid-configuration");
        let document = self.document(&url, MAX_DISCOVERY_BYTES).await?;
        let discovery: Discovery = match serde_json::from_slice(&document) {
            Ok(discovery) => discovery,
            Err(source) => return Err(IssuerError::Discovery { url, source }),
        };
        if discovery.issuer != self.issuer {
            let expected = self.issuer.clone();
            return Err(IssuerError::OtherIssuer { url, expected });
        }
        let is_encrypted = discovery.jwks_uri.starts_with("https://");
        // An issuer in clear is one on this machine, which the config has checked.
        if !is_encrypted && self.issuer.starts_with("https://") {
            return Err(IssuerError::InClear);
        }
        let url = discovery.jwks_uri;
        let document = self.document(&url, MAX_KEY_SET_BYTES).await?;
        KeySet::from_json(&document).map_err(|source| IssuerError::Keys { url, source })
    }

    async fn document(&self, url: &str, max_bytes: usize) -> Result<Vec<u8>, IssuerError> {
        let fetched = self.documents.fetch(url, max_bytes).await;
        fetched.map_err(|source| IssuerError::Fetch {
            url: url.to_owned(),
            source,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys as they are, and whether they should be asked for again.
    fn current(&self, now: u64) -> (Option<Verifier>, bool) {
        let state = self.state();
        (state.verifier.clone(), now >= state.stale_at)
    }

    async fn newest(&self, invocation: &Invocation) -> Result<Verifier, TokenError> {
        self.refresh(invocation.now, &invocation.log).await;
        self.current(invocation.now).0.ok_or_else(|| {
            let issuer = self.issuer.clone();
            TokenError::Unavailable(IssuerError::NoKeys { issuer }.into())
        })
    }
}

impl<D: Documents> Tokens for IssuerTokens<D> {
    async fn verify(&self, token: &str, invocation: &Invocation) -> Result<Claims, TokenError> {
        let now = invocation.now;
        let verifier = match self.current(now) {
            (Some(verifier), false) => verifier,
            _ => self.newest(invocation).await?,
        };
        match verifier.verify(token, now) {
            Err(refusal) if refusal.needs_newer_keys() => {
                let verifier = self.newest(invocation).await?;
                Ok(verifier.verify(token, now)?)
            }
            verified => Ok(verified?),
        }
    }
}
