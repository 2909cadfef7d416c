//! Documents of an issuer, over the SDK's HTTP client: a second TLS stack would double the function's size.

use std::error::Error;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::http::Request;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt as _, Limited};
use tokio::time::timeout;

use crate::issuer::Documents;

/// For one document, connection and body included. Two of them fit into what a handshake may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Fetches documents by HTTP.
#[derive(Debug)]
pub struct HttpDocuments {
    connector: Connector,
}

impl HttpDocuments {
    /// Prepares to fetch documents of `issuer`. The machine's trusted certificates are read only where it is encrypted.
    #[must_use]
    pub fn new(issuer: &str) -> Self {
        let connector = match issuer.starts_with("http://") {
            true => Connector::builder().build_http(),
            false => Connector::builder()
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .build(),
        };
        Self { connector }
    }
}

impl Documents for HttpDocuments {
    async fn fetch(
        &self,
        url: &str,
        max_bytes: usize,
    ) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        timeout(PATIENCE, self.get(url, max_bytes))
            .await
            .map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))?
    }
}

impl HttpDocuments {
    async fn get(
        &self,
        url: &str,
        max_bytes: usize,
    ) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        let mut request = Request::new(SdkBody::empty());
        request.set_uri(url)?;
        request.headers_mut().insert("accept", "application/json");
        let response = self.connector.call(request).await?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(format!("it was answered with status {status}").into());
        }
        let body = Limited::new(response.into_body(), max_bytes)
            .collect()
            .await?;
        Ok(body.to_bytes().to_vec())
    }
}
