//! Recognises the kind of policy that denied a request, from AWS's error message, and proposes a remedy.
//!
//! The messages are those of IAM (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>)
//! and of S3 (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html>), in all partitions.

/// A parsed denial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    kind: Kind,
    /// A policy denies the request explicitly. Otherwise no policy allows it.
    is_explicit: bool,
    action: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ServiceControl,
    ResourceControl,
    Boundary,
    Session,
    Endpoint,
    Resource,
    Trust,
    Identity,
    PublicAccessBlock,
    /// AWS does not name the kind.
    Unnamed,
}

/// AWS's name of each kind after `with an explicit deny in`, and in `because no … allows`.
const NAMES: [(&str, Kind); 11] = [
    ("service control polic", Kind::ServiceControl),
    ("resource control polic", Kind::ResourceControl),
    ("permissions boundar", Kind::Boundary),
    ("session polic", Kind::Session),
    ("vpc endpoint polic", Kind::Endpoint),
    ("resource-based polic", Kind::Resource),
    ("access point polic", Kind::Resource),
    ("bucket polic", Kind::Resource),
    ("role trust polic", Kind::Trust),
    ("identity-based polic", Kind::Identity),
    ("block public access", Kind::PublicAccessBlock),
];

impl Denial {
    /// Parses `words`; `None` if they are not a denial by a policy. `action` is the fallback for a message that names
    /// none.
    pub fn parse(words: &str, action: &str) -> Option<Self> {
        if !words.contains("not authorized to perform") {
            return None;
        }
        let lower = words.to_lowercase();
        let explicit = lower.split_once("with an explicit deny");
        // After this phrase AWS may name the policy itself, and CloudFormation adds text of its own.
        let context = explicit
            .or_else(|| lower.split_once("because "))
            .map_or("", |(_, behind)| behind);
        let found = NAMES
            .into_iter()
            .filter_map(|(name, kind)| Some((context.find(name)?, kind)));
        let kind = found
            .min_by_key(|(at, _)| *at)
            .map_or(Kind::Unnamed, |(_, kind)| kind);
        Some(Self {
            kind,
            is_explicit: explicit.is_some() || kind == Kind::PublicAccessBlock,
            action: action_in(words).unwrap_or(action).to_owned(),
        })
    }

    /// The meaning of the denial.
    pub(crate) fn meaning(&self) -> &'static str {
        match (self.kind, self.is_explicit) {
            (Kind::ServiceControl, true) => {
                "a service control policy of the account's organization denies this, whatever other policies allow"
            }
            (Kind::ServiceControl, false) => {
                "no service control policy of the account's organization allows this, so it is denied"
            }
            (Kind::ResourceControl, true) => {
                "a resource control policy of the organization denies this on that resource, whatever other policies allow"
            }
            (Kind::ResourceControl, false) => {
                "no resource control policy of the organization allows this on that resource"
            }
            (Kind::Boundary, true) => {
                "the permissions boundary of the identity denies this, whatever its other policies allow"
            }
            (Kind::Boundary, false) => {
                "the permissions boundary of the identity does not include this, whatever its other policies allow"
            }
            (Kind::Session, true) => {
                "the session policy, which was set when the role was assumed, denies this"
            }
            (Kind::Session, false) => {
                "the session policy, which was set when the role was assumed, does not allow this"
            }
            (Kind::Endpoint, true) => "the policy of the request's VPC endpoint denies this",
            (Kind::Endpoint, false) => {
                "the policy of the request's VPC endpoint does not allow this"
            }
            (Kind::Resource, true) => "the policy of the resource itself denies this",
            (Kind::Resource, false) => "the policy of the resource itself does not allow this",
            (Kind::Trust, true) => "the trust policy of the role denies this to the identity",
            (Kind::Trust, false) => {
                "the trust policy of the role does not name the identity, or its conditions are not met"
            }
            (Kind::Identity, true) => {
                "a policy of the identity or of one of its groups denies this, whatever other policies allow"
            }
            (Kind::PublicAccessBlock, _) => {
                "S3 Block Public Access of the account or the bucket prevents this"
            }
            (Kind::Unnamed, true) => "a policy denies this, whatever other policies allow",
            (Kind::Identity | Kind::Unnamed, false) => {
                "the deploying identity lacks this permission; CloudFormation uses the identity's permissions"
            }
        }
    }

    /// A remedy; begins with a verb.
    pub fn remedy(&self) -> String {
        let remedy = self.remedy_of_kind();
        let makes_roles = ["iam:CreateRole", "iam:PutRolePolicy"].contains(&self.action.as_str());
        match makes_roles && self.is_explicit {
            true => format!(
                "{remedy}; or, if it denies roles without a permissions boundary, name that boundary: \
                 `permissions-boundary` under `[aws]` in the config"
            ),
            false => remedy,
        }
    }

    fn remedy_of_kind(&self) -> String {
        let action = &self.action;
        match (self.kind, self.is_explicit) {
            (Kind::ServiceControl, true) => format!(
                "have the organization's administrators exempt the identity or the account from that policy, because another \
                 policy that allows {action} does not help; or deploy to an account or Region that it does not cover"
            ),
            (Kind::ServiceControl, false) => format!(
                "have the organization's administrators allow {action} in a service control policy; a policy of the \
                 identity's own does not help"
            ),
            (Kind::ResourceControl, true) => format!(
                "have the organization's administrators exempt the resource from that policy, because another policy that \
                 allows {action} does not help"
            ),
            (Kind::ResourceControl, false) => format!(
                "have the organization's administrators allow {action} in a resource control policy"
            ),
            (Kind::Boundary, true) => format!(
                "have an administrator remove the denial of {action} from that boundary, or deploy with an identity \
                 that has another one"
            ),
            (Kind::Boundary, false) => format!(
                "have an administrator add {action} to that boundary, or deploy with an identity that has another one; \
                 a further policy of the identity does not help"
            ),
            (Kind::Session, _) => format!(
                "begin a session whose policy allows {action}: the caller that assumes the role (a CI step, IAM Identity Center, \
                 a script) has narrowed it"
            ),
            (Kind::Endpoint, _) => format!(
                "have {action} allowed in the policy of that endpoint, or deploy from a network whose requests do not \
                 pass through it"
            ),
            (Kind::Resource, true) => format!(
                "have the statement that denies {action} removed from the resource's policy, or the identity exempted; \
                 a policy of the identity's own does not help"
            ),
            (Kind::Resource, false) => format!("have the resource's policy allow {action} to the identity"),
            (Kind::Trust, true) => {
                "have the statement that denies it removed from the role's trust policy".to_owned()
            }
            (Kind::Trust, false) => {
                "have the identity added to the role's trust policy, and compare its conditions, such as multi-factor \
                 authentication or an external id"
                    .to_owned()
            }
            (Kind::Identity, true) => format!(
                "find the statement that denies {action} among the identity's policies and those of its groups: often \
                 it asks for multi-factor authentication, a tag, a permissions boundary or a Region; allowing the action \
                 once more does not help"
            ),
            (Kind::PublicAccessBlock, _) => {
                "chatctl makes no bucket public: find the change of the bucket's policy".to_owned()
            }
            (Kind::Unnamed, true) => format!(
                "find the statement that denies {action}: in the identity's policies, its permissions boundary, the \
                 organization's policies or the resource's; allowing the action once more does not help"
            ),
            (Kind::Identity | Kind::Unnamed, false) => {
                format!("have an administrator allow it {action}, then deploy again")
            }
        }
    }

    /// Whether a missing permission that an administrator can grant to the identity is the only cause.
    pub(crate) fn is_mere_lack(&self) -> bool {
        matches!(self.kind, Kind::Identity | Kind::Unnamed) && !self.is_explicit
    }
}

/// The `service:Action` that a denial names.
pub(crate) fn action_in(reason: &str) -> Option<&str> {
    let (_, rest) = reason.split_once("not authorized to perform")?;
    rest.trim_start_matches(':')
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
        .find(|word| word.contains(':') && !word.starts_with("arn:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The messages of IAM's page, with the kind of policy of each.
    const SENTENCES: &[(&str, Kind, bool)] = &[
        (
            "because no service control policy allows the codecommit:ListRepositories action",
            Kind::ServiceControl,
            false,
        ),
        (
            "with an explicit deny in a service control policy",
            Kind::ServiceControl,
            true,
        ),
        (
            "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-1",
            Kind::ServiceControl,
            true,
        ),
        (
            "because no resource control policy allows the secretsmanager:GetSecretValue action",
            Kind::ResourceControl,
            false,
        ),
        (
            "with an explicit deny in a resource control policy",
            Kind::ResourceControl,
            true,
        ),
        (
            "because no VPC endpoint policy allows the codecommit:ListRepositories action",
            Kind::Endpoint,
            false,
        ),
        (
            "with an explicit deny in a VPC endpoint policy",
            Kind::Endpoint,
            true,
        ),
        (
            "because no permissions boundary allows the codedeploy:ListDeployments action",
            Kind::Boundary,
            false,
        ),
        (
            "with an explicit deny in a permissions boundary",
            Kind::Boundary,
            true,
        ),
        (
            "because no session policy allows the codecommit:ListRepositories action",
            Kind::Session,
            false,
        ),
        (
            "with an explicit deny in a session policy",
            Kind::Session,
            true,
        ),
        (
            "because no resource-based policy allows the secretsmanager:GetSecretValue action",
            Kind::Resource,
            false,
        ),
        (
            "with an explicit deny in a resource-based policy",
            Kind::Resource,
            true,
        ),
        (
            "because no role trust policy allows the sts:AssumeRole action",
            Kind::Trust,
            false,
        ),
        (
            "because the role trust policy allows the sts:AssumeRole action",
            Kind::Trust,
            false,
        ),
        (
            "with an explicit deny in the role trust policy",
            Kind::Trust,
            true,
        ),
        (
            "because no identity-based policy allows the codecommit:ListRepositories action",
            Kind::Identity,
            false,
        ),
        (
            "with an explicit deny in an identity-based policy",
            Kind::Identity,
            true,
        ),
        ("with an explicit deny", Kind::Unnamed, true),
        ("", Kind::Unnamed, false),
        // S3's page.
        (
            "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access",
            Kind::PublicAccessBlock,
            true,
        ),
        // KMS (<https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>).
        (
            "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
            Kind::Resource,
            false,
        ),
    ];

    #[test]
    fn every_message_of_iam_s_page_names_its_kind_of_policy() {
        for partition in ["aws", "aws-cn", "aws-us-gov"] {
            for (context, kind, is_explicit) in SENTENCES {
                let words = format!(
                    "User: arn:{partition}:sts::1:assumed-role/service-control-policy/bucket policy is not authorized \
                     to perform: s3:PutBucketPolicy on resource: arn:{partition}:s3:::b {context}"
                );
                let denial = Denial::parse(&words, "x:Y").unwrap();
                assert_eq!(
                    (denial.kind, denial.is_explicit),
                    (*kind, *is_explicit),
                    "{context}"
                );
                assert_eq!(denial.action, "s3:PutBucketPolicy");
            }
        }
    }

    #[test]
    fn an_explicit_denial_is_not_answered_with_advice_to_allow_the_action() {
        for (context, kind, is_explicit) in SENTENCES {
            let words = format!(
                "User: x is not authorized to perform: iam:CreateRole on resource: y {context}"
            );
            let denial = Denial::parse(&words, "x:Y").unwrap();
            let is_lack = denial
                .remedy()
                .starts_with("have an administrator allow it");
            assert_eq!(is_lack, denial.is_mere_lack(), "{kind:?} {is_explicit}");
            assert!(!(is_lack && *is_explicit), "{context}");
        }
    }

    #[test]
    fn messages_that_are_no_denial_are_not_explained() {
        for words in [
            "Rate exceeded",
            "because no identity-based policy allows it",
            "",
        ] {
            assert_eq!(Denial::parse(words, "x:Y"), None);
        }
    }
}
