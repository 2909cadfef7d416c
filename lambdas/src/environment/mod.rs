//! Reads the function's environment: which handler to run, and the addresses of its table and API.
//!
//! | variable | meaning |
//! |---|---|
//! | `_HANDLER` | the function's Handler property: the name of a [`Handler`] |
//! | `TABLE_NAME` | the table of connections |
//! | `CONNECTIONS_ENDPOINT` | the address for posts, stage included:
//! `https://ID.execute-api.REGION.amazonaws.com/STAGE` |
//! | `NAMES` | `optional` accepts clients without names; not set: `required` |
//! | `INDEX` | the key that connections are found by: `room` or `friend,room`; not set: `friend` |
//! | `ROUTES` | the rule of each route for its frames, as JSON by route key ([`Routes::parse`]); not set: the whole
//! frame is the message |
//! | `REVIEWS` | the review of each route that has one, as JSON by route key; not set: messages are not reviewed |
//! | `DELIVER_FUNCTION` | the function that `broadcast` hands large rooms to: its name or ARN |
//! | `ANNOUNCE_FUNCTION` | the function that says in a room who has come and who has left; not set: none does |
//! | `REPLY` | `true` for a user's handler whose return value goes to the sender |
//! | `AUTH_MODE` | `token` or `jwt`: a token must prove the name; `handler`: the user's authorizer does; not set:
//! `claimed` |
//! | `AUTH_KEYS` | for `token`: the public keys, as a JWK Set |
//! | `AUTH_ISSUER` | for `jwt`: the issuer's URL |
//! | `AUTH_AUDIENCE` | the audiences of which a token must name one, as a JSON list |
//! | `AUTH_NAME_CLAIM` | the claim with the name; not set: `sub` |
//! | `AUTH_ORIGINS` | the origins whose pages may connect, as a JSON list; not set: all |
//! | `MESSAGES_PER_SECOND`, `CONNECTIONS_PER_NAME`, `ROOM_SIZE` | how many are accepted; not set: any number |
//! | `SECRETS` | where a user's handler finds its secrets, as JSON by name; not set: it has none |
//! | `HISTORY` | for how many seconds messages are kept at most; not set: as long as any may be |
//! | `AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI` | overrides `CONNECTIONS_ENDPOINT` |
//! | `AWS_ENDPOINT_URL_DYNAMODB`, else `AWS_ENDPOINT_URL` | a table that is not at AWS |
//! | `AWS_ENDPOINT_URL_LAMBDA`, else `AWS_ENDPOINT_URL` | functions that are not at AWS |
//! | `AWS_ENDPOINT_URL_SSM`, `AWS_ENDPOINT_URL_SECRETS_MANAGER`, else `AWS_ENDPOINT_URL` | secrets that are not at AWS |
//! | `LOG_LEVEL`, else `AWS_LAMBDA_LOG_LEVEL` | `DEBUG`, `INFO` (default), `WARN` or `ERROR` |
//!
//! The stack's own variables have their names from [`chat_protocol::variable`]. Region and credentials are those that Lambda sets
//! (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>).

mod announce;
mod auth;
mod limits;
mod review;
mod secrets;

use chat_protocol::{Handler, Index, Names, variable};

use crate::log::Level;
use crate::routes::Routes;
pub use secrets::SecretEndpoints;

/// A function's environment, read through a lookup so that tests need not change their own.
#[derive(Clone, Copy)]
pub struct Environment<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
}

impl std::fmt::Debug for Environment<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Environment")
    }
}

/// Why a function cannot start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// A variable is not set, or empty.
    #[error("environment variable `{variable}` is not set; {remedy}")]
    Missing {
        /// Its name.
        variable: &'static str,
        /// The component that should have set it.
        remedy: &'static str,
    },
    /// The Handler property names no handler of this binary.
    #[error(
        "there is no handler `{name}` in this binary; set the function's Handler property to {}",
        alternatives(&Handler::ALL.map(Handler::name))
    )]
    UnknownHandler {
        /// Its value.
        name: String,
    },
    /// A variable has an invalid value.
    #[error("`{variable}` is `{value}`, which is not valid; {remedy}")]
    NotUnderstood {
        /// Its name.
        variable: &'static str,
        /// Its value.
        value: String,
        /// Its valid values.
        remedy: String,
    },
    /// An endpoint is not a URL.
    #[error("`{variable}` is `{value}`, which does not begin with http:// or https://")]
    NotAUrl {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
}

/// The Region and the credentials that the AWS clients sign with.
#[derive(Clone)]
pub struct Identity {
    /// The region.
    pub region: String,
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The session token of temporary credentials. A function's credentials always have one.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Identity")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// The table's name and address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableAddress {
    /// The table's name.
    pub name: String,
    /// A URL, if it is not at AWS.
    pub endpoint: Option<String>,
}

/// The function's name and address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionAddress {
    /// Its name or ARN.
    pub name: String,
    /// A URL, if it is not at AWS.
    pub endpoint: Option<String>,
}

impl<'a> Environment<'a> {
    /// An environment in which `lookup` finds the variables.
    #[must_use]
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup }
    }

    /// The handler to run.
    ///
    /// # Errors
    /// [`EnvironmentError`] when there is none, or it is unknown.
    pub fn handler(&self) -> Result<Handler, EnvironmentError> {
        let name = self.required("_HANDLER", "Lambda sets it to the Handler property")?;
        Handler::from_name(&name).ok_or(EnvironmentError::UnknownHandler { name })
    }

    /// Whether a client must send its name.
    ///
    /// # Errors
    /// [`EnvironmentError::NotUnderstood`]: a misspelt value must not allow more.
    pub fn names(&self) -> Result<Names, EnvironmentError> {
        let choices = Names::ALL.map(|names| (names.word(), names));
        self.choice(variable::NAMES, Names::Required, &choices)
    }

    /// The key that connections are found by.
    ///
    /// # Errors
    /// [`EnvironmentError::NotUnderstood`]
    pub fn index(&self) -> Result<Index, EnvironmentError> {
        let choices = Index::ALL.map(|index| (index.word(), index));
        self.choice(variable::INDEX, Index::Friend, &choices)
    }

    /// The rule of each route for its frames.
    ///
    /// # Errors
    /// [`EnvironmentError::NotUnderstood`] with the place in the JSON.
    pub fn routes(&self) -> Result<Routes, EnvironmentError> {
        let Some(value) = self.optional(variable::ROUTES) else {
            return Ok(Routes::default());
        };
        Routes::parse(&value).map_err(|reason| EnvironmentError::NotUnderstood {
            variable: variable::ROUTES,
            value,
            remedy: format!("it must be JSON by route key: {reason}"),
        })
    }

    /// The function that serves one shard of a large room.
    ///
    /// # Errors
    /// [`EnvironmentError`] when it is not named, or its endpoint is not a URL.
    pub fn deliver_function(&self) -> Result<FunctionAddress, EnvironmentError> {
        let remedy = "the stack sets it to the name of its function for large rooms";
        self.function(self.required(variable::DELIVER_FUNCTION, remedy)?)
    }

    /// The function that runs here.
    ///
    /// # Errors
    /// [`EnvironmentError`] when it has no name, or its endpoint is not a URL.
    pub fn own_function(&self) -> Result<FunctionAddress, EnvironmentError> {
        self.function(self.required("AWS_LAMBDA_FUNCTION_NAME", "Lambda sets it")?)
    }

    fn function(&self, name: String) -> Result<FunctionAddress, EnvironmentError> {
        let endpoint = self.functions_endpoint()?;
        Ok(FunctionAddress { name, endpoint })
    }

    /// The address of the Runtime API: host and port.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`]
    pub fn runtime_api(&self) -> Result<String, EnvironmentError> {
        self.required("AWS_LAMBDA_RUNTIME_API", "Lambda sets it")
    }

    /// Whether Lambda would send several events at a time.
    #[must_use]
    pub fn is_concurrency_declared(&self) -> bool {
        self.optional("AWS_LAMBDA_MAX_CONCURRENCY").is_some()
    }

    /// Whether the function's return value goes to the sender.
    #[must_use]
    pub fn replies(&self) -> bool {
        self.optional(variable::REPLY).as_deref() == Some("true")
    }

    /// The variable `name`; `None` if it is not set or empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        self.optional(name)
    }

    /// The least level that is logged. An invalid level counts as not set.
    #[must_use]
    pub fn log_level(&self) -> Level {
        ["LOG_LEVEL", "AWS_LAMBDA_LOG_LEVEL"]
            .iter()
            .find_map(|variable| Level::parse(&self.optional(variable)?))
            .unwrap_or(Level::Info)
    }

    /// Region and credentials.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`]
    pub fn identity(&self) -> Result<Identity, EnvironmentError> {
        let remedy = "Lambda sets it";
        Ok(Identity {
            region: self.required("AWS_REGION", remedy)?,
            access_key_id: self.required("AWS_ACCESS_KEY_ID", remedy)?,
            secret_access_key: self.required("AWS_SECRET_ACCESS_KEY", remedy)?,
            session_token: self.optional("AWS_SESSION_TOKEN"),
        })
    }

    /// The table of connections.
    ///
    /// # Errors
    /// [`EnvironmentError`] when it is not named, or its endpoint is not a URL.
    pub fn table(&self) -> Result<TableAddress, EnvironmentError> {
        let remedy = "the stack sets it to the name of its table";
        let name = self.required(variable::TABLE_NAME, remedy)?;
        let endpoint = self.first_url(&["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"])?;
        Ok(TableAddress { name, endpoint })
    }

    /// The address for posts to clients, stage included.
    ///
    /// Never taken from an event: behind a custom domain, an event's domain name is another one.
    ///
    /// # Errors
    /// [`EnvironmentError`] when there is no endpoint, or it is not a URL.
    pub fn connections_endpoint(&self) -> Result<String, EnvironmentError> {
        self.first_url(&[
            "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI",
            variable::CONNECTIONS_ENDPOINT,
        ])?
        .ok_or(EnvironmentError::Missing {
            variable: variable::CONNECTIONS_ENDPOINT,
            remedy: "the stack sets it to the address of its API and stage",
        })
    }

    fn choice<T: Copy>(
        &self,
        variable: &'static str,
        absent: T,
        choices: &[(&str, T)],
    ) -> Result<T, EnvironmentError> {
        let Some(value) = self.optional(variable) else {
            return Ok(absent);
        };
        let chosen = choices.iter().find(|(word, _)| *word == value);
        chosen.map(|(_, choice)| *choice).ok_or_else(|| {
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            EnvironmentError::NotUnderstood {
                variable,
                value,
                remedy: format!("it may be: {}", words.join(" | ")),
            }
        })
    }

    fn first_url(&self, variables: &[&'static str]) -> Result<Option<String>, EnvironmentError> {
        let first = variables
            .iter()
            .find_map(|variable| Some((*variable, self.optional(variable)?)));
        match first {
            Some((variable, value)) if !is_url(&value) => {
                Err(EnvironmentError::NotAUrl { variable, value })
            }
            first => Ok(first.map(|(_, url)| url)),
        }
    }

    fn required(
        &self,
        variable: &'static str,
        remedy: &'static str,
    ) -> Result<String, EnvironmentError> {
        self.optional(variable)
            .ok_or(EnvironmentError::Missing { variable, remedy })
    }

    fn optional(&self, variable: &str) -> Option<String> {
        (self.lookup)(variable).filter(|value| !value.is_empty())
    }
}

/// `a, b or c`
fn alternatives(words: &[&str]) -> String {
    match words {
        [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
        words => words.concat(),
    }
}

fn is_url(value: &str) -> bool {
    value.starts_with("https://") || value.starts_with("http://")
}

#[cfg(test)]
mod tests;
