//! Where a bucket of S3 is.

use std::net::IpAddr;

use hyper::Uri;

use super::partition::Partition;

/// A bucket, as it is addressed.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) name: String,
    /// Whether it is in the path even if it could be part of a host's name.
    pub(super) in_path: bool,
}

/// Which of S3's hosts is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hosts<'a> {
    pub(super) region: &'a str,
    /// The address that the configuration names.
    pub(super) url: Option<&'a str>,
    pub(super) fips: bool,
    pub(super) dual_stack: bool,
}

impl Bucket {
    /// Its address: a host of its own, or a path of one that all buckets share, where a host's certificate does not cover a
    /// name with dots (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>).
    ///
    /// # Errors
    /// The settings contradict each other. The words are the SDK's.
    pub(super) fn url(&self, among: Hosts<'_>) -> Result<String, &'static str> {
        let Hosts { region, url, .. } = among;
        let partition = Partition::for_region(region);
        let base = match (url, among.fips, among.dual_stack) {
            (Some(_), _, true) => {
                return Err("Cannot set dual-stack in combination with a custom endpoint.");
            }
            (Some(_), true, _) => return Err("A custom endpoint cannot be combined with FIPS"),
            (None, true, _) if partition.name == "aws-cn" => {
                return Err("Partition does not support FIPS");
            }
            (Some(url), ..) => url.to_owned(),
            (None, fips, dual_stack) => {
                let fips = if fips { "-fips" } else { "" };
                let dual_stack = if dual_stack { ".dualstack" } else { "" };
                let suffix = partition.suffix;
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
