//! Reads parameters of Systems Manager and secrets of Secrets Manager, by the simplest protocol of AWS (JSON 1.1).

use hyper::Method;
use serde_json::{Value, json};

use super::Timeouts;
use super::failure::{CallError, Failure};
use super::http::Http;
use super::retries::Repetition;
use super::service::{Call, Service};
use crate::environment::{Identity, SecretEndpoints};
use crate::log::reasons;
use crate::secrets::{Reference, SecretError, Secrets};

/// The services, as the function's role reaches them.
///
/// The trusted certificates are read with the first request, if nothing else has read them: that takes time, and not
/// every function with secrets needs one.
#[derive(Debug)]
pub struct HttpSecrets {
    ssm: Service,
    secretsmanager: Service,
}

/// One request.
struct SecretRequest<'a> {
    service: &'a Service,
    target: &'static str,
    body: Value,
    /// Where the value is in the answer.
    value: &'static str,
}

impl HttpSecrets {
    /// Prepares requests signed by `identity`.
    #[must_use]
    pub fn new(identity: Identity, endpoints: SecretEndpoints) -> Self {
        let http = Http::new(Timeouts::CONNECT);
        let service =
            |name, endpoint| Service::new(http.clone(), &identity, name, endpoint, Timeouts::TABLE);
        Self {
            ssm: service("ssm", endpoints.ssm),
            secretsmanager: service("secretsmanager", endpoints.secretsmanager),
        }
    }

    fn question(&self, reference: &Reference) -> SecretRequest<'_> {
        match reference {
            Reference::Parameter(name) => SecretRequest {
                service: &self.ssm,
                target: "AmazonSSM.GetParameter",
                body: json!({ "Name": name, "WithDecryption": true }),
                value: "/Parameter/Value",
            },
            Reference::Secret { id, .. } => SecretRequest {
                service: &self.secretsmanager,
                target: "secretsmanager.GetSecretValue",
                body: json!({ "SecretId": id }),
                value: "/SecretString",
            },
        }
    }
}

impl Secrets for HttpSecrets {
    async fn text(&self, reference: &Reference) -> Result<String, SecretError> {
        let question = self.question(reference);
        let body = question.body.to_string().into_bytes();
        let call = Call {
            method: Method::POST,
            path: "/".to_owned(),
            headers: vec![("x-amz-target", question.target)],
            body: Some(("application/x-amz-json-1.1", body.into())),
            repetition: Repetition::Free,
        };
        let answer = question
            .service
            .send(&call)
            .await
            .map_err(|error| refused(&error, reference, question.service))?;
        // An answer that is not JSON could be anyone's page, so nothing of it is repeated.
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let value = json.pointer(question.value).and_then(Value::as_str);
        value.map(str::to_owned).ok_or_else(|| SecretError::Unread {
            reference: reference.to_string(),
            words: "the answer has no text; binary secrets are not supported".to_owned(),
        })
    }
}

/// What `error` means for the secret.
fn refused(error: &CallError, reference: &Reference, service: &Service) -> SecretError {
    let reference = reference.to_string();
    let unread = |words| SecretError::Unread {
        reference: reference.clone(),
        words,
    };
    let error_response = match &error.failure {
        Failure::TimedOut(within) => {
            let (endpoint, within) = (service.endpoint(), within.as_secs_f64());
            return unread(format!(
                "{endpoint} did not answer within {within} s; a function in a VPC needs a way to it"
            ));
        }
        Failure::Refused(error_response) => error_response,
        _ => return unread(reasons(error)),
    };
    let code = error_response.code.as_deref().unwrap_or_default();
    let words = error_response.message.as_deref().unwrap_or(code);
    match code {
        "AccessDeniedException" | "AccessDenied" => SecretError::Forbidden {
            reference,
            words: words.to_owned(),
        },
        "ParameterNotFound" | "ParameterVersionNotFound" | "ResourceNotFoundException" => {
            SecretError::Missing {
                reference,
                words: words.to_owned(),
            }
        }
        _ => unread(format!("status {}, {words}", error_response.status)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::failure::ErrorResponse;
    use super::*;

    fn secrets(region: &str) -> HttpSecrets {
        let identity = Identity {
            region: region.to_owned(),
            access_key_id: "AKIA".into(),
            secret_access_key: "secret".into(),
            session_token: None,
        };
        HttpSecrets::new(identity, SecretEndpoints::default())
    }

    #[test]
    fn each_service_is_found_in_the_function_s_own_region() {
        let url = |region: &str, reference: &str| {
            let secrets = secrets(region);
            let question = secrets.question(&reference.parse().unwrap());
            question.service.endpoint().to_owned()
        };
        assert_eq!(
            url("eu-west-1", "ssm:/a"),
            "https://ssm.eu-west-1.amazonaws.com"
        );
        assert_eq!(
            url("cn-north-1", "secretsmanager:a:SecretString:b"),
            "https://secretsmanager.cn-north-1.amazonaws.com.cn"
        );
        assert_eq!(
            url("us-gov-west-1", "ssm:/a"),
            "https://ssm.us-gov-west-1.amazonaws.com"
        );
    }

    #[test]
    fn a_refusal_says_what_it_is_about() {
        let reference: Reference = "ssm:/a".parse().unwrap();
        let secrets = secrets("eu-west-1");
        let of = |status, code: Option<&str>, message: Option<&str>| {
            let error = CallError {
                failure: Failure::Refused(ErrorResponse {
                    status,
                    code: code.map(str::to_owned),
                    message: message.map(str::to_owned),
                    retry_after: None,
                }),
                is_unanswered: false,
            };
            refused(&error, &reference, &secrets.ssm).to_string()
        };
        assert_eq!(
            of(400, Some("AccessDeniedException"), Some("no")),
            "the function may not read `ssm:/a`: no"
        );
        assert_eq!(
            of(400, Some("ParameterNotFound"), None),
            "there is no `ssm:/a`: ParameterNotFound"
        );
        assert_eq!(
            of(400, Some("ThrottlingException"), Some("slow down")),
            "`ssm:/a` could not be read: status 400, slow down"
        );
        assert_eq!(
            of(503, None, None),
            "`ssm:/a` could not be read: status 503, "
        );
        assert_eq!(
            of(400, Some("InvalidKeyId"), Some("no key")),
            "`ssm:/a` could not be read: status 400, no key"
        );
    }
}
