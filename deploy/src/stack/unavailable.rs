//! Explains what an account, a Region or a partition does not offer, from AWS's error messages.

/// The meaning and the remedy of `words`, an event's reason or an error message of AWS.
pub(crate) fn explanation(words: &str) -> Option<(&'static str, String)> {
    let known = KNOWN
        .iter()
        .find(|known| known.words.iter().all(|word| words.contains(word)))?;
    Some((known.meaning, known.remedy.to_owned()))
}

struct Known {
    /// The message contains all of them.
    words: &'static [&'static str],
    meaning: &'static str,
    remedy: &'static str,
}

const SIGN_UP: &str = "finish the account's registration in the AWS console (payment method, phone, support plan): a new \
                       account may take up to 24 hours until every service accepts it";

const KNOWN: &[Known] = &[
    // https://github.com/aws/aws-cdk/issues/29227
    Known {
        words: &["LoggingConfig is not supported in"],
        meaning: "Lambda does not support log formats and log groups of one's own in this Region",
        remedy: "deploy to another Region (`--region`), because the functions' logs need them",
    },
    // https://github.com/reply-fr/sustainable-personal-accounts/issues/53
    Known {
        words: &["Architecture", "is not supported in"],
        meaning: "Lambda has no machines with this processor in this Region",
        remedy: "write `architecture = \"x86_64\"` under `[aws]` in chatctl.toml, then deploy again",
    },
    // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    Known {
        words: &["not signed up for the S3 service"],
        meaning: "the account is not registered for S3 yet",
        remedy: SIGN_UP,
    },
    Known {
        words: &["not signed up"],
        meaning: "the account is not registered for this service yet",
        remedy: SIGN_UP,
    },
    Known {
        words: &["NotSignedUp"],
        meaning: "the account is not registered for this service yet",
        remedy: SIGN_UP,
    },
    // https://github.com/webiny/webiny-js/issues/1517
    Known {
        words: &["needs a subscription for the service"],
        meaning: "the account is not registered for this service yet, or was suspended",
        remedy: SIGN_UP,
    },
    Known {
        words: &["SubscriptionRequired"],
        meaning: "the account is not registered for this service yet, or was suspended",
        remedy: SIGN_UP,
    },
    // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    Known {
        words: &["OptInRequired"],
        meaning: "the account is not registered for this service yet, or the Region is not enabled for it",
        remedy: SIGN_UP,
    },
    // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    Known {
        words: &["STS is not activated in this region"],
        meaning: "the Region is not enabled for this account",
        remedy: "enable it under Account, AWS Regions in the AWS console, which takes some minutes to hours; or deploy \
                 to another Region (`--region`)",
    },
    Known {
        words: &["RegionDisabledException"],
        meaning: "the Region is not enabled for this account",
        remedy: "enable it under Account, AWS Regions in the AWS console, which takes some minutes to hours; or deploy \
                 to another Region (`--region`)",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_services_of_a_region_or_an_account_are_explained() {
        for (words, meant) in [
            (
                "LoggingConfig is not supported in us-gov-east-1. Remove LoggingConfig value from your request and try again (Service: Lambda, Status Code: 400, Request ID: 1)",
                "log format",
            ),
            (
                "Architecture \"arm64\" is not supported in eu-west-3. Please select \"x86_64\" or remove the Architectures value from your request and try again (Service: Lambda, Status Code: 400)",
                "processor",
            ),
            (
                "NotSignedUp: Your account is not signed up for the S3 service. You must sign up before you can use S3.",
                "S3",
            ),
            (
                "SubscriptionRequiredException: The AWS Access Key Id needs a subscription for the service",
                "registered",
            ),
            (
                "OptInRequired: You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.",
                "registered",
            ),
            (
                "RegionDisabledException: STS is not activated in this region for account:1. Your account administrator can activate STS in this region using the IAM Console.",
                "not enabled",
            ),
        ] {
            let (meaning, remedy) = explanation(words).unwrap_or_else(|| panic!("{words}"));
            assert!(
                meaning.contains(meant) && !remedy.is_empty(),
                "{words}: {meaning}"
            );
        }
        assert_eq!(explanation("The role is gone"), None);
    }
}
