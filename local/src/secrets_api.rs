//! Parameters of Systems Manager and secrets of Secrets Manager, as functions read them.
//!
//! Served are `GetParameter` (<https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>) and
//! `GetSecretValue` (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>), for the values
//! that the request for the stack gives to dynamic references. They are kept in memory only. Not judged: `kms:Decrypt`,
//! because a reference does not say which key encrypts its value.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::{Map, Value, json};

use crate::budget::Share;
use crate::http::error::{HttpError, refuse};
use crate::http::held_body;
use crate::http::response::{HttpResponse, with_body};
use crate::iam::credentials::{Caller, Credentials};
use crate::ids;
use crate::stack::Identity;

/// The values of secrets, by the text between `{{resolve:` and `}}` of a dynamic reference. The debug output hides them.
#[derive(Default)]
pub(crate) struct Secrets(RwLock<Arc<BTreeMap<String, String>>>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.values().keys()).finish()
    }
}

impl Secrets {
    /// Serves `values` from now on, and no others.
    pub(crate) fn replace(&self, values: Arc<BTreeMap<String, String>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = values;
    }

    fn values(&self) -> Arc<BTreeMap<String, String>> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The largest request in bytes. A name has 2,048 at most.
const MAX_REQUEST: usize = 8 * 1024;

/// An operation that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    GetParameter,
    GetSecretValue,
    /// Another one of these services.
    Other,
}

impl Operation {
    /// The operation that `request` asks for, by its `X-Amz-Target`; `None` if it is of another service.
    pub(crate) fn from_request(request: &Request<Incoming>) -> Option<Self> {
        let target = request.headers().get("X-Amz-Target")?.to_str().ok()?;
        match target {
            "AmazonSSM.GetParameter" => Some(Self::GetParameter),
            "secretsmanager.GetSecretValue" => Some(Self::GetSecretValue),
            other => ["AmazonSSM.", "secretsmanager."]
                .iter()
                .any(|service| other.starts_with(service))
                .then_some(Self::Other),
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::GetParameter => "ssm:GetParameter",
            Self::GetSecretValue => "secretsmanager:GetSecretValue",
            Self::Other => "",
        }
    }

    /// The member with the name.
    const fn member(self) -> &'static str {
        match self {
            Self::GetSecretValue => "SecretId",
            Self::GetParameter | Self::Other => "Name",
        }
    }
}

/// Serves `operation`, only to the stack's functions: everyone else on this machine has the files.
pub(crate) async fn handle(
    secrets: &Secrets,
    (credentials, identity): (&Credentials, &Identity),
    share: &Arc<Share>,
    operation: Operation,
    request: Request<Incoming>,
) -> HttpResponse {
    let responding = async {
        if operation == Operation::Other {
            let message = "the local target serves GetParameter and GetSecretValue only";
            return Err(error("UnknownOperationException", message));
        }
        let caller = credentials.caller(request.headers(), request.uri().query());
        let headers = request.headers().clone();
        let body = held_body(request.into_body(), MAX_REQUEST, share).await;
        let (body, _held) =
            body.map_err(|_| error("SerializationException", "the request cannot be read"))?;
        let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
        let name = asked[operation.member()].as_str().unwrap_or_default();
        let resource = resource(operation, name, identity);
        authorize(&caller, operation, &resource, &headers)?;
        respond(&secrets.values(), operation, name, &resource)
    };
    match responding.await {
        Ok(body) => with_body(
            Response::builder()
                .header("Content-Type", "application/x-amz-json-1.1")
                .header("x-amzn-RequestId", ids::invocation_id()),
            body.to_string(),
        ),
        Err(error) => refuse(error),
    }
}

/// The resource for policies. A version is no part of it, and a secret's name gets an end as Secrets Manager adds one.
fn resource(operation: Operation, name: &str, identity: &Identity) -> String {
    let Identity {
        region, account_id, ..
    } = identity;
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    match operation {
        Operation::GetSecretValue => {
            format!("arn:aws:secretsmanager:{region}:{account_id}:secret:{name}-LocalX")
        }
        Operation::GetParameter | Operation::Other => {
            let name = name
                .split(':')
                .next()
                .unwrap_or_default()
                .trim_start_matches('/');
            format!("arn:aws:ssm:{region}:{account_id}:parameter/{name}")
        }
    }
}

fn authorize(
    caller: &Caller,
    operation: Operation,
    resource: &str,
    headers: &hyper::HeaderMap,
) -> Result<(), HttpError> {
    let action = operation.action();
    let principal = match caller {
        Caller::Function(principal) => principal,
        Caller::Operator | Caller::Anonymous => {
            return Err(error(
                "AccessDeniedException",
                "only the functions of the stack may read its secrets here",
            ));
        }
    };
    let decision = principal.decide(action, resource, headers);
    match decision.denial(&principal.arn, action, resource) {
        None => Ok(()),
        Some(message) => Err(error("AccessDeniedException", &message)),
    }
}

fn respond(
    values: &BTreeMap<String, String>,
    operation: Operation,
    name: &str,
    resource: &str,
) -> Result<Value, HttpError> {
    if operation == Operation::GetParameter {
        return match values.get(&format!("ssm:{name}")) {
            Some(value) => Ok(json!({ "Parameter": {
                "ARN": resource, "DataType": "text", "Name": name, "Type": "SecureString", "Value": value, "Version": 1,
            }})),
            None => Err(error(
                "ParameterNotFound",
                &format!("no value is given for `ssm:{name}` on this machine"),
            )),
        };
    }
    let plain = format!("secretsmanager:{name}:SecretString");
    let members: Map<String, Value> = values
        .iter()
        .filter_map(|(reference, value)| {
            let key = reference.strip_prefix(&plain)?.strip_prefix(':')?;
            Some((key.to_owned(), json!(value)))
        })
        .collect();
    let value = match values.get(&plain) {
        Some(value) => value.clone(),
        None if !members.is_empty() => Value::Object(members).to_string(),
        None => {
            let message = format!("no value is given for `{plain}` on this machine");
            return Err(error("ResourceNotFoundException", &message));
        }
    };
    Ok(
        json!({ "ARN": resource, "Name": name, "SecretString": value, "VersionStages": ["AWSCURRENT"] }),
    )
}

/// An error as these services have it.
fn error(kind: &str, message: &str) -> HttpError {
    HttpError {
        body: json!({ "__type": kind, "message": message }).to_string(),
        ..HttpError::gateway(400, kind, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> BTreeMap<String, String> {
        [
            ("ssm:/chat/key:3", "one"),
            ("secretsmanager:plain:SecretString", "two"),
            ("secretsmanager:db:SecretString:user", "ann"),
            ("secretsmanager:db:SecretString:password", "three"),
        ]
        .map(|(reference, value)| (reference.to_owned(), value.to_owned()))
        .into()
    }

    #[test]
    fn a_parameter_and_a_secret_have_the_values_of_their_references() {
        let parameter = respond(&values(), Operation::GetParameter, "/chat/key:3", "arn").unwrap();
        assert_eq!(parameter["Parameter"]["Value"], "one");
        let secret = |id: &str| {
            let answer = respond(&values(), Operation::GetSecretValue, id, "arn");
            answer.map(|answer| answer["SecretString"].as_str().unwrap().to_owned())
        };
        assert_eq!(secret("plain").unwrap(), "two");
        let members: Value = serde_json::from_str(&secret("db").unwrap()).unwrap();
        assert_eq!(members, json!({ "user": "ann", "password": "three" }));
        assert!(
            secret("d")
                .unwrap_err()
                .body
                .contains("ResourceNotFoundException")
        );
        let missing = respond(&values(), Operation::GetParameter, "/chat/key", "arn").unwrap_err();
        assert!(missing.body.contains("ParameterNotFound"));
    }

    #[test]
    fn policies_name_a_parameter_without_its_version_and_a_secret_with_its_end() {
        let identity = Identity {
            stack_name: "chat".into(),
            region: "eu-west-1".into(),
            account_id: "123456789012".into(),
            seed: String::new(),
        };
        let of = |operation, name| resource(operation, name, &identity);
        assert_eq!(
            of(Operation::GetParameter, "/chat/key:3"),
            "arn:aws:ssm:eu-west-1:123456789012:parameter/chat/key"
        );
        assert_eq!(
            of(Operation::GetSecretValue, "chat/db"),
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chat/db-LocalX"
        );
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chat-AbCdEf";
        assert_eq!(of(Operation::GetSecretValue, arn), arn);
    }

    #[test]
    fn debug_output_has_the_references_and_not_the_values() {
        let secrets = Secrets::default();
        secrets.replace(Arc::new(
            [("ssm:a".to_owned(), "topsecret".to_owned())].into(),
        ));
        assert_eq!(format!("{secrets:?}"), "{\"ssm:a\"}");
    }
}
