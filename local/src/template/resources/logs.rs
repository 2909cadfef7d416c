//! `AWS::Logs::LogGroup`.

use super::super::scope::Named;
use super::super::shape::{Shape::*, TAGS, may, name};
use super::created::Kind;

pub(in crate::template) const LOG_GROUP: Kind = Kind {
    name: "AWS::Logs::LogGroup",
    fields: &[
        may("BearerTokenAuthenticationEnabled", Flag),
        may("DataProtectionPolicy", Json),
        may("DeletionProtectionEnabled", Flag),
        may("FieldIndexPolicies", List(&Json)),
        may("KmsKeyId", Text),
        may(
            "LogGroupClass",
            OneOf(&["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"]),
        ),
        may("LogGroupName", name(1, 512, "._-/#")),
        may("ResourcePolicyDocument", Document),
        may("RetentionInDays", OneOf(RETENTION)),
        may("Tags", TAGS),
    ],
    attributes: &["Arn"],
    named: |naming| {
        let name = naming.name("LogGroupName", 512);
        let arn = naming.arn("logs", &format!("log-group:{name}:*"));
        Named::new(name).with("Arn", arn)
    },
};

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
const RETENTION: &[&str] = &[
    "1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400", "545", "731",
    "1096", "1827", "2192", "2557", "2922", "3288", "3653",
];
