//! Documents of an issuer, over the HTTP client of the services.

use std::error::Error;
use std::time::Duration;

use http_body_util::Full;
use hyper::header::{ACCEPT, HeaderValue};
use hyper::{Request, Uri};
use tokio::time::timeout;

use super::http::{Http, read_certificates};
use crate::issuer::Documents;

/// For one document, connection and body included. Two of them fit into what a handshake may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Fetches documents by HTTP.
#[derive(Debug)]
pub struct HttpDocuments {
    http: Http,
}

impl HttpDocuments {
    /// Prepares to fetch documents of `issuer`. The machine's trusted certificates are read only where it is encrypted.
    #[must_use]
    pub fn new(issuer: &str) -> Self {
        if !issuer.starts_with("http://") {
            read_certificates();
        }
        Self {
            http: Http::new(TIMEOUT),
        }
    }
}

impl Documents for HttpDocuments {
    async fn fetch(
        &self,
        url: &str,
        max_bytes: usize,
    ) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        timeout(TIMEOUT, self.get(url, max_bytes))
            .await
            .map_err(|_| format!("no answer within {} s", TIMEOUT.as_secs()))?
    }
}

impl HttpDocuments {
    async fn get(
        &self,
        url: &str,
        max_bytes: usize,
    ) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = Uri::try_from(url)?;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(ACCEPT, json);
        let answer = self.http.send(request, max_bytes).await?;
        match answer.head.status.as_u16() {
            200 => Ok(answer.body.into()),
            status => Err(format!("it was answered with status {status}").into()),
        }
    }
}
