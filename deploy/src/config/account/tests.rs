//! What the account's rules accept, and what is said of the rest.

use std::path::Path;

use super::*;
use crate::config::{ConfigError, Overrides, Settings};

fn read_for(text: &str, region: Option<&str>) -> Result<AccountRules, String> {
    let overrides = Overrides {
        region: region.map(|region| region.parse().unwrap()),
        ..Overrides::default()
    };
    match Settings::read(Path::new("chatctl.toml"), text, "".into(), overrides) {
        Ok(settings) => Ok(settings.aws.rules),
        Err(ConfigError::Invalid(snippet)) => Err(snippet.to_string()),
        Err(error) => panic!("{error}"),
    }
}

fn read(text: &str) -> Result<AccountRules, String> {
    read_for(&format!("[aws]\n{text}\n"), None)
}

/// The first line of what is said of `text`, the second line of the config.
#[track_caller]
fn refused(text: &str, reason: &str) {
    let error = read(text).expect_err(text);
    assert!(error.starts_with("chatctl.toml:2:"), "{text}: {error}");
    assert!(error.contains(reason), "{text}: {error}");
}

#[test]
fn every_rule_is_read() {
    let rules = read(
        "permissions-boundary = \"arn:aws:iam::123456789012:policy/bounds/chats\"\nrole-path = \"/chats/eu/\"\n\
         role-arn = \"arn:aws:iam::123456789012:role/deployers/cloudformation\"\nbucket = \"my.code-1\"\n\
         kms-key = \"arn:aws:kms:eu-west-1:123456789012:key/mrk-1\"\ntags = { team = \"chat\", \"cost:center\" = \"7\" }\n\
         notification-arns = [\"arn:aws:sns:eu-west-1:123456789012:stacks\"]",
    )
    .unwrap();
    assert_eq!(
        rules.permissions_boundary.unwrap().as_ref(),
        "arn:aws:iam::123456789012:policy/bounds/chats"
    );
    assert_eq!(rules.role_path.unwrap().as_ref(), "/chats/eu/");
    assert_eq!(rules.bucket.unwrap().as_ref(), "my.code-1");
    assert_eq!(
        rules.kms_key.unwrap().as_ref(),
        "arn:aws:kms:eu-west-1:123456789012:key/mrk-1"
    );
    assert_eq!(
        (rules.tags.len(), rules.tags["cost:center"].as_str()),
        (2, "7")
    );
    assert_eq!((rules.notification_arns.len(), rules.places.len()), (1, 4));
    for boundary in [
        "arn:aws:iam::aws:policy/PowerUserAccess",
        "arn:aws-us-gov:iam::123456789012:policy/b",
        "arn:aws-cn:iam::123456789012:policy/b",
    ] {
        read(&format!("permissions-boundary = \"{boundary}\"")).unwrap();
    }
    read("role-path = \"/\"").unwrap();
}

#[test]
fn a_boundary_that_is_no_policy_is_refused_with_its_line_and_the_form() {
    for boundary in [
        "",
        "chats",
        "arn:aws:iam::123456789012:role/chats",
        "arn:aws:iam::123456789012:policy/",
        "arn:aws:iam::123456789012:policy/a/",
        "arn:aws:iam::123456789012:policy/a*",
        "arn:aws:iam::123456789012:policy/${x}",
        "arn:aws:iam::12345678901:policy/a",
        "arn:aws:iam:eu-west-1:123456789012:policy/a",
        "arn:aws:s3::123456789012:policy/a",
        "arn:google:iam::123456789012:policy/a",
        " arn:aws:iam::123456789012:policy/a",
    ] {
        refused(
            &format!("permissions-boundary = \"{boundary}\""),
            "is not a managed policy: arn:aws:iam::ACCOUNT:policy/NAME",
        );
    }
}

#[test]
fn other_values_of_a_wrong_form_are_refused_with_the_form() {
    let form = [
        ("role-arn = \"deployer\"", "is not a role"),
        ("role-arn = \"arn:aws:iam::aws:role/x\"", "is not a role"),
        (
            "role-arn = \"arn:aws:iam::123456789012:policy/x\"",
            "is not a role",
        ),
        (
            "role-arn = \"arn:aws:sts::123456789012:assumed-role/deployer/ann\"",
            "is not a role",
        ),
        (
            "role-arn = \"arn:aws:iam::123456789012:role/aws-service-role/cloudformation.amazonaws.com/x\"",
            "CloudFormation cannot act with it: name one that trusts cloudformation.amazonaws.com",
        ),
        (
            "role-arn = \"arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef\"",
            "CloudFormation cannot act with it",
        ),
        ("role-path = \"chats\"", "begins and ends with `/`"),
        ("role-path = \"/chats\"", "begins and ends with `/`"),
        ("role-path = \"//\"", "begins and ends with `/`"),
        ("role-path = \"/*/\"", "begins and ends with `/`"),
        ("bucket = \"ab\"", "is not a bucket's name"),
        ("bucket = \"My-Bucket\"", "is not a bucket's name"),
        ("bucket = \"a..b\"", "is not a bucket's name"),
        ("bucket = \"-ab\"", "is not a bucket's name"),
        ("bucket = \"s3://code\"", "is not a bucket's name"),
        (
            "bucket = \"arn:aws:s3:::my-code\"",
            "is not a bucket's name",
        ),
        ("bucket = \"\"", "is not a bucket's name"),
        (
            "bucket = \"my-point-abcdefgh-s3alias\"",
            "`-s3alias` is at the end of what S3 names otherwise",
        ),
        (
            "bucket = \"my-code--eun1-az1--x-s3\"",
            "name a general purpose bucket",
        ),
        ("kms-key = \"1234abcd\"", "is not a key of KMS"),
        ("kms-key = \"alias/chat\"", "is not a key of KMS"),
        (
            "kms-key = \"arn:aws:kms:eu-west-1:123456789012:alias/chat\"",
            "is an alias",
        ),
        (
            "kms-key = \"arn:aws:kms::123456789012:key/x\"",
            "is not a key of KMS",
        ),
        (
            "notification-arns = [\"arn:aws:sqs:eu-west-1:123456789012:x\"]",
            "is not a standard topic",
        ),
        (
            "notification-arns = [\"arn:aws:sns:eu-west-1:123456789012:x.fifo\"]",
            "is not a standard topic",
        ),
        (
            "tags = { team = \"a&b\" }",
            "the tag `team` cannot be put on a stack",
        ),
        ("tags = { \"aws:x\" = \"y\" }", "AWS reserves"),
        ("tags = { team = \"\" }", "value is empty"),
        (
            "tags = { Team = \"a\", team = \"b\" }",
            "the same key for IAM",
        ),
    ];
    for (text, reason) in form {
        refused(text, reason);
    }
    let topic = "\"arn:aws:sns:eu-west-1:123456789012:t\"";
    refused(
        &format!("notification-arns = [{topic}, {topic}]"),
        "the topic is named twice",
    );
    for (key, kind, longest) in [
        ("permissions-boundary", "policy", 128),
        ("role-arn", "role", 64),
    ] {
        let of = |length| {
            format!(
                "{key} = \"arn:aws:iam::123456789012:{kind}/p/{}\"",
                "n".repeat(length)
            )
        };
        read(&of(longest)).unwrap();
        refused(&of(longest + 1), &format!(":{kind}/NAME"));
    }
    let many = |count: usize| {
        let tags: Vec<_> = (0..count).map(|n| format!("t{n} = \"x\"")).collect();
        format!("tags = {{ {} }}", tags.join(", "))
    };
    assert_eq!(read(&many(50)).unwrap().tags.len(), 50);
    refused(&many(51), "there are 51 tags, and a stack has 50 at most");
    assert!(read("tags = {}").unwrap().tags.is_empty());
    assert!(
        read("notification-arns = []")
            .unwrap()
            .notification_arns
            .is_empty()
    );
    let topics: Vec<_> = (0..6)
        .map(|n| format!("\"arn:aws:sns:eu-west-1:123456789012:t{n}\""))
        .collect();
    refused(
        &format!("notification-arns = [{}]", topics.join(", ")),
        "there are 6 topics, and a stack has 5 at most",
    );
}

#[test]
fn an_arn_of_another_partition_or_region_is_refused_before_anything_is_asked() {
    let there = "[aws]\npermissions-boundary = \"arn:aws-cn:iam::123456789012:policy/b\"\n";
    assert!(read_for(there, None).is_ok(), "the Region is not known yet");
    assert!(read_for(there, Some("cn-north-1")).is_ok());
    let error = read_for(there, Some("eu-west-1")).unwrap_err();
    assert!(
        error.starts_with(
            "chatctl.toml:2:24: it is in the partition aws-cn, and eu-west-1 is in aws:"
        ),
        "{error}"
    );
    let in_file =
        "[aws]\nregion = \"us-gov-west-1\"\nrole-arn = \"arn:aws:iam::123456789012:role/r\"\n";
    let error = read_for(in_file, None).unwrap_err();
    assert!(
        error.starts_with("chatctl.toml:3:12: it is in the partition aws,"),
        "{error}"
    );
    assert!(
        read_for(in_file, Some("eu-west-1")).is_ok(),
        "the flag wins"
    );
    for (key, arn) in [
        ("kms-key", "\"arn:aws:kms:eu-west-1:123456789012:key/x\""),
        (
            "notification-arns",
            "[\"arn:aws:sns:eu-west-1:123456789012:x\"]",
        ),
    ] {
        let text = format!("[aws]\n{key} = {arn}\n");
        assert!(read_for(&text, Some("eu-west-1")).is_ok());
        let error = read_for(&text, Some("us-east-1")).unwrap_err();
        assert!(
            error.contains(&format!(
                "`{key}` must be in the stack's own Region, us-east-1"
            )),
            "{error}"
        );
    }
}

#[test]
fn a_boundary_and_a_role_of_another_account_are_refused() {
    let rules = read("permissions-boundary = \"arn:aws:iam::123456789012:policy/b\"").unwrap();
    rules.check_account("123456789012").unwrap();
    let error = rules.check_account("210987654321").unwrap_err().to_string();
    assert!(error.starts_with("chatctl.toml:2:24: it is in account 123456789012, and the credentials are for 210987654321"), "{error}");
    let of_aws =
        read("permissions-boundary = \"arn:aws:iam::aws:policy/PowerUserAccess\"").unwrap();
    of_aws.check_account("210987654321").unwrap();
    // A key may be another account's: a company may keep all of its keys in one.
    let key = read("kms-key = \"arn:aws:kms:eu-west-1:123456789012:key/x\"").unwrap();
    key.check_account("210987654321").unwrap();
}

#[test]
fn every_region_has_its_partition() {
    for (region, partition) in [
        ("eu-west-1", "aws"),
        ("us-east-1", "aws"),
        ("cn-northwest-1", "aws-cn"),
        ("us-gov-east-1", "aws-us-gov"),
        ("us-iso-west-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eusc-de-east-1", "aws-eusc"),
    ] {
        assert_eq!(partition_of(region), partition, "{region}");
    }
}
