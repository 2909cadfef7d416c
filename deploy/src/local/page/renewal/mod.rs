//! New tokens for the page that `chatctl web` serves.
//!
//! A client that gets an answer here can speak under that name, so three things have to fit, each against another attacker:
//!
//! - a secret of this run, which only the page's own link has, behind its `#`: programs of other users, and whatever else
//!   can reach the port;
//! - `Host`, which must be this address: sites whose name leads to 127.0.0.1 (DNS rebinding);
//! - `Origin` and `Sec-Fetch-Site`, which must be the page's: other pages. They cannot send the secret's header either,
//!   because no request of theirs with a header of its own is let through (CORS).

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;

use chatctl_local::{PageRequest, PageResponse};
use serde_json::json;

use crate::config::names::PersonName;
use crate::engine::{TargetError, Token, random_hex};

/// Where the page asks.
pub const PATH: &str = "/token";

/// The header with the secret.
const HEADER: &str = "x-chatctl-page";

type Mint = Box<dyn Fn(&PersonName) -> Result<Token, TargetError> + Send + Sync>;

/// Makes tokens for pages that have a secret of this run.
pub struct Renewal {
    mint: Mint,
    grants: Mutex<HashMap<String, Grant>>,
}

/// What a secret is good for.
struct Grant {
    name: PersonName,
    /// It is replaced by the first answer: it has been where others can see it.
    is_for_once: bool,
}

impl fmt::Debug for Renewal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Renewal").finish_non_exhaustive()
    }
}

impl Renewal {
    /// Without a secret that is good for anything yet; `mint` makes the tokens.
    pub fn new(
        mint: impl Fn(&PersonName) -> Result<Token, TargetError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            mint: Box::new(mint),
            grants: Mutex::default(),
        }
    }

    /// A secret with which a page gets tokens for `name`, and for no other one.
    pub fn grant(&self, name: &PersonName) -> String {
        self.granted(name, false)
    }

    /// The same, but good for the first request only, which gets another one: for a link that other users can see, as they
    /// see the arguments of any program.
    pub fn grant_once(&self, name: &PersonName) -> String {
        self.granted(name, true)
    }

    fn granted(&self, name: &PersonName, is_for_once: bool) -> String {
        let secret = random_hex::<32>();
        let name = name.clone();
        let grant = Grant { name, is_for_once };
        let mut grants = self.grants.lock().expect("no holder of this lock panics");
        grants.insert(secret.clone(), grant);
        secret
    }

    /// The response to a request on `port`; `None` where it is not for a token.
    pub(super) fn response(&self, asked: &PageRequest<'_>, port: u16) -> Option<PageResponse> {
        (asked.path == PATH).then(|| self.judged(asked, port))
    }

    fn judged(&self, asked: &PageRequest<'_>, port: u16) -> PageResponse {
        let refused = |status, error: &str| PageResponse {
            status,
            json: json!({ "error": error }).to_string(),
        };
        if asked.method != "POST" {
            return refused(405, "a token is asked for by POST");
        }
        let hosts = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
        let host = asked.header("host").unwrap_or_default();
        if !hosts.iter().any(|own| own == host) {
            return refused(421, "this address is only for this machine");
        }
        let is_of_page = asked.header("origin") == Some(&format!("http://{host}"))
            && matches!(asked.header("sec-fetch-site"), None | Some("same-origin"))
            && (!asked.has_header("sec-fetch-site") || asked.header("sec-fetch-site").is_some());
        if !is_of_page {
            return refused(403, "only the page itself may ask for a token");
        }
        let Some((name, key)) = asked.header(HEADER).and_then(|secret| self.used(secret)) else {
            return refused(403, "this link is not one of the running `chatctl web`");
        };
        match (self.mint)(&name) {
            Ok(token) => PageResponse {
                status: 200,
                json: json!({ "token": token.secret(), "key": key }).to_string(),
            },
            Err(error) => refused(500, &error.to_string()),
        }
    }

    /// Whom `secret` is good for, and the secret to use from now on.
    fn used(&self, secret: &str) -> Option<(PersonName, String)> {
        let name = {
            let mut grants = self.grants.lock().expect("no holder of this lock panics");
            let grant = grants.get(secret)?;
            if !grant.is_for_once {
                return Some((grant.name.clone(), secret.to_owned()));
            }
            grants.remove(secret)?.name
        };
        let next = self.grant(&name);
        Some((name, next))
    }
}

#[cfg(test)]
mod tests;
