//! ACM and Route 53: certificates, and zones for records. Both are only read.

use std::collections::BTreeSet;

use aws_config::SdkConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_types::DateTime;
use serde::Deserialize;
use serde_json::json;

use super::call::{self, Client, Element, Failure, Request, encoded};
use super::error::refused;
use crate::engine::TargetError;
use crate::engine::naming::{Certificate, HostedZone, Names};

/// Certificates of one Region, and the account's zones.
#[derive(Debug)]
pub struct AccountNames {
    certificates: Client,
    zones: Client,
}

impl AccountNames {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            certificates: Client::new(&call::ACM, config),
            zones: Client::new(&call::ROUTE53, config),
        }
    }
}

/// The keys of certificates for Regional names: RSA of 2048 bits at most
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-specify-certificate-for-custom-domain-name.html>). ACM
/// lists these alone if not asked for others.
const KEYS: [&str; 2] = ["RSA_1024", "RSA_2048"];

/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_ListCertificates.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    certificate_summary_list: Option<Vec<Summary>>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    certificate_arn: Option<String>,
    domain_name: Option<String>,
    subject_alternative_name_summaries: Option<Vec<String>>,
    status: Option<String>,
    /// Seconds since the Unix epoch.
    not_after: Option<f64>,
}

impl Summary {
    fn certificate(self) -> Option<Certificate> {
        let names = self.subject_alternative_name_summaries.unwrap_or_default();
        Some(Certificate {
            arn: self.certificate_arn?,
            names: self.domain_name.into_iter().chain(names).collect(),
            is_issued: self.status.as_deref() == Some("ISSUED"),
            until: self
                .not_after
                .map(|time| DateTime::from_secs_f64(time).secs()),
        })
    }
}

impl Names for AccountNames {
    async fn certificates(&self) -> Result<Vec<Certificate>, TargetError> {
        let mut asked = json!({
            "CertificateStatuses": ["ISSUED", "PENDING_VALIDATION"],
            "Includes": { "keyTypes": KEYS },
        });
        let mut all = Vec::new();
        let mut seen = BTreeSet::new();
        loop {
            let page = self.certificates.json("ListCertificates", &asked).await;
            let page: Page = page.map_err(no_certificates)?;
            let found = page.certificate_summary_list.unwrap_or_default();
            all.extend(found.into_iter().filter_map(Summary::certificate));
            let Some(next) = page.next_token.filter(|token| !token.is_empty()) else {
                return Ok(all);
            };
            if !seen.insert(next.clone()) {
                let endless = "ACM's next page is one that it has sent before";
                return Err(no_certificates(Failure::construction_failure(endless)));
            }
            asked["NextToken"] = next.into();
        }
    }

    async fn zones(&self, name: &str) -> Result<Vec<HostedZone>, TargetError> {
        // They are sorted by name, and begin with this one. More with one name than fit an answer are too many anyway.
        let path = format!("/2013-04-01/hostedzonesbyname?dnsname={}", encoded(name));
        let asked = Request::new("ListHostedZonesByName", "GET", path);
        let found = self.zones.send(asked, zones).await.map_err(|error| {
            let attempt = format!("look for the hosted zone {name}");
            refused("route53:ListHostedZonesByName", attempt, error)
        })?;
        let found = found.into_iter();
        let found = found.filter(|(of, _)| of.trim_end_matches('.').eq_ignore_ascii_case(name));
        Ok(found.map(|(_, zone)| zone).collect())
    }
}

fn no_certificates(error: Failure) -> TargetError {
    refused("acm:ListCertificates", "list the certificates", error)
}

/// The zones of a response, each with its name
/// (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZonesByName.html>).
fn zones(body: &[u8]) -> Result<Vec<(String, HostedZone)>, BoxError> {
    let root = Element::parse(body)?;
    let Some(list) = root.child("HostedZones") else {
        return Ok(Vec::new());
    };
    let zone = |zone: &Element| {
        let id = zone.text("Id").unwrap_or_default();
        let config = zone.child("Config");
        let is_private = config.and_then(|config| config.text("PrivateZone"));
        let found = HostedZone {
            id: id.trim_start_matches("/hostedzone/").to_owned(),
            is_private: is_private.map(str::parse).transpose()?.unwrap_or_default(),
        };
        Ok((zone.owned("Name").unwrap_or_default(), found))
    };
    list.children("HostedZone").map(zone).collect()
}

#[cfg(test)]
mod tests {
    use super::super::stub::Stub;
    use super::*;
    use crate::engine::ErrorKind;
    use serde_json::json;

    async fn at(answers: Vec<(u16, String)>) -> (Stub, AccountNames) {
        let stub = Stub::answering(answers).await;
        let names = AccountNames::new(&stub.config().await);
        (stub, names)
    }

    #[tokio::test]
    async fn all_pages_of_certificates_are_read_with_their_other_names() {
        let page = |id: &str, status: &str, next: Option<&str>| {
            let summary = json!({
                "CertificateArn": format!("arn:{id}"), "DomainName": "a.example", "Status": status, "NotAfter": 1.8e9,
                "SubjectAlternativeNameSummaries": ["a.example", "*.b.example"],
            });
            let page = json!({ "CertificateSummaryList": [summary], "NextToken": next });
            (200, page.to_string())
        };
        let pages = vec![
            page("1", "ISSUED", Some("more")),
            page("2", "PENDING_VALIDATION", None),
        ];
        let (stub, names) = at(pages).await;
        let all = names.certificates().await.unwrap();
        assert_eq!(
            all.iter().map(|it| it.is_issued).collect::<Vec<_>>(),
            [true, false]
        );
        assert_eq!((all[0].names.len(), all[0].until), (3, Some(1_800_000_000)));
        let asked = stub.asked();
        assert!(
            asked[0].contains(r#""keyTypes":["RSA_1024","RSA_2048"]"#),
            "{asked:?}"
        );
        assert!(asked[1].contains(r#""NextToken":"more""#), "{asked:?}");
    }

    #[tokio::test]
    async fn only_zones_with_the_whole_name_count_and_a_refusal_names_its_action() {
        let zone = |id: &str, name: &str, is_private: bool| {
            format!(
                "<HostedZone><Id>/hostedzone/{id}</Id><Name>{name}</Name><CallerReference>x</CallerReference>\
                 <Config><PrivateZone>{is_private}</PrivateZone></Config></HostedZone>"
            )
        };
        let zones = [
            zone("Z1", "example.com.", false),
            zone("Z2", "example.com.", true),
            zone("Z3", "other.com.", false),
        ];
        let body = format!(
            "<?xml version=\"1.0\"?><ListHostedZonesByNameResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
             <HostedZones>{}</HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesByNameResponse>",
            zones.concat()
        );
        let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
        let (stub, names) = at(vec![(200, body), (403, denied.to_owned())]).await;
        let found = names.zones("example.com").await.unwrap();
        let ids: Vec<_> = found
            .iter()
            .map(|zone| (zone.id.as_str(), zone.is_private))
            .collect();
        assert_eq!(ids, [("Z1", false), ("Z2", true)]);
        assert!(
            stub.asked()[0].contains("dnsname=example.com"),
            "{:?}",
            stub.asked()
        );
        let error = names.zones("example.com").await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied);
        assert!(
            format!("{error:?}").contains("route53:ListHostedZonesByName"),
            "{error:?}"
        );
    }
}
