//! The certificates by which servers are known: this machine's, or those of the file that AWS_CA_BUNDLE names
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html>).

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::environment::variable;
use crate::engine::reading::read;
use crate::engine::{ErrorKind, TargetError};

const BUNDLE: &str = "AWS_CA_BUNDLE";

/// More than all public authorities together have.
const MAX_BYTES: u64 = 16 << 20;

/// Certificates of authorities that are trusted.
#[derive(Debug, Clone)]
pub struct Trust {
    certificates: Vec<CertificateDer<'static>>,
    /// The file that they come from, where it is not this machine's own.
    bundle: Option<PathBuf>,
}

impl Trust {
    /// What the environment says.
    ///
    /// # Errors
    /// The file that it names cannot be read, or holds no certificate.
    pub(crate) async fn from_environment() -> Result<Self, TargetError> {
        let named = variable(BUNDLE).filter(|path| !path.is_empty());
        match named {
            Some(path) => Self::from_file(path).await,
            None => Ok(Self {
                // Some machines have certificates that cannot be read beside those that can. One that has none
                // at all can still reach what needs none.
                certificates: usable(rustls_native_certs::load_native_certs().certs),
                bundle: None,
            }),
        }
    }

    pub(super) async fn from_file(path: OsString) -> Result<Self, TargetError> {
        let path = PathBuf::from(path);
        let wrong = |why: Box<dyn std::error::Error + Send + Sync>| {
            let message = format!(
                "could not take certificates from {} ({BUNDLE})",
                path.display()
            );
            TargetError {
                source: Some(why),
                ..TargetError::new(ErrorKind::Usage, message)
            }
            .with_hint(format!(
                "name a file that holds the certificates of your network's authorities in PEM form, or unset {BUNDLE}"
            ))
        };
        let bytes = read(&path, MAX_BYTES)
            .await
            .map_err(|error| wrong(error.into()))?;
        let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        let parsed = parsed
            .map_err(|_| wrong("it is damaged: what begins as PEM does not end so".into()))?;
        if parsed.is_empty() {
            return Err(wrong("it holds no certificate in PEM form".into()));
        }
        let certificates = usable(parsed);
        if certificates.is_empty() {
            return Err(wrong("none of what it holds is a certificate".into()));
        }
        Ok(Self {
            certificates,
            bundle: Some(path),
        })
    }

    /// All of them in PEM form.
    pub fn pem(&self) -> Vec<u8> {
        let pem = self.certificates.iter().map(|certificate| {
            let text = STANDARD.encode(certificate);
            format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
        });
        pem.collect::<String>().into_bytes()
    }

    /// A TLS client that trusts them.
    pub fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.certificates.iter().cloned());
        let cryptography = Arc::new(rustls::crypto::ring::default_provider());
        let client = ClientConfig::builder_with_provider(cryptography)
            .with_safe_default_protocol_versions()
            .expect("the cryptography that is built in has the usual versions");
        Arc::new(client.with_root_certificates(roots).with_no_client_auth())
    }
}

impl fmt::Display for Trust {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.bundle {
            Some(path) => write!(out, "certificates from {} ({BUNDLE})", path.display()),
            None if self.certificates.is_empty() => {
                out.write_str("this machine has no certificates, so nothing can be reached by TLS")
            }
            None => out.write_str("this machine's certificates"),
        }
    }
}

/// Those that can be trust anchors.
fn usable(certificates: Vec<CertificateDer<'static>>) -> Vec<CertificateDer<'static>> {
    let mut roots = RootCertStore::empty();
    let usable = certificates.into_iter();
    usable
        .filter(|certificate| roots.add(certificate.clone()).is_ok())
        .collect()
}
