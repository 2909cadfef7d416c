//! A stub of AWS with prepared responses on a loopback port, for tests of the adapters.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{HeaderMap, Request, Response};
use testing::http::serve;

use super::AwsTarget;
use crate::config::Aws;

/// Sends its responses in turn, the last one repeatedly, and records the requests.
#[derive(Debug, Clone)]
pub(super) struct Stub {
    url: String,
    asked: RequestLog,
    headers: Headers,
}

type RequestLog = Arc<Mutex<Vec<String>>>;
type Headers = Arc<Mutex<Vec<HeaderMap>>>;

/// A status and a body.
pub(super) type StubResponse = (u16, String);

/// Headers of a response.
pub(super) type Fields = &'static [(&'static str, &'static str)];

impl Stub {
    pub(super) async fn answering(answers: Vec<StubResponse>) -> Self {
        Self::answering_with(&[], answers).await
    }

    /// The same, with these headers in each response.
    pub(super) async fn answering_with(fields: Fields, answers: Vec<StubResponse>) -> Self {
        let (asked, headers) = (RequestLog::default(), Headers::default());
        let (written, seen) = (asked.clone(), headers.clone());
        let answers = Arc::new(answers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = move |request: Request<Incoming>, _connection| {
            let (asked, answers) = (written.clone(), answers.clone());
            seen.lock().unwrap().push(request.headers().clone());
            async move {
                let line = format!("{} {}", request.method(), request.uri());
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let number = {
                    let mut asked = asked.lock().unwrap();
                    asked.push(format!("{line} {}", String::from_utf8_lossy(&body)));
                    asked.len() - 1
                };
                let (status, body) = answers[number.min(answers.len() - 1)].clone();
                let mut response = Response::builder().status(status).header("etag", "\"1\"");
                for (name, value) in fields {
                    response = response.header(*name, *value);
                }
                if status == 301 {
                    response = response.header("x-amz-bucket-region", "eu-central-1");
                }
                Ok::<_, Infallible>(response.body(Full::new(Bytes::from(body))).unwrap())
            }
        };
        // It outlives the stub: what is asked goes on with the configuration that leads here.
        tokio::spawn(serve(listener, answer));
        Self {
            url,
            asked,
            headers,
        }
    }

    /// Its address.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The requests so far, each as one string: method, URI, body.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The header `name` of each request so far.
    pub(super) fn header(&self, name: &str) -> Vec<Option<String>> {
        let headers = self.headers.lock().unwrap();
        let values = headers.iter().map(|all| all.get(name));
        values
            .map(|value| value.map(|value| value.to_str().unwrap().to_owned()))
            .collect()
    }

    /// The headers of each request so far.
    pub(super) fn headers(&self) -> Vec<HeaderMap> {
        self.headers.lock().unwrap().clone()
    }

    /// A configuration for this stub, with invalid credentials.
    pub(super) async fn config(&self) -> SdkConfig {
        self.target().await.config
    }

    pub(super) async fn target(&self) -> AwsTarget {
        let settings = Aws {
            region: Some("eu-west-1".parse().unwrap()),
            ..Aws::default()
        };
        let mut target = AwsTarget::connect(&settings).await.unwrap();
        let credentials =
            aws_sdk_sts::config::Credentials::new("AKIDTEST", "secret", None, None, "test");
        target.config = target
            .config
            .into_builder()
            .endpoint_url(&self.url)
            .credentials_provider(aws_sdk_sts::config::SharedCredentialsProvider::new(
                credentials,
            ))
            .retry_config(aws_smithy_types::retry::RetryConfig::disabled())
            .build();
        target
    }
}

/// An address for one service, as a variable or a profile sets it.
#[derive(Debug)]
pub(super) struct OwnAddress(pub(super) &'static str, pub(super) String);

impl LoadServiceConfig for OwnAddress {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let is_asked = key.env() == "AWS_ENDPOINT_URL" && key.profile() == "endpoint_url";
        (is_asked && key.service_id() == self.0).then(|| self.1.clone())
    }
}

/// A refusal in the query protocol of CloudFormation and STS.
pub(super) fn refusal(status: u16, code: &str, message: &str) -> StubResponse {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    );
    (status, body)
}
