//! What a name of the user's own and access logs need in the account, looked up before anything is touched.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use chatctl_deploy::aws::AwsTarget;
use chatctl_deploy::config::Settings;
use chatctl_deploy::config::domain::Domain;
use chatctl_deploy::engine::log_role::GatewayAccount;
use chatctl_deploy::engine::naming::{Naming, naming};
use chatctl_deploy::engine::preflight::Check;
use chatctl_deploy::engine::{ErrorKind, TargetError};

/// What the name of `settings` needs; nothing without a name.
///
/// # Errors
/// There is no certificate for it, or AWS cannot be asked.
pub(super) async fn find(settings: &Settings, target: &AwsTarget) -> Result<Naming, TargetError> {
    let Some(domain) = &settings.aws.domain else {
        return Ok(Naming::default());
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        });
    naming(domain, &target.names, &target.region, now).await
}

/// The check of the name, and what was found for it.
pub(super) async fn check(settings: &Settings, target: &AwsTarget) -> (Option<Check>, Naming) {
    if settings.aws.domain.is_none() {
        return (None, Naming::default());
    }
    match find(settings, target).await {
        Ok(naming) => (
            Some(Check::new("domain", Ok(naming.reported.clone()))),
            naming,
        ),
        Err(error) => (Some(Check::new("domain", Err(error))), Naming::default()),
    }
}

/// The check of API Gateway's role for logs, and whether it is missing.
pub(super) async fn check_logs(settings: &Settings, target: &AwsTarget) -> (Option<Check>, bool) {
    if !settings.aws.has_access_logs {
        return (None, false);
    }
    let aside = |found: &str, caution: Option<&str>| {
        Check::aside("access logs", found.to_owned(), caution.map(str::to_owned))
    };
    match target.gateways.log_role().await {
        Ok(Some(_)) => (Some(aside("API Gateway can write logs here", None)), false),
        Ok(None) => {
            let found = "API Gateway has no role for logs here; `deploy` asks whether to make it";
            (Some(aside(found, None)), true)
        }
        Err(error) if error.kind == ErrorKind::Denied => {
            let found = "whether API Gateway can write logs here is not known; the permission apigateway:GET on /account \
                         would tell";
            let caution = "whether API Gateway can write access logs in this account is not known: the permission \
                           apigateway:GET on /account would tell; if it cannot, CloudFormation refuses the stage";
            (Some(aside(found, Some(caution))), false)
        }
        Err(error) => (Some(Check::new("access logs", Err(error))), false),
    }
}

/// A record of DNS.
#[derive(Debug, Clone)]
pub(super) struct Record {
    name: String,
    leads_to: String,
}

impl Record {
    /// That of `domain`.
    pub(super) fn new(domain: &Domain, leads_to: String) -> Self {
        Self {
            name: domain.name.to_string(),
            leads_to,
        }
    }

    /// For the reader.
    pub(super) fn reported(&self) -> String {
        let Self { name, leads_to } = self;
        format!(
            "Make this record where the names of the domain are kept (an alias, where {name} is a zone of its own):\n  {name}  \
             CNAME  {leads_to}"
        )
    }

    /// For scripts.
    pub(super) fn value(&self) -> Value {
        json!({ "name": self.name, "type": "CNAME", "value": self.leads_to })
    }
}
