//! `[auth]`, as the file has it.

use std::ops::Range;
use std::path::Path;

use chat_identity::KeySet;
use chat_protocol::Mode;
use chat_protocol::auth::{KEYS_FILE, MAX_ENVIRONMENT_BYTES};
use serde::Deserialize;
use toml::Spanned;

use super::{Auth, Issuer, NAME_CLAIM, Proof, TokenKeys};
use crate::config::function::with_settings;
use crate::config::issuer::{IssuerUrl, Origin};
use crate::config::keys;
use crate::config::names::{RouteKey, StackName, StageName};
use crate::config::permission::{Grant, MAX_POLICIES_BYTES, size_of_policies};
use crate::config::route::CustomHandler;
use crate::config::routes::HandlerFolder;
#[cfg(test)]
use crate::config::schema::{self, shape};
use crate::config::snippet::Snippet;

with_settings! {
    /// `[auth]`, as the file has it.
    #[derive(Debug, Default, Deserialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema), schemars(extend("allOf" = schema::rules_of_auth())))]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
    pub(in crate::config) struct AuthTable {
        /// What proves a client's name: nothing, a token signed by a key of the stack, or a token of an OpenID Connect issuer.
        #[cfg_attr(test, schemars(with = "Option<shape::AuthMode>"))]
        mode: Option<Spanned<Mode>>,
        /// For `jwt`: the issuer's address, letter by letter as its tokens have it in `iss`.
        #[cfg_attr(test, schemars(with = "Option<shape::IssuerUrl>"))]
        issuer: Option<Spanned<IssuerUrl>>,
        /// For `jwt`: a token must name one of these.
        #[cfg_attr(test, schemars(with = "Option<shape::Audience>"))]
        audience: Option<Spanned<Vec<Spanned<String>>>>,
        /// For `jwt`: the claim with the client's name.
        #[cfg_attr(test, schemars(with = "Option<shape::NameClaim>"))]
        name_claim: Option<Spanned<String>>,
        /// Instead of a mode: the folder of a crate of yours, whose one binary decides who may connect, and as whom.
        #[cfg_attr(test, schemars(with = "Option<shape::HandlerFolder>"))]
        handler: Option<Spanned<HandlerFolder>>,
        /// For `handler`: what it may do beside writing its log.
        #[cfg_attr(test, schemars(with = "Option<Vec<Grant>>"))]
        permissions: Option<Spanned<Vec<Grant>>>,
        /// The web pages that may connect. Clients without an `Origin` may always.
        #[cfg_attr(test, schemars(with = "Option<shape::Origins>"))]
        origins: Option<Spanned<Vec<Spanned<Origin>>>>,
    }
    settings given("handler", "", timeout = 10):
        binary environment secrets memory log_level reserved_concurrency vpc;
}

/// What is wrong, and where in the config's text.
pub(in crate::config) type Problem = (Range<usize>, String);

/// How many audiences or origins may be listed. All of them travel in one variable.
const MAX_LISTED: usize = 16;

/// The longest audience and the longest name of a claim, in characters.
const MAX_TEXT: usize = 256;

impl AuthTable {
    /// Checks the table of the config in `folder`. `asked` shows a place in the config; `backend_decides` says that `$connect` goes
    /// to a backend of the user's.
    ///
    /// # Errors
    /// What is wrong with the table, with its place.
    pub(in crate::config) fn resolve(
        &self,
        folder: &Path,
        backend_decides: bool,
        asked: impl Fn(Range<usize>, String) -> Snippet,
    ) -> Result<Auth, Problem> {
        let mode = self
            .mode
            .as_ref()
            .map(|it| *it.get_ref())
            .unwrap_or_default();
        let place = self.mode.as_ref().map(Spanned::span).unwrap_or_default();
        if backend_decides {
            self.refuse_beside_a_backend(mode)?;
        }
        let proof = match mode {
            _ if self.handler.is_some()
                || self.permissions.is_some()
                || self.given().first().is_some() =>
            {
                Proof::Handler(self.handler(folder)?)
            }
            // The parser has no such word.
            Mode::Handler | Mode::Claimed | Mode::Token => {
                self.refuse_what_only_issuers_have(mode)?;
                match mode {
                    Mode::Handler | Mode::Claimed => Proof::Claimed,
                    _ => Proof::Token(TokenKeys {
                        file: keys::path_in(folder),
                        keys: KeySet::default(),
                        asked: asked(place, no_key()),
                    }),
                }
            }
            Mode::Jwt => Proof::Jwt(self.issuer(place)?),
        };
        let origins = match &self.origins {
            None => Vec::new(),
            Some(list) => {
                let remedy =
                    "name the origins of your pages, or leave `origins` out to accept every page";
                listed(list, "origins", remedy)?
            }
        };
        let auth = Auth { proof, origins };
        let bytes = auth.environment_bytes();
        if bytes > MAX_ENVIRONMENT_BYTES {
            let place = self
                .origins
                .as_ref()
                .map(Spanned::span)
                .or(self.audience.as_ref().map(Spanned::span));
            let message = format!(
                "what `[auth]` says comes to {bytes} bytes, and a function's environment holds {MAX_ENVIRONMENT_BYTES}: \
                 name fewer or shorter origins and audiences"
            );
            return Err((place.unwrap_or_default(), message));
        }
        Ok(auth)
    }

    /// The user's authorizer, beside which no mode decides.
    fn handler(&self, folder: &Path) -> Result<CustomHandler, Problem> {
        let given = self.given();
        let Some(handler) = &self.handler else {
            if let Some(grants) = &self.permissions {
                let message = "`permissions` belong to `handler`, which names the folder of your authorizer's crate; chatctl's \
                               own needs none";
                return Err((grants.span(), message.into()));
            }
            let (key, place) = given.first().unwrap_or_default();
            let message = format!(
                "`{key}` belongs to `handler`, which names the folder of your authorizer's crate"
            );
            return Err((place, message));
        };
        let beside = [
            ("mode", self.mode.as_ref().map(Spanned::span)),
            ("issuer", self.issuer.as_ref().map(Spanned::span)),
            ("audience", self.audience.as_ref().map(Spanned::span)),
            ("name-claim", self.name_claim.as_ref().map(Spanned::span)),
        ];
        for (option, place) in beside {
            if let Some(place) = place {
                let message = format!(
                    "`{option}` cannot stand beside `handler`: your authorizer alone decides who connects, and as whom; leave one \
                     of them out"
                );
                return Err((place, message));
            }
        }
        Ok(CustomHandler {
            folder: folder.join(&handler.get_ref().0),
            binary: given.binary()?,
            settings: given.settings(folder)?,
            reply: false,
            grants: self
                .permissions
                .as_ref()
                .map(|grants| grants.get_ref().clone())
                .unwrap_or_default(),
        })
    }

    /// Checks that the permissions of the user's authorizer fit into the policies of its role, in `stack` at `stage`.
    ///
    /// # Errors
    /// They are too large.
    pub(in crate::config) fn check_policies(
        &self,
        (stack, stage): (&StackName, &StageName),
    ) -> Result<(), Problem> {
        let key: RouteKey = "authorize".parse().expect("it is a word");
        let granted = self
            .permissions
            .as_ref()
            .map_or(&[][..], |grants| grants.get_ref());
        let size = size_of_policies(granted, &key, stack, stage);
        let grants = match &self.permissions {
            Some(grants) if size > MAX_POLICIES_BYTES => grants,
            _ => return self.given().check_policies(size),
        };
        let message = format!(
            "the permissions of the authorizer take {size} characters in its role's policies, which IAM limits to \
             {MAX_POLICIES_BYTES} in total: grant less, or name related resources once, with a wildcard for a part of their \
             names"
        );
        Err((grants.span(), message))
    }

    fn issuer(&self, mode: Range<usize>) -> Result<Issuer, Problem> {
        let Some(url) = &self.issuer else {
            let message =
                "`mode = \"jwt\"` needs `issuer`, the https address of an OpenID Connect issuer";
            return Err((mode, message.into()));
        };
        let Some(audience) = &self.audience else {
            let message = "`mode = \"jwt\"` needs `audience`, or tokens that the issuer made for other services would be \
                           accepted, too: `audience = [\"chat\"]`, or the client's id";
            return Err((mode, message.into()));
        };
        let remedy = "name at least one";
        let named: Vec<String> = listed(audience, "audience", remedy)?;
        for (text, at) in named.iter().zip(audience.get_ref()) {
            check_text(text, "an audience").map_err(|message| (at.span(), message))?;
        }
        let name_claim = match &self.name_claim {
            None => NAME_CLAIM.to_owned(),
            Some(claim) => {
                check_text(claim.get_ref(), "the name of a claim")
                    .map_err(|message| (claim.span(), message))?;
                claim.get_ref().clone()
            }
        };
        Ok(Issuer {
            url: url.get_ref().clone(),
            audience: named,
            name_claim,
        })
    }

    fn refuse_what_only_issuers_have(&self, mode: Mode) -> Result<(), Problem> {
        let options = [
            ("issuer", self.issuer.as_ref().map(Spanned::span)),
            ("audience", self.audience.as_ref().map(Spanned::span)),
            ("name-claim", self.name_claim.as_ref().map(Spanned::span)),
        ];
        for (option, place) in options {
            let Some(place) = place else {
                continue;
            };
            let why = match mode {
                Mode::Token => {
                    "a token of `mode = \"token\"` names its holder in `sub` and the stack in `aud`"
                }
                _ => "without a mode nothing proves a name",
            };
            return Err((
                place,
                format!("`{option}` belongs to `mode = \"jwt\"`: {why}"),
            ));
        }
        Ok(())
    }

    fn refuse_beside_a_backend(&self, mode: Mode) -> Result<(), Problem> {
        let place = match (&self.mode, &self.handler, &self.origins) {
            (Some(said), ..) if mode != Mode::Claimed => said.span(),
            (_, Some(said), _) => said.span(),
            (.., Some(said)) => said.span(),
            _ => return Ok(()),
        };
        let message = "the route `$connect` leads to your backend, which decides who connects: leave this out and check tokens \
                       and `Origin` there, or leave `$connect` and `$disconnect` to chatctl";
        Err((place, message.into()))
    }
}

fn no_key() -> String {
    format!("`mode = \"token\"` needs a key, and {KEYS_FILE} has none")
}

/// The entries of a list that is neither empty nor long, each of them once.
fn listed<T: Clone + PartialEq>(
    list: &Spanned<Vec<Spanned<T>>>,
    option: &str,
    remedy: &str,
) -> Result<Vec<T>, Problem> {
    let entries = list.get_ref();
    if entries.is_empty() {
        return Err((list.span(), format!("`{option}` is empty: {remedy}")));
    }
    if let Some(beyond) = entries.get(MAX_LISTED) {
        let message = format!("`{option}` has more than {MAX_LISTED} entries");
        return Err((beyond.span(), message));
    }
    let mut named: Vec<T> = Vec::new();
    for entry in entries {
        if named.contains(entry.get_ref()) {
            return Err((entry.span(), format!("`{option}` has this entry twice")));
        }
        named.push(entry.get_ref().clone());
    }
    Ok(named)
}

fn check_text(text: &str, what: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err(format!("{what} cannot be empty"));
    }
    if text.contains('*') {
        return Err(format!(
            "{what} is compared letter by letter, so `*` stands for nothing else: write it out"
        ));
    }
    if text.chars().count() > MAX_TEXT {
        return Err(format!("{what} has {MAX_TEXT} characters at most"));
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(format!("{what} cannot contain {c:?}")),
        None => Ok(()),
    }
}
