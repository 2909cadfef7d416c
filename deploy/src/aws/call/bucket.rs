//! S3: where a bucket is, and how what is sent to it is written.

use std::net::IpAddr;

use aws_config::SdkConfig;
use base64::Engine as _;
use hyper::Uri;

use super::endpoint::ServiceEndpoint;
use super::error_response::Failure;
use super::partition::Partition;
use super::service::S3;
use super::xml::Element;
use super::{Client, Request};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// A bucket, as it is addressed.
#[derive(Debug)]
pub(super) struct Bucket {
    name: String,
    /// Whether it is in the path even if it could be part of a host's name.
    in_path: bool,
}

impl Bucket {
    /// Its address: a host of its own, or a path of one that all buckets share, where a host's certificate does not cover a
    /// name with dots (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>).
    ///
    /// # Errors
    /// The settings contradict each other. The words are the SDK's.
    pub(super) fn url(&self, place: &ServiceEndpoint) -> Result<String, &'static str> {
        let partition = Partition::for_region(&place.region);
        let base = match (&place.url, place.fips, place.dual_stack) {
            (Some(_), _, true) => {
                return Err("Cannot set dual-stack in combination with a custom endpoint.");
            }
            (Some(_), true, _) => return Err("A custom endpoint cannot be combined with FIPS"),
            (None, true, _) if partition.name == "aws-cn" => {
                return Err("Partition does not support FIPS");
            }
            (Some(url), ..) => url.clone(),
            (None, fips, dual_stack) => {
                let fips = if fips { "-fips" } else { "" };
                let dual_stack = if dual_stack { ".dualstack" } else { "" };
                let (region, suffix) = (&place.region, partition.suffix);
                format!("https://s3{fips}{dual_stack}.{region}.{suffix}")
            }
        };
        let name = &self.name;
        match base.split_once("://") {
            Some((scheme, rest)) if !self.in_path && !name.contains('.') && !has_ip(&base) => {
                Ok(format!("{scheme}://{name}.{rest}"))
            }
            _ => Ok(format!("{}/{name}", base.trim_end_matches('/'))),
        }
    }
}

/// Whether the host of `url` is a number.
fn has_ip(url: &str) -> bool {
    let url: Option<Uri> = url.parse().ok();
    let host = url.as_ref().and_then(Uri::host).unwrap_or_default();
    host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

/// The address of an object for others, such as CloudFormation: below `url`, or the host of S3 in `region`.
pub(in crate::aws) fn address(region: &str, url: Option<&str>, bucket: &str, key: &str) -> String {
    let suffix = Partition::for_region(region).suffix;
    let url = match url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("https://s3.{region}.{suffix}"),
    };
    format!("{url}/{bucket}/{key}")
}

impl Client {
    /// A client of the bucket `name`.
    pub(in crate::aws) fn for_bucket(config: &SdkConfig, name: &str) -> Self {
        let bucket = Bucket {
            name: name.to_owned(),
            // An emulator has no host name for every bucket.
            in_path: config.endpoint_url().is_some(),
        };
        let mut place = ServiceEndpoint::new(&S3, config, None);
        place.bucket = Some(bucket);
        Self::at_endpoint(&S3, config, place)
    }

    /// The root of the result of `ask`, which has this name.
    ///
    /// # Errors
    /// S3 refuses, or does not respond. A response with another root, or without its end, is a refusal without a code.
    pub(in crate::aws) async fn document(
        &self,
        ask: Request,
        root: &'static str,
    ) -> Result<Element, Failure> {
        self.send(ask, move |body| Element::whole(body, root)).await
    }
}

impl Request {
    /// The same with content of this type.
    pub(in crate::aws) fn with_content(self, kind: &'static str, content: Vec<u8>) -> Self {
        Self {
            content: Some((kind, content)),
            ..self
        }
    }

    /// The same with a document.
    pub(in crate::aws) fn with_document(self, root: &Element) -> Self {
        let text = root.document(NAMESPACE);
        self.with_content("application/xml", text.into_bytes())
    }

    /// The same with the checksum of its content, which S3 wants of most requests that have some
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>).
    pub(in crate::aws) fn with_checksum(mut self) -> Self {
        let content = self.content.as_ref().map(|(_, content)| content.as_slice());
        let sum = crc32fast::hash(content.unwrap_or_default()).to_be_bytes();
        let sum = base64::engine::general_purpose::STANDARD.encode(sum);
        self.headers.extend([
            ("x-amz-sdk-checksum-algorithm", "CRC32".to_owned()),
            ("x-amz-checksum-crc32", sum),
        ]);
        self
    }
}
