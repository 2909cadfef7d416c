//! ACM and Route 53: certificates, and zones for records. Both are only read.

use aws_config::SdkConfig;
use aws_sdk_acm::types::{CertificateStatus, KeyAlgorithm};

use super::error::refused;
use super::requests::Named;
use crate::engine::TargetError;
use crate::engine::naming::{Certificate, HostedZone, Names};

/// Certificates of one Region, and the account's zones.
#[derive(Debug)]
pub struct AccountNames {
    certificates: aws_sdk_acm::Client,
    zones: aws_sdk_route53::Client,
}

impl AccountNames {
    pub(super) fn new(config: &SdkConfig) -> Self {
        let acm = aws_sdk_acm::config::Builder::from(config).interceptor(Named);
        let route53 = aws_sdk_route53::config::Builder::from(config).interceptor(Named);
        Self {
            certificates: aws_sdk_acm::Client::from_conf(acm.build()),
            zones: aws_sdk_route53::Client::from_conf(route53.build()),
        }
    }
}

/// The keys of certificates for Regional names: RSA of 2048 bits at most
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-specify-certificate-for-custom-domain-name.html>). ACM
/// lists these alone if not asked for others.
const KEYS: [KeyAlgorithm; 2] = [KeyAlgorithm::Rsa1024, KeyAlgorithm::Rsa2048];

impl Names for AccountNames {
    async fn certificates(&self) -> Result<Vec<Certificate>, TargetError> {
        let filters = aws_sdk_acm::types::Filters::builder();
        let filters = filters.set_key_types(Some(KEYS.into())).build();
        let mut pages = self
            .certificates
            .list_certificates()
            .certificate_statuses(CertificateStatus::Issued)
            .certificate_statuses(CertificateStatus::PendingValidation)
            .includes(filters)
            .into_paginator()
            .items()
            .send();
        let mut all = Vec::new();
        while let Some(summary) = pages.next().await {
            let summary = summary
                .map_err(|error| refused("acm:ListCertificates", "list the certificates", error))?;
            let Some(arn) = summary.certificate_arn else {
                continue;
            };
            let names = summary
                .subject_alternative_name_summaries
                .unwrap_or_default();
            all.push(Certificate {
                arn,
                names: summary.domain_name.into_iter().chain(names).collect(),
                is_issued: summary.status == Some(CertificateStatus::Issued),
                until: summary.not_after.map(|time| time.secs()),
            });
        }
        Ok(all)
    }

    async fn zones(&self, name: &str) -> Result<Vec<HostedZone>, TargetError> {
        // They are sorted by name, and begin with this one. More with one name than fit an answer are too many anyway.
        let asked = self.zones.list_hosted_zones_by_name().dns_name(name);
        let answer = asked.send().await.map_err(|error| {
            let attempt = format!("look for the hosted zone {name}");
            refused("route53:ListHostedZonesByName", attempt, error)
        })?;
        let found = answer.hosted_zones.into_iter();
        let found = found.filter(|zone| zone.name.trim_end_matches('.').eq_ignore_ascii_case(name));
        Ok(found
            .map(|zone| HostedZone {
                id: zone.id.trim_start_matches("/hostedzone/").to_owned(),
                is_private: zone.config.is_some_and(|config| config.private_zone),
            })
            .collect())
    }
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
