//! Differences between AWS's partitions that decide whether a chat works.

use super::Identity;

/// API Gateway in China serves requests without authentication, and those with a Lambda authorizer, only for accounts
/// with an ICP licence (<https://docs.amazonaws.cn/en_us/aws/latest/userguide/api-gateway.html>).
const CHINA: &str = "in China, API Gateway answers a chat's handshakes only for accounts with an ICP licence \
                                (https://docs.amazonaws.cn/en_us/aws/latest/userguide/api-gateway.html): without one, \
                                the stack is made and each handshake is refused";

const ISOLATED: &str =
    "chatctl has never been tried in an isolated partition (aws-iso), whose services may differ";

impl Identity {
    /// The partition of the account, such as `aws` or `aws-cn`.
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or("aws")
    }

    /// What may keep a chat there from answering although it is deployed.
    pub fn obstacle(&self) -> Option<&'static str> {
        (self.partition() == "aws-cn").then_some(CHINA)
    }

    /// A warning about the partition, for the question before a deployment.
    pub fn caution(&self) -> Option<&'static str> {
        match self.partition() {
            "aws-cn" => Some(CHINA),
            isolated if isolated.starts_with("aws-iso") => Some(ISOLATED),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn china_needs_a_licence_and_isolated_partitions_are_untried() {
        let caution = |partition: &str| {
            let arn = format!("arn:{partition}:iam::1:user/ann");
            Identity {
                account: "1".into(),
                arn,
            }
            .caution()
        };
        assert!(caution("aws-cn").unwrap().contains("ICP licence"));
        for isolated in ["aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"] {
            assert!(caution(isolated).unwrap().contains("never been tried"));
        }
        assert_eq!([caution("aws"), caution("aws-us-gov")], [None, None]);
    }
}
