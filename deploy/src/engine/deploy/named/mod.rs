//! Proves a chat with a name of the user's own, whose record may not be there yet.

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio_tungstenite::tungstenite;

use super::account::Account;
use super::cloud::CloudDeployment;
use super::proof::{PROBING, own_address, probe};
use crate::config::Settings;
use crate::config::domain::Domain;
use crate::engine::event::{DeployEvent, Reporter};
use crate::engine::execute::DeployError;
use crate::engine::limits;
use crate::engine::network::environment::addresses;
use crate::engine::network::is_by_proxy;
use crate::engine::probe::{ProbeCredential, ProbeError};
use crate::engine::target_error::{TargetError, or_interrupted};
use crate::stack::few::few;

/// For how long a name is looked up.
const LOOKUP: Duration = Duration::from_secs(5);

impl<A: Account> CloudDeployment<'_, A> {
    /// Sends messages through the chat at `url`, which is that of `domain`; where the name does not lead there yet, by API
    /// Gateway's own address. The answer is whether any were sent. `target` is what the record has to lead to.
    ///
    /// DNS takes its time, and records are often another team's. So a name that leads nowhere, or elsewhere, is a notice.
    ///
    /// # Errors
    /// The chat does not answer.
    pub(super) async fn probe_by_name(
        &self,
        (domain, url, target): (&Domain, &str, Option<&str>),
        reporter: &mut impl Reporter,
    ) -> Result<bool, DeployError> {
        let Self {
            account, request, ..
        } = self;
        let named = NamedEndpoint {
            settings: request.settings,
            credential: request.credential,
            domain,
            url,
            target,
        };
        let (stack, stage) = (&request.settings.stack, &request.settings.stage);
        let own = async || own_address(account.stacks(), account.gateways(), stack, stage).await;
        named.probe(own, limits::scaled(PROBING), reporter).await
    }
}

/// A chat that is to answer at a name.
#[derive(Debug)]
struct NamedEndpoint<'a> {
    settings: &'a Settings,
    credential: ProbeCredential<'a>,
    domain: &'a Domain,
    url: &'a str,
    /// What the name's record has to lead to, as far as it is known.
    target: Option<&'a str>,
}

impl NamedEndpoint<'_> {
    /// Tries the name, for `timeout`; else the address that `own` finds, for as long again.
    async fn probe(
        &self,
        own: impl AsyncFnOnce() -> Result<Option<String>, TargetError>,
        timeout: Duration,
        reporter: &mut impl Reporter,
    ) -> Result<bool, DeployError> {
        let (why, failure) =
            match or_interrupted(resolve(self.url, self.domain.name.as_ref())).await? {
                Resolution::Nowhere => ("it cannot be resolved".to_owned(), None),
                resolution => {
                    match probe(self.url, self.settings, self.credential, timeout, reporter).await {
                        Ok(()) => return Ok(true),
                        Err(error) => match name_failure(&error) {
                            None => return Err(error),
                            Some(NameFailure::Unopened(why)) => (resolution.without(&why), None),
                            Some(NameFailure::Otherwise(why)) => {
                                (resolution.with_another(&why), Some(error))
                            }
                        },
                    }
                }
            };
        let own = match self.domain.disable_default_endpoint {
            true => None,
            false => or_interrupted(own()).await?,
        };
        match (own, failure) {
            (Some(own), _) => {
                probe(&own, self.settings, self.credential, timeout, reporter).await?;
                reporter.report(&DeployEvent::Notice(self.notice(&why, Some(&own))));
                Ok(true)
            }
            (None, None) => {
                reporter.report(&DeployEvent::Notice(self.notice(&why, None)));
                Ok(false)
            }
            // A server answers, which may be the chat: nothing else can be asked.
            (None, Some(error)) => Err(self.explained(error, &why)),
        }
    }

    /// What is said of a name that does not lead to the chat yet; `own` is the address at which the chat answered.
    fn notice(&self, why: &str, own: Option<&str>) -> String {
        let proof = match (own, self.domain.disable_default_endpoint) {
            (Some(own), _) => format!("the chat was tried at {own}, where it answers"),
            (None, true) => "whether the chat answers was not tried, because API Gateway's own address is closed \
                             (`disable-default-endpoint`)"
                .to_owned(),
            (None, false) => "whether the chat answers was not tried".to_owned(),
        };
        format!(
            "{} does not lead to the chat yet: {why}. {}; {proof}; `chatctl chat` tries the name",
            self.domain.name,
            self.remedy()
        )
    }

    /// What is to be done about the record.
    fn remedy(&self) -> String {
        match self.target {
            Some(target) => format!(
                "Its record has to lead to {target}: a new or changed one takes some minutes, and one that is missing has to be \
                 made"
            ),
            None => {
                "A new record takes some minutes, and one that is missing has to be made".to_owned()
            }
        }
    }

    /// A failure that may be another server's.
    fn explained(&self, error: DeployError, why: &str) -> DeployError {
        match error {
            DeployError::Unproven(mut unproven) => {
                unproven.known = Some(format!(
                    "{} may not lead to the chat yet: {why}. {}; API Gateway's own address is closed \
                     (`disable-default-endpoint`), so nothing else could be tried",
                    self.domain.name,
                    self.remedy()
                ));
                DeployError::Unproven(unproven)
            }
            error => error,
        }
    }
}

/// Where a name leads.
#[derive(Debug, PartialEq, Eq)]
enum Resolution {
    /// It has no address.
    Nowhere,
    /// To these addresses.
    To(Vec<String>),
    /// A proxy resolves it. This machine need not be able to.
    ByProxy,
}

impl Resolution {
    /// Why there was no connection.
    fn without(&self, why: &str) -> String {
        match self {
            Self::To(addresses) => format!("at {} it takes no connection ({why})", few(addresses)),
            Self::Nowhere | Self::ByProxy => format!("it takes no connection ({why})"),
        }
    }

    /// Why another server may have answered.
    fn with_another(&self, why: &str) -> String {
        match self {
            Self::To(addresses) => {
                format!("at {} something else answers ({why})", few(addresses))
            }
            Self::Nowhere | Self::ByProxy => format!("something else answers ({why})"),
        }
    }
}

/// Where `host`, that of `url`, leads from this machine.
///
/// # Errors
/// A variable names no proxy that can be used.
async fn resolve(url: &str, host: &str) -> Result<Resolution, TargetError> {
    if is_by_proxy(url)? {
        return Ok(Resolution::ByProxy);
    }
    let looking = tokio::time::timeout(limits::scaled(LOOKUP), addresses(host, 443));
    let found = match looking.await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    Ok(match found.is_empty() {
        true => Resolution::Nowhere,
        false => Resolution::To(found.iter().map(|it| it.ip().to_string()).collect()),
    })
}

/// Why a name may lead elsewhere.
#[derive(Debug, PartialEq, Eq)]
enum NameFailure {
    /// No server has answered as one for WebSockets or HTTP.
    Unopened(String),
    /// One has, and not as the chat should.
    Otherwise(String),
}

/// What a failure says of the name; `None` if it says nothing of it.
fn name_failure(error: &DeployError) -> Option<NameFailure> {
    let DeployError::Unproven(unproven) = error else {
        return None;
    };
    match &unproven.error {
        ProbeError::Setup(_) => None,
        ProbeError::Proxy { source, .. } if source.is_login_required => None,
        ProbeError::Proxy { source, .. } => Some(NameFailure::Unopened(source.to_string())),
        ProbeError::NoAnswer { .. } => Some(NameFailure::Unopened("it does not answer".to_owned())),
        ProbeError::Connect { source, .. } => Some(match **source {
            tungstenite::Error::Http(_) => NameFailure::Otherwise(source.to_string()),
            _ => NameFailure::Unopened(source.to_string()),
        }),
        error => Some(NameFailure::Otherwise(error.to_string())),
    }
}
