//! Reads parameters of Systems Manager and secrets of Secrets Manager.
//!
//! These are two requests of the simplest protocol of AWS (JSON 1.1), signed by the SDK's own signer and sent by its HTTP
//! client: the SDK's clients for both services are two more large crates in the build of every handler.

use std::error::Error;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::http::Request;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt as _, Limited};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::environment::{Identity, SecretEndpoints};
use crate::secrets::{Reference, SecretError, Secrets};

/// For one attempt, connection and body included.
const ATTEMPT: Duration = Duration::from_millis(1_500);

/// For all attempts, with the pauses between them.
const OPERATION: Duration = Duration::from_secs(4);

/// The pause before the second attempt; it doubles with each further one.
const PAUSE: Duration = Duration::from_millis(100);

const ATTEMPTS: u32 = 3;

/// The largest answer. A secret has 64 KB, and JSON may write a byte as six characters.
const MAX_ANSWER: usize = 512 * 1024;

/// The services, as the function's role reaches them.
#[derive(Debug)]
pub struct HttpSecrets {
    identity: Identity,
    endpoints: SecretEndpoints,
    /// Made with the first request: reading the trusted certificates takes time.
    connector: OnceLock<Connector>,
}

/// What came back, if anything did.
enum Failure {
    /// Nothing, or what may pass.
    Passing(String),
    Final(SecretError),
}

/// One request.
struct Call {
    service: &'static str,
    target: &'static str,
    url: String,
    body: Value,
    /// Where the value is in the answer.
    value: &'static str,
}

impl HttpSecrets {
    /// Prepares requests signed by `identity`.
    #[must_use]
    pub const fn new(identity: Identity, endpoints: SecretEndpoints) -> Self {
        Self {
            identity,
            endpoints,
            connector: OnceLock::new(),
        }
    }

    fn call(&self, reference: &Reference) -> Call {
        let url = |endpoint: &Option<String>, service: &str| {
            endpoint.clone().unwrap_or_else(|| {
                let region = &self.identity.region;
                format!("https://{service}.{region}.{}/", suffix(region))
            })
        };
        match reference {
            Reference::Parameter(name) => Call {
                service: "ssm",
                target: "AmazonSSM.GetParameter",
                url: url(&self.endpoints.ssm, "ssm"),
                body: json!({ "Name": name, "WithDecryption": true }),
                value: "/Parameter/Value",
            },
            Reference::Secret { id, .. } => Call {
                service: "secretsmanager",
                target: "secretsmanager.GetSecretValue",
                url: url(&self.endpoints.secretsmanager, "secretsmanager"),
                body: json!({ "SecretId": id }),
                value: "/SecretString",
            },
        }
    }

    /// Sends `call`; returns the status and the body.
    async fn send(&self, call: &Call) -> Result<(u16, Vec<u8>), Box<dyn Error + Send + Sync>> {
        let body = call.body.to_string().into_bytes();
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", call.target),
        ];
        let Identity {
            region,
            access_key_id,
            secret_access_key,
            session_token,
        } = &self.identity;
        let credentials = Credentials::new(
            access_key_id,
            secret_access_key,
            session_token.clone(),
            None,
            "environment",
        )
        .into();
        let params = v4::SigningParams::builder()
            .identity(&credentials)
            .region(region)
            .name(call.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let signable = SignableRequest::new(
            "POST",
            &call.url,
            headers.into_iter(),
            SignableBody::Bytes(&body),
        )?;
        let (signature, _) = sign(signable, &params)?.into_parts();
        let mut request = Request::new(SdkBody::from(body));
        request.set_method("POST")?;
        request.set_uri(call.url.as_str())?;
        for (name, value) in headers {
            request.headers_mut().insert(name, value);
        }
        for (name, value) in signature.headers() {
            request
                .headers_mut()
                .insert(name.to_owned(), value.to_owned());
        }
        let response = self.connector(&call.url).call(request).await?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MAX_ANSWER)
            .collect()
            .await?;
        Ok((status, body.to_bytes().to_vec()))
    }

    fn connector(&self, url: &str) -> &Connector {
        self.connector
            .get_or_init(|| match url.starts_with("http://") {
                true => Connector::builder().build_http(),
                false => Connector::builder()
                    .tls_provider(Provider::Rustls(CryptoMode::Ring))
                    .build(),
            })
    }

    async fn attempt(&self, call: &Call, reference: &Reference) -> Result<String, Failure> {
        let sent = timeout(ATTEMPT, self.send(call)).await;
        let (status, body) = match sent {
            Ok(Ok(answered)) => answered,
            Ok(Err(error)) => return Err(Failure::Passing(chain(&*error))),
            Err(_) => {
                return Err(Failure::Passing(format!(
                    "{} did not answer in time; a function in a VPC needs a way to it",
                    call.url
                )));
            }
        };
        // An answer that is not JSON could be anyone's page, so nothing of it is repeated.
        let json: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status == 200 {
            let value = json.pointer(call.value).and_then(Value::as_str);
            return value.map(str::to_owned).ok_or_else(|| {
                Failure::Final(SecretError::Unread {
                    reference: reference.to_string(),
                    words: "the answer has no text; binary secrets are not supported".to_owned(),
                })
            });
        }
        Err(refusal(status, &json, reference))
    }
}

impl Secrets for HttpSecrets {
    async fn text(&self, reference: &Reference) -> Result<String, SecretError> {
        let unread = |words: String| SecretError::Unread {
            reference: reference.to_string(),
            words,
        };
        let call = self.call(reference);
        let all = async {
            let mut words = String::new();
            for number in 0..ATTEMPTS {
                if number > 0 {
                    sleep(PAUSE * 2_u32.pow(number - 1)).await;
                }
                match self.attempt(&call, reference).await {
                    Ok(text) => return Ok(text),
                    Err(Failure::Final(error)) => return Err(error),
                    Err(Failure::Passing(why)) => words = why,
                }
            }
            Err(unread(words))
        };
        match timeout(OPERATION, all).await {
            Ok(outcome) => outcome,
            Err(_) => Err(unread(format!(
                "{} did not answer within {} s; a function in a VPC needs a way to it",
                call.url,
                OPERATION.as_secs()
            ))),
        }
    }
}

/// What an answer that is none means. `__type` may have a namespace before `#`.
fn refusal(status: u16, json: &Value, reference: &Reference) -> Failure {
    let kind = json["__type"].as_str().unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or_default();
    let words = json["message"].as_str().or(json["Message"].as_str());
    let words = words.unwrap_or(kind).to_owned();
    let reference = reference.to_string();
    if status >= 500 || status == 429 || kind.contains("Throttl") || kind.contains("TooMany") {
        return Failure::Passing(format!("status {status}, {words}"));
    }
    Failure::Final(match kind {
        "AccessDeniedException" | "AccessDenied" => SecretError::Forbidden { reference, words },
        "ParameterNotFound" | "ParameterVersionNotFound" | "ResourceNotFoundException" => {
            SecretError::Missing { reference, words }
        }
        _ => SecretError::Unread {
            reference,
            words: format!("status {status}, {words}"),
        },
    })
}

fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(&format!(": {error}"));
        cause = error.source();
    }
    words
}

/// The end of AWS's host names in a Region, by the Region's partition
/// (<https://docs.aws.amazon.com/general/latest/gr/rande.html>, and the partitions of the SDKs' endpoint rules:
/// <https://github.com/smithy-lang/smithy-rs/blob/main/rust-runtime/inlineable/src/endpoint_lib/partition.rs>).
fn suffix(region: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 6] = [
        ("cn-", "amazonaws.com.cn"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("us-isof-", "csp.hci.ic.gov"),
        ("eusc-", "amazonaws.eu"),
    ];
    let found = PREFIXES
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix));
    found.map_or("amazonaws.com", |(_, suffix)| suffix)
}

#[cfg(test)]
mod tests {
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
        let url =
            |region: &str, reference: &str| secrets(region).call(&reference.parse().unwrap()).url;
        assert_eq!(
            url("eu-west-1", "ssm:/a"),
            "https://ssm.eu-west-1.amazonaws.com/"
        );
        assert_eq!(
            url("cn-north-1", "secretsmanager:a:SecretString:b"),
            "https://secretsmanager.cn-north-1.amazonaws.com.cn/"
        );
        assert_eq!(
            url("us-gov-west-1", "ssm:/a"),
            "https://ssm.us-gov-west-1.amazonaws.com/"
        );
    }

    #[test]
    fn a_refusal_says_what_it_is_about_and_what_may_pass_is_tried_again() {
        let reference: Reference = "ssm:/a".parse().unwrap();
        let of = |status, json: Value| match refusal(status, &json, &reference) {
            Failure::Passing(words) => format!("again: {words}"),
            Failure::Final(error) => error.to_string(),
        };
        let denied = json!({ "__type": "AccessDeniedException", "Message": "no" });
        assert_eq!(of(400, denied), "the function may not read `ssm:/a`: no");
        let missing = json!({ "__type": "com.amazonaws.ssm#ParameterNotFound" });
        assert_eq!(of(400, missing), "there is no `ssm:/a`: ParameterNotFound");
        let busy = json!({ "__type": "ThrottlingException", "message": "slow down" });
        assert_eq!(of(400, busy), "again: status 400, slow down");
        assert_eq!(of(503, Value::Null), "again: status 503, ");
        let odd = json!({ "__type": "InvalidKeyId", "message": "no key" });
        assert_eq!(
            of(400, odd),
            "`ssm:/a` could not be read: status 400, no key"
        );
    }
}
