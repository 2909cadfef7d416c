//! What a name of the user's own, alarms and access logs add to the policies.

use serde_json::json;

use super::Subject;
use super::statement::{Statements, arn};
use crate::config::domain::{Domain, Zone};

impl Subject<'_> {
    /// What chatctl looks up.
    pub(super) fn look_ups(&self, all: &mut Statements) {
        let aws = &self.settings.aws;
        if let Some(domain) = &aws.domain {
            let mut lists = Vec::new();
            if domain.certificate.is_none() {
                lists.push("acm:ListCertificates");
            }
            if domain.zone == Zone::Found {
                lists.push("route53:ListHostedZonesByName");
            }
            all.allow("Names", &lists, vec!["*".into()]);
        }
        if aws.has_access_logs {
            let account = arn(self.partition(), "apigateway", self.region, "", "/account");
            all.allow("Api", &["apigateway:GET"], vec![account]);
        }
    }

    /// What telling topics of a stack's events takes. CreateChangeSet asks it of its caller
    /// (<https://github.com/awslabs/aws-service-catalog-puppet/issues/19>); whether a role that CloudFormation acts with is asked
    /// for it later is not documented.
    pub(super) fn notify(&self, all: &mut Statements) {
        let topics = &self.settings.aws.rules.notification_arns;
        if !topics.is_empty() {
            let topics = topics.iter().map(ToString::to_string).collect();
            all.allow("Notifications", &["sns:Publish"], topics);
        }
    }

    /// What CloudFormation does with a resource of the type `kind`; `false` if that is none of these.
    pub(super) fn work_with(&self, kind: &str, wanted: &[&str], all: &mut Statements) -> bool {
        let stack = &self.settings.stack;
        let domain = self.settings.aws.domain.as_ref();
        match (kind, domain) {
            ("AWS::CloudWatch::Alarm", _) => {
                let on = self.here("cloudwatch", &format!("alarm:{stack}-*"));
                all.allow("Alarms", wanted, vec![on]);
            }
            // Dashboards belong to no Region.
            ("AWS::CloudWatch::Dashboard", _) => {
                let on = self.in_account("cloudwatch", "", &format!("dashboard/{stack}-*"));
                all.allow("Dashboard", wanted, vec![on]);
            }
            ("AWS::SNS::Topic", _) => {
                all.allow(
                    "Topic",
                    wanted,
                    vec![self.here("sns", &format!("{stack}-*"))],
                );
            }
            ("AWS::SQS::Queue", _) => {
                all.allow("Queue", wanted, vec![self.here("sqs", &self.named())]);
            }
            ("AWS::Route53::RecordSet", Some(domain)) => self.record(domain, all),
            ("AWS::ApiGatewayV2::DomainName" | "AWS::ApiGatewayV2::ApiMapping", Some(domain)) => {
                self.name(domain, wanted, all);
            }
            _ => return false,
        }
        true
    }

    /// One record, and no other.
    fn record(&self, domain: &Domain, all: &mut Statements) {
        let id = match &domain.zone {
            Zone::Id(id) => id,
            Zone::Found | Zone::Elsewhere => "*",
        };
        let on = |resource: &str| arn(self.partition(), "route53", "", "", resource);
        let zone = || vec![on(&format!("hostedzone/{id}"))];
        let reads = ["route53:GetHostedZone", "route53:ListResourceRecordSets"];
        all.allow("Zone", &reads, zone());
        all.allow("Change", &["route53:GetChange"], vec![on("change/*")]);
        all.allow("Names", &["route53:ListHostedZones"], vec!["*".into()]);
        // https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html
        let names = json!({ "route53:ChangeResourceRecordSetsNormalizedRecordNames": [domain.name.as_ref()] });
        let condition = json!({ "ForAllValues:StringEquals": names });
        all.allow_if(
            "Record",
            &["route53:ChangeResourceRecordSets"],
            zone(),
            condition,
        );
    }

    fn name(&self, domain: &Domain, wanted: &[&str], all: &mut Statements) {
        let on = |resource: &str| arn(self.partition(), "apigateway", self.region, "", resource);
        let name = format!("/domainnames/{}", domain.name);
        let mut actions = wanted.to_vec();
        actions.extend([
            "apigateway:AddCertificateToDomain",
            "apigateway:RemoveCertificateFromDomain",
        ]);
        let all_of_it = vec![on("/domainnames"), on(&name), on(&format!("{name}/*"))];
        all.allow("Domain", &actions, all_of_it);
        // The first Regional name of an account makes it
        // (https://docs.aws.amazon.com/apigateway/latest/developerguide/using-service-linked-roles.html).
        let service = "ops.apigateway.amazonaws.com";
        let role = format!("role/aws-service-role/{service}/AWSServiceRoleForAPIGateway");
        let condition = json!({ "StringEquals": { "iam:AWSServiceName": service } });
        let on = vec![self.in_account("iam", "", &role)];
        all.allow_if(
            "LinkedRole",
            &["iam:CreateServiceLinkedRole"],
            on,
            condition,
        );
    }
}
