//! ARNs and names of what the account's owner has made, each checked by its form.

use std::fmt;

/// Defines a string newtype for `$what`, whose rule is checked whenever one is made.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                let check: fn(&str) -> Result<(), String> = $check;
                check(&text).map(|()| Self(text))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

named!(
    /// The ARN of a managed policy, of the account's own or of AWS's.
    PolicyArn,
    |text| {
        let arn = Arn::parse(text);
        let is_policy = arn.is_some_and(|arn| {
            arn.is_in("iam", "") && (arn.has_account() || arn.account == "aws") && is_path(arn.resource, "policy/", 128)
        });
        expect(is_policy, text, "a managed policy: arn:aws:iam::ACCOUNT:policy/NAME")
    }
);

named!(
    /// The ARN of a role.
    RoleArn,
    |text| {
        let arn = Arn::parse(text);
        let is_role = arn
            .is_some_and(|arn| arn.is_in("iam", "") && arn.has_account() && is_path(arn.resource, "role/", 64));
        expect(is_role, text, "a role: arn:aws:iam::ACCOUNT:role/NAME")?;
        let is_of_aws = |arn: Arn<'_>| {
            ["role/aws-service-role/", "role/aws-reserved/"]
                .iter()
                .any(|path| arn.resource.starts_with(path))
        };
        match arn.is_some_and(is_of_aws) {
            true => Err(format!(
                "{text:?} is a role that AWS has made for another service, and CloudFormation cannot act with it: name one that \
                 trusts cloudformation.amazonaws.com (`chatctl policy --service-role` prints what it needs)"
            )),
            false => Ok(()),
        }
    }
);

named!(
    /// The ARN of a key of KMS. An alias will not do: policies and log groups name the key itself.
    KeyArn,
    |text| {
        let arn = Arn::parse(text);
        if arn.is_some_and(|arn| arn.service == "kms" && arn.resource.starts_with("alias/")) {
            return Err(format!(
                "{text:?} is an alias, and policies and log groups take none: name the key itself, which \
                 `aws kms describe-key --key-id ALIAS` tells (arn:aws:kms:REGION:ACCOUNT:key/ID)"
            ));
        }
        let is_key = arn.is_some_and(|arn| {
            let id = arn.resource.strip_prefix("key/").unwrap_or_default();
            arn.service == "kms" && !arn.region.is_empty() && arn.has_account() && !id.is_empty() && is_plain(id, "-")
        });
        expect(is_key, text, "a key of KMS: arn:aws:kms:REGION:ACCOUNT:key/ID")
    }
);

named!(
    /// The ARN of a topic of SNS. CloudFormation names no message group, which a FIFO topic needs.
    TopicArn,
    |text| {
        let arn = Arn::parse(text);
        let is_topic = arn.is_some_and(|arn| {
            arn.service == "sns"
                && !arn.region.is_empty()
                && arn.has_account()
                && (1..=256).contains(&arn.resource.len())
                && is_plain(arn.resource, "-_")
        });
        expect(is_topic, text, "a standard topic of SNS: arn:aws:sns:REGION:ACCOUNT:NAME")
    }
);

named!(
    /// The ARN of a certificate of ACM.
    CertificateArn,
    |text| {
        let arn = Arn::parse(text);
        let is_certificate = arn.is_some_and(|arn| {
            let id = arn.resource.strip_prefix("certificate/").unwrap_or_default();
            arn.service == "acm" && !arn.region.is_empty() && arn.has_account() && !id.is_empty() && is_plain(id, "-")
        });
        expect(is_certificate, text, "a certificate of ACM: arn:aws:acm:REGION:ACCOUNT:certificate/ID")
    }
);

named!(
    /// The path of roles: it begins and ends with a slash
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>).
    RolePath,
    |text| {
        let is_path = text.len() <= 512
            && text.starts_with('/')
            && text.ends_with('/')
            && !text.contains("//")
            && is_plain(text, "/_+=,.@-");
        expect(is_path, text, "a path of roles, such as \"/chat/\": it begins and ends with `/`, and has letters, digits and _+=,.@- between")
    }
);

named!(
    /// The name of a bucket (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>).
    BucketName,
    |text| {
        let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let is_name = (3..=63).contains(&text.len())
            && text.bytes().all(|byte| is_end(Some(byte)) || b".-".contains(&byte))
            && is_end(text.bytes().next())
            && is_end(text.bytes().last())
            && !text.contains("..");
        expect(is_name, text, "a bucket's name: 3 to 63 small letters, digits, `-` and `.`")?;
        let of_others = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
        match of_others.iter().find(|end| text.ends_with(*end)) {
            Some(end) => Err(format!(
                "{text:?} is not a bucket's name: `{end}` is at the end of what S3 names otherwise, such as access points and \
                 directory buckets; name a general purpose bucket"
            )),
            None => Ok(()),
        }
    }
);

fn expect(is_so: bool, text: &str, what: &str) -> Result<(), String> {
    match is_so {
        true => Ok(()),
        false => Err(format!("{text:?} is not {what}")),
    }
}

/// The parts of an ARN.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arn<'a> {
    pub(super) partition: &'a str,
    service: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let parts: Vec<_> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, resource] = parts[..] else {
            return None;
        };
        let is_partition =
            partition == "aws" || partition.starts_with("aws-") && is_plain(partition, "-");
        let is_region = region
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        (is_partition && is_region).then_some(Self {
            partition,
            service,
            region,
            account,
            resource,
        })
    }

    fn is_in(&self, service: &str, region: &str) -> bool {
        self.service == service && self.region == region
    }

    fn has_account(&self) -> bool {
        self.account.len() == 12 && self.account.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// `prefix`, then a name of at most `longest` characters with any path before it
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
fn is_path(resource: &str, prefix: &str, longest: usize) -> bool {
    let rest = resource.strip_prefix(prefix).unwrap_or_default();
    let name = rest.rsplit('/').next().unwrap_or_default();
    (1..=longest).contains(&name.len())
        && rest.len() - name.len() < 512
        && !rest.starts_with('/')
        && is_plain(rest, "/_+=,.@-")
}

/// Only letters, digits and `others`: nothing that would be a wildcard or a variable in a policy.
fn is_plain(text: &str, others: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

/// The partition of a Region, by its name
/// (<https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>).
pub(crate) fn partition_of(region: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    let found = PREFIXES
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix));
    found.map_or("aws", |(_, partition)| partition)
}
