//! Identifies callers and authorizes them: access keys lead to roles, and the roles' policies decide.
//!
//! Every function gets its own temporary key. A request signed with any other key comes from the operator, the person
//! who runs the stack, who may do everything but read secrets ([`crate::secrets_api`]). Signatures are not verified:
//! another program of the same user could read the secrets in the processes' environments anyway.
//! [`crate::http::browser`] refuses web pages, [`crate::http::peers`] other users of the machine.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use crate::http::error::HttpError;
use crate::iam::{self, Decision, Policy};
use crate::{ids, moments};

/// Temporary credentials of a function.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) session_token: String,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("AccessKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A session of a function's role.
#[derive(Debug)]
pub(crate) struct Principal {
    /// `arn:aws:sts::{account}:assumed-role/{role}/{function}`.
    pub(crate) arn: String,
    /// The caller's values of IAM's global condition keys.
    about: Vec<(&'static str, String)>,
    policies: Vec<Policy>,
}

impl Principal {
    /// The decision of the role's policies about a request with these `headers`.
    pub(crate) fn decide(
        &self,
        action: &str,
        resource: &str,
        headers: &hyper::HeaderMap,
    ) -> Decision {
        self.decide_with(action, resource, headers, BTreeMap::new)
    }

    /// The decision of the role's policies about a request with further condition keys; `context` is only called if a
    /// policy has a condition.
    pub(crate) fn decide_with(
        &self,
        action: &str,
        resource: &str,
        headers: &hyper::HeaderMap,
        context: impl FnOnce() -> BTreeMap<String, Vec<String>>,
    ) -> Decision {
        if !self.policies.iter().any(Policy::has_conditions) {
            return decide(&self.policies, action, resource);
        }
        let agent = headers
            .get(hyper::header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok());
        let mut whole = ambient("127.0.0.1", agent);
        let about = self.about.iter();
        whole.extend(about.map(|(key, value)| ((*key).to_owned(), vec![value.clone()])));
        whole.extend(context());
        let request = iam::Request {
            action: action.to_owned(),
            resource: resource.to_owned(),
            context: whole,
        };
        iam::decide(&self.policies, &request)
    }
}

/// The condition keys of every request to AWS, from any caller:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>.
///
/// The local target listens without TLS, but AWS's endpoints have it.
pub(crate) fn ambient(source_ip: &str, user_agent: Option<&str>) -> BTreeMap<String, Vec<String>> {
    let now = moments::now_millis();
    let keys = [
        ("aws:SecureTransport", Some("true".to_owned())),
        ("aws:CurrentTime", Some(moments::iso(now))),
        ("aws:EpochTime", Some((now / 1000).to_string())),
        ("aws:SourceIp", Some(source_ip.to_owned())),
        ("aws:UserAgent", user_agent.map(str::to_owned)),
        ("aws:ViaAWSService", Some("false".to_owned())),
        ("aws:PrincipalIsAWSService", Some("false".to_owned())),
    ]
    .into_iter();
    keys.filter_map(|(key, value)| Some((key.to_owned(), vec![value?])))
        .collect()
}

/// A function and its role.
#[derive(Debug)]
pub(crate) struct AssumedRole<'r> {
    pub(crate) account_id: &'r str,
    pub(crate) region: &'r str,
    pub(crate) function_arn: &'r str,
    pub(crate) function_name: &'r str,
    pub(crate) role_arn: &'r str,
    pub(crate) policies: &'r [Policy],
}

impl AssumedRole<'_> {
    fn principal(&self) -> Principal {
        let Self {
            account_id,
            function_name,
            role_arn,
            ..
        } = self;
        let role = role_arn.rsplit('/').next().unwrap_or_default();
        Principal {
            arn: format!("arn:aws:sts::{account_id}:assumed-role/{role}/{function_name}"),
            about: vec![
                ("aws:PrincipalArn", (*role_arn).to_owned()),
                ("aws:PrincipalAccount", (*account_id).to_owned()),
                ("aws:PrincipalType", "AssumedRole".to_owned()),
                ("aws:userid", format!("AROALOCALSTACKROLE:{function_name}")),
                ("aws:ResourceAccount", (*account_id).to_owned()),
                ("aws:RequestedRegion", self.region.to_owned()),
            ],
            policies: self.policies.to_vec(),
        }
    }
}

/// The signer of a request.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// A function, under its role.
    Function(Arc<Principal>),
    /// Any other key: the person who runs the stack.
    Operator,
    /// The request is not signed.
    Anonymous,
}

/// All keys in use, and the current permissions of their roles.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    keys: RwLock<BTreeMap<String, AccessKey>>,
    principals: RwLock<HashMap<String, Arc<Principal>>>,
}

impl Credentials {
    /// The key of a function. It stays the same while the stack runs.
    pub(crate) fn key_of(&self, function_arn: &str) -> AccessKey {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.entry(function_arn.to_owned())
            .or_insert_with(new_key)
            .clone()
    }

    /// Sets the roles of the functions' keys from now on. Processes of removed functions keep theirs.
    pub(crate) fn adopt<'r>(&self, roles: impl IntoIterator<Item = AssumedRole<'r>>) {
        for role in roles {
            let key = self.key_of(role.function_arn);
            self.principals
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(key.id, Arc::new(role.principal()));
        }
    }

    /// The signer of a request with these headers and this query (SigV4, in either place).
    pub(crate) fn caller(&self, headers: &hyper::HeaderMap, query: Option<&str>) -> Caller {
        let header = headers
            .get(hyper::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let key = header
            .and_then(key_in_header)
            .map(str::to_owned)
            .or_else(|| query.and_then(key_in_query));
        let Some(key) = key else {
            return Caller::Anonymous;
        };
        match self
            .principals
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
        {
            Some(principal) => Caller::Function(Arc::clone(principal)),
            None => Caller::Operator,
        }
    }
}

/// Lets a request of the operator's pass, and one of a function whose role may do `action` on `resource`. `denial`
/// words a decision for the ARN of the caller.
///
/// # Errors
/// The response of AWS's APIs that are called by HTTP methods: 403.
pub(crate) fn authorize<B>(
    credentials: &Credentials,
    request: &hyper::Request<B>,
    (action, resource): (&str, &str),
    denial: impl FnOnce(Decision, &str) -> Option<String>,
) -> Result<(), HttpError> {
    let principal = match credentials.caller(request.headers(), request.uri().query()) {
        Caller::Operator => return Ok(()),
        Caller::Anonymous => return Err(HttpError::missing_token()),
        Caller::Function(principal) => principal,
    };
    let decision = principal.decide(action, resource, request.headers());
    match denial(decision, &principal.arn) {
        None => Ok(()),
        Some(message) => Err(HttpError::access_denied(&message)),
    }
}

/// The decision of `policies` about `action` on `resource`, with only the global condition keys.
pub(crate) fn decide(policies: &[Policy], action: &str, resource: &str) -> Decision {
    decide_knowing(policies, action, resource, ambient("127.0.0.1", None))
}

/// The decision of `policies` about a request with the condition keys in `context`.
pub(crate) fn decide_knowing(
    policies: &[Policy],
    action: &str,
    resource: &str,
    context: BTreeMap<String, Vec<String>>,
) -> Decision {
    let request = iam::Request {
        action: action.to_owned(),
        resource: resource.to_owned(),
        context,
    };
    iam::decide(policies, &request)
}

/// `Credential=KEY/…` of `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
fn key_in_header(header: &str) -> Option<&str> {
    let parameters = header.strip_prefix("AWS4-HMAC-SHA256")?;
    let credential = parameters
        .split([',', ' '])
        .find_map(|part| part.trim().strip_prefix("Credential="))?;
    credential.split('/').next().filter(|key| !key.is_empty())
}

fn key_in_query(query: &str) -> Option<String> {
    let value = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
    let value = percent_encoding::percent_decode_str(value)
        .decode_utf8()
        .ok()?;
    value
        .split('/')
        .next()
        .filter(|key| !key.is_empty())
        .map(str::to_owned)
}

fn new_key() -> AccessKey {
    const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const ANY: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    AccessKey {
        id: format!("ASIA{}", ids::random_text(16, UPPER)),
        secret: ids::random_text(40, ANY),
        session_token: ids::random_text(64, ANY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_the_header_and_in_the_query() {
        let header = "AWS4-HMAC-SHA256 Credential=ASIAX/20260101/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=ab";
        assert_eq!(key_in_header(header), Some("ASIAX"));
        assert_eq!(
            key_in_header("AWS4-HMAC-SHA256 SignedHeaders=host,Credential=AKIA/x"),
            Some("AKIA")
        );
        assert_eq!(key_in_header("Bearer x"), None);
        assert_eq!(key_in_header("AWS4-HMAC-SHA256 Credential=/x"), None);
        assert_eq!(
            key_in_query("a=b&X-Amz-Credential=ASIAX%2F2026&c").as_deref(),
            Some("ASIAX")
        );
    }

    #[test]
    fn a_function_keeps_its_key_and_the_secret_is_not_shown() {
        let credentials = Credentials::default();
        let key = credentials.key_of("arn:one");
        assert_eq!(key, credentials.key_of("arn:one"));
        assert_ne!(key, credentials.key_of("arn:two"));
        assert!(!format!("{credentials:?}").contains(&key.secret));
    }
}
