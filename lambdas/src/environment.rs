//! What the function's environment says: which handler to be, and where its table and API are.
//!
//! | variable | meaning |
//! |---|---|
//! | `_HANDLER` | the function's Handler property: `authorize`, `connect`, `disconnect` or `direct` |
//! | `TABLE_NAME` | the table of connections |
//! | `CONNECTIONS_ENDPOINT` | where to post, stage included: `https://ID.execute-api.REGION.amazonaws.com/STAGE` |
//! | `AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI` | wins over `CONNECTIONS_ENDPOINT` |
//! | `AWS_ENDPOINT_URL_DYNAMODB`, else `AWS_ENDPOINT_URL` | a table that is not at AWS |
//! | `LOG_LEVEL`, else `AWS_LAMBDA_LOG_LEVEL` | `DEBUG`, `INFO` (default), `WARN` or `ERROR` |
//!
//! Region and credentials are those that Lambda sets
//! (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>).

use crate::log::Level;

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
        /// Who should have set it.
        remedy: &'static str,
    },
    /// The Handler property names nothing in this binary.
    #[error(
        "there is no handler `{name}` in this binary; set the function's Handler property to authorize, connect, disconnect or direct"
    )]
    UnknownHandler {
        /// What it says.
        name: String,
    },
    /// An endpoint is not a URL.
    #[error("`{variable}` is `{value}`, which does not begin with http:// or https://")]
    NotAUrl {
        /// The variable.
        variable: &'static str,
        /// What it says.
        value: String,
    },
}

/// The handlers of this binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// [`crate::handlers::authorize`]
    Authorize,
    /// [`crate::handlers::connect`]
    Connect,
    /// [`crate::handlers::disconnect`]
    Disconnect,
    /// [`crate::handlers::direct`]
    Direct,
}

/// Where the AWS clients sign for, and with what.
#[derive(Clone)]
pub struct Identity {
    /// The region.
    pub region: String,
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The session token of temporary credentials, which those of a function always are.
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

/// Which table, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableAddress {
    /// The table's name.
    pub name: String,
    /// A URL, when it is not at AWS.
    pub endpoint: Option<String>,
}

impl<'a> Environment<'a> {
    /// An environment in which `lookup` finds the variables.
    #[must_use]
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup }
    }

    /// Which handler to be.
    ///
    /// # Errors
    /// [`EnvironmentError`] when there is none, or it is unknown.
    pub fn handler(&self) -> Result<Handler, EnvironmentError> {
        let name = self.required("_HANDLER", "Lambda sets it to the Handler property")?;
        match name.as_str() {
            "authorize" => Ok(Handler::Authorize),
            "connect" => Ok(Handler::Connect),
            "disconnect" => Ok(Handler::Disconnect),
            "direct" => Ok(Handler::Direct),
            _ => Err(EnvironmentError::UnknownHandler { name }),
        }
    }

    /// From which level on to log. A level that is not understood counts as absent.
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
        let name = self.required("TABLE_NAME", "the stack sets it to the name of its table")?;
        let endpoint = self.first_url(&["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"])?;
        Ok(TableAddress { name, endpoint })
    }

    /// Where to post to clients, stage included.
    ///
    /// Never taken from an event: behind a custom domain, an event's domain name leads elsewhere.
    ///
    /// # Errors
    /// [`EnvironmentError`] when there is no endpoint, or it is not a URL.
    pub fn connections_endpoint(&self) -> Result<String, EnvironmentError> {
        self.first_url(&[
            "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI",
            CONNECTIONS_ENDPOINT,
        ])?
        .ok_or(EnvironmentError::Missing {
            variable: CONNECTIONS_ENDPOINT,
            remedy: "the stack sets it to the address of its API and stage",
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

const CONNECTIONS_ENDPOINT: &str = "CONNECTIONS_ENDPOINT";

fn is_url(value: &str) -> bool {
    value.starts_with("https://") || value.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::{Environment, EnvironmentError, Handler, TableAddress};
    use crate::log::Level;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    #[test]
    fn the_handler_property_chooses_the_handler() {
        let handler = |name| within(&[("_HANDLER", name)], |it| it.handler());
        assert_eq!(handler("authorize"), Ok(Handler::Authorize));
        assert_eq!(handler("direct"), Ok(Handler::Direct));
        assert_eq!(
            handler("Direct").unwrap_err().to_string(),
            "there is no handler `Direct` in this binary; set the function's Handler property to authorize, connect, disconnect or direct"
        );
        assert!(matches!(handler(""), Err(EnvironmentError::Missing { .. })));
    }

    #[test]
    fn an_endpoint_for_one_service_wins_over_the_general_ones() {
        let general = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
        let ours = ("CONNECTIONS_ENDPOINT", "https://a.example/v1");
        let name = ("TABLE_NAME", "t");
        let table = |variables: Variables<'_>| within(variables, |it| it.table());
        let at = |endpoint: Option<&str>| {
            Ok(TableAddress {
                name: "t".to_owned(),
                endpoint: endpoint.map(str::to_owned),
            })
        };
        assert_eq!(table(&[name]), at(None));
        assert_eq!(table(&[name, general]), at(Some("http://127.0.0.1:1")));
        let own = ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:2");
        assert_eq!(table(&[name, general, own]), at(Some("http://127.0.0.1:2")));

        let posts = |variables: Variables<'_>| within(variables, |it| it.connections_endpoint());
        assert_eq!(posts(&[ours, general]).unwrap(), ours.1);
        let own = (
            "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI",
            "http://127.0.0.1:3/v1",
        );
        assert_eq!(posts(&[ours, own]).unwrap(), own.1);
    }

    #[test]
    fn an_endpoint_without_scheme_is_refused_with_its_variable() {
        let posts = within(&[("CONNECTIONS_ENDPOINT", "wss://a.example/v1")], |it| {
            it.connections_endpoint()
        });
        assert_eq!(
            posts.unwrap_err().to_string(),
            "`CONNECTIONS_ENDPOINT` is `wss://a.example/v1`, which does not begin with http:// or https://"
        );
    }

    #[test]
    fn the_log_level_is_ours_then_lambdas_then_info() {
        let level = |variables: Variables<'_>| within(variables, |it| it.log_level());
        let lambda = ("AWS_LAMBDA_LOG_LEVEL", "WARN");
        assert_eq!(level(&[]), Level::Info);
        assert_eq!(level(&[lambda]), Level::Warn);
        assert_eq!(level(&[lambda, ("LOG_LEVEL", "debug")]), Level::Debug);
        assert_eq!(level(&[lambda, ("LOG_LEVEL", "?")]), Level::Warn);
    }

    #[test]
    fn credentials_never_appear_in_debug_output() {
        let identity = within(
            &[
                ("AWS_REGION", "eu-west-1"),
                ("AWS_ACCESS_KEY_ID", "key-id"),
                ("AWS_SECRET_ACCESS_KEY", "hush"),
                ("AWS_SESSION_TOKEN", "hush"),
            ],
            |it| it.identity(),
        );
        let shown = format!("{:?}", identity.unwrap());
        assert!(
            shown.contains("eu-west-1") && !shown.contains("hush"),
            "{shown}"
        );
    }

    fn within<T>(variables: Variables<'_>, question: impl FnOnce(Environment<'_>) -> T) -> T {
        question(Environment::new(&|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        }))
    }
}
